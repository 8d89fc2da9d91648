import NeuralNetwork
import TestSupport
import Testing

/// The input as files declare it: channels last, bytes, batches that are fixed, sizes that are not.
@Suite struct ImageInputTests {
    /// A convolution over `image`, [1, 3, 9, 8] in ONNX's order or with its channels last, and a fully connected layer.
    private func model(input: [Int?], channelsAreLast: Bool) -> (ModelBuilder, String) {
        var (model, random) = (ModelBuilder(input: input), SeededGenerator(seed: 3))
        _ = model.random("conv.weight", [4, 3, 3, 3], &random)
        _ = model.random("fc.weight", [4 * 7 * 6, 5], &random)
        _ = model.weight("mean", channelsAreLast ? [3] : [3, 1, 1], [0.1, 0.2, 0.3])
        let centred = model.node("Sub", ["image", "mean"])
        let image = channelsAreLast ? model.node("Transpose", [centred], ["perm": [0, 3, 1, 2]]) : centred
        let flat = model.node("Flatten", [model.node("Conv", [image, "conv.weight"])])
        return (model, model.node("MatMul", [flat, "fc.weight"]))
    }

    @Test func channelsLast() throws {
        let (first, firstOutput) = model(input: [1, 3, 9, 8], channelsAreLast: false)
        let (last, lastOutput) = model(input: [nil, 9, 8, 3], channelsAreLast: true)
        let networks = try [first.network(output: firstOutput), last.network(output: lastOutput)]
        #expect(networks.map(\.input.height) == [9, 9] && networks.map(\.input.width) == [8, 8])
        #expect(networks.map { $0.layers.map(\.receptiveField) }[0] == networks.map { $0.layers.map(\.receptiveField) }[1])
        var random = SeededGenerator(seed: 5)
        let images = (0..<3).map { _ in SlowTensor(random: [3, 9, 8], using: &random).floats }
        let answers = try networks.map { try $0.answers(to: images) }
        for (a, b) in zip(answers[0], answers[1]) { #expect(distance(b, a.map(Double.init)) < 1e-6) }
        // The gradient comes out in the picture's frame, as does the picture go in.
        let gradients = try [
            first.differentiableNetwork(output: firstOutput), last.differentiableNetwork(output: lastOutput),
        ].map { network in
            let pass = try GradientPass(network, layer: try #require(network.logits))
            _ = pass.input(image: 0).update(fromContentsOf: images[0])
            try pass.forward()
            pass.seed(image: 0)[2] = 1
            try pass.backward()
            return Array(pass.inputGradient(image: 0))
        }
        #expect(distance(gradients[1], gradients[0].map(Double.init)) < 1e-6)
        #expect(gradients[0].contains { $0 != 0 })
    }

    /// One picture without a batch's axis, which the network gives it and takes away again, as torchvision's detectors do.
    @Test(arguments: [false, true]) func withoutABatch(channelsAreLast: Bool) throws {
        func build(_ hasBatch: Bool) -> (ModelBuilder, String) {
            let sides = channelsAreLast ? [9, 8, 3] : [3, 9, 8]
            var (model, random) = (ModelBuilder(input: hasBatch ? [1] + sides : sides), SeededGenerator(seed: 3))
            _ = model.random("conv.weight", [4, 3, 3, 3], &random)
            _ = model.weight("mean", channelsAreLast ? [3] : [3, 1, 1], [0.1, 0.2, 0.3])
            let centred = model.node("Sub", ["image", "mean"])
            let batch = hasBatch ? centred : model.node("Unsqueeze", [centred, model.integers([0])])
            // As a list of pictures is taken apart and put together again.
            let single = model.node("Gather", [batch, model.integers([0], shape: [])], ["axis": 0])
            let image = model.node("Unsqueeze", [single, model.integers([0])])
            let map = channelsAreLast ? model.node("Transpose", [image], ["perm": [0, 3, 1, 2]]) : image
            let rows = model.node("Reshape", [model.node("Conv", [map, "conv.weight"]), model.integers([4, 42])])
            return (model, model.node("ReduceMax", [rows], ["axes": [1], "keepdims": 0]))
        }
        let (plain, plainOutput) = build(true)
        let (own, ownOutput) = build(false)
        let networks = try [plain.network(output: plainOutput), own.network(output: ownOutput)]
        #expect(networks[1].input.channels == 3 && networks[1].input.height == 9 && networks[1].input.width == 8)
        #expect(networks[1].layers.first?.channels == 4 && networks[1].layers.first?.width == 6)
        var random = SeededGenerator(seed: 5)
        let images = (0..<3).map { _ in SlowTensor(random: [3, 9, 8], using: &random).floats }
        let answers = try networks.map { try $0.answers(to: images) }
        #expect(answers[0] == answers[1] && Set(answers[1]).count == 3 && answers[1][0].count == 4)
    }

    /// The first of a batch is all of it only where the file takes one picture.
    @Test func theFirstOfAnOpenBatchIsRefused() throws {
        var model = ModelBuilder(input: [nil, 3, 9, 8])
        let first = model.node("Gather", ["image", model.integers([0], shape: [])], ["axis": 0])
        let error = networkError { _ = try model.network(output: model.node("Unsqueeze", [first, model.integers([0])])) }
        #expect(error.map { "\($0)".contains("picks from the images of a batch") } == true, "\(String(describing: error))")
    }

    @Test func sizesOfAnInputWithItsChannelsLast() throws {
        var model = ModelBuilder(input: [nil, nil, nil, 3])
        let output = model.node("Transpose", ["image"], ["perm": [0, 3, 1, 2]])
        #expect(networkError { _ = try model.network(output: output) } == .openInputSize(input: "image"))
        var options = Network.Options()
        options.inputSize = (height: 6, width: 9)
        let input = try model.network(output: output, options: options).input
        #expect([input.channels, input.height, input.width] == [3, 6, 9])
    }

    @Test func bytes() throws {
        var model = ModelBuilder(input: [nil, 8, 10, 3], type: 2)
        let floats = model.node("Cast", [model.node("Transpose", ["image"], ["perm": [0, 3, 1, 2]])], ["to": 1])
        _ = model.weight("scale", [], [255])
        let network = try model.network(output: model.node("Div", [floats, "scale"]))
        #expect(network.input.takesBytes)
        let image = (0..<240).map { Float($0) }
        #expect(try network.answers(to: [image])[0] == image.map { $0 / 255 })
        // Integer arithmetic wraps around and cuts off; that of floats does not.
        let wrapped = model.node("Sub", ["image", model.bytes([7], shape: [], isSigned: false)])
        let error = networkError { _ = try model.network(output: model.node("Cast", [wrapped], ["to": 1])) }
        #expect(error.map { "\($0)".contains("integers of 'image'") } == true, "\(String(describing: error))")
        var words = ModelBuilder(type: 8)
        let text = networkError { _ = try words.network(output: words.node("Relu", ["image"])) }
        #expect(text.map { "\($0)".contains("takes string") } == true)
    }

    @Test func aFixedBatchIsRunImageByImage() throws {
        func build(_ batch: Int?) -> (ModelBuilder, String) {
            var (model, random) = (ModelBuilder(input: [batch, 3, 4, 4]), SeededGenerator(seed: 9))
            _ = model.random("conv.weight", [8, 3, 3, 3], &random)
            _ = model.random("fc.weight", [32, 5], &random)
            let conv = model.node("Conv", ["image", "conv.weight"])
            // As x.view(8, -1) is exported; 8 is also the number of channels.
            let flat = model.node("Reshape", [conv, model.integers([batch ?? 1, -1])])
            return (model, model.node("MatMul", [flat, "fc.weight"]))
        }
        var random = SeededGenerator(seed: 5)
        let images = (0..<3).map { _ in SlowTensor(random: [3, 4, 4], using: &random).floats }
        let (one, fixed) = (build(1), build(8))
        #expect(try fixed.0.network(output: fixed.1).answers(to: images) == one.0.network(output: one.1).answers(to: images))
    }

    @Test func aBatchWhoseImagesAreMixedIsRefused() throws {
        func error(_ build: (inout ModelBuilder) -> String) -> String {
            var model = ModelBuilder(input: [4, 3, 2, 2])
            let output = build(&model)
            return networkError { _ = try model.network(output: output) }.map { "\($0)" } ?? "none"
        }
        // Pairs of images beside each other; a slice of the batch; a table with a row for each image.
        #expect(error { $0.node("Reshape", ["image", $0.integers([2, 6, 2, 2])]) } != "none")
        #expect(
            error { $0.node("Slice", ["image", $0.integers([0]), $0.integers([1]), $0.integers([0])]) }.contains(
                "mixes the 4 images"))
        #expect(
            error {
                _ = $0.weight("table", [4, 3, 1, 1], [Float](repeating: 1, count: 12))
                return $0.node("Add", ["image", "table"])
            }.contains("mixes the 4 images"))
        #expect(error { $0.node("Reshape", ["image", $0.integers([-1, 12])]) } == "none")
        #expect(error { $0.node("Reshape", ["image", $0.integers([0, 12])]) } == "none")
    }
}
