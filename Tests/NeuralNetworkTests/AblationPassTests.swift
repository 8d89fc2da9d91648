import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Neurons that are switched off on the way, and files in which their weights are zero: the two have to agree, and each with a network that
/// was made with other weights from the start.
@Suite struct AblationPassTests {
    /// A network of one layer of 4 channels named `layer`, of which any can be silenced.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var layer: String
        /// The answer's name.
        var build: @Sendable (inout ModelBuilder) -> String
        var testDescription: String { name }
    }

    private static func numbers(_ count: Int, _ seed: Int) -> [Float] {
        (0..<count).map { Float(($0 * 31 + seed * 17 + $0 * $0 * 7) % 101) / 50 - 1 }
    }

    private static func convolution(
        _ model: inout ModelBuilder, _ input: String, _ channels: (Int, Int), name: String, seed: Int, hasBias: Bool = true
    ) -> String {
        let (from, to) = channels
        let weights = model.weight("\(name).w", [to, from, 3, 3], numbers(to * from * 9, seed))
        let bias = hasBias ? [model.weight("\(name).b", [to], numbers(to, seed + 1))] : []
        return model.node("Conv", [input, weights] + bias, ["pads": [1, 1, 1, 1]], name: name)
    }

    private static func head(_ model: inout ModelBuilder, _ input: String, _ features: Int) -> String {
        let vector = model.node("Flatten", [model.node("GlobalAveragePool", [input])])
        return model.node(
            "Gemm",
            [
                vector, model.weight("head.w", [3, features], numbers(3 * features, 9)),
                model.weight("head.b", [3], [0.5, -1, 0]),
            ],
            ["transB": 1], name: "head")
    }

    static let cases: [Case] = [
        Case(name: "rectifier", layer: "first") { model in
            let map = model.node("Relu", [convolution(&model, "image", (2, 4), name: "first", seed: 1)])
            return head(&model, model.node("Relu", [convolution(&model, map, (4, 5), name: "second", seed: 2)]), 5)
        },
        Case(name: "batch normalisation and pooling", layer: "pool") { model in
            let sums = convolution(&model, "image", (2, 4), name: "first", seed: 3, hasBias: false)
            let constants = ["scale", "shift", "mean", "variance"].enumerated().map { index, name in
                model.weight("bn.\(name)", [4], numbers(4, index + 5).map { index == 3 ? abs($0) + 0.5 : $0 })
            }
            let map = model.node("Relu", [model.node("BatchNormalization", [sums] + constants, name: "bn")])
            let pooled = model.node("MaxPool", [map], ["kernel_shape": [2, 2], "strides": [2, 2]], name: "pool")
            return head(&model, convolution(&model, pooled, (4, 5), name: "second", seed: 2), 5)
        },
        Case(name: "joined channels", layer: "join") { model in
            let parts = [1, 2].map { seed in
                model.node("Relu", [convolution(&model, "image", (2, 2), name: "part\(seed)", seed: seed)])
            }
            let joined = model.node("Concat", parts, ["axis": 1], name: "join")
            return head(&model, convolution(&model, joined, (4, 5), name: "second", seed: 4), 5)
        },
        Case(name: "SiLU", layer: "first") { model in
            let sums = convolution(&model, "image", (2, 4), name: "first", seed: 6)
            let map = model.node("Mul", [sums, model.node("Sigmoid", [sums])])
            return head(&model, convolution(&model, map, (4, 5), name: "second", seed: 2), 5)
        },
        Case(name: "fully connected", layer: "hidden") { model in
            let vector = model.node("Flatten", ["image"])
            let product = model.node("MatMul", [vector, model.weight("hidden.w", [50, 4], numbers(200, 8))], name: "hidden")
            let hidden = model.node("Relu", [model.node("Add", [model.weight("hidden.b", [4], [9, 8, 7, 10]), product])])
            return model.node("Gemm", [hidden, model.weight("head.w", [4, 3], numbers(12, 2))], name: "head")
        },
        Case(name: "weights that two layers share", layer: "first") { model in
            let shared = model.weight("shared", [4, 4, 1, 1], numbers(16, 4))
            let wide = model.node("Relu", [convolution(&model, "image", (2, 4), name: "wide", seed: 1)])
            let map = model.node("Relu", [model.node("Conv", [wide, shared], name: "first")])
            return head(&model, model.node("Conv", [map, shared], name: "second"), 4)
        },
        Case(name: "read twice", layer: "first") { model in
            let map = model.node("Relu", [convolution(&model, "image", (2, 4), name: "first", seed: 1)])
            let branch = convolution(&model, map, (4, 4), name: "second", seed: 5)
            return head(&model, model.node("Add", [branch, map], name: "sum"), 4)
        },
    ]

    private static func file(_ one: Case) throws -> (TemporaryFolder, String) {
        var model = ModelBuilder(input: [1, 2, 5, 5])
        let output = one.build(&model)
        let folder = try TemporaryFolder()
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
        return (folder, folder.file("m.onnx"))
    }

    private static func network(_ path: String) throws -> DifferentiableNetwork {
        var options = Network.Options()
        options.hasClasses = true
        return try DifferentiableNetwork(contentsOf: path, options: options)
    }

    private static let picture = numbers(50, 7)

    private static func pass(_ network: DifferentiableNetwork, _ layers: [String]) throws -> AblationPass {
        let pass = try AblationPass.passes(network, layers: layers.map { try network.layer(named: $0) }, count: 1)[0]
        for index in pass.input.indices { pass.input[index] = picture[index % 2 * 25 + index / 2] }
        try pass.begin()
        return pass
    }

    private static func answer(_ bytes: Data) throws -> [Float] { try Network(bytes: Array(bytes)).answers(to: [picture])[0] }

    @Test(arguments: cases) func offIsAsIfItsWeightsWereZero(_ one: Case) throws {
        let (folder, path) = try Self.file(one)
        defer { withExtendedLifetime(folder) {} }
        let network = try Self.network(path)
        let layer = try network.layer(named: one.layer)
        #expect(layer.channels == 4)
        let pass = try Self.pass(network, [one.layer])
        let whole = try pass.answer(replacing: [])
        let expected = try Self.answer(Data(contentsOf: URL(fileURLWithPath: path)))
        for (a, b) in zip(whole.scores, expected) { #expect(abs(a - b) < 1e-5) }
        var differing = 0
        for channels in [[0], [1], [2], [3], [1, 3], [0, 1, 2, 3]] {
            let found = try pass.answer(replacing: channels.map { .init(layer: 0, channel: $0, value: 0) })
            let silenced = try SilencedNetwork(ofModelAt: path, neurons: channels.map { .init(layer: layer, channel: $0) })
            let scores = try Self.answer(silenced.bytes)
            for (a, b) in zip(found.scores, scores) { #expect(abs(a - b) < 1e-5, "\(channels): \(found.scores) for \(scores)") }
            if found.scores != whole.scores { differing += 1 }
        }
        #expect(differing >= 3)
        // What was switched off is on again.
        #expect(try pass.answer(replacing: []) == whole)
    }

    /// Set to what it holds anyway, a neuron changes nothing; set to a value, the answer is that of a layer which gives the value.
    @Test func otherValuesStandEverywhere() throws {
        var model = ModelBuilder(input: [1, 2, 5, 5])
        let map = model.node("Relu", [Self.convolution(&model, "image", (2, 4), name: "first", seed: 1)])
        let output = Self.head(&model, map, 4)
        let network = try model.differentiableNetwork(output: output)
        let pass = try Self.pass(network, ["first"])
        let (whole, off) = (try pass.answer(replacing: []), try pass.answer(replacing: [.init(layer: 0, channel: 2, value: 0)]))
        let set = try pass.answer(replacing: [.init(layer: 0, channel: 2, value: 3)])
        // The head is linear in the mean of the map.
        let weights = Self.numbers(12, 9)
        for score in 0..<3 { #expect(abs(set.scores[score] - off.scores[score] - 3 * weights[score * 4 + 2]) < 1e-5) }
        #expect(whole.scores != off.scores)
    }

    @Test func layersBehindEachOtherAreOffTogether() throws {
        let (folder, path) = try Self.file(Self.cases[0])
        defer { withExtendedLifetime(folder) {} }
        let network = try Self.network(path)
        // In the other order than they are computed in.
        let pass = try Self.pass(network, ["second", "first"])
        let found = try pass.answer(replacing: [.init(layer: 1, channel: 0, value: 0), .init(layer: 0, channel: 3, value: 0)])
        let silenced = try SilencedNetwork(
            ofModelAt: path,
            neurons: [
                .init(layer: network.layer(named: "first"), channel: 0), .init(layer: network.layer(named: "second"), channel: 3),
            ])
        for (a, b) in zip(found.scores, try Self.answer(silenced.bytes)) { #expect(abs(a - b) < 1e-5) }
    }

    @Test func whatHasNoWeightsOfItsOwnIsSaid() throws {
        func refusal(_ layer: String, _ build: (inout ModelBuilder) -> String) throws -> String {
            var model = ModelBuilder(input: [1, 2, 5, 5])
            let output = build(&model)
            let folder = try TemporaryFolder()
            defer { withExtendedLifetime(folder) {} }
            let path = folder.file("m.onnx")
            try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
            let network = try Self.network(path)
            do {
                _ = try SilencedNetwork(ofModelAt: path, neurons: [.init(layer: network.layer(named: layer), channel: 1)])
                return "taken"
            } catch let error as NetworkError {
                return "\(error)"
            }
        }
        let sum = try refusal("sum") { model in
            let maps = [1, 2].map { Self.convolution(&model, "image", (2, 4), name: "part\($0)", seed: $0) }
            return Self.head(&model, model.node("Add", maps, name: "sum"), 4)
        }
        #expect(sum.contains("Add (node 'sum'") && sum.contains("of several maps"), "\(sum)")
        let sigmoid = try refusal("first") { model in
            let map = model.node("Sigmoid", [Self.convolution(&model, "image", (2, 4), name: "first", seed: 1)], name: "gate")
            return Self.head(&model, map, 4)
        }
        #expect(sigmoid.contains("Sigmoid (node 'gate'"), "\(sigmoid)")
        let shared = try refusal("pool") { model in
            let map = model.node("Relu", [Self.convolution(&model, "image", (2, 4), name: "first", seed: 1)])
            let pooled = model.node("MaxPool", [map], ["kernel_shape": [3, 3], "pads": [1, 1, 1, 1]], name: "pool")
            return Self.head(&model, model.node("Add", [pooled, map], name: "sum"), 4)
        }
        #expect(shared.contains("node 'sum'") && shared.contains("would change with it"), "\(shared)")
    }
}
