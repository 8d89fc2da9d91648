import CKernels
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// What is no number stays none on its way through a network, as in PyTorch and ONNX Runtime.
@Suite struct NaNTests {
    /// An operator on a map of 6 channels, and what it needs beside.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Whether all channels of a place are computed together, so that all are NaN.
        var mixesChannels = false
        var build: @Sendable (inout ModelBuilder, String) -> String
        var testDescription: String { name }
    }

    private static func simple(_ name: String, _ attributes: [String: ModelBuilder.Attribute] = [:]) -> Case {
        Case(name: name) { model, map in model.node(name, [map], attributes) }
    }

    static let cases: [Case] = functions + windows + combinations

    private static let functions: [Case] = [
        "Relu", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSwish", "Gelu", "Mish", "Softplus", "Exp", "Log", "Sqrt", "Abs",
        "Neg",
        "Erf", "HardSigmoid", "Selu", "ThresholdedRelu", "Softsign", "Reciprocal", "GlobalMaxPool", "GlobalAveragePool",
        "Identity",
    ].map { (name: String) -> Case in simple(name) }

    private static let windows: [Case] = [
        simple("ReduceMax", ["axes": [3]]),
        simple("MaxPool", ["kernel_shape": [2, 2], "strides": [2, 2]]),
        simple("AveragePool", ["kernel_shape": [2, 2], "strides": [2, 2]]),
        Case(name: "Resize") { model, map in
            model.node("Resize", [map, "", model.weight("scales", [4], [1, 1, 2, 2])], ["mode": "linear"])
        },
    ]

    private static let combinations: [Case] = [
        Case(name: "Clip") { model, map in
            let (low, high) = (model.weight("low", [], [0]), model.weight("high", [], [6]))
            return model.node("Clip", [map, low, high])
        },
        Case(name: "PRelu") { model, map in
            let slope = model.weight("slope", [1], [0.25])
            return model.node("PRelu", [map, slope])
        },
        Case(name: "Max with a number") { model, map in
            let zero = model.weight("zero", [1], [0])
            return model.node("Max", [map, zero])
        },
        Case(name: "a number with Max") { model, map in
            let zero = model.weight("zero", [1], [0])
            return model.node("Max", [zero, map])
        },
        Case(name: "Min with a number") { model, map in
            let zero = model.weight("zero", [1], [0])
            return model.node("Min", [map, zero])
        },
        Case(name: "Relu of a sum") { model, map in
            let magnitude = model.node("Abs", [map])
            return model.node("Relu", [model.node("Add", [map, magnitude])])
        },
        Case(name: "Relu of batch normalisation") { model, map in
            var inputs: [String] = [model.node("Abs", [map])]
            let ones = [Float](repeating: 1, count: 6)
            for name in ["gamma", "beta", "mean", "variance"] { inputs.append(model.weight(name, [6], ones)) }
            return model.node("Relu", [model.node("BatchNormalization", inputs)])
        },
        Case(name: "Softmax", mixesChannels: true) { model, map in model.node("Softmax", [map], ["axis": 1]) },
        Case(name: "Relu of a convolution", mixesChannels: true) { model, map in
            let weight = model.weight("next", [32, 6, 3, 3], [Float](repeating: 0.125, count: 32 * 54))
            return model.node("Relu", [model.node("Conv", [map, weight], ["pads": [1, 1, 1, 1]])])
        },
        Case(name: "Relu of a fully connected layer", mixesChannels: true) { model, map in
            let weight = model.weight("next", [6, 4], [Float](repeating: 0.125, count: 24))
            let flat = model.node("Flatten", [model.node("GlobalMaxPool", [map])])
            return model.node("Relu", [model.node("Gemm", [flat, weight])])
        },
    ]

    private func model(bias: Float) -> (model: ModelBuilder, map: String) {
        var (model, random) = (ModelBuilder(input: [1, 3, 8, 8]), SeededGenerator(seed: 5))
        _ = model.random("w", [6, 3, 3, 3], &random)
        // Where nothing is broken, all is positive: roots and logarithms have answers.
        let biases = model.weight("b", [6], [30, bias, 30, 30, 30, 30])
        return (model, model.node("Conv", ["image", "w", biases], ["pads": [1, 1, 1, 1]]))
    }

    /// One bias is NaN: the answer, and the maximum of every layer that is recorded.
    @Test(arguments: cases)
    func aBrokenWeightIsSeenBehindEveryOperator(_ operation: Case) throws {
        for bias in [Float.nan, 30] {
            var (model, map) = model(bias: bias)
            let output = operation.build(&model, map)
            var options = Network.Options()
            options.layers = ["*"]
            let network = try model.network(output: output, options: options)
            let image = (0..<3 * 64).map { Float($0 % 7) / 7 }
            let (answer, maxima) = try #require(
                try network.run([image]) { ($0.output(image: $1), Array($0.maxima(image: $1))) }.first)
            if !bias.isNaN {
                #expect(answer.allSatisfy { !$0.isNaN }, "\(operation.name): NaN of numbers")
                continue
            }
            let channels = operation.mixesChannels ? answer.count : 6
            let size = answer.count / channels
            for (index, value) in answer.enumerated() {
                let isBroken = operation.mixesChannels || index / size == 1
                #expect(value.isNaN == isBroken, "\(operation.name): \(value) at \(index) of \(answer.count)")
            }
            for layer in network.layers {
                let own = maxima[layer.firstNeuron..<layer.firstNeuron + layer.channels]
                #expect(own.contains { $0.isNaN }, "\(operation.name): layer \(layer.name) hides it: \(own)")
            }
        }
    }

    /// One place of a map: the maximum is NaN, and stands there; through a pooling and a rectifier as well.
    @Test func onePlaceIsEnough() throws {
        var model = ModelBuilder(input: [1, 1, 4, 4])
        let logarithm = model.node("Log", ["image"], name: "logarithm")
        let pool = model.node(
            "MaxPool", [model.node("Relu", [logarithm])], ["kernel_shape": [2, 2], "strides": [2, 2]], name: "pool")
        var options = Network.Options()
        options.layers = ["*"]
        let network = try model.network(output: pool, options: options)
        var image = [Float](repeating: 3, count: 16)
        image[6] = -1
        let read = try network.run([image]) { (Array($0.maxima(image: $1)), Array($0.positions(image: $1))) }
        let (maxima, positions) = try #require(read.first)
        #expect(maxima.allSatisfy { $0.isNaN }, "\(maxima)")
        let places = Dictionary(zip(network.layers.map(\.name), positions)) { first, _ in first }
        #expect(places["logarithm"] == 6 && places["pool"] == 1, "\(places)")
    }

    /// A root that is taken in the same pass as a convolution, and a convolution with a rectifier behind it.
    @Test(arguments: ["Sqrt", "Log"])
    func functionsInTheSamePass(_ function: String) throws {
        var (model, map) = model(bias: -9)
        let weight = model.weight("next", [4, 6, 3, 3], [Float](repeating: 0.125, count: 4 * 54))
        let next = model.node("Conv", [model.node(function, [map]), weight], ["pads": [1, 1, 1, 1]])
        let answer = try model.network(output: model.node("Relu", [next])).answers(to: [[Float](repeating: 0.5, count: 192)])[0]
        #expect(answer.allSatisfy { $0.isNaN })
    }

    /// A normalisation that a file spells out takes roots of sums of squares, and divides by what is never 0: no reason to be slow. Winograd's
    /// filtering, which such networks keep, leaves other last digits than adding up does.
    @Test func normalisationsAreNoRisk() throws {
        func answer(_ epsilon: Float) throws -> [Float] {
            var (model, random) = (ModelBuilder(input: [1, 32, 12, 12]), SeededGenerator(seed: 8))
            _ = model.random("w", [32, 32, 3, 3], &random)
            let mean = model.node("ReduceMean", ["image"], ["axes": [1]])
            let less = model.node("Sub", ["image", mean])
            let square = model.node("Pow", [less, model.weight("two", [], [2])])
            let variance = model.node(
                "Add", [model.node("ReduceMean", [square], ["axes": [1]]), model.weight("e", [], [epsilon])])
            let normal = model.node("Div", [less, model.node("Sqrt", [variance])])
            let output = model.node("Relu", [model.node("Conv", [normal, "w"], ["pads": [1, 1, 1, 1]])])
            let image = (0..<32 * 144).map { Float($0 % 17) / 17 }
            return try model.network(output: output).answers(to: [image])[0]
        }
        let (fast, slow) = (try answer(1e-5), try answer(-1e-5))
        #expect(fast != slow)
        #expect(distance(fast, slow.map { Double($0) }) < 1e-3)
    }

    @Test func maximaWithNaN() {
        var random = SeededGenerator(seed: 6)
        for channels in [1, 15, 16, 17, 40] {
            var map = (0..<9 * channels).map { _ in Float.random(in: -1...1, using: &random) }
            let broken = Int.random(in: 0..<channels, using: &random)
            for pixel in [3, 7] { map[pixel * channels + broken] = .nan }
            var (values, positions) = ([Float](repeating: 0, count: channels), [UInt32](repeating: 9, count: channels))
            ndx_channel_maxima_or_nan(map, 9, channels, channels, &values, &positions)
            for channel in 0..<channels {
                let own = (0..<9).map { map[$0 * channels + channel] }
                if channel == broken {
                    #expect(values[channel].isNaN && positions[channel] == 3)
                } else {
                    #expect(values[channel] == own.max() && own[Int(positions[channel])] == own.max())
                }
            }
        }
    }

    /// Constants are computed when the file is read.
    @Test func constantsKeepIt() throws {
        for operation in ["Relu", "Clip", "Max", "Min"] {
            var model = ModelBuilder(input: [1, 1, 2, 2])
            var inputs = [model.weight("broken", [1], [.nan])]
            if operation == "Clip" { inputs += [model.weight("low", [], [0]), model.weight("high", [], [6])] }
            if operation.hasPrefix("M") { inputs.append(model.weight("zero", [1], [0])) }
            let output = model.node("Add", ["image", model.node(operation, inputs)])
            let answer = try model.network(output: output).answers(to: [[1, 2, 3, 4]])[0]
            #expect(answer.allSatisfy { $0.isNaN }, "\(operation)")
        }
    }
}
