import ActivationStore
import Explanations
import Foundation
import Images
import Pages
import Search
import Support

extension Explorer {
    /// `/explanations?image=3&method=cam`: maps side by side, made if they are not there; without an image, those that are kept.
    func explanations(_ wanted: Wanted, _ connection: Connection) throws -> Answer {
        guard wanted.question.contains(where: { $0.name == "image" }) else { return try keptExplanations(wanted) }
        let wishes = try ExplanationWishes(wanted.question, in: store, dropped: desk.uploads.has)
        let results = try results(of: wishes, connection)
        var page = Answer(title: "Explanations", kind: "explanations", command: command(wishes, results)) {
            HTML(.section, .class("card")) { self.explainForm(wishes) }
            self.shown(results, wishes)
        }
        page.subtitle =
            "\(wishes.orders.count) \(wishes.orders.count == 1 ? "map" : "maps")"
            + (wishes.sharesScale ? ", those of one method on one scale" : ", each on its own scale")
        if case .stored(let id)? = wishes.orders.first?.image {
            page.crumbs = HTML(.a, .href(Address("image", "\(id)"))) { (try? store.image(id: id)?.path) ?? "image \(id)" }
        }
        page.address = wanted.address
        page.listing = {
            for (_, result) in results { if case .failure(let error) = result { throw error } }
            return try self.commands.explained(results.compactMap { try? self.explained($0.result.get()) }, wishes.isChecked)
        }
        return page
    }

    private func explained(_ made: MadeExplanation) throws -> ExplainedImage {
        let description = store.description
        return ExplainedImage(
            subject: made.subject, explanation: made.explanation, model: description.model.name,
            layer: description.layers.first { $0.name == made.explanation.target.layer },
            size: made.subject.framed.placement.crop)
    }

    typealias ExplanationResult = (order: ExplanationOrder, result: Result<MadeExplanation, any Error>)

    /// - Throws: where there is no room in the queue, or nobody waits any more.
    func results(of wishes: ExplanationWishes, _ connection: Connection) throws -> [ExplanationResult] {
        try wishes.orders.map { order in
            do {
                return (order, .success(try desk.made(order, for: connection)))
            } catch let full as WorkQueue.Full {
                throw Self.refusal(of: full)
            } catch let left as WorkQueue.Abandoned {
                throw left
            } catch {
                return (order, .failure(error))
            }
        }
    }

    /// A row an image: the picture, and its maps.
    func shown(_ results: [ExplanationResult], _ wishes: ExplanationWishes) -> HTML {
        let made = results.compactMap { result in (try? result.result.get()).map { (result.order, $0) } }
        let drawn = DrawnExplanation.drawn(made, sharesScale: wishes.sharesScale)
        var images: [PageImage] = []
        for order in wishes.orders where !images.contains(order.image) { images.append(order.image) }
        return HTML(.div, Attribute("data-explanations")) {
            looks
            for image in images {
                HTML(.section, .class("card maps")) {
                    original(image, made.first { $0.0.image == image }?.1.subject)
                    for result in results where result.order.image == image {
                        switch result.result {
                        case .success:
                            if let one = drawn.first(where: { $0.order == result.order }) { map(one) }
                        case .failure(let error): failure(result.order, error)
                        }
                    }
                }
            }
        }
    }

    /// Moved by the script over the raw maps.
    private var looks: HTML {
        HTML(.form, .class("ask looks"), Attribute("data-looks"), .hidden) {
            HTML(.label) {
                "Strength"
                HTML(
                    .input, .type("range"), .name("strength"), Attribute("min", "0"), Attribute("max", "100"), .value("70"))
            }
            HTML(.label) {
                "Hide below"
                HTML(
                    .input, .type("range"), .name("threshold"), Attribute("min", "0"), Attribute("max", "100"), .value("0"))
            }
            Self.choice(
                "Colours", "colormap", "", [("", "the method's")] + Colormap.allCases.map { ($0.rawValue, $0.rawValue) })
            HTML(.output, Attribute("data-look"))
        }
    }

    private func original(_ image: PageImage, _ subject: InputImage?) -> HTML {
        HTML(.figure, .class("map")) {
            if let subject {
                let picture = subject.framed.picture
                HTML(.div, .class(DrawnExplanation.isSmall(picture) ? "layers pixels" : "layers")) {
                    HTML(
                        .img, .src(Self.address(ofFrame: image)), .alt("\(Self.fileName(subject.name)) as the network sees it"),
                        .width(picture.width), .height(picture.height))
                }
            }
            HTML(.figcaption) {
                if case .stored(let id) = image {
                    HTML(.a, .href(Address("image", "\(id)"))) { subject.map { Self.fileName($0.name) } ?? "image \(id)" }
                } else {
                    HTML(.b) { subject.map { Self.fileName($0.name) } ?? "dropped" }
                }
                HTML(.small) { "as the network sees it" }
                if let label = subject?.stored?.label { HTML(.small) { "label \(label)" } }
            }
        }
    }

    private func map(_ one: DrawnExplanation) -> HTML {
        let (made, look) = (one.made, one.made.look)
        let picture = made.subject.framed.picture
        func file(_ name: String, limit: Bool) -> Address {
            Address(path: [name], query: one.order.fields + (limit ? [Address.Field("limit", "\(one.limit.value)")] : []))
        }
        return HTML(
            .figure, .class("map"), Attribute("data-map", file("plane.npy", limit: false)),
            Attribute("data-limit", "\(one.limit.value)"), Attribute("data-signed", look.isSigned ? "yes" : ""),
            Attribute("data-gain", look.isFine ? "1.5" : "1"),
            Attribute("data-colormap", look.colormap.rawValue),
            Attribute("data-under", Self.address(ofFrame: one.order.image))
        ) {
            HTML(.div, .class(DrawnExplanation.isSmall(picture) ? "layers pixels" : "layers")) {
                HTML(
                    .img, .src(file("map.png", limit: true)), .width(picture.width), .height(picture.height),
                    .alt("\(made.caption) of \(made.explanation.target.text) on \(Self.fileName(made.subject.name))"))
                boxes(of: made, over: picture)
            }
            HTML(
                .img, .class("colors"), .src(Self.address(ofColors: look.colormap)), .alt(""),
                .width(256), .height(8), Attribute("data-colors"))
            HTML(.div, .class("ends")) {
                HTML(.span) {
                    look.isSigned ? (one.limit.isClipped ? "≤ " : "") + "−\(shortNumber(Double(one.limit.value)))" : "0"
                }
                HTML(.span) { (one.limit.isClipped ? "≥ " : "") + shortNumber(Double(one.limit.value)) }
            }
            HTML(.figcaption) { captions(one, raw: file("map.npy", limit: false)) }
        }
    }

    /// What a method outlines, in the part of the network's frame that shows the picture.
    private func boxes(of made: MadeExplanation, over picture: Image) -> HTML? {
        guard !made.explanation.boxes.isEmpty else { return nil }
        let shown = made.subject.framed.placement.shown
        let origin = made.subject.framed.placement.isPadded ? (shown.columns.lowerBound, shown.rows.lowerBound) : (0, 0)
        return HTML(
            .svg, .class("field boxes"), Attribute("viewBox", "0 0 \(picture.width) \(picture.height)"),
            Attribute("aria-hidden", "true")
        ) {
            for box in made.explanation.boxes {
                Self.outline(x: box.x - Double(origin.0), y: box.y - Double(origin.1), width: box.width, height: box.height)
            }
        }
    }

    @HTMLBuilder private func captions(_ one: DrawnExplanation, raw: Address) -> HTML {
        let (made, target) = (one.made, one.made.explanation.target)
        HTML(.b) { target.caption }
        HTML(.span) { "\(target.quantity) \(shortNumber(Double(made.explanation.value)))" }
        HTML(.small) { made.caption }
        HTML(.small) { made.look.quantity + (one.limit.isClipped ? one.limit.remark : "") }
        for note in made.notes { HTML(.small) { note } }
        if let checks = made.explanation.checks {
            HTML(.p, .class(checks.failures.isEmpty ? "check good" : "check bad")) { checks.verdict }
        }
        if let refusal = made.refusal { HTML(.p, .class("note")) { "Not kept in the store: \(refusal)" } }
        HTML(.small) {
            made.explanation.wasKept ? "kept in the store" : "made in \(String(format: "%.2f", made.explanation.seconds)) s"
            " · "
            HTML(.a, .href(raw)) { "raw map" }
            if one.made.explanation.checks == nil {
                " · "
                HTML(
                    .a, .href(Address(path: ["explanations"], query: one.order.fields + [Address.Field("check", "")])),
                    Attribute("data-explain-link")
                ) { "check it" }
            }
        }
    }

    private func failure(_ order: ExplanationOrder, _ error: any Error) -> HTML {
        HTML(.figure, .class("map")) {
            HTML(.p, .class("note error"), Attribute("role", "alert")) { Self.refusal(of: error).sentence }
            HTML(.figcaption) {
                HTML(.small) { (order.target ?? "the class it answers") + ", " + ExplanationWishes.words(order.method) }
            }
        }
    }

    /// The line of a terminal that makes the same; several methods are several lines.
    private func command(_ wishes: ExplanationWishes, _ results: [ExplanationResult]) -> String {
        func line(_ name: String, _ options: [String], _ operands: [String]) -> String {
            Spelling.line(["neurodex"] + Spelling.command(name, options: options, operands: [store.path] + operands))
        }
        let images = wishes.orders.map { name(of: $0.image) }
        let each = images.indices.filter { images.firstIndex(of: images[$0]) == $0 }.map { images[$0] }
        return wishes.methods.flatMap { method -> [String] in
            let arguments = Array(method.dropFirst())
            guard method[0] == Deconvolution.name else {
                let options = arguments + Spelling.option("--target", wishes.targets) + Spelling.flag("--check", wishes.isChecked)
                return [line(method[0], options, each)]
            }
            // Of one image and one neuron at a time.
            return results.filter { $0.order.method == method }.map { order, result in
                let projected = Self.projected(order, result)
                let image = Spelling.option("--image", name(of: order.image))
                return line(method[0], arguments + image + projected.position, [projected.neuron])
            }
        }.joined(separator: " && ")
    }

    /// The neuron that was projected back, and from which place, as options.
    private static func projected(
        _ order: ExplanationOrder, _ result: Result<MadeExplanation, any Error>
    ) -> (neuron: String, position: [String]) {
        guard case .success(let made) = result else { return (order.target ?? "class:0", []) }
        let target = made.explanation.target
        return (target.neuron, Spelling.option("--position", target.place.map { "\($0.y),\($0.x)" }))
    }

    private func name(of image: PageImage) -> String {
        switch image {
        case .stored(let id): "\(id)"
        case .dropped(let hash): (try? desk.uploads.picture(hash).name) ?? "picture"
        }
    }
}
