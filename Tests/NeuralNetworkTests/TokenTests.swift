import NeuralNetwork
import TestSupport
import Testing

/// Tokens of a transformer: those of a picture's places are a map, those before them are places of their own.
@Suite struct TokenTests {
    private static let (channels, side, classes) = (6, 4, 5)
    private let image: SlowTensor

    init() {
        var random = SeededGenerator(seed: 21)
        image = SlowTensor(random: [1, 3, 8, 8], using: &random)
    }

    private func fullyConnected(
        _ input: String, _ name: String, _ outputs: Int, of inputs: Int, _ model: inout ModelBuilder,
        _ random: inout SeededGenerator
    ) -> String {
        _ = model.random("\(name).weight", [inputs, outputs], &random)
        _ = model.random("\(name).bias", [outputs], &random)
        return model.node("Add", [model.node("MatMul", [input, "\(name).weight"], name: name), "\(name).bias"])
    }

    private func normalised(_ input: String, _ name: String, _ model: inout ModelBuilder, _ random: inout SeededGenerator)
        -> String
    {
        _ = model.random("\(name).scale", [Self.channels], &random)
        return model.node("LayerNormalization", [input, "\(name).scale"], ["axis": -1], name: name)
    }

    private func attention(
        _ input: String, _ block: String, tokens: Int, _ model: inout ModelBuilder, _ random: inout SeededGenerator
    ) -> String {
        let channels = Self.channels
        let all = fullyConnected(input, "\(block).qkv", 3 * channels, of: channels, &model, &random)
        let heads = model.node("Reshape", [all, model.integers([1, tokens, 3, 2, channels / 2])])
        let moved = model.node("Transpose", [heads], ["perm": [2, 0, 3, 1, 4]])
        let parts = (0..<3).map { model.node("Gather", [moved, model.integers([$0], shape: [])], ["axis": 0]) }
        let keys = model.node("Transpose", [parts[1]], ["perm": [0, 1, 3, 2]])
        let weights = model.node("Softmax", [model.node("MatMul", [parts[0], keys])], ["axis": -1])
        let values = model.node("Transpose", [model.node("MatMul", [weights, parts[2]])], ["perm": [0, 2, 1, 3]])
        let joined = model.node("Reshape", [values, model.integers([1, tokens, channels])])
        return fullyConnected(joined, "\(block).proj", channels, of: channels, &model, &random)
    }

    /// Two blocks over a map of 4×4 patches, with `prefix` tokens before them; the first token, or the mean of all, makes the scores.
    private func model(prefix: Int) -> (ModelBuilder, String) {
        var (model, random) = (ModelBuilder(input: [1, 3, 8, 8]), SeededGenerator(seed: 22))
        let (channels, places) = (Self.channels, Self.side * Self.side)
        let tokens = places + prefix
        _ = model.random("patches.weight", [channels, 3, 2, 2], &random)
        let map = model.node("Conv", ["image", "patches.weight"], ["strides": [2, 2]], name: "patches")
        let flat = model.node("Reshape", [map, model.integers([1, channels, places])])
        var x = model.node("Transpose", [flat], ["perm": [0, 2, 1]])
        if prefix > 0 {
            _ = model.random("class", [1, prefix, channels], &random)
            x = model.node("Concat", ["class", x], ["axis": 1])
        }
        _ = model.random("positions", [1, tokens, channels], &random)
        x = model.node("Add", [x, "positions"], name: "embedding")
        for block in ["first", "second"] {
            let attended = attention(normalised(x, "\(block).norm1", &model, &random), block, tokens: tokens, &model, &random)
            x = model.node("Add", [x, attended], name: "\(block).sum1")
            let hidden = fullyConnected(
                normalised(x, "\(block).norm2", &model, &random), "\(block).fc1", 9, of: channels, &model, &random)
            let bent = model.node("Softplus", [hidden], name: "\(block).act")
            let narrow = fullyConnected(bent, "\(block).fc2", channels, of: 9, &model, &random)
            x = model.node("Add", [x, narrow], name: "\(block).sum2")
        }
        let last = normalised(x, "norm", &model, &random)
        let vector =
            prefix > 0
            ? model.node("Gather", [last, model.integers([0], shape: [])], ["axis": 1])
            : model.node("ReduceMean", [last], ["axes": [1], "keepdims": 0])
        return (model, fullyConnected(vector, "head", Self.classes, of: channels, &model, &random))
    }

    private static let blockLayers = ["proj", "sum1", "fc1", "sum2"]

    @Test(arguments: [0, 1, 2]) func layersAreMapsOfTheGrid(prefix: Int) throws {
        let (model, output) = model(prefix: prefix)
        let network = try model.network(output: output)
        let maps = network.layers.filter { !$0.name.contains("token") && !$0.isLogits && $0.name != "patches" }
        #expect(maps.map(\.name) == ["first", "second"].flatMap { block in Self.blockLayers.map { "\(block).\($0)" } })
        #expect(maps.allSatisfy { $0.height == Self.side && $0.width == Self.side })
        let classTokens = network.layers.filter { $0.name.hasSuffix(".class_token") }
        let sums = ["first.sum1", "first.sum2", "second.sum1", "second.sum2"]
        #expect(classTokens.map(\.name) == (prefix > 0 ? sums.map { "\($0).class_token" } : []))
        #expect(network.layers.filter(\.isLogits).map(\.channels) == [Self.classes])
        let rows = try network.run([image.floats]) { (Array($0.maxima(image: $1)), Array($0.positions(image: $1))) }
        let (values, positions) = try #require(rows.first)
        for layer in maps + classTokens {
            let tensor = layer.tensor.split(separator: "#").first.map(String.init) ?? layer.tensor
            let all = try #require(try model.network(output: tensor).answers(to: [image.floats]).first)
            let places = layer.height * layer.width
            let first = layer.height == 1 ? 0 : prefix
            for channel in 0..<layer.channels {
                let own = (0..<places).map { all[(first + $0) * layer.channels + channel] }
                let neuron = layer.firstNeuron + channel
                #expect(abs(values[neuron] - (own.max() ?? 0)) < 1e-5, "\(layer.name) \(channel)")
                #expect(Int(positions[neuron]) == own.firstIndex(of: own.max() ?? 0), "\(layer.name) \(channel)")
            }
        }
    }

    @Test(arguments: [0, 1]) func gradientsGoThroughTokens(prefix: Int) throws {
        let (model, output) = model(prefix: prefix)
        let network = try model.differentiableNetwork(output: output)
        let scores = try #require(network.logits)
        let last = try #require(try network.lastMap(before: scores))
        // Of the last block the class token alone is read, so that no place of its sums has a gradient.
        #expect(last.name == (prefix > 0 ? "first.sum2" : "norm"))
        let pass = try GradientPass(network, layer: scores, keeping: [last])
        _ = pass.input(image: 0).update(fromContentsOf: image.transposed([0, 2, 3, 1]).floats)
        try pass.forward()
        pass.seed(image: 0)[2] = 1
        try pass.backward()
        let gradient = try #require(pass.gradient(of: last, image: 0))
        #expect(gradient.count == Self.side * Self.side * Self.channels && gradient.contains { abs($0) > 1e-6 })
        let own = SlowTensor([1, 8, 8, 3], Array(pass.inputGradient(image: 0))).transposed([0, 3, 1, 2])
        var random = SeededGenerator(seed: 23)
        let direction = SlowTensor(random: image.shape, using: &random)
        let plain = try model.network(output: output)
        func score(_ step: Double) throws -> Double {
            Double(try plain.answers(to: [image.combined(with: direction) { $0 + step * $1 }.floats])[0][2])
        }
        let expected = try (score(1e-2) - score(-1e-2)) / 2e-2
        let found = own.combined(with: direction, *).values.reduce(0, +)
        #expect(abs(found - expected) < 1e-2 * max(1, abs(expected)), "\(found) for \(expected)")
    }
}
