import ActivationStore
import ArgumentParser
import Indexing
import NeuralNetwork
import Support

struct LayersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers",
        abstract: "List the recorded layers of a store, or those of a network.",
        discussion: """
            Example:

              neurodex layers shop.sqlite --format json

            With an ONNX file it lists what index would record; --all adds what --layers can choose as well.
            """)

    @Argument(help: "A store, or an ONNX file.", completion: .file())
    var store: String

    @Flag(help: "With an ONNX file: every layer that can be recorded.")
    var all = false

    @OptionGroup(title: "Of an ONNX file") var network: NetworkOptions

    @OptionGroup var output: FormatOption

    func run() throws {
        let layers: [LayerRecord]
        if store.lowercased().hasSuffix(".onnx") {
            var options = Network.Options()
            if all { options.layers = ["*"] }
            try network.apply(to: &options)
            let network = try Network(contentsOf: store, options: options)
            // What index would refuse is refused here, and with the same words.
            let recipe = try PreprocessingOptions.parse([]).preprocessing(for: network.input, store: nil)
            layers = try StoreDescription(network, preprocessing: recipe, classes: [], topCount: 1).layers
        } else {
            layers = try Store.open(path: store).description.layers
        }
        printOut(try LayerTable(layers: layers).rendered(as: output.format))
    }
}

/// Layers as they are listed.
struct LayerTable: Printable {
    var layers: [LayerRecord]

    private struct Entry: Encodable {
        var layer: String
        var tensor: String
        var `operator`: String
        var channels: Int
        var height: Int
        var width: Int
        /// Height and width in the network's input, in pixels.
        var receptiveField: [Int]?
        var logits: Bool

        enum CodingKeys: String, CodingKey {
            case layer, tensor, `operator`, channels, height, width
            case receptiveField = "receptive_field"
            case logits
        }
    }

    func encode(to encoder: any Encoder) throws {
        try layers.map {
            Entry(
                layer: $0.name, tensor: $0.tensor, operator: $0.operatorName, channels: $0.channels, height: $0.height,
                width: $0.width,
                receptiveField: $0.receptiveField.map { [$0.height, $0.width] }, logits: $0.isLogits)
        }.encode(to: encoder)
    }

    var table: TextTable {
        TextTable(
            columns: ["layer", "operator", "channels", "map", "receptive field", "tensor"], shortened: ["layer", "tensor"],
            rows: layers.map { layer in
                [
                    .text(layer.name), .text(layer.operatorName + (layer.isLogits ? " (class scores)" : "")),
                    .value(layer.channels),
                    .number("\(layer.height)×\(layer.width)"),
                    layer.receptiveField.map { .number("\($0.height)×\($0.width)") } ?? .nothing,
                    .text(layer.tensor),
                ]
            })
    }

    var fields: [[String]] {
        [
            [
                "layer", "tensor", "operator", "channels", "height", "width", "receptive_field_height", "receptive_field_width",
                "logits",
            ]
        ]
            + layers.map {
                [
                    $0.name, $0.tensor, $0.operatorName, "\($0.channels)", "\($0.height)", "\($0.width)",
                    $0.receptiveField.map { "\($0.height)" } ?? "", $0.receptiveField.map { "\($0.width)" } ?? "",
                    "\($0.isLogits)",
                ]
            }
    }
}
