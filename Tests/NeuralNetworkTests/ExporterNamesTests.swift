import NeuralNetwork
import TestSupport
import Testing

/// One network as PyTorch's two exporters write it: the same layers under the same names, those of its modules.
@Suite struct ExporterNamesTests {
    /// A node as an exporter places it: in a module, or outside of all (an empty one).
    private struct Writer {
        var model = ModelBuilder(opset: 18, input: [1, 3, 16, 16])
        var random = SeededGenerator(seed: 7)
        let isOld: Bool
        var count = 0

        /// - Parameter module: the parts of its scope, each as the old exporter names it: `layer1`, `layer1.0`, `conv1`.
        mutating func node(
            _ type: String, _ inputs: [String], _ attributes: [String: ModelBuilder.Attribute] = [:], in module: [String]
        ) -> String {
            count += 1
            guard !isOld else {
                return model.node(type, inputs, attributes, name: "/" + (module + ["\(type)_\(count)"]).joined(separator: "/"))
            }
            // The new one names every module of the way in full.
            var (path, scopes) = ([Substring](), ["''"])
            for part in module {
                if let last = path.last, part.hasPrefix(last + ".") { path.removeLast() }
                path.append(part[...])
                scopes.append("'\(path.joined(separator: "."))'")
            }
            scopes.append("'\(type.lowercased())_\(count)'")
            return model.node(
                type, inputs, attributes, name: "node_\(type.lowercased())_\(count)",
                scopes: "[\(scopes.joined(separator: ", "))]")
        }

        mutating func convolution(_ input: String, _ shape: [Int], in module: [String], named name: String) -> String {
            // The old one folds batch norm into weights that have lost their names.
            let weight = isOld ? "onnx::Conv_\(count)" : "\(name).weight"
            _ = model.random(weight, shape, &random)
            let pad = shape[2] / 2
            return node("Conv", [input, weight], ["pads": .ints([pad, pad, pad, pad])], in: module)
        }
    }

    private func network(isOld: Bool) throws -> [Layer] {
        var writer = Writer(isOld: isOld)
        let stem = writer.convolution("image", [8, 3, 3, 3], in: ["conv1"], named: "conv1")
        let pool = writer.node(
            "MaxPool", [writer.node("Relu", [stem], in: ["relu"])], ["kernel_shape": [2, 2], "strides": [2, 2]], in: ["maxpool"])
        // A residual block, a Sequential in a block in a Sequential, a squeeze, and branches that are joined.
        let block = ["layer1", "layer1.0"]
        let first = writer.convolution(pool, [8, 8, 3, 3], in: block + ["conv1"], named: "layer1.0.conv1")
        let second = writer.convolution(
            writer.node("Relu", [first], in: block + ["relu"]), [8, 8, 3, 3], in: block + ["conv2"], named: "layer1.0.conv2")
        let sum = writer.node("Relu", [writer.node("Add", [second, pool], in: block)], in: block + ["relu"])
        let inner = ["features", "features.2", "features.2.0", "block", "block.1"]
        let wide = writer.convolution(sum, [8, 8, 1, 1], in: inner + ["block.1.0"], named: "features.2.0.block.1.0")
        let silu = writer.node(
            "Mul", [wide, writer.node("Sigmoid", [wide], in: inner + ["block.1.2"])], in: inner + ["block.1.2"])
        let mean =
            isOld
            ? writer.node("GlobalAveragePool", [silu], in: inner + ["avgpool"])
            : writer.node("ReduceMean", [silu, writer.model.integers([-2, -1])], in: inner + ["avgpool"])
        let scaled = writer.node("Mul", [mean, silu], in: inner)
        let branches = ["left", "right"].map { name in
            writer.convolution(scaled, [4, 8, 1, 1], in: ["inception", name, "conv"], named: "inception.\(name).conv")
        }
        let joined = writer.node("Concat", branches, ["axis": 1], in: ["inception"])
        // Outside of all modules.
        let last =
            isOld
            ? writer.node("GlobalAveragePool", [joined], in: [])
            : writer.node("ReduceMean", [joined, writer.model.integers([-1, -2])], in: [])
        _ = writer.model.random("fc.weight", [5, 8], &writer.random)
        let flat = writer.node("Flatten", [last], in: [])
        let scores = writer.node("Gemm", [flat, "fc.weight"], ["transB": 1], in: ["fc"])
        return try writer.model.network(output: scores).layers
    }

    @Test(arguments: [true, false]) func layersHaveTheNamesOfModules(_ isOld: Bool) throws {
        let layers = try network(isOld: isOld)
        #expect(
            layers.map(\.name) == [
                "conv1", "maxpool", "layer1.0.conv1", "layer1.0.conv2", "layer1.0", "features.2.0.block.1.0",
                "features.2.0.block.1.avgpool", "inception.left.conv", "inception.right.conv", "inception", "GlobalAveragePool",
                "fc",
            ])
        #expect(layers.map(\.channels) == [8, 8, 8, 8, 8, 8, 8, 4, 4, 8, 8, 5])
        #expect(layers.last?.isLogits == true)
    }

    /// A concatenation of one map, as DenseNet's first, is that map.
    @Test func aConcatenationOfOneMapIsNoLayer() throws {
        var writer = Writer(isOld: true)
        let first = writer.convolution("image", [8, 3, 3, 3], in: ["conv0"], named: "conv0")
        let alone = writer.node("Concat", [first], ["axis": 1], in: ["denselayer1"])
        let second = writer.convolution(alone, [4, 8, 1, 1], in: ["denselayer1", "conv1"], named: "denselayer1.conv1")
        let both = writer.node("Concat", [first, second], ["axis": 1], in: ["denselayer2"])
        let layers = try writer.model.network(output: writer.node("GlobalMaxPool", [both], in: ["pool"])).layers
        #expect(layers.map(\.name) == ["conv0", "denselayer1.conv1", "denselayer2", "pool"])
    }

    /// Inception's last modules join two branches before they join them with others; the old exporter writes one concatenation, the new one two.
    @Test func aConcatenationWithinAnotherOfItsModuleIsNoLayer() throws {
        func writer() -> (writer: Writer, branches: [String]) {
            var writer = Writer(isOld: false)
            let branches = (0..<3).map { number in
                writer.convolution(
                    "image", [2 + number, 3, 1, 1], in: ["mixed", "branch\(number)"], named: "mixed.branch\(number)")
            }
            return (writer, branches)
        }
        func answers(_ writer: Writer, _ output: String) throws -> (layers: [Layer], answer: [Float]) {
            var writer = writer
            let network = try writer.model.network(output: writer.node("GlobalMaxPool", [output], in: ["pool"]))
            let image = (0..<3 * 16 * 16).map { Float($0 % 23) / 23 }
            return (network.layers, try network.answers(to: [image])[0])
        }
        var (one, branches) = writer()
        let joined = try answers(one, one.node("Concat", branches, ["axis": 1], in: ["mixed"]))
        #expect(joined.layers.map(\.name) == ["mixed.branch0", "mixed.branch1", "mixed.branch2", "mixed", "pool"])
        (one, branches) = writer()
        let inner = one.node("Concat", Array(branches[1...]), ["axis": -3], in: ["mixed"])
        let nested = try answers(one, one.node("Concat", [branches[0], inner], ["axis": 1], in: ["mixed"]))
        #expect(nested.layers.map(\.name) == joined.layers.map(\.name))
        #expect(nested.answer == joined.answer)
        // That of a module of its own is a layer that its author knows.
        (one, branches) = writer()
        let own = one.node("Concat", Array(branches[1...]), ["axis": 1], in: ["mixed", "pair"])
        let kept = try answers(one, one.node("Concat", [branches[0], own], ["axis": 1], in: ["mixed"]))
        #expect(kept.layers.map(\.name).contains("mixed.pair"))
    }
}
