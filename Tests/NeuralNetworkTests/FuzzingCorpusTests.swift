import Foundation
import NeuralNetwork
import TestSupport
import Testing

private let target = ProcessInfo.processInfo.environment["NEURODEX_FUZZING_SEEDS"]

/// What the fuzzer of Fuzzing/onnx begins with, and has found: each file is read or refused.
@Suite struct FuzzingCorpusTests {
    private static let folder = URL(fileURLWithPath: Fixtures.folder).deletingLastPathComponent().path + "/Fuzzing/onnx/corpus"

    @Test func everyFileIsReadOrRefused() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
        #expect(names.count > 20)
        var read = 0
        for name in names {
            do {
                let network = try Network(contentsOf: "\(Self.folder)/\(name)")
                let pixels = network.input.channels * network.input.height * network.input.width
                if pixels < 100_000 { _ = try network.answers(to: [[Float](repeating: 0.5, count: pixels)]) }
                read += 1
            } catch is NetworkError {} catch { Issue.record("\(name): \(error)") }
        }
        #expect(read > 10, "of \(names.count) files, \(read) are read")
    }

    /// One of the smallest models of each kind that the operators' tests make.
    @Test(.enabled(if: target != nil, "NEURODEX_FUZZING_SEEDS names no folder to write the fuzzer's first files to"))
    func writesTheFirstFiles() throws {
        var written = Set<[String]>()
        for (index, operation) in operatorCases.enumerated() where written.insert(operation.operators).inserted {
            var random = SeededGenerator(seed: UInt64(index))
            let shape = operation.shapes.min { $0.reduce(1, *) < $1.reduce(1, *) } ?? [1, 7, 5]
            var model = ModelBuilder(opset: operation.opset, input: [1] + shape.map { Optional($0) })
            let output = operation.build(&model, shape, &random).output
            let bytes = model.bytes(outputs: [output])
            guard bytes.count <= 4096 else { continue }
            let name = operation.operators.joined(separator: "-").lowercased()
            try Data(bytes).write(to: URL(fileURLWithPath: "\(target ?? "")/\(name).onnx"))
        }
        let (classifier, output) = ModelBuilder.classifier(input: [8, 3, 8, 8])
        try Data(classifier.bytes(outputs: [output])).write(to: URL(fileURLWithPath: "\(target ?? "")/classifier.onnx"))
    }
}
