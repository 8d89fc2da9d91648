import ActivationStore
import Foundation
import Pages
import Search
import Support

extension Explorer {
    /// `/neuron/LAYER:CHANNEL`: what `top` answers, drawn, with the neuron's histogram and the labels it tells.
    func neuron(_ name: String, _ wanted: Wanted) throws -> Answer {
        var fields = wanted.question
        if wanted.isPage, !fields.contains(where: { $0.name == "k" }) { fields.append(Address.Field("k", "24")) }
        let question = try AddressedQuestion.parse(TopQuestion.self, operands: [name], fields: fields)
        let reference = try NeuronReference(name, in: store.description)
        guard reference.neurons.count == 1 else { throw QueryError.oneNeuron(name) }
        let layer = reference.layer
        let channel = reference.neurons.lowerBound - layer.firstNeuron
        var page = Answer(
            title: "\(layer.name):\(channel)", kind: "neuron", command: AddressedQuestion.command(question, store: store.path)
        ) {
            let report = try question.report(from: self.store)
            self.neuronForm(wanted)
            self.remarks(report.remarks)
            try HTML(.div, .class("split")) {
                HTML(.section, .class("card")) {
                    self.crops(report.listing, isWhole: wanted.address["whole"] != nil)
                    self.thumbnailNote((report.listing as? Rows<TopQuery.Hit>)?.rows.prefix(400).map(\.imageID) ?? [])
                }
                try HTML(.div) {
                    try self.words(for: NeuronName(layer: layer.name, channel: channel))
                    try HTML(.section, .class("card")) { try self.histogram(name, question.each.condition, wanted) }
                    try HTML(.section, .class("card")) { try self.statistics(of: reference) }
                    HTML(.section, .class("card")) { self.labelsTold(by: "\(layer.name):\(channel)") }
                    try HTML(.section, .class("card")) { try self.alike("\(layer.name):\(channel)", layer) }
                    HTML(.section, .class("card")) { self.made(of: "\(layer.name):\(channel)", report.listing) }
                    HTML(.section, .class("card")) { self.nameForm(layer, channel) }
                }
            }
        }
        let classes = store.description.classes
        let score = layer.isLogits && classes.indices.contains(channel) ? "the score of \(classes[channel]) · " : ""
        let name = reviews.note(of: layer.name, channel).map { $0.name.isEmpty ? "" : "“\($0.name)” · " } ?? ""
        page.subtitle = name + score + Self.what(layer)
        page.crumbs = HTML(.a, .href(Address("layer", layer.name))) { layer.name }
        page.address = wanted.address
        page.address?.query = fields
        page.keys = keys(layer, channel, query: wanted.question)
        page.listing = { try question.report(from: self.store).listing }
        return page
    }

    static func what(_ layer: LayerRecord) -> String {
        "\(layer.operatorName), \(layer.channels) channels, map \(layer.height)×\(layer.width)"
            + (layer.receptiveField.map { ", sees \($0.height)×\($0.width) pixels" } ?? "")
    }

    /// ← and → go through a layer's neurons, ↑ and ↓ through the layers; the question stays.
    private func keys(_ layer: LayerRecord, _ channel: Int, query: [Address.Field]) -> [(name: String, address: Address)] {
        func address(_ layer: LayerRecord, _ channel: Int) -> Address {
            Address(path: ["neuron", "\(layer.name):\(min(channel, layer.channels - 1))"], query: query)
        }
        var keys: [(name: String, address: Address)] = []
        if channel > 0 { keys.append(("ArrowLeft", address(layer, channel - 1))) }
        if channel + 1 < layer.channels { keys.append(("ArrowRight", address(layer, channel + 1))) }
        let layers = store.description.layers
        guard let index = layers.firstIndex(where: { $0.name == layer.name }) else { return keys }
        if index > 0 { keys.append(("ArrowUp", address(layers[index - 1], channel))) }
        if index + 1 < layers.count { keys.append(("ArrowDown", address(layers[index + 1], channel))) }
        return keys
    }

    private func neuronForm(_ wanted: Wanted) -> HTML {
        let address = wanted.address
        let from = address["from"] ?? "top"
        var choices = [
            ("top", "strongest"), ("lowest", "weakest"), ("decile", "of every tenth"), ("random", "random"),
            ("near:0", "near zero"),
        ]
        if !choices.contains(where: { $0.0 == from }) { choices.append((from, from)) }
        return HTML(.form, .class("ask"), Attribute("action", Address(path: address.path))) {
            Self.choice("Images", "from", from, choices)
            Self.field("How many", "k", address["k"] ?? "24", type: "number")
            Self.field("Where", "where", address["where"], hint: "label <> 'dog' AND NOT correct", isLong: true)
            HTML(.button, .class("primary")) { "Show" }
            HTML(
                .a, .class("button"), .href(address.with("whole", address["whole"] == nil ? "" : nil)),
                Attribute("data-toggle-whole")
            ) {
                address["whole"] == nil ? "Whole images" : "What it saw"
            }
        }
    }

    /// What a neuron saw, a tile an image; other listings are tables.
    func crops(_ listing: any Printable, isWhole: Bool = false) -> HTML {
        guard let rows = (listing as? Rows<TopQuery.Hit>)?.rows else { return table(listing) }
        guard !rows.isEmpty else { return HTML(.p) { "No image is listed. Widen the condition, or ask for other images." } }
        return HTML(.div, .class(isWhole ? "tiles whole" : "tiles"), Attribute("data-crops")) {
            for hit in rows.prefix(400) { seen(hit, isWhole: isWhole) }
        }
    }

    private func histogram(_ neuron: String, _ condition: String?, _ wanted: Wanted) throws -> HTML {
        let found = try HistogramQuery(neuron: neuron, bins: 32, condition: condition).run(in: store)
        let (width, height) = (360.0, 120.0)
        let largest = Double(max(found.counts.max() ?? 1, 1))
        let step = width / Double(max(found.counts.count, 1))
        let bars = found.counts.enumerated().map { index, count in
            // What is there at all is seen.
            let high = count == 0 ? 0 : max(2, Double(count) / largest * (height - 4))
            let middle = Float((found.edges[index] + found.edges[index + 1]) / 2)
            let bounds = "\(count) images, \(shortNumber(found.edges[index])) to \(shortNumber(found.edges[index + 1]))"
            let address = Address(path: wanted.address.path, query: wanted.question).with("from", "near:\(middle)")
            return HTML(.a, .href(address), .label(bounds)) {
                HTML(.title) { bounds }
                HTML(
                    .rect, .class("hit"), Attribute("x", Double(index) * step), Attribute("y", 0), Attribute("width", step),
                    Attribute("height", height))
                HTML(
                    .rect, Attribute("x", Double(index) * step + 0.5), Attribute("y", height - high),
                    Attribute("width", max(step - 1, 0.5)), Attribute("height", high))
            }
        }
        return HTML(.div) {
            HTML(.h2) { "Its activations" }
            HTML(.svg, .class("chart"), Attribute("viewBox", "0 0 360 138"), Attribute("role", "group"), .label("Histogram")) {
                HTML(.g, .class("bars")) { bars }
                HTML(.text, Attribute("x", 0), Attribute("y", height + 14)) { shortNumber(found.edges.first ?? 0) }
                HTML(.text, Attribute("x", width), Attribute("y", height + 14), Attribute("text-anchor", "end")) {
                    shortNumber(found.edges.last ?? 0)
                }
            }
            HTML(.small) {
                "\(found.zeros) of them exactly 0" + (found.nans > 0 ? ", \(found.nans) NaN" : "")
                    + ". A bar leads to its images."
            }
        }
    }

    private func statistics(of reference: NeuronReference) throws -> HTML {
        guard let one = try store.statistics(neurons: reference.neurons).first else { return HTML() }
        func number(_ value: Double?) -> String { value.map { shortNumber($0) } ?? "none" }
        let share = String(format: "%.1f", one.zeroShare * 100)
        return HTML(.div) {
            HTML(.h2) { "Its numbers" }
            Self.facts([
                ("largest", number(one.maximum.map { Double($0) })), ("mean", number(one.mean)),
                ("deviation", number(one.deviation)),
                ("smallest", number(one.minimum.map { Double($0) })), ("zero on", "\(share) % of \(one.count) images"),
            ])
            if one.isDead { HTML(.p, .class("note")) { "It is dead: zero on every image." } }
        }
    }

    /// The labels that it tells best.
    private func labelsTold(by neuron: String) -> HTML {
        let told = Result {
            try AddressedQuestion.parse(NeuronsQuestion.self, operands: [], fields: [.init("of", neuron), .init("k", "6")])
                .report(from: store)
        }
        return HTML(.div) {
            HTML(.h2) { "The labels it tells" }
            switch told {
            case .success(let report):
                for hit in (report.listing as? Rows<SelectivityQuery.Hit>)?.rows ?? [] {
                    HTML(.p, .title("AUROC: the chance that an image of the label excites it more than another")) {
                        HTML(.a, .href(Self.images(label: hit.label))) { hit.label }
                        " " + String(format: "%.3f", hit.auroc)
                    }
                }
            case .failure(let error): HTML(.p, .class("quiet")) { Self.refusal(of: error).sentence }
            }
        }
    }
}
