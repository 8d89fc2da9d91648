import NeuralNetwork
import TestSupport
import Testing

@Suite struct RecordingTests {
    /// conv1 → ReLU → two branches → Concat → residual sum → pool → classifier → softmax.
    private func model() -> (model: ModelBuilder, output: String) {
        var (model, random) = (ModelBuilder(input: [1, 3, 9, 10]), SeededGenerator(seed: 3))
        for (name, shape) in [("stem.conv1", [8, 3, 3, 3]), ("left", [4, 8, 1, 1]), ("right", [4, 8, 3, 3])] {
            _ = model.random("\(name).weight", shape, &random)
        }
        _ = model.random("fc.weight", [5, 8], &random)
        let stem = model.node("Relu", [model.node("Conv", ["image", "stem.conv1.weight"], ["pads": [1, 1, 1, 1]])])
        let left = model.node("Relu", [model.node("Conv", [stem, "left.weight"])])
        let right = model.node("Conv", [stem, "right.weight"], ["pads": [1, 1, 1, 1]])
        let joined = model.node("Concat", [left, right], ["axis": 1], name: "joined", outputs: ["joined_out"])
        let sum = model.node("Add", [joined, stem], name: "sum")
        let pool = model.node("GlobalAveragePool", [sum], name: "pool")
        let scores = model.node("Gemm", [model.node("Flatten", [pool]), "fc.weight"], ["transB": 1], outputs: ["scores"])
        return (model, model.node("Softmax", [scores]))
    }

    private func network(_ change: (inout Network.Options) -> Void = { _ in }) throws -> Network {
        var options = Network.Options()
        change(&options)
        let (model, output) = model()
        return try model.network(output: output, options: options)
    }

    private func images() -> [[Float]] {
        var random = SeededGenerator(seed: 8)
        return (0..<3).map { _ in SlowTensor(random: [3, 9, 10], using: &random).floats }
    }

    @Test func byDefault() throws {
        let network = try network()
        #expect(network.layers.map(\.name) == ["stem.conv1", "left", "right", "joined", "sum", "pool", "fc"])
        #expect(network.layers.map(\.channels) == [8, 4, 4, 8, 8, 8, 5])
        #expect(network.layers.map(\.firstNeuron) == [0, 8, 12, 16, 24, 32, 40])
        #expect(network.neuronCount == 45)
        #expect(network.layers.filter(\.isLogits).map(\.name) == ["fc"])
        #expect(network.layers.last?.tensor == "scores", "before the softmax")
        #expect(network.layers.filter(\.keepsMeans).map(\.name) == ["sum"], "what the classifier pools")
    }

    @Test func patterns() throws {
        #expect(try network { $0.layers = ["*t"] }.layers.map(\.name) == ["left", "right", "fc"], "the logits come along")
        #expect(try network { $0.layers = ["?eft", "stem.*"] }.layers.map(\.name) == ["stem.conv1", "left", "fc"])
        let error = networkError { _ = try network { $0.layers = ["lefty"] } }
        guard case .noSuchName("layer", "lefty", let known) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(known.contains("left"))
    }

    @Test func maximaAndMeansAreThoseOfTheMaps() throws {
        let everything = try network { $0.everyMean = true }
        #expect(everything.meanCount == everything.neuronCount)
        let rows = try everything.run(images()) {
            ($0.maxima(image: $1).map { $0 }, $0.positions(image: $1).map { $0 }, $0.means(image: $1).map { $0 })
        }
        for layer in everything.layers where layer.height > 1 {
            // The same network, asked for this layer's tensor as its output.
            let (model, _) = model()
            let map = try model.network(output: layer.tensor).answers(to: images())
            let pixels = layer.height * layer.width
            for (image, row) in rows.enumerated() {
                for channel in 0..<layer.channels {
                    let values = map[image][channel * pixels..<(channel + 1) * pixels]
                    let neuron = layer.firstNeuron + channel
                    #expect(row.0[neuron] == values.max())
                    #expect(values[values.startIndex + Int(row.1[neuron])] == values.max())
                    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(pixels)
                    #expect(abs(Double(row.2[neuron]) - mean) < 1e-5)
                }
            }
        }
    }

    @Test func concatenatedMaximaAreThoseOfTheParts() throws {
        let network = try network()
        for row in try network.run(images(), read: { $0.maxima(image: $1).map { $0 } }) {
            #expect(Array(row[16..<24]) == Array(row[8..<16]))
        }
        // Without its parts beside it, a concatenation is measured itself.
        let alone = try self.network { $0.layers = ["joined"] }
        let rows = try alone.run(images()) { $0.maxima(image: $1).map { $0 } }
        let all = try network.run(images()) { $0.maxima(image: $1).map { $0 } }
        for (row, other) in zip(rows, all) { #expect(Array(row[..<8]) == Array(other[16..<24])) }
    }

    @Test func beforeActivation() throws {
        let network = try network { $0.beforeActivation = true }
        let after = try self.network()
        let rows = try zip(
            network.run(images()) { $0.maxima(image: $1).map { $0 } }, after.run(images()) { $0.maxima(image: $1).map { $0 } })
        for (pre, post) in rows {
            for neuron in 0..<12 { #expect(max(pre[neuron], 0) == post[neuron]) }
        }
        #expect(network.layers.prefix(2).map(\.name) == ["stem.conv1", "left"])
    }

    /// Activations that exporters spell out, or that are not done in the pass of a convolution, belong to its layer all the same, whether the
    /// network is to run back or not.
    @Test func activationsOfManyNodesBelongToTheirLayer() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 5, 6]), SeededGenerator(seed: 4))
        for name in ["silu", "gelu", "hard", "slopes", "mish"] { _ = model.random("\(name).weight", [3, 3, 1, 1], &random) }
        _ = model.random("slopes.slope", [3, 1, 1], &random)
        for (name, value) in [("root", Float(2).squareRoot()), ("one", 1), ("half", 0.5)] as [(String, Float)] {
            _ = model.weight(name, [], [value])
        }
        let silu = model.node("Conv", ["image", "silu.weight"])
        let first = model.node("Mul", [silu, model.node("Sigmoid", [silu])], outputs: ["after silu"])
        let gelu = model.node("Conv", [first, "gelu.weight"])
        let error = model.node("Add", [model.node("Erf", [model.node("Div", [gelu, "root"])]), "one"])
        let second = model.node("Mul", [model.node("Mul", [gelu, error]), "half"], outputs: ["after gelu"])
        let hard = model.node("Conv", [second, "hard.weight"])
        let third = model.node(
            "Mul", [model.node("HardSigmoid", [hard], ["alpha": .float(1 / 6), "beta": 0.5]), hard], outputs: ["after hard"])
        let fourth = model.node(
            "PRelu", [model.node("Conv", [third, "slopes.weight"]), "slopes.slope"], outputs: ["after slopes"])
        let mish = model.node("Conv", [fourth, "mish.weight"])
        let output = model.node("Mul", [mish, model.node("Tanh", [model.node("Softplus", [mish])])], outputs: ["after mish"])
        let names = ["silu", "gelu", "hard", "slopes", "mish"]
        let layers = try model.network(output: output).layers
        #expect(layers.map(\.name) == names)
        #expect(layers.map(\.tensor) == names.map { "after \($0)" })
        let differentiable = try model.differentiableNetwork(output: output).layers
        #expect(differentiable.map(\.name) == names)
        #expect(differentiable.map(\.tensor) == names.map { "after \($0)" })
        var options = Network.Options()
        options.beforeActivation = true
        #expect(try model.network(output: output, options: options).layers.first?.tensor == silu)
    }

    /// A fully connected layer over the places of a map, as in ConvNeXt, is a layer whose channels stand last.
    @Test func fullyConnectedLayersOverPlaces() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 4, 5]), SeededGenerator(seed: 5))
        let weights = model.random("mlp.weight", [3, 7], &random)
        let last = model.node("Transpose", ["image"], ["perm": [0, 2, 3, 1]])
        let rows = model.node("Relu", [model.node("MatMul", [last, "mlp.weight"])])
        let back = model.node("Transpose", [rows], ["perm": [0, 3, 1, 2]])
        let network = try model.network(output: model.node("GlobalMaxPool", [back], name: "pool"))
        #expect(network.layers.map(\.name) == ["mlp", "pool"])
        #expect(network.layers.map { [$0.channels, $0.height, $0.width] } == [[7, 4, 5], [7, 1, 1]])
        let image = SlowTensor(random: [1, 3, 4, 5], using: &random)
        let map = SlowOperators.linear(
            image.transposed([0, 2, 3, 1]), weights.transposed([1, 0]), [Double](repeating: 0, count: 7)
        ).map { max($0, 0) }
        let (maxima, positions) = try network.run([image.floats]) {
            ($0.maxima(image: $1).map { $0 }, $0.positions(image: $1).map { $0 })
        }[0]
        for channel in 0..<7 {
            let values = (0..<20).map { map.values[$0 * 7 + channel] }
            #expect(abs(Double(maxima[channel]) - (values.max() ?? 0)) < 1e-5)
            #expect(abs(values[Int(positions[channel])] - (values.max() ?? 0)) < 1e-5)
        }
    }

    /// Two maps joined along their height, as detectors do, or an answer without a batch axis: neurons are its elements.
    @Test func unusualAnswers() throws {
        var (model, random) = (ModelBuilder(input: [1, 2, 4, 4]), SeededGenerator(seed: 9))
        _ = model.random("a.weight", [3, 2, 1, 1], &random)
        let a = model.node("Conv", ["image", "a.weight"])
        let b = model.node("MaxPool", [a], ["kernel_shape": [2, 1]])
        let tall = try model.network(output: model.node("Concat", [a, b], ["axis": 2]))
        #expect(tall.layers.last?.channels == 3)
        let image = SlowTensor(random: [2, 4, 4], using: &random).floats
        let answer = try tall.run([image]) { ($0.output(image: $1), $0.maxima(image: $1).map { $0 }) }[0]
        let pixels = answer.0.count / 3
        for channel in 0..<3 {
            #expect(answer.1[answer.1.count - 3 + channel] == answer.0[channel * pixels..<(channel + 1) * pixels].max())
        }
        let flat = model.node("Squeeze", [model.node("GlobalMaxPool", [a])])
        let vector = try model.network(output: flat)
        #expect(vector.layers.last?.channels == 3)
        #expect(try vector.run([image]) { Array($0.maxima(image: $1).suffix(3)) == $0.output(image: $1) }[0])
    }
}
