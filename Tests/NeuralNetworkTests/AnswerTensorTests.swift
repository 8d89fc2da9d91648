import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Where the elements of a network's answer stand among its neurons.
@Suite struct AnswerTensorTests {
    private static let image = { () -> [Float] in
        var random = SeededGenerator(seed: 3)
        return SlowTensor(random: [3, 64, 64], using: &random).floats
    }()

    /// The answer in the file's order, and the maps of `layer`, height × width × channels.
    private func run(
        _ model: ModelBuilder, _ outputs: [String], _ options: Network.Options = .init()
    ) throws -> (network: DifferentiableNetwork, map: [Float]) {
        let folder = try TemporaryFolder()
        let path = folder.file("net.onnx")
        try Data(model.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: path))
        let network = try DifferentiableNetwork(contentsOf: path, options: options)
        let layer = try #require(network.answer?.layer)
        let pass = try ForwardPass.passes(network, layer: layer, count: 1)[0]
        let input = pass.input(image: 0)
        let pixels = network.input.height * network.input.width
        for index in input.indices { input[index] = Self.image[index % 3 * pixels + index / 3] }
        try pass.run()
        return (network, Array(pass.activation(image: 0)))
    }

    private func element(_ index: [Int], of answer: AnswerTensor, in map: [Float]) throws -> Float {
        let place = try #require(answer.neuron(at: index))
        return map[(place.y * answer.layer.width + place.x) * answer.layer.channels + place.channel]
    }

    @Test(arguments: [false, true]) func aDetectorAnswersWithAMapOfItsPlaces(_ isTransposed: Bool) throws {
        let (model, output) = DetectorModels.yolov8(isTransposed: isTransposed)
        let plain = try model.network(output: output)
        let layer = try #require(plain.layers.last)
        #expect([layer.channels, layer.height, layer.width] == [7, 1, 84] && !layer.isLogits)
        let answer = try plain.run([Self.image]) { worker, slot in
            (
                worker.output(image: slot), Array(worker.maxima(image: slot).suffix(7)),
                Array(worker.positions(image: slot).suffix(7))
            )
        }[0]
        let (network, map) = try run(model, [output])
        let tensor = try #require(network.answer)
        #expect(tensor.shape == (isTransposed ? [84, 7] : [7, 84]) && tensor.places == (isTransposed ? 0 : 1))
        for channel in 0..<7 {
            let values = try (0..<84).map { try element(isTransposed ? [$0, channel] : [channel, $0], of: tensor, in: map) }
            // What the worker gives is the map, channels first.
            #expect(zip(values, answer.0[channel * 84..<channel * 84 + 84]).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(
                abs((values.max() ?? 0) - answer.1[channel]) < 1e-4
                    && abs(values[Int(answer.2[channel])] - answer.1[channel]) < 1e-4)
        }
        #expect(tensor.neuron(at: [7, 84]) == nil && tensor.neuron(at: [0]) == nil && tensor.neuron(at: [0, -1]) == nil)
    }

    @Test(arguments: [0, 1, 2]) func whatSigmoidsMakeIsTakenBeforeThem(_ form: Int) throws {
        let (model, output) = [
            DetectorModels.yolov8(), DetectorModels.yolov8(isTransposed: true), DetectorModels.yolov5(isDecoded: false),
        ][form]
        var options = Network.Options()
        let after = try run(model, [output])
        options.beforeProbabilities = true
        let before = try run(model, [output], options)
        let (a, b) = (try #require(after.network.answer), try #require(before.network.answer))
        #expect(a.shape == b.shape && a.places == b.places)
        var isOutside = false
        for row in 0..<(form == 2 ? 8 : 7) {
            for place in 0..<84 {
                let index = form == 0 ? [row, place] : [place, row]
                let (probability, score) = (try element(index, of: a, in: after.map), try element(index, of: b, in: before.map))
                guard row >= 4 else {
                    #expect(probability == score)
                    continue
                }
                #expect(abs(1 / (1 + exp(-score)) - probability) < 1e-5)
                isOutside = isOutside || score < 0
            }
        }
        #expect(isOutside)
    }

    @Test func twoOutputsAreOneAnswer() throws {
        let model = DetectorModels.pairs()
        var options = Network.Options()
        (options.output, options.joined) = ("boxes", .init(name: "scores", axis: 2))
        options.beforeProbabilities = true
        let both = try run(model, ["boxes", "scores"], options)
        let answer = try #require(both.network.answer)
        #expect(answer.shape == [84, 7] && answer.layer.channels == 7)
        for (name, first) in [("boxes", 0), ("scores", 4)] {
            options = Network.Options()
            (options.output, options.beforeProbabilities) = (name, true)
            let one = try run(model, ["boxes", "scores"], options)
            let own = try #require(one.network.answer)
            for place in 0..<84 {
                for column in 0..<own.shape[1] {
                    #expect(
                        try element([place, column], of: own, in: one.map)
                            == element([place, first + column], of: answer, in: both.map))
                }
            }
        }
        options.joined = .init(name: "score", axis: 2)
        #expect(throws: NetworkError.self) { try run(model, ["boxes", "scores"], options) }
    }

    @Test func elementsOfMapsAndVectors() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 64, 64]), SeededGenerator(seed: 5))
        _ = model.random("a.weight", [4, 3, 16, 16], &random)
        let map = model.node("Conv", ["image", "a.weight"], ["strides": [16, 16]])
        let (network, values) = try run(model, [map])
        let answer = try #require(network.answer)
        #expect(answer.shape == [4, 4, 4] && answer.places == nil)
        #expect(answer.neuron(at: [3, 1, 2])?.channel == 3 && answer.neuron(at: [3, 1, 2])?.x == 2)
        // Rows of the map, flattened: an answer that is no map.
        let flat = model.node("Reshape", [map, model.integers([1, 4, 16])], outputs: ["flat"])
        let (other, elements) = try run(model, [flat])
        let vector = try #require(other.answer)
        #expect(vector.shape == [4, 16] && vector.layer.channels == 64)
        for channel in 0..<4 {
            for place in 0..<16 {
                #expect(
                    try element([channel, place], of: vector, in: elements)
                        == element([channel, place / 4, place % 4], of: answer, in: values))
            }
        }
    }

    /// Elements of a turned softmax are not those of what it reads.
    @Test func aTurnedAnswerHasNoElements() throws {
        var (model, random) = (ModelBuilder(input: [1, 3, 64, 64]), SeededGenerator(seed: 5))
        _ = model.random("a.weight", [4, 3, 16, 16], &random)
        let map = model.node(
            "Reshape",
            [
                model.node("Conv", ["image", "a.weight"], ["strides": [16, 16]]), model.integers([1, 4, 16]),
            ])
        let turned = model.node("Transpose", [model.node("Softmax", [map], ["axis": 1])], ["perm": [0, 2, 1]], outputs: ["t"])
        #expect(try model.differentiableNetwork(output: turned).answer == nil)
        #expect(try model.differentiableNetwork(output: map).answer?.shape == [4, 16])
    }

    @Test func outputsOfAFileWithTheirShapes() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("net.onnx")
        try Data(DetectorModels.pairs().bytes(outputs: ["boxes", "scores", "nothing"])).write(to: URL(fileURLWithPath: path))
        #expect(
            try FileOutput.all(of: path).map { "\($0.name) \($0.shape ?? [])" } == [
                "boxes [84, 4]", "scores [84, 3]", "nothing []",
            ])
    }
}
