import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Models that are unusual or broken: read as ONNX Runtime reads them, or refused by name.
@Suite(.enabled(if: Shared.has("real/onnx-awkward/expected.csv"), "needs real/onnx-awkward of the shared test data"))
struct AwkwardModelTests {
    /// Models, and what a refusal has to say; ONNX Runtime refuses all but the last one, which computes what neurodex does not.
    static let refused: [(file: String, words: String)] = [
        ("broken/git_lfs_pointer.onnx", "git lfs pull"),
        ("broken/opset_999.onnx", "operator set 999"),
        ("broken/truncated_half.onnx", "not a whole ONNX file"),
        ("broken/undefined_input.onnx", "does_not_exist"),
        ("broken/unknown_op_rellu.onnx", "Rellu"),
        ("broken/zero_bytes.onnx", "the file is empty"),
        ("external-data/missing_data_file.onnx", "linear.weight"),
        ("valid-but-unusual/control_flow_if.onnx", "If"),
    ]

    /// Models, and the first outputs that ONNX Runtime computes for NumPy's normal numbers of seed 0.
    static let accepted: [(file: String, outputs: [Float])] = {
        guard let text = try? String(contentsOfFile: Shared.path("real/onnx-awkward/expected.csv"), encoding: .utf8) else {
            return []
        }
        return text.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
            guard let file = line.split(separator: ",").first.map(String.init), !refused.contains(where: { $0.file == file }),
                let start = line.lastIndex(of: "["), let end = line.lastIndex(of: "]")
            else { return nil }
            let outputs = line[line.index(after: start)..<end].split(separator: ",").compactMap { Float($0.filter { $0 != " " }) }
            return outputs.count == 4 ? (file, outputs) : nil
        }
    }()

    @Test func allFilesAreTold() { #expect(Self.accepted.count == 14) }

    @Test(arguments: refused) func isRefused(_ model: (file: String, words: String)) throws {
        do {
            _ = try Network(contentsOf: Shared.path("real/onnx-awkward/" + model.file))
            Issue.record("\(model.file) was accepted")
        } catch let error as NetworkError {
            print("\(model.file): \(error.description)")
            #expect(error.description.contains(model.words), "\(error.description)")
        }
    }

    @Test(arguments: accepted) func answersAsONNXRuntimeDoes(_ model: (file: String, outputs: [Float])) throws {
        var options = Network.Options()
        options.batch = 1
        options.hasClasses = true
        let network = try Network(contentsOf: Shared.path("real/onnx-awkward/" + model.file), options: options)
        let worker = try network.makeWorker()
        var random = NumPyRandom(seed: 0)
        let input = worker.input(image: 0)
        let (channels, cells) = (network.input.channels, network.input.height * network.input.width)
        for channel in 0..<channels {
            for cell in 0..<cells { input[cell * channels + channel] = Float(random.normal()) }
        }
        try worker.run()
        let logits = try #require(network.layers.last { $0.isLogits })
        let found = Array(worker.maxima(image: 0)[logits.firstNeuron..<logits.firstNeuron + 4])
        let scale = model.outputs.reduce(0) { max($0, abs($1)) }
        let worst = zip(found, model.outputs).map { abs($0 - $1) / scale }.max() ?? .infinity
        // Half-precision weights are rounded once here, while ONNX Runtime rounds every result.
        let tolerance: Float = model.file.contains("fp16") ? 1e-2 : 1e-4
        print("\(model.file): \(found), worst \(worst)")
        #expect(worst <= tolerance, "\(found), expected \(model.outputs)")
    }
}
