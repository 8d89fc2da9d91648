import ActivationStore
import Explanations
import Foundation
import Images
import Pages
import Search
import Support

extension Explorer {
    /// `/image/ID`: what `profile` answers, with the picture, its facts and its nearest images.
    func image(_ name: String, _ wanted: Wanted) throws -> Answer {
        let question = try AddressedQuestion.parse(ProfileQuery.self, operands: [name], fields: wanted.question)
        let image = try store.image(named: name)
        var page = Answer(
            title: Self.fileName(image.path), kind: "image", command: AddressedQuestion.command(question, store: store.path)
        ) {
            let report = try question.report(from: self.store)
            self.remarks(report.remarks)
            try HTML(.div, .class("split")) {
                try HTML(.div) {
                    HTML(.section, .class("card")) {
                        self.subject(image, report.listing)
                        self.thumbnailNote([image])
                    }
                    HTML(.section, .class("card")) {
                        HTML(.h2) { "Explain its answer, or a neuron's" }
                        self.explainForm(image: "\(image.id)")
                    }
                    try self.keptExplanations(of: image)
                    HTML(.section, .class("card")) { self.nearest(image, wanted) }
                }
                try HTML(.div) {
                    HTML(.section, .class("card")) { self.facts(of: image) }
                    try self.others.map { try self.elsewhere(image, $0) }
                    HTML(.section, .class("card")) {
                        HTML(.h2) { "The neurons it excites most, by their own habits" }
                        self.profile(report.listing)
                    }
                }
            }
        }
        page.subtitle = image.path
        page.crumbs = HTML(.a, .href(Address("images"))) { "Images" }
        page.address = wanted.address
        if image.id > 0 { page.keys.append(("ArrowLeft", Address(path: ["image", "\(image.id - 1)"], query: wanted.question))) }
        page.keys.append(("ArrowRight", Address(path: ["image", "\(image.id + 1)"], query: wanted.question)))
        page.listing = { try question.report(from: self.store).listing }
        return page
    }

    /// The picture, with a rectangle for each of the neurons, shown where one points at it.
    private func subject(_ image: StoredImage, _ listing: any Printable) -> HTML {
        let hits = (listing as? Rows<ProfileQuery.Hit>)?.rows ?? []
        let areas = hits.enumerated().map { index, hit -> HTML in
            guard let area = pictures.source(.init(layer: hit.layer, y: hit.y, x: hit.x), image), !area.isEmpty else {
                return HTML()
            }
            return HTML(.g, .id("seen-\(index)"), .hidden) {
                for shade in ["shade", "line"] {
                    HTML(
                        .rect, .class(shade), Attribute("x", area.x), Attribute("y", area.y), Attribute("width", area.width),
                        Attribute("height", area.height))
                }
            }
        }
        return HTML(.div, .class("outlined")) {
            HTML(
                .img, .class("subject"), .src(Self.address(ofPicture: image.id, size: 960)),
                .alt("The image \(Self.fileName(image.path))"), .width(image.width), .height(image.height))
            HTML(.svg, Attribute("viewBox", "0 0 \(image.width) \(image.height)"), Attribute("aria-hidden", "true")) { areas }
        }
    }

    func profile(_ listing: any Printable) -> HTML {
        guard let hits = (listing as? Rows<ProfileQuery.Hit>)?.rows else { return table(listing) }
        return HTML(.table) {
            HTML(.tr) {
                HTML(.th) { "neuron" }
                HTML(.th, .class("number")) { "percentile" }
                HTML(.th, .class("number")) { "value" }
            }
            for (index, hit) in hits.enumerated() {
                HTML(.tr, Attribute("data-seen", "seen-\(index)")) {
                    HTML(.td) {
                        HTML(.a, .href(Address("neuron", "\(hit.layer):\(hit.channel)"))) {
                            hit.className.map { "class:\($0)" } ?? neuronName(hit.layer, hit.channel)
                        }
                    }
                    HTML(.td, .class("number")) { String(format: "%.1f", hit.percentile * 100) }
                    HTML(.td, .class("number")) { shortNumber(Double(hit.value)) }
                }
            }
        }
    }

    /// The same image in another store of the server: the file of the same content.
    private func elsewhere(_ image: StoredImage, _ other: ServedStore) throws -> HTML {
        let found = try other.store.images(sha256: image.sha256)
        let (here, there) = (Self.answer(to: image, of: store), found.first.flatMap { Self.answer(to: $0, of: other.store) })
        return HTML(.section, .class("card")) {
            HTML(.h2) { "In @\(other.name)" }
            if let same = found.first {
                if let here, let there, here != there {
                    HTML(.p, .class("bad")) { "The answer changed: \(here) here, \(there) there." }
                }
                Self.facts(
                    [
                        ("prediction", (there ?? "none") + (same.predictedScore.map { ", score \(shortNumber($0))" } ?? "")),
                        ("label", same.label ?? "none"),
                    ] + (same.path == image.path ? [] : [("path", same.path)]))
                HTML(.p) {
                    HTML(.a, .href(other.address(["image", "\(same.id)"]))) { "The image there" }
                    if found.count > 1 { " and \(found.count - 1) copies of it" }
                }
            } else {
                HTML(.p, .class("quiet")) { "That store does not have the image." }
            }
        }
    }

    /// The name of the class that a store's network answers with.
    private static func answer(to image: StoredImage, of store: Store) -> String? {
        let classes = store.description.classes
        return image.predictedClass.map { classes.indices.contains($0) ? classes[$0] : "class \($0)" }
    }

    private func facts(of image: StoredImage) -> HTML {
        let classes = store.description.classes
        let answer = Self.answer(to: image, of: store)
        var facts: [(String, String)] = []
        if let answer { facts.append(("prediction", answer + (image.predictedScore.map { ", score \(shortNumber($0))" } ?? ""))) }
        facts.append(("label", image.label ?? "none"))
        if let split = image.split { facts.append(("split", split)) }
        facts.append(("size", "\(image.width)×\(image.height) pixels, \((image.bytes + 512) / 1024) kB"))
        facts.append(("id", "\(image.id)"))
        facts.append(("SHA-256", image.sha256.hexadecimal))
        return HTML(.div) {
            if let label = image.label, let answer, classes.contains(label) {
                HTML(.p, .class(label == answer ? "good" : "bad")) {
                    label == answer ? "The network answers right." : "The network answers \(answer); the label is \(label)."
                }
            }
            Self.facts(facts)
        }
    }

    /// Of a layer of many values they are found when their place is seen, or asked for.
    private func nearest(_ image: StoredImage, _ wanted: Wanted) -> HTML {
        let isAsked = wanted.isFile || wanted.address["nearest"] != nil
        let found = Result { try nearest(to: image, isAsked: isAsked) }
        let later = Address(path: ["image", "\(image.id)"], query: [.init("nearest", "")])
        var isLater = false
        if case .success(nil) = found { isLater = true }
        return HTML(.div, .id("nearest"), isLater ? Attribute("data-later", later) : nil) {
            HTML(.h2) { "The nearest images, by the last layer before the class scores" }
            switch found {
            case .success(nil): HTML(.p) { HTML(.a, .href(later)) { "Compare it with all images" } }
            case .success(let hits?):
                HTML(.div, .class("tiles")) {
                    for hit in hits {
                        tile(
                            hit.imageID, alt: "The image \(Self.fileName(hit.image))",
                            lines: [shortNumber(hit.distance)] + (hit.label.map { [$0] } ?? []) + [Self.fileName(hit.image)])
                    }
                }
            case .failure(let error): HTML(.p, .class("quiet")) { Self.refusal(of: error).sentence }
            }
        }
    }

    /// Nil where they are not known, and would take long to find.
    private func nearest(to image: StoredImage, isAsked: Bool) throws -> [SimilarQuery.Hit]? {
        let key = "\(image.id) \(FileState(path: store.path)?.text ?? "")"
        if let known = neighbours[key] { return known }
        let values = try store.imageCount().saturated(times: store.description.descriptiveLayer.channels)
        guard isAsked || values <= Self.quickValues else { return nil }
        let hits = try SimilarQuery(image: "\(image.id)", count: 8).run(in: store).hits
        neighbours.put(hits, key)
        return hits
    }
}
