import Foundation
import NeuralNetwork
import TestSupport
import Testing

struct RandomisedNetworkTests {
    /// Two fully connected layers, the first without activation, so that unit inputs show its weights.
    private static func file(_ folder: TemporaryFolder) throws -> String {
        var (model, random) = (ModelBuilder(input: [1, 1, 8, 8]), SeededGenerator(seed: 2))
        func values(_ count: Int, mean: Float, deviation: Float) -> [Float] {
            (0..<count).map { _ in mean + deviation * Float.random(in: -1.732...1.732, using: &random) }
        }
        let first = model.weight("first.weight", [60, 64], values(60 * 64, mean: 3, deviation: 2))
        let bias = model.weight("first.bias", [60], values(60, mean: -1, deviation: 0.5))
        let second = model.weight("second.weight", [4, 60], values(240, mean: 0.2, deviation: 0.1))
        let hidden = model.node("Gemm", [model.node("Flatten", ["image"]), first, bias], ["transB": 1])
        let path = folder.file("m.onnx")
        let bytes = model.bytes(outputs: [model.node("Gemm", [hidden, second], ["transB": 1])])
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func activations(_ network: DifferentiableNetwork, _ layer: String, input: [Float]) throws -> [Float] {
        let pass = try ForwardPass.passes(network, layer: network.layer(named: layer), count: 1)[0]
        _ = pass.input(image: 0).update(fromContentsOf: input)
        try pass.run()
        return Array(pass.activation(image: 0))
    }

    /// The first layer's weights, input by input, and its bias.
    private func firstLayer(_ network: DifferentiableNetwork) throws -> (weights: [Float], bias: [Float]) {
        let bias = try activations(network, "first", input: [Float](repeating: 0, count: 64))
        let weights = try (0..<64).flatMap { index in
            var unit = [Float](repeating: 0, count: 64)
            unit[index] = 1
            return zip(try activations(network, "first", input: unit), bias).map { $0 - $1 }
        }
        return (weights, bias)
    }

    /// Normal numbers by the sum of twelve, a stream for each layer.
    private func noise(_ seed: UInt64) -> (Int) -> () -> Float {
        { layer in
            var random = SeededGenerator(seed: seed * 100 + UInt64(layer))
            return { (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0...1, using: &random) } }
        }
    }

    @Test func keepsMeanAndDeviationOfEachTensor() throws {
        let folder = try TemporaryFolder()
        let network = try DifferentiableNetwork(contentsOf: Self.file(folder))
        let logits = try #require(network.logits)
        #expect(try network.weightedLayers(upTo: logits) == ["first", "second"])
        #expect(try network.weightedLayers(upTo: network.layer(named: "first")) == ["first"])
        let original = try firstLayer(network)
        let changed = try firstLayer(network.randomised(last: 2, upTo: logits, noise: noise(1)))
        func moments(_ values: [Float]) -> (mean: Float, deviation: Float) {
            let mean = values.reduce(0, +) / Float(values.count)
            return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)).squareRoot())
        }
        // Five standard errors of 3840 and of 60 numbers.
        for (values, others, error) in [(original.weights, changed.weights, Float(0.16)), (original.bias, changed.bias, 0.33)] {
            #expect(values != others)
            #expect(abs(moments(values).mean - moments(others).mean) < error)
            #expect(abs(moments(values).deviation - moments(others).deviation) < error)
        }
        // Uniform before, normal now.
        #expect(original.weights.allSatisfy { abs($0 - 3) < 3.6 } && changed.weights.contains { abs($0 - 3) > 5 })
    }

    @Test func fromTheEnd() throws {
        let folder = try TemporaryFolder()
        let network = try DifferentiableNetwork(contentsOf: Self.file(folder))
        let logits = try #require(network.logits)
        let input = (0..<64).map { Float($0 % 5) - 2 }
        let networks = try (0...2).map { try network.randomised(last: $0, upTo: logits, noise: noise(1)) }
        let hidden = try networks.map { try activations($0, "first", input: input) }
        let scores = try networks.map { try activations($0, logits.name, input: input) }
        #expect(scores[0] == (try activations(network, logits.name, input: input)), "nothing changed")
        #expect(hidden[1] == hidden[0] && scores[1] != scores[0], "only the last layer")
        #expect(hidden[2] != hidden[1])
        let again = try network.randomised(last: 2, upTo: logits, noise: noise(1))
        #expect(try activations(again, logits.name, input: input) == scores[2])
        let other = try network.randomised(last: 2, upTo: logits, noise: noise(2))
        #expect(try activations(other, logits.name, input: input) != scores[2])
        // Counted from a layer on the way, what comes after it stays.
        let part = try network.randomised(last: 1, upTo: network.layer(named: "first"), noise: noise(1))
        #expect(try activations(part, "first", input: input) != hidden[0])
    }

    /// Grouped and strided convolutions, batch normalisation folded and alone: every kind of weight reaches forward and backward.
    @Test func everyKindOfLayer() throws {
        var (model, random) = (ModelBuilder(input: [1, 4, 9, 7]), SeededGenerator(seed: 6))
        func weight(_ name: String, _ shape: [Int], _ range: ClosedRange<Float> = -1...1) -> String {
            model.weight(name, shape, (0..<shape.reduce(1, *)).map { _ in Float.random(in: range, using: &random) })
        }
        func normalised(_ value: String, _ name: String, _ count: Int) -> String {
            let parts = ["scale", "shift", "mean"].map { weight("\(name).\($0)", [count]) }
            return model.node("BatchNormalization", [value] + parts + [weight("\(name).variance", [count], 0.5...2)])
        }
        var value = normalised("image", "input", 4)
        value = normalised(model.node("Conv", [value, weight("one.weight", [6, 2, 3, 3])], ["group": 2]), "folded", 6)
        value = model.node("Relu", [model.node("Conv", [value, weight("two.weight", [5, 6, 2, 2])], ["strides": [2, 2]])])
        value = model.node("Gemm", [model.node("Flatten", [model.node("GlobalAveragePool", [value])]), weight("fc", [5, 3])])
        let folder = try TemporaryFolder()
        let path = folder.file("m.onnx")
        try Data(model.bytes(outputs: [value])).write(to: URL(fileURLWithPath: path))
        let network = try DifferentiableNetwork(contentsOf: path)
        let logits = try #require(network.logits)
        let names = try network.weightedLayers(upTo: logits)
        #expect(names.count == 4)
        let input = (0..<4 * 63).map { Float($0 % 11) / 5 - 1 }
        var gradients: [[Float]] = []
        for count in 0...4 {
            let pass = try GradientPass(network.randomised(last: count, upTo: logits, noise: noise(3)), layer: logits)
            _ = pass.input(image: 0).update(fromContentsOf: input)
            try pass.forward()
            pass.seed(image: 0)[1] = 1
            try pass.backward()
            gradients.append(Array(pass.inputGradient(image: 0)))
        }
        for count in 1...4 { #expect(gradients[count] != gradients[count - 1], "layer \(names[4 - count])") }
    }
}
