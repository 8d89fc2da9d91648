import ActivationStore
import Explanations
import Foundation
import Pages
import Search
import Support

extension Explorer {
    private static let neuronsOfAPage = 48

    /// `/layer/NAME`: what `neurons --layer NAME` answers, each neuron with its strongest crops.
    func layer(_ name: String, _ wanted: Wanted) throws -> Answer {
        let condition = wanted.address["where"].flatMap { $0.isEmpty ? nil : $0 }
        let selects = wanted.address["selective"].map { !$0.isEmpty } ?? false
        // Statistics are of all images; the condition chooses crops, and the images that labels are told on.
        let fields = wanted.question.filter { selects || $0.name != "where" }
        let question = try AddressedQuestion.parse(NeuronsQuestion.self, operands: [], fields: [.init("layer", name)] + fields)
        let layer = try NeuronReference(name, in: store.description).layer
        var page = Answer(title: layer.name, kind: "layer", command: AddressedQuestion.command(question, store: store.path)) {
            let report = try question.report(from: self.store)
            let channels = self.channels(report.listing)
            let start = min((wanted.page - 1) * Self.neuronsOfAPage, channels.count)
            let shown = Array(channels[start..<min(start + Self.neuronsOfAPage, channels.count)])
            self.layerForm(wanted)
            self.remarks(report.remarks)
            let crops = try self.crops(of: shown.map(\.channel), layer, condition)
            try self.thumbnailNote(Array(self.store.images(ids: crops.values.joined().map(\.imageID)).values))
            HTML(.div, .class("neurons"), Attribute("data-pages")) {
                self.neurons(shown, layer, crops, asFile: wanted.format == .html)
            }
            if channels.isEmpty { HTML(.p, .class("note")) { "No neuron is listed. Ask for others." } }
            HTML(.p) {
                if start + shown.count < channels.count {
                    HTML(.a, .class("button"), Attribute("data-more"), .href(wanted.address.with("page", "\(wanted.page + 1)"))) {
                        "More neurons: \(channels.count - start - shown.count)"
                    }
                }
            }
        }
        page.subtitle = Self.what(layer)
        page.crumbs = HTML(.a, .href(Address())) { "The network" }
        page.address = wanted.address
        let layers = store.description.layers
        if let index = layers.firstIndex(where: { $0.name == layer.name }) {
            if index > 0 {
                page.keys.append(("ArrowUp", Address(path: ["layer", layers[index - 1].name], query: wanted.question)))
            }
            if index + 1 < layers.count {
                page.keys.append(("ArrowDown", Address(path: ["layer", layers[index + 1].name], query: wanted.question)))
            }
        }
        page.listing = { try question.report(from: self.store).listing }
        return page
    }

    /// With what stands beside each.
    private func channels(_ listing: any Printable) -> [(channel: Int, note: String)] {
        if let rows = (listing as? Rows<NeuronsQuery.Hit>)?.rows {
            return rows.map { row in
                let maximum = row.maximum.map { shortNumber(Double($0)) } ?? "none"
                return (row.channel, "max \(maximum) · zero \(Int((row.zeroShare * 100).rounded())) %")
            }
        }
        guard let rows = (listing as? Rows<SelectivityQuery.Hit>)?.rows else { return [] }
        return rows.map { ($0.channel, String(format: "AUROC %.3f", $0.auroc)) }
    }

    private func layerForm(_ wanted: Wanted) -> HTML {
        let address = wanted.address
        return HTML(.form, .class("ask"), Attribute("action", Address(path: address.path))) {
            Self.choice(
                "Sort by", "sort", address["sort"],
                ["neuron", "maximum", "mean", "deviation", "zeros", "minimum"].map { ($0, $0) })
            Self.field("Or those that tell a label", "selective", address["selective"], hint: "cat")
            Self.field("Images where", "where", address["where"], hint: "split = 'val'", isLong: true)
            HTML(.button, .class("primary")) { "Show" }
        }
    }

    /// By channel.
    private func crops(of channels: [Int], _ layer: LayerRecord, _ condition: String?) throws -> [Int: [TopQuery.Hit]] {
        guard !channels.isEmpty else { return [:] }
        let names = channels.map { "\(layer.name):\($0)" }
        return Dictionary(
            grouping: try TopQuery(neurons: names, count: Strip.squares, condition: condition).run(in: store), by: \.channel)
    }

    private func neurons(
        _ shown: [(channel: Int, note: String)], _ layer: LayerRecord, _ crops: [Int: [TopQuery.Hit]], asFile: Bool
    ) -> [HTML] {
        let classes = store.description.classes
        return shown.map { one in
            HTML(.article, .class("neuron")) {
                HTML(.h3) {
                    HTML(.a, .href(Address("neuron", "\(layer.name):\(one.channel)"))) {
                        layer.isLogits && classes.indices.contains(one.channel)
                            ? Target.shortName(classes[one.channel]) : ":\(one.channel)"
                    }
                    HTML(.small) { one.note }
                    if let note = reviews.note(of: layer.name, one.channel), !note.name.isEmpty { HTML(.b) { note.name } }
                }
                HTML(.div, .class("strip")) { self.strip(crops[one.channel] ?? [], asFile: asFile) }
            }
        }
    }

    /// Squares of one picture. A page that holds its pictures itself has one for each, as it would hold that as often as it shows it.
    private func strip(_ hits: [TopQuery.Hit], asFile: Bool) -> [HTML] {
        let all = Strip.address(of: hits)
        return hits.enumerated().map { index, hit in
            let place = PictureShelf.Place(layer: hit.layer, y: hit.y, x: hit.x)
            return HTML(.a, .class("frame"), .href(Address("image", "\(hit.imageID)"))) {
                HTML(
                    .img, .src(asFile ? Self.address(ofPicture: hit.imageID, size: 160, place) : all),
                    asFile ? nil : .class("square square-\(index)"),
                    .alt("What it saw of \(Self.fileName(hit.image))"), .width(80), .height(80), Attribute("loading", "lazy"))
            }
        }
    }
}
