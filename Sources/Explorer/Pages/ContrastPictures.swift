import ActivationStore
import Foundation
import Pages
import Search
import Support

/// Ticked images, and the pictures of a contrast.
extension Explorer {
    private static let mostTicked = 500

    /// Ticked images become the first set of a contrast: `image=3&image=5` is `a=id IN (3, 5)`.
    /// - Throws: ``Refusal`` where both are given, or an image is no id.
    static func ticked(_ fields: [Address.Field]) throws -> [Address.Field] {
        let values = fields.filter { $0.name == "image" }.map(\.value)
        guard !values.isEmpty else { return fields }
        let ids = values.compactMap { Int($0) }
        guard ids.count == values.count, ids.count <= mostTicked else {
            throw Refusal(sentence: "image is the id of an image, at most \(mostTicked) of them")
        }
        var others = fields.filter { $0.name != "image" }
        guard !others.contains(where: { $0.name == "a" && !$0.value.isEmpty }) else {
            throw Refusal(sentence: "say which images by image=… or by a=…, not by both")
        }
        others.removeAll { $0.name == "a" }
        return [Address.Field("a", "id IN (\(Set(ids).sorted().map { "\($0)" }.joined(separator: ", ")))")] + others
    }

    /// For each of the first neurons, what it saw of its strongest images of A, and mirrored beside it of B.
    func mirrored(_ query: ContrastQuery, _ listing: any Printable) throws -> HTML {
        let hits = (listing as? Rows<ContrastQuery.Hit>)?.rows.prefix(8) ?? []
        guard !hits.isEmpty else { return HTML() }
        let other = query.b ?? "NOT (\(query.a))"
        let rows = try hits.map { try mirror($0, query.a, other) }
        return HTML(.section, .class("card")) {
            HTML(.h2) { "What they saw of A, and of B" }
            HTML(.div, .class("mirrors")) {
                HTML(.div, .class("mirror head")) {
                    HTML(.span) { HTML(.a, .href(Self.images(where: query.a))) { "A: \(query.a)" } }
                    HTML(.span)
                    HTML(.span) { HTML(.a, .href(Self.images(where: other))) { "B: \(query.b ?? "all others")" } }
                }
                rows
            }
        }
    }

    private func mirror(_ hit: ContrastQuery.Hit, _ a: String, _ b: String) throws -> HTML {
        let neuron = "\(hit.layer):\(hit.channel)"
        func strip(_ condition: String) throws -> [HTML] {
            try TopQuery(neurons: [neuron], count: 5, condition: condition).run(in: store).map { top in
                HTML(.a, .class("frame"), .href(Address("image", "\(top.imageID)")), .title(shortNumber(Double(top.value)))) {
                    HTML(
                        .img, .src(Self.address(ofPicture: top.imageID, size: 160, .init(layer: top.layer, y: top.y, x: top.x))),
                        .alt("What \(neuron) saw of \(Self.fileName(top.image)), \(shortNumber(Double(top.value)))"), .width(80),
                        .height(80), Attribute("loading", "lazy"))
                }
            }
        }
        let (left, right) = (try strip(a), try strip(b))
        return HTML(.div, .class("mirror")) {
            HTML(.div, .class("strip left")) { left }
            HTML(.span, .class("name")) {
                HTML(.a, .href(Address("neuron", neuron))) { neuron }
                HTML(.small) { String(format: "AUROC %.3f", hit.auroc) }
            }
            HTML(.div, .class("strip")) { right }
        }
    }
}
