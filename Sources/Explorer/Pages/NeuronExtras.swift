import ActivationStore
import Explanations
import Foundation
import Images
import Pages
import Search
import Support

/// What a neuron's page has beside its images and numbers.
extension Explorer {
    /// Values that a page reads of a layer at once; of more, the question stands at its own address.
    static let quickValues = 4_000_000

    /// The formula of labels and attributes that tells its images.
    func words(for neuron: NeuronName) throws -> HTML {
        let formulas = try NeuronFormulas(of: [neuron], in: store, quick: true)
        let hit = formulas[neuron]
        guard hit != nil || formulas.gap != nil else { return HTML() }
        return HTML(.section, .class("card")) {
            HTML(.h2) { "In words" }
            if let hit {
                HTML(.p) { HTML(.b) { hit.formula ?? "" } }
                HTML(.small) {
                    "AUROC " + (hit.heldOut.map { String(format: "%.3f", $0) } ?? "unknown")
                        + " on images that the search did not see; holds for "
                        + String(format: "%.1f", (hit.share ?? 0) * 100) + " % of the images."
                }
            } else {
                HTML(.p, .class("quiet")) { "Not searched: \(formulas.gap ?? "")." }
                HTML(.p) {
                    HTML(.a, .href(Address("concepts", neuron.description))) { "Search a formula of labels and attributes" }
                }
            }
        }
    }

    /// The neurons of its layer that rank the images most alike.
    func alike(_ neuron: String, _ layer: LayerRecord) throws -> HTML {
        let question = Address(
            path: ["neurons"],
            query: [.init("duplicate", ""), .init("layer", neuron), .init("threshold", "0"), .init("k", "12")])
        let isQuick = try layer.channels * store.imageCount() <= Self.quickValues
        let found = isQuick ? Result { try DuplicatesQuery(layer: [neuron], threshold: 0, count: 6).run(in: store) } : nil
        let channel = neuron.split(separator: ":").last.flatMap { Int($0) }
        return HTML(.div, isQuick ? nil : Attribute("data-later", question)) {
            HTML(.h2) { "Neurons like it" }
            switch found {
            case .success(let hits):
                if hits.isEmpty { HTML(.p, .class("quiet")) { "No neuron of the layer ranks the images as it does." } }
                for hit in hits {
                    let other = hit.channel == channel ? hit.other : hit.channel
                    HTML(.p, .title("Spearman's rank correlation over all images")) {
                        HTML(.a, .href(Address("neuron", "\(hit.layer):\(other)"))) { "\(hit.layer):\(other)" }
                        String(format: " %.3f", hit.correlation)
                        if hit.correlation >= 0.95 { HTML(.small) { " a duplicate" } }
                    }
                }
            case .failure(let error): HTML(.p, .class("quiet")) { Self.refusal(of: error).sentence }
            case nil: HTML(.p) { HTML(.a, .href(question)) { "Compare it with all of its layer" } }
            }
        }
    }

    /// Deconvolution of its strongest images, and the picture that it wants: made when they are asked for.
    func made(of neuron: String, _ listing: any Printable) -> HTML {
        let hits = (listing as? Rows<TopQuery.Hit>)?.rows ?? []
        var images: [Int] = []
        for hit in hits where !images.contains(hit.imageID) && images.count < 6 { images.append(hit.imageID) }
        return HTML(.div) {
            HTML(.h2) { "What it answers to" }
            if !images.isEmpty {
                HTML(
                    .form, .class("ask"), Attribute("action", Address("explanations")),
                    Attribute("data-explain", Address("explaining"))
                ) {
                    for image in images { HTML(.input, .type("hidden"), .name("image"), .value("\(image)")) }
                    HTML(.input, .type("hidden"), .name("target"), .value(neuron))
                    Self.choice(
                        "In its first \(images.count) images", "method", nil,
                        [
                            (Deconvolution.name, "deconvolution"), ("\(Deconvolution.name) --rule guided", "guided"),
                            (Saliency.name, "gradient"), ("\(ClassActivationMap.name) --method grad-cam", "Grad-CAM"),
                        ])
                    HTML(.button, .class("primary")) { "Show" }
                }
            }
            HTML(.h2) { "What it wants, by gradient ascent" }
            ascentForm(neuron, [])
        }
    }

    /// What a neuron saw of an image; the whole picture with that outlined, where it is asked for.
    func seen(_ hit: TopQuery.Hit, isWhole: Bool) -> HTML {
        let place = PictureShelf.Place(layer: hit.layer, y: hit.y, x: hit.x)
        let (part, whole) = (
            Self.address(ofPicture: hit.imageID, size: 320, place), Self.address(ofPicture: hit.imageID, size: 320)
        )
        let name = Self.fileName(hit.image)
        let lines =
            [shortNumber(Double(hit.value))] + (hit.decile.map { ["tenth \($0)"] } ?? []) + (hit.label.map { [$0] } ?? []) + [
                name
            ]
        return HTML(.figure, .class("tile")) {
            HTML(.a, .class("frame"), .href(Address("image", "\(hit.imageID)"))) {
                HTML(
                    .img, .src(isWhole ? whole : part), .alt("What \(hit.layer):\(hit.channel) saw of \(name)"), .width(160),
                    .height(160), Attribute("loading", "lazy"), Attribute("data-whole", picture: isWhole ? part : whole))
                outline(place, hit.imageID)
            }
            HTML(.figcaption) {
                for (index, line) in lines.enumerated() {
                    HTML(.span, .title(line)) { index == 0 ? HTML(.b) { line } : HTML(line) }
                }
            }
        }
    }

    /// In a picture that is fitted into a square.
    private func outline(_ place: PictureShelf.Place, _ id: Int) -> HTML? {
        guard let image = try? store.image(id: id), let area = pictures.source(place, image), !area.isEmpty else { return nil }
        return HTML(
            .svg, .class("field"), Attribute("viewBox", "0 0 \(image.width) \(image.height)"), Attribute("aria-hidden", "true")
        ) {
            Self.outline(x: area.x, y: area.y, width: area.width, height: area.height)
        }
    }

    /// A rectangle of a drawing over a picture: a bright line on a dark one, to be seen on any ground.
    @HTMLBuilder static func outline(x: Double, y: Double, width: Double, height: Double) -> HTML {
        for shade in ["shade", "line"] {
            HTML(
                .rect, .class(shade), Attribute("x", x), Attribute("y", y), Attribute("width", width),
                Attribute("height", height))
        }
    }
}
