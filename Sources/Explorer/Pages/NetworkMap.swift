import ActivationStore
import Explanations
import Images
import Pages
import Search
import Support

extension Explorer {
    /// The numbers that layers may be coloured by, with their titles, and the values of the one that is asked for.
    private struct Shades {
        var choices = [("zeros", "share of zeros"), ("dead", "share of dead neurons"), ("mean", "mean activation")]
        var values: [Double]
    }

    private func shades(_ overview: Overview, _ wanted: Wanted, by color: String) throws -> Shades {
        let numbers = try overviews.numbers(of: store)
        var all = ["zeros": numbers.zeros, "dead": numbers.dead, "mean": numbers.means]
        var shades = Shades(values: [])
        if color == "auroc" {
            let label = wanted.address["selective"] ?? ""
            all["auroc"] = try bestAUROCs(of: label, images: overview.summary.images)
            shades.choices.append(("auroc", "best AUROC for \(label)"))
        }
        if let other = others.first {
            shades.choices.append(("drift", "drift against @\(other.name)"))
            if color == "drift" { all["drift"] = try drifts(from: other, images: overview.summary.images) }
        }
        guard let values = all[color] else {
            let known = others.isEmpty ? "mean or auroc" : "mean, auroc or drift"
            throw Refusal(sentence: "color is zeros, dead, \(known), not '\(color)'")
        }
        shades.values = values
        return shades
    }

    /// The layers in the order of the graph, a column for each size of map, coloured by a number.
    func map(_ overview: Overview, _ wanted: Wanted) throws -> HTML {
        let color = wanted.address["color"] ?? "zeros"
        let shades = try shades(overview, wanted, by: color)
        let (values, links) = (shades.values, self.links.inputs())
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        return HTML(.div) {
            HTML(.h2) { "The network" }
            HTML(.ul, .class("chips")) {
                for (name, title) in shades.choices {
                    let address = Address(path: [], query: [.init("color", name)])
                    Self.chip(title, "", name == "auroc" ? wanted.address : address, isCurrent: name == color)
                }
            }
            if !overview.summary.labels.isEmpty { Self.labelChoice(overview, wanted) }
            HTML(.div, .class("network"), Attribute("tabindex", "0"), Attribute("role", "region"), .label("The network")) {
                drawing(
                    store.description.layers, shades: values.map { high > low ? ($0 - low) / (high - low) : 0 }, values, links)
            }
            HTML(.small) {
                "A column for each size of map, in the order of the graph. Dark is \(shortNumber(low)), "
                    + "bright \(shortNumber(high)). A layer opens its page. "
                    + (links == nil
                        ? "Lines are that order alone: the network's file, which says what goes where, is not there (serve with --model)."
                        : "Lines lead from what a layer is computed from.")
            }
        }
    }

    /// Asks for the label that layers are to be coloured by.
    private static func labelChoice(_ overview: Overview, _ wanted: Wanted) -> HTML {
        HTML(.form, .class("ask"), Attribute("action", Address())) {
            HTML(.input, .type("hidden"), .name("color"), .value("auroc"))
            choice(
                "How well a layer tells", "selective", wanted.address["selective"],
                overview.summary.labels.prefix(500).map { ($0.name, $0.name) })
            HTML(.button) { "Colour" }
        }
    }

    /// The layers coloured by the median drift of their neurons between two stores; grey where a layer was not compared.
    func driftMap(_ diff: Diff) -> HTML {
        let layers = store.description.layers
        let drifts = drifts(of: diff)
        let high = max(drifts.max() ?? 0, 1e-9)
        return HTML(.div) {
            HTML(.div, .class("network"), Attribute("tabindex", "0"), Attribute("role", "region"), .label("The network by drift"))
            {
                drawing(layers, shades: drifts.map { $0 / high }, drifts, links.inputs())
            }
            HTML(.small) {
                "Dark is 0, bright \(shortNumber(high)): 1 less the median rank correlation of its neurons and their partners."
            }
        }
    }

    /// Values that a page reads of a whole store, where it is asked to.
    private static let mostValues = 40_000_000

    /// By layer; 0 where it was not compared.
    private func drifts(of diff: Diff) -> [Double] {
        store.description.layers.map { layer in
            diff.layers.first { $0.layer == layer.name }?.medianCorrelation.map { 1 - $0 } ?? 0
        }
    }

    private func drifts(from other: ServedStore, images: Int) throws -> [Double] {
        let neurons = store.description.neuronCount
        guard images.saturated(times: neurons) <= Self.mostValues else {
            throw Refusal(
                sentence:
                    "\(images) images × \(neurons) neurons take too long to compare for a page; ask in a terminal: neurodex diff \(store.path) \(other.store.path)"
            )
        }
        return drifts(of: try diffs.diff(DiffQuery(layer: []), from: store, to: other.store))
    }

    /// Of each layer, how well its best neuron tells a label.
    private func bestAUROCs(of label: String, images: Int) throws -> [Double] {
        let layers = store.description.layers
        let neurons = layers.reduce(0) { $0 + $1.channels }
        guard images.saturated(times: neurons) <= Self.mostValues else {
            throw Refusal(
                sentence:
                    "\(images) images × \(neurons) neurons take too long for a page; ask in a terminal: neurodex neurons \(store.path) --selective '\(label)'"
            )
        }
        let hits = try SelectivityQuery(label: label, count: max(neurons, 1), copies: true).run(in: store)
        var best: [String: Double] = [:]
        for hit in hits { best[hit.layer] = max(best[hit.layer] ?? 0, hit.auroc) }
        return layers.map { best[$0.name] ?? 0.5 }
    }

    private static let node = (width: 176.0, height: 34.0, gap: 30.0)

    /// - Parameter links: of each layer the places of those that it is computed from; nil for the one before it.
    private func drawing(_ layers: [LayerRecord], shades: [Double], _ values: [Double], _ links: [[Int]]?) -> HTML {
        var places: [(x: Double, y: Double)] = []
        var (column, row, size) = (-1, 0, (-1, -1))
        for layer in layers {
            if (layer.height, layer.width) != size { (column, row, size) = (column + 1, 0, (layer.height, layer.width)) }
            places.append((Double(column) * (Self.node.width + Self.node.gap), Double(row) * (Self.node.height + 12) + 18))
            row += 1
        }
        let width = Int((places.map(\.x).max() ?? 0) + Self.node.width + Self.node.gap)
        let height = Int((places.map(\.y).max() ?? 0) + Self.node.height) + 2
        return HTML(
            .svg, .width(width), .height(height), Attribute("viewBox", "0 0 \(width) \(height)"), Attribute("role", "group"),
            .label("Layers")
        ) {
            for index in layers.indices {
                for before in links?[index] ?? (index > 0 ? [index - 1] : []) { edge(places[before], places[index]) }
            }
            for (index, layer) in layers.enumerated() {
                if index == 0 || places[index].x > places[index - 1].x {
                    HTML(.text, Attribute("x", places[index].x), Attribute("y", 11)) { "\(layer.height)×\(layer.width)" }
                }
                node(layer, places[index], shades[index], values[index])
            }
        }
    }

    private func edge(_ a: (x: Double, y: Double), _ b: (x: Double, y: Double)) -> HTML {
        let (width, height) = (Self.node.width, Self.node.height)
        let (middleA, middleB) = (a.y + height / 2, b.y + height / 2)
        // Within a column to the layer below; past layers between, beside them, the further the more of them; and to a column further on.
        let reach = min(Self.node.gap - 4, 8 + (b.y - a.y) / 12)
        let path =
            a.x == b.x
            ? (b.y - a.y < 2 * height
                ? "M\(a.x + width / 2) \(a.y + height)V\(b.y)"
                : "M\(a.x + width) \(middleA)C\(a.x + width + reach) \(middleA) \(a.x + width + reach) \(middleB) \(a.x + width) \(middleB)")
            : "M\(a.x + width) \(middleA)C\(a.x + width + 18) \(middleA) \(b.x - 18) \(middleB) \(b.x) \(middleB)"
        return HTML(.path, .class("edge"), Attribute("d", path))
    }

    private func node(_ layer: LayerRecord, _ place: (x: Double, y: Double), _ shade: Double, _ value: Double) -> HTML {
        // The brightest colours are left out, so that white is read on all of them.
        let color = Colormap.viridis.color(at: Float(shade * 0.62))
        let name = layer.name.count > 21 ? layer.name.prefix(8) + "…" + layer.name.suffix(12) : layer.name
        return HTML(.a, .class("node"), .href(Address("layer", layer.name))) {
            HTML(.title) { "\(layer.name): \(layer.channels) channels, \(shortNumber(value))" }
            HTML(
                .rect, Attribute("x", place.x), Attribute("y", place.y), Attribute("width", Self.node.width),
                Attribute("height", Self.node.height), Attribute("rx", 6),
                Attribute("fill", "rgb(\(color.red),\(color.green),\(color.blue))"))
            HTML(.text, .class("ink"), Attribute("x", place.x + 8), Attribute("y", place.y + 15)) { String(name) }
            HTML(.text, .class("ink"), Attribute("x", place.x + 8), Attribute("y", place.y + 28)) {
                "\(layer.channels) ch · \(shortNumber(value))"
            }
        }
    }
}
