import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// The last layer of a file, however it is written, can be read and written with other weights.
@Suite struct LastLayerTests {
    /// 3 features of a picture of 3 channels, and 2 scores.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var build: @Sendable (inout ModelBuilder, _ pooled: String, _ vector: String) -> String
        var testDescription: String { name }
    }

    private static let weights: [Float] = [1, 2, -3, -0.5, 0.25, 4]
    private static let transposed: [Float] = [1, -0.5, 2, 0.25, -3, 4]
    private static let bias: [Float] = [0.5, -1]

    static let cases: [Case] = [
        Case(name: "Gemm") { model, _, vector in
            model.node(
                "Gemm", [vector, model.weight("w", [2, 3], weights), model.weight("b", [2], bias)], ["transB": 1], name: "head")
        },
        Case(name: "Gemm with factors") { model, _, vector in
            model.node(
                "Gemm",
                [vector, model.weight("w", [3, 2], transposed.map { $0 / 2 }), model.weight("b", [2], bias.map { $0 * 4 })],
                ["alpha": 2.0, "beta": 0.25])
        },
        Case(name: "MatMul and Add") { model, _, vector in
            let product = model.node("MatMul", [vector, model.weight("w", [3, 2], transposed)])
            return model.node("Add", [model.weight("b", [2], bias), product])
        },
        Case(name: "1×1 convolution") { model, pooled, _ in
            let map = model.node("Conv", [pooled, model.weight("w", [2, 3, 1, 1], weights), model.weight("b", [2], bias)])
            return model.node("Flatten", [map])
        },
        Case(name: "softmax behind it") { model, _, vector in
            let scores = model.node("Gemm", [vector, model.weight("w", [3, 2], transposed), model.weight("b", [2], bias)])
            return model.node("Softmax", [scores])
        },
    ]

    private static func file(_ build: (inout ModelBuilder, String, String) -> String) throws -> (TemporaryFolder, String) {
        var model = ModelBuilder(input: [1, 3, 4, 4])
        let pooled = model.node("GlobalAveragePool", ["image"])
        let vector = model.node("Flatten", [pooled])
        let output = build(&model, pooled, vector)
        let folder = try TemporaryFolder()
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
        return (folder, folder.file("m.onnx"))
    }

    private static let picture: [Float] = (0..<48).map { Float(($0 * 7) % 13) / 13 - 0.4 }

    /// What weights make of the picture, before softmax.
    private static func expected(_ weights: [Float], _ bias: [Float]) -> [Float] {
        let means = (0..<3).map { channel in picture[channel * 16..<(channel + 1) * 16].reduce(0, +) / 16 }
        return (0..<2).map { row in (0..<3).reduce(bias[row]) { $0 + weights[row * 3 + $1] * means[$1] } }
    }

    private static func answer(_ bytes: Data) throws -> [Float] {
        try Network(bytes: Array(bytes)).answers(to: [picture])[0]
    }

    private static func softmax(_ scores: [Float]) -> [Float] {
        let powers = scores.map { exp($0) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    @Test(arguments: cases) func weightsAreReadAndWritten(_ one: Case) throws {
        let (folder, path) = try Self.file(one.build)
        defer { withExtendedLifetime(folder) {} }
        let last = try LastLayer(ofModelAt: path)
        #expect((last.classes, last.features) == (2, 3))
        #expect(last.weights == Self.weights && last.bias == Self.bias)
        let (weights, bias): ([Float], [Float]) = ([-2, 1, 0.5, 3, -1, 2], [4, 0.125])
        let changed = try last.writing(weights: weights, bias: bias)
        let (found, scores) = (try Self.answer(changed), Self.expected(weights, bias))
        let wanted = one.name.hasPrefix("softmax") ? Self.softmax(scores) : scores
        for (a, b) in zip(found, wanted) { #expect(abs(a - b) < 1e-5, "\(found) for \(wanted)") }
        // With its own weights the file answers as before.
        let same = try Self.answer(last.writing(weights: last.weights, bias: last.bias))
        let before = try Self.answer(Data(contentsOf: URL(fileURLWithPath: path)))
        for (a, b) in zip(same, before) { #expect(abs(a - b) < 1e-6) }
    }

    @Test(arguments: ["Gemm", "MatMul"]) func onesWithoutABiasGetOne(type: String) throws {
        let (folder, path) = try Self.file { model, _, vector in
            model.node("Relu", [model.node(type, [vector, model.weight("w", [3, 2], Self.transposed)], name: "head")])
        }
        defer { withExtendedLifetime(folder) {} }
        // A rectifier behind it: its answer is no linear function of the features.
        #expect(throws: NetworkError.self) { try LastLayer(ofModelAt: path) }
        let (other, plain) = try Self.file { model, _, vector in
            model.node(type, [vector, model.weight("w", [3, 2], Self.transposed)])
        }
        defer { withExtendedLifetime(other) {} }
        let last = try LastLayer(ofModelAt: plain)
        #expect(last.bias == [0, 0])
        let found = try Self.answer(last.writing(weights: last.weights, bias: [7, -7]))
        for (a, b) in zip(found, Self.expected(Self.weights, [7, -7])) { #expect(abs(a - b) < 1e-5) }
    }

    /// A constant that another node reads too stays as it is for that one.
    @Test func sharedWeightsStay() throws {
        let (folder, path) = try Self.file { model, _, vector in
            let weight = model.weight("w", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])
            let first = model.node("Gemm", [vector, weight, model.weight("b", [3], [0, 0, 0])])
            return model.node("Gemm", [first, weight, model.weight("c", [3], [0, 0, 0])])
        }
        defer { withExtendedLifetime(folder) {} }
        let last = try LastLayer(ofModelAt: path)
        let found = try Self.answer(last.writing(weights: last.weights.map { 2 * $0 }, bias: [0, 0, 0]))
        let means = (0..<3).map { channel in Self.picture[channel * 16..<(channel + 1) * 16].reduce(0, +) / 16 }
        for (a, b) in zip(found, means) { #expect(abs(a - 2 * b) < 1e-5) }
    }

    @Test func whatIsNoLinearHeadIsSaid() throws {
        let (folder, path) = try Self.file { model, pooled, _ in model.node("Flatten", [pooled]) }
        defer { withExtendedLifetime(folder) {} }
        do {
            _ = try LastLayer(ofModelAt: path)
            Issue.record("taken")
        } catch let error as NetworkError {
            #expect("\(error)".contains("no fully connected layer"), "\(error)")
        }
    }
}
