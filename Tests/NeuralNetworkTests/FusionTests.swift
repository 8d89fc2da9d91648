import NeuralNetwork
import TestSupport
import Testing

/// What is done in one pass gives what is done in several. An Identity between two nodes keeps them apart.
@Suite struct FusionTests {
    private func chain(_ separated: Bool, seed: UInt64, fullyConnected: Bool) throws -> Network {
        var random = SeededGenerator(seed: seed)
        var model = ModelBuilder(input: [1, 3, 7, 6])
        func next(_ value: String) -> String { separated ? model.node("Identity", [value]) : value }
        let channels = 17
        for name in ["gamma", "beta", "mean"] { _ = model.random(name, [channels], &random) }
        let variance = (0..<channels).map { _ in Float.random(in: 0.01...3, using: &random) }
        _ = model.weight("variance", [channels], variance)
        _ = model.random("scale", fullyConnected ? [channels] : [channels, 1, 1], &random)
        _ = model.random("shift", fullyConnected ? [1, channels] : [1, channels, 1, 1], &random)
        let first: String
        if fullyConnected {
            _ = model.random("weight", [channels, 126], &random)
            first = model.node("Gemm", [model.node("Flatten", ["image"]), "weight"], ["transB": 1])
        } else {
            _ = model.random("weight", [channels, 3, 3, 3], &random)
            first = model.node("Conv", ["image", "weight"])
        }
        let norm = model.node("BatchNormalization", [next(first), "gamma", "beta", "mean", "variance"])
        let scaled = model.node("Mul", ["scale", next(norm)])
        let shifted = model.node("Sub", ["shift", next(scaled)])
        let activation = model.node("LeakyRelu", [next(shifted)], ["alpha": 0.2])
        return try model.network(output: model.node("Add", [next(activation), "shift"]))
    }

    @Test(arguments: [true, false])
    func fusedEqualsUnfused(_ fullyConnected: Bool) throws {
        for seed in UInt64(1)...8 {
            let networks = try [false, true].map { try chain($0, seed: seed, fullyConnected: fullyConnected) }
            var random = SeededGenerator(seed: seed + 100)
            let images = (0..<3).map { _ in SlowTensor(random: [3, 7, 6], using: &random).floats }
            let (fused, unfused) = try (networks[0].answers(to: images), networks[1].answers(to: images))
            for (a, b) in zip(fused, unfused) { #expect(distance(a, b.map(Double.init)) < 1e-5, "seed \(seed)") }
        }
    }

    /// PyTorch's second exporter writes ConvNeXt's pooling as a vector of all images' means, of which all are picked in their order.
    @Test func aVectorOfWhichAllIsPickedKeepsImagesApart() throws {
        func picking(_ picks: [Int]) throws -> Network {
            var model = ModelBuilder(input: [nil, 5, 4, 3])
            let means = model.node("ReduceMean", ["image", model.integers([-1, -2])], ["keepdims": 1])
            let vector = model.node("Reshape", [means, model.integers([-1])])
            var options = Network.Options()
            options.batch = 3
            let picked = model.node("Gather", [vector, model.integers(picks, shape: [1, 5, 1, 1])], ["axis": 0])
            return try model.network(output: model.node("Flatten", [picked]), options: options)
        }
        let network = try picking(Array(0..<5))
        #expect(network.batch == 3)
        var random = SeededGenerator(seed: 6)
        let images = (0..<3).map { _ in SlowTensor(random: [1, 5, 4, 3], using: &random) }
        for (answer, image) in zip(try network.answers(to: images.map(\.floats)), images) {
            let expected = SlowOperators.reduced(image, axes: [2, 3], keep: false) { $0.reduce(0, +) / 12 }
            #expect(distance(answer, expected.values) < 1e-5)
        }
        // Another order is that of one image's numbers: images are run one by one.
        let order = [1, 0, 2, 3, 4]
        let other = try picking(order)
        #expect(other.batch == 1)
        for image in images {
            let expected = SlowOperators.reduced(image, axes: [2, 3], keep: false) { $0.reduce(0, +) / 12 }
            #expect(distance(try other.answers(to: [image.floats])[0], order.map { expected.values[$0] }) < 1e-5)
        }
    }

    /// A value that two nodes read must stay as it is.
    @Test func whatIsReadTwiceIsNotAbsorbed() throws {
        var random = SeededGenerator(seed: 5)
        var model = ModelBuilder(input: [1, 3, 5, 5])
        let weights = model.random("weight", [3, 3, 1, 1], &random)
        let conv = model.node("Conv", ["image", "weight"])
        let network = try model.network(output: model.node("Add", [model.node("Relu", [conv]), conv]))
        let image = SlowTensor(random: [1, 3, 5, 5], using: &random)
        let slow = SlowOperators.convolution(image, weights, [0, 0, 0], SlowOperators.Window(kernel: [1, 1]))
        let expected = slow.map { max($0, 0) + $0 }
        #expect(distance(try network.answers(to: [image.floats])[0], expected.values) < 1e-5)
    }

    /// A constant of more axes than the map gives the result more axes, which a convolution cannot have.
    @Test func constantsOfMoreAxesAreNotAbsorbed() throws {
        var model = ModelBuilder(input: [1, 1, 4, 4])
        _ = model.weight("weight", [1, 1, 1, 1], [2])
        _ = model.weight("one", [1, 1, 1, 1, 1], [1])
        let output = model.node("Add", [model.node("Conv", ["image", "weight"]), "one"])
        let ramp = (0..<16).map { Float($0) }
        do {
            let answer = try model.network(output: output).answers(to: [ramp])[0]
            #expect(answer == ramp.map { 2 * $0 + 1 })
        } catch is NetworkError {}  // Refused is as good.
    }
}
