import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Branches and skips of a graph, found of its file.
@Suite struct LayerGraphTests {
    private func file(_ build: (inout ModelBuilder) -> [String]) throws -> (folder: TemporaryFolder, path: String) {
        var builder = ModelBuilder(input: [1, 2, 4, 4])
        let outputs = build(&builder)
        let folder = try TemporaryFolder()
        try Data(builder.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
        return (folder, folder.file("m.onnx"))
    }

    @Test func aResidualBlockHasASkip() throws {
        let (folder, path) = try file { builder in
            for (name, input) in [("a", "image"), ("b", "ra")] {
                let weight = builder.weight("w\(name)", [2, 2, 1, 1], [1, 2, 3, 4])
                builder.node("Conv", [input, weight], outputs: ["c\(name)"])
                builder.node("Relu", ["c\(name)"], outputs: ["r\(name)"])
            }
            builder.node("Add", ["ra", "rb"], outputs: ["sum"])
            return [builder.node("GlobalAveragePool", ["sum"], outputs: ["pooled"])]
        }
        defer { _ = folder }
        let graph = try LayerGraph(contentsOf: path)
        #expect(graph.inputs(of: ["ra", "rb", "sum", "pooled"]) == [[], [0], [0, 1], [2]])
        // What is no layer is passed over, and what the graph does not have has nothing before it.
        #expect(graph.inputs(of: ["ra", "nothing", "pooled"]) == [[], [], [0]])
        #expect(graph.sha256.count == 64)
    }

    @Test func whatIsNoNetworkIsRefused() throws {
        let folder = try TemporaryFolder()
        try Data("text".utf8).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
        #expect(throws: NetworkError.self) { _ = try LayerGraph(contentsOf: folder.file("m.onnx")) }
    }
}
