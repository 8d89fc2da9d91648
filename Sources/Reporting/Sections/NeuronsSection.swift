import ActivationStore
import Foundation
import Search
import Support

/// The neurons that tell each class, with images from the whole range of their activations.
struct NeuronsSection: SectionMaker {
    let id = "neurons"
    let title = "What tells the classes"
    let explanation = """
        For every class, the neuron that tells its images best, by AUROC: the chance that an image of the class excites it more than another \
        does. Its strongest images alone would flatter it, so the pictures are taken evenly from all tenths of its range, the strongest first: what \
        stands in the middle is what it usually sees.
        """

    /// Activations that are ranked anew for every class.
    private static let mostValues = 200_000_000

    private struct Best: TableRow {
        var hit: SelectivityQuery.Hit

        static let columns: [ListColumn<Best>] = list {
            column("label", \.hit.label)
            column("images", \.hit.images)
            column("neuron") { $0.hit.neuronText }
            column("auroc", title: "AUROC", \.hit.auroc).shown { .number(String(format: "%.4f", $0.hit.auroc)) }
            column("average_precision", title: "average precision", \.hit.averagePrecision)
                .shown { .number(String(format: "%.4f", $0.hit.averagePrecision)) }
            column("gap", title: "mean gap", \.hit.gap)
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let counts = Dictionary(grouping: ground.images.compactMap(\.label)) { $0 }.mapValues(\.count)
        guard counts.count > 1 else {
            section.gaps.append(
                "The images have \(counts.isEmpty ? "no labels" : "one label only"), so no neuron can tell one from another.")
            return []
        }
        let fewest = ReportGround.fewestImages
        let labels = counts.filter { $0.value >= fewest }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        let few = counts.count - labels.count
        guard !labels.isEmpty else {
            section.add(
                "best",
                .text("All \(counts.count) labels have fewer than \(fewest) images: of so few, some neuron tells any by chance."))
            return []
        }
        let layers = layers(ground, &section)
        guard !layers.isEmpty else { return [] }
        let chosen = labels.prefix(ground.options.classes)
        let best = try chosen.compactMap { label in
            try SelectivityQuery(label: label, layer: layers, count: 1).run(in: ground.store).first
        }
        let left = labels.count - chosen.count
        if few > 0 {
            let sentence =
                "\(few) of \(counts.count) labels have fewer than \(fewest) images, and are not shown: of so few, some "
            section.add("few", .text(sentence + "neuron tells any by chance."))
        }
        section.add(
            "best",
            ReportTable(
                "The neuron that tells each class best" + (left > 0 ? "; \(left) more classes are not shown" : ""),
                best.map { Best(hit: $0) }))
        try addRange(of: best, ground, &section)
        return []
    }

    /// Those whose neurons are ranked: scores of classes tell classes, which says nothing.
    private func layers(_ ground: ReportGround, _ section: inout ReportSection) -> [String] {
        var layers = ground.description.layers.filter { !$0.isLogits }.map(\.name)
        if ground.description.neuronCount * ground.images.count > Self.mostValues {
            layers = Array(layers.suffix(1))
            section.gaps.append(
                "Only the neurons of \(layers.joined()) were ranked: those of all layers on all images are too many.")
        }
        if layers.isEmpty { section.gaps.append("The store has no layer but the scores of classes.") }
        return layers
    }

    /// Images from all of each neuron's distribution.
    private func addRange(of best: [SelectivityQuery.Hit], _ ground: ReportGround, _ section: inout ReportSection) throws {
        let formulas = try NeuronFormulas(of: best.map(\.neuron), in: ground.store)
        let rows = try best.enumerated().map { number, hit in
            try row(hit, number + 1, formulas[hit.neuron]?.line, ground)
        }
        if let gap = formulas.gap { section.gaps.append("Formulas of labels and attributes are left out: \(gap).") }
        section.add(
            "range", Gallery(caption: "Images from the strongest tenth of each neuron (left) to its weakest (right)", rows: rows))
    }

    private func row(
        _ hit: SelectivityQuery.Hit, _ number: Int, _ formula: String?, _ ground: ReportGround
    ) throws -> Gallery.Row {
        let spread = try TopQuery(neurons: [hit.neuronText], count: 1, from: .decile).run(in: ground.store)
        let pictures = try spread.enumerated().map { index, one in
            let label = one.label ?? "no label"
            return try ground.picture(
                SheetPlan.Picture(
                    imageID: one.imageID, path: one.image, note: "", label: nil,
                    place: .init(layer: one.layer, channel: one.channel, y: one.y, x: one.x)),
                named: "neuron-\(number)-\(index + 1)", isWhole: false, side: 72,
                alternative: "What \(hit.neuronText) sees in an image of its tenth \(one.decile ?? 0): \(label)",
                caption: [String(format: "%.3g", Double(one.value)), label])
        }
        return Gallery.Row(
            title: "\(hit.label): \(hit.neuronText)",
            note: String(format: "AUROC %.3f", hit.auroc) + (formula.map { "; in words: \($0)" } ?? ""), pictures: pictures)
    }
}

/// Neurons that do nothing, or nothing of their own.
struct IdleNeuronsSection: SectionMaker {
    let id = "idle"
    let title = "Dead, constant and duplicate neurons"
    let explanation = """
        Neurons that are zero on every image, or have one value on all, take no part in any answer; two that rank all images alike do one's \
        work. Many of them mean that the network is larger than its task needs, or that training has gone wrong.
        """

    /// Of a layer this wide all pairs are compared.
    private static let widest = 1024

    private struct Layer: TableRow {
        var name: String
        var neurons: Int
        var dead: Int
        var constant: Int
        var pairs: Int?

        static let columns: [ListColumn<Layer>] = list {
            column("layer", \.name)
            column("neurons", \.neurons)
            column("dead", \.dead)
            column("constant", title: "constant, not 0", \.constant)
            column("duplicates", title: "pairs that rank alike", \.pairs)
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let layers = ground.description.layers
        var rows: [Layer] = []
        for layer in layers {
            let all = try NeuronsQuery(layer: [layer.name]).run(in: ground.store)
            let dead = all.count { $0.images > 0 && $0.minimum == 0 && $0.maximum == 0 && $0.nans == 0 }
            let constant = all.count { $0.minimum != nil && $0.minimum == $0.maximum && $0.nans == 0 } - dead
            let work = layer.channels * layer.channels * ground.images.count
            let isCompared = layer.channels <= Self.widest && work <= 4_000_000_000 && !layer.isLogits
            let pairs = isCompared ? try DuplicatesQuery(layer: [layer.name], threshold: 0.95).run(in: ground.store).count : nil
            rows.append(Layer(name: layer.name, neurons: layer.channels, dead: dead, constant: constant, pairs: pairs))
        }
        section.add("layers", ReportTable("By layer (pairs: rank correlation of 0.95 and more)", rows))
        let left = zip(layers, rows).filter { $1.pairs == nil && !$0.isLogits }.map { $0.0.name }
        if !left.isEmpty {
            section.gaps.append(
                "Pairs were not looked for in \(left.prefix(4).joined(separator: ", ")): there are too many of them.")
        }
        let (dead, constant) = (rows.reduce(0) { $0 + $1.dead }, rows.reduce(0) { $0 + $1.constant })
        let total = ground.description.neuronCount
        return [Finding(.notice, "Of \(total) neurons \(dead) are dead on these images and \(constant) constant.")]
    }
}
