import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Indexing
import NeuralNetwork
import Search
import Support

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Train the last layer anew on groups of equal size, and write the repaired network.",
        discussion: """
            Examples:

              neurodex repair shop.sqlite --neuron conv4:27 -o repaired.onnx
              neurodex repair shop.sqlite --by "path LIKE '%tagged%'" --judge "split = 'test'" -o repaired.onnx

            A network that goes by what merely goes along with a class (a price tag, a background) has mostly learnt what the class looks like as well. Its last \
            layer is trained anew on the features in the store, on as many images of each group as the smallest has; a group is a label with or without the \
            neuron or condition (Kirichenko et al. 2022). The network itself is not run, and nothing but the last layer changes in the file that is written.

            Images of the split 'val' choose the penalty (without them a fifth of the others), those of 'test' judge, all others train. The store has to hold \
            the features that the last layer reads: index with --layers '*' where it says that it does not.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Option(
        name: .customLong("neuron"),
        help: ArgumentHelp(
            "Part each label's images by whether this neuron is on (above the threshold that parts its values best); may be given several times.",
            valueName: "layer:channel"), completion: .layers)
    var neurons: [String] = []

    @Option(
        name: .customLong("by"),
        help: ArgumentHelp(
            "Part each label's images by a condition in SQL on the columns of image_info; may be given several times.",
            valueName: "condition"))
    var conditions: [String] = []

    @Option(help: ArgumentHelp("Train on the images that meet this.", valueName: "condition"))
    var train: String?

    @Option(help: ArgumentHelp("Choose the penalty by the images that meet this.", valueName: "condition"))
    var choose: String?

    @Option(help: ArgumentHelp("Judge by the images that meet this.", valueName: "condition"))
    var judge: String?

    @Option(
        help: ArgumentHelp("Where the network is now (default: where it was when the store was made).", valueName: "file"),
        completion: .file())
    var model: String?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The repaired network, a new ONNX file.", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Of the draws from larger groups.", valueName: "number"))
    var seed: UInt64 = 0

    @OptionGroup var format: FormatOption

    func validate() throws {
        guard !neurons.isEmpty || !conditions.isEmpty else {
            throw ValidationError("say what parts the images of a label: --neuron LAYER:CHANNEL or --by CONDITION")
        }
        guard neurons.count + conditions.count <= 4 else {
            throw ValidationError(
                "\(neurons.count + conditions.count) neurons and conditions make more than 16 groups a label; name at most 4")
        }
    }

    func run() throws {
        if let output { try NewModelFile.check(output) }
        let opened = try Store.open(path: store)
        let last = try lastLayer(opened)
        if let output { try NewModelFile.check(output, ofModelAt: try opened.modelPath(model)) }
        guard let layer = opened.description.layers.last(where: { last.inputs.contains($0.tensor) && $0.height * $0.width == 1 })
        else { throw RetrainingError.noLayer(store: store, tensors: last.inputs) }
        var options = LastLayerRetraining.Options()
        (options.conditions, options.neurons, options.seed) = (conditions, neurons, seed)
        (options.train, options.choose, options.judge) = (train, choose, judge)
        let retrained = try LastLayerRetraining(
            opened,
            .init(layer: layer.name, classes: last.classes, count: last.features, weights: last.weights, bias: last.bias), options
        )
        if let output {
            try NewModelFile.write(try last.writing(weights: retrained.weights, bias: retrained.bias), to: output)
        }
        printOut(try RepairTable(retrained, layer: layer.name).rendered(as: format.format))
        print(retrained.remarks)
        printNote(
            "trained on \(LastLayerRetraining.draws) draws of \(retrained.drawn) images of each of \(retrained.groups.count) groups; judged on \(retrained.judgedOn)"
        )
        printNote(
            output.map { "\($0): the network with its last layer trained anew" }
                ?? "nothing was written; -o FILE writes the repaired network")
    }

    private func lastLayer(_ store: Store) throws -> LastLayer {
        let path = try store.modelPath(model)
        let last = try LastLayer(ofModelAt: path, output: store.description.model.output)
        guard last.sha256 == store.description.model.sha256 else {
            throw ExplanationError.model(path: path, expected: store.description.model.sha256, found: last.sha256)
        }
        return last
    }
}

struct RepairTable: Printable {
    private struct Row: Encodable {
        var group: String
        var trained: Int
        var judged: Int
        var rightBefore: Int
        var rightAfter: Int

        enum CodingKeys: String, CodingKey {
            case group, trained, judged
            case rightBefore = "right_before"
            case rightAfter = "right_after"
        }

        func share(_ right: Int) -> Double { Double(right) / Double(max(judged, 1)) }
    }

    private let rows: [Row]
    private let layer: String
    private let l2: Double

    init(_ retrained: LastLayerRetraining, layer: String) {
        (self.layer, l2) = (layer, retrained.l2)
        let groups = retrained.groups.map {
            Row(group: $0.name, trained: $0.trained, judged: $0.judged, rightBefore: $0.rightBefore, rightAfter: $0.rightAfter)
        }
        // The worst first, by how it was before.
        rows =
            groups.filter { $0.judged > 0 }.sorted { ($0.share($0.rightBefore), $0.group) < ($1.share($1.rightBefore), $1.group) }
            + groups.filter { $0.judged == 0 } + [
                Row(
                    group: "all", trained: groups.reduce(0) { $0 + $1.trained }, judged: groups.reduce(0) { $0 + $1.judged },
                    rightBefore: groups.reduce(0) { $0 + $1.rightBefore }, rightAfter: groups.reduce(0) { $0 + $1.rightAfter })
            ]
    }

    private enum CodingKeys: String, CodingKey { case layer, l2, groups }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(l2, forKey: .l2)
        try container.encode(rows, forKey: .groups)
    }

    var table: TextTable {
        TextTable(
            columns: ["group", "images that train", "that judge", "right before", "right after"],
            rows: rows.map { row in
                [.text(row.group), .value(row.trained), .value(row.judged)]
                    + [row.rightBefore, row.rightAfter].map { right in
                        .text(row.judged > 0 ? "\(right) (\(percent(row.share(right))))" : "not judged")
                    }
            })
    }

    var fields: [[String]] {
        [["group", "trained", "judged", "right_before", "right_after"]]
            + rows.map { [$0.group, "\($0.trained)", "\($0.judged)", "\($0.rightBefore)", "\($0.rightAfter)"] }
    }
}
