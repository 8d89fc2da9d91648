import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Weights that are large are read from where they stand in the file; how a file holds them changes no bit of an answer.
@Suite struct WeightBytesTests {
    /// 1×1 convolutions of 64 channels: weights of 16 KB.
    private func model(_ add: (inout ProtoMessage, [Float]) -> Void) -> [UInt8] {
        var (model, random) = (ModelBuilder(input: [1, 64, 2, 2]), SeededGenerator(seed: 5))
        var output = "image"
        for name in ["first", "second"] {
            let values = SlowTensor(random: [64, 64, 1, 1], using: &random).floats
            var tensor = ModelBuilder.tensor(name, [64, 64, 1, 1], type: 1, raw: [])
            tensor.fields.removeLast()
            add(&tensor, values)
            model.graph.add(5, tensor)
            output = model.node("Conv", [output, name])
        }
        return model.bytes(outputs: [output])
    }

    private let image = (0..<256).map { Float($0 % 17) / 8 - 1 }

    @Test func howTheFileHoldsThemChangesNothing() throws {
        let raw = model { $0.add(9, bytes: ProtoMessage.littleEndian($1)) }
        let files: [[UInt8]] = [
            // Numbers, not raw bytes: these the parser reads.
            model { $0.add(4, bytes: ProtoMessage.littleEndian($1)) },
            // Of several, the last one counts: a large one after a small one, and after another large one.
            model {
                $0.add(9, bytes: [1, 2, 3, 4])
                $0.add(9, bytes: ProtoMessage.littleEndian($1))
            },
            model {
                $0.add(9, bytes: ProtoMessage.littleEndian($1.map { -$0 }))
                $0.add(9, bytes: ProtoMessage.littleEndian($1))
            },
            // Fields that nobody reads, before and after.
            model {
                $0.add(12, "documentation")
                $0.add(9, bytes: ProtoMessage.littleEndian($1))
                $0.add(2001, 7)
            },
        ]
        let expected = try Network(bytes: raw).answers(to: [image])
        for (index, file) in files.enumerated() {
            #expect(try Network(bytes: file).answers(to: [image]) == expected, "file \(index)")
        }
        // A small one after a large one counts as well, and does not fit.
        let short = model {
            $0.add(9, bytes: ProtoMessage.littleEndian($1))
            $0.add(9, bytes: [1, 2, 3, 4])
        }
        guard case .tensor("first", let problem) = networkError({ _ = try Network(bytes: short) }) else {
            Issue.record("a weight that is too short was read")
            return
        }
        #expect(problem == "needs 16384 bytes for its shape [64, 64, 1, 1], but has 4")
    }

    @Test func ofFilesOnDiskToo() throws {
        let folder = try TemporaryFolder()
        let bytes = model { $0.add(9, bytes: ProtoMessage.littleEndian($1)) }
        let expected = try Network(bytes: bytes).answers(to: [image])
        let path = folder.file("model.onnx")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let network = try Network(contentsOf: path)
        let differentiable = try DifferentiableNetwork(contentsOf: path)
        #expect(network.sha256 == differentiable.sha256)
        // Once it is read, the file may go, or be cut short.
        #expect(truncate(path, 0) == 0)
        #expect(try network.answers(to: [image]) == expected)
        let pass = try ForwardPass.passes(differentiable, layer: try #require(differentiable.layers.last), count: 1)[0]
        for index in image.indices { pass.input(image: 0)[index % 4 * 64 + index / 4] = image[index] }
        try pass.run()
        let found = Array(pass.activation(image: 0))
        #expect(distance((0..<256).map { found[$0 % 4 * 64 + $0 / 4] }, expected[0].map(Double.init)) < 1e-6)
    }

    @Test func cutShortAnywhereItIsNoModel() {
        let bytes = model { $0.add(9, bytes: ProtoMessage.littleEndian($1)) }
        for count in stride(from: bytes.count - 1, to: 0, by: -997) {
            #expect(networkError { _ = try Network(bytes: Array(bytes.prefix(count))) } != nil, "\(count) bytes")
        }
    }
}
