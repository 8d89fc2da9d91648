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
