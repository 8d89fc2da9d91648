import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// The ONNX project's own tests of single operators, those whose operator neurodex has.
///
/// Their weights are inputs of the model; here all inputs but the first become constants, and the first becomes an image.
@Suite struct ConformanceTests {
    static let folder = "real/onnx-node-tests"

    enum Outcome: Equatable, Sendable {
        case passed
        case refused(String)
        case wrong(String)
        /// Of an operator or element type that is not neurodex's, or no float tensor goes in and out.
        case elsewhere
    }

    /// One of the project's tests, in one of its operator sets.
    struct Result: Sendable {
        var set: String
        var test: String
        /// Of the test's model, each once.
        var operators: [String]
        var outcome: Outcome
    }

    static let sets = ["-current", "13-from-v1.8.1", "9-from-v1.4.1"]

    /// All tests of all sets; nothing where the shared test data are not there.
    static let results: [Result] = {
        guard Shared.has(folder) else { return [] }
        return (try? sets.flatMap { try results(of: $0) }) ?? []
    }()

    private static func results(of set: String) throws -> [Result] {
        let folder = try TemporaryFolder()
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-xzf", Shared.path("\(Self.folder)/onnx-node-tests-cnn-opset\(set).tar.gz"), "-C", folder.path]
        try tar.run()
        tar.waitUntilExit()
        return try FileManager.default.contentsOfDirectory(atPath: folder.file("node")).sorted()
            .filter { !$0.hasPrefix(training) && !differing.contains($0) }
            .map { test in
                let (operators, outcome) = try outcome(folder.file("node/\(test)"))
                return Result(set: set, test: test, operators: operators, outcome: outcome)
            }
    }

    @Test(
        .enabled(if: Shared.has(folder), "needs real/onnx-node-tests of the shared test data"),
        arguments: zip(sets, [170, 163, 117]))
    func nodeTests(_ set: String, _ leastPassed: Int) throws {
        let results = Self.results.filter { $0.set == set }
        for result in results {
            switch result.outcome {
            case .wrong(let how): Issue.record("\(result.test) (operator set \(set)): \(how)")
            case .refused(let reason):
                #expect(
                    Self.refusals.contains { reason.contains($0) }, "\(result.test) (operator set \(set)) is refused: \(reason)")
            default: break
            }
        }
        let passed = results.count { $0.outcome == .passed }
        #expect(passed >= leastPassed, "\(passed) passed")
    }

    /// Of the largest value; the ONNX project's own, whose expected values are written by hand to four digits in places.
    static let tolerance = 1e-3

    /// What neurodex does not do, as its errors say it.
    static let refusals = [
        "must be a constant",
        // Windows over one axis or three: neurodex reads pictures.
        "neurodex reads windows over height and width", "neurodex reads convolutions over height and width",
        // Attention, not convolution: parts of the image pick or weigh others.
        "works on constants only here", "which is no matrix",
        // What mixes the images of a batch, or has a value for each of them.
        "which mixes the images of a batch", "its bias has shape", "moves the batch axis", "pads the batch axis",
        "which picks from the images of a batch", "which takes the images of a batch apart",
        // Forms that no CNN has been met with.
        "gives the indices of its maxima", "counts in column-major order", "neurodex reads it over channels or the last axis",
        "neurodex resizes maps", "neurodex resizes height and width alone", "crops and resizes",
        "neurodex reads linear and nearest", "neurodex reads [1, channels, height, width] and [1, rows, columns, 2]",
        "neurodex cannot tell where in the picture they stand",
        "would make a tensor of shape", "makes integers of an image's activations", "is in training mode",
        "could not create a descriptor for an eltwise",
    ]

    /// Where PyTorch and ONNX Runtime differ from the project's reference: with corners aligned they divide by the length that there is, it by the
    /// one that the scale asked for before it was rounded.
    static let differing = [
        "test_resize_downsample_scales_linear_align_corners", "test_resize_downsample_scales_cubic_align_corners",
    ]

    /// Dropout as in training; neurodex explains what a network answers, never how it trains.
    static let training = "test_training_dropout"

    private static func outcome(_ folder: String) throws -> (operators: [String], outcome: Outcome) {
        let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/model.onnx")))
        guard var model = ProtoMessage(file), var graph = model.messages(7).first else { return ([], .elsewhere) }
        let operators = Set(graph.messages(1).flatMap { $0.strings(4) }).sorted()
        guard graph.messages(1).allSatisfy({ $0.strings(4).allSatisfy(operatorNames.contains) }) else {
            return (operators, .elsewhere)
        }
        let names = graph.messages(11).compactMap { $0.strings(1).first }
        let data = "\(folder)/test_data_set_0"
        guard let first = try? TestTensor(contentsOf: "\(data)/input_0.pb"),
            let expected = try? TestTensor(contentsOf: "\(data)/output_0.pb"), first.type == 1, expected.type == 1,
            !names.isEmpty,
            !first.values.isEmpty
        else { return (operators, .elsewhere) }
        for (index, name) in names.enumerated().dropFirst() {
            guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: "\(data)/input_\(index).pb")),
                var tensor = ProtoMessage([UInt8](bytes))
            else { return (operators, .elsewhere) }
            tensor.fields.removeAll { $0.number == 8 }
            tensor.add(8, name)
            graph.add(5, tensor)
        }
        let images = asImages(first, expected, &graph, name: names[0])
        model.fields.removeAll { $0.number == 7 || $0.number == 8 }
        model.add(7, graph)
        // Operator sets 24 and later add element types to these operators and change nothing else.
        var version = ProtoMessage()
        let found = ProtoMessage(file)?.messages(8).first { $0.strings(1).first ?? "" == "" }?.integers(2).first ?? 0
        version.add(1, "")
        version.add(2, min(found, 23))
        model.add(8, version)
        do {
            let answer = try Network(bytes: model.bytes).answers(to: images).flatMap { $0 }
            let error = distance(answer, expected.values)
            return (operators, error <= tolerance ? .passed : .wrong("is off by \(error) of the largest value"))
        } catch let error as NetworkError {
            return (operators, .refused("\(error)"))
        }
    }

    /// The first input as images: the file's own batch where what comes out has the same batch, else one image that a
    /// Reshape makes the input of.
    private static func asImages(_ first: TestTensor, _ expected: TestTensor, _ graph: inout ProtoMessage, name: String)
        -> [[Float]]
    {
        let floats = first.values.map(Float.init)
        if first.shape.count == 4, expected.shape.first == first.shape[0] {
            let count = floats.count / first.shape[0]
            return (0..<first.shape[0]).map { Array(floats[$0 * count..<($0 + 1) * count]) }
        }
        graph.fields.removeAll { field in
            guard field.number == 11, case .bytes(let bytes) = field.value else { return false }
            return ProtoMessage(bytes)?.strings(1).first == name
        }
        let last = first.shape.last ?? 1
        graph.add(11, ModelBuilder.valueInfo("the image", [1, 1, floats.count / last, last]))
        graph.add(
            5,
            ModelBuilder.tensor("the shape", [first.shape.count], type: 7, raw: ProtoMessage.littleEndian(first.shape)))
        var reshape = ProtoMessage()
        reshape.add(1, "the image")
        reshape.add(1, "the shape")
        reshape.add(2, name)
        reshape.add(4, "Reshape")
        graph.add(1, reshape)
        return [floats]
    }
}
