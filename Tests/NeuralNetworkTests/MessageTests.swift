import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// The messages that a file is made of: what is not read stays when a file is written anew, and what is no message is refused.
@Suite struct MessageTests {
    private let image: [Float] = (0..<48).map { Float(($0 * 7) % 13) / 13 - 0.4 }

    /// Of a network with a last layer; `change` may add to the model, the graph and its nodes before they are put together.
    private func file(_ change: (inout ProtoMessage, inout ProtoMessage) -> Void = { _, _ in }) -> [UInt8] {
        var builder = ModelBuilder(input: [1, 3, 4, 4])
        let map = builder.node(
            "Conv", ["image", builder.weight("kernel", [3, 3, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9])], ["pads": .ints([0, 0, 0, 0])])
        let vector = builder.node("Flatten", [builder.node("GlobalAveragePool", [map])], ["axis": 1])
        let output = builder.node("Gemm", [vector, builder.weight("w", [2, 3], [1, 2, -3, -0.5, 0.25, 4])], ["transB": 1])
        var model = ProtoMessage(builder.bytes(outputs: [output])) ?? ProtoMessage()
        var graph = model.messages(7)[0]
        model.fields.removeAll { $0.number == 7 }
        change(&model, &graph)
        // The graph stands before the operator set, as in files.
        model.fields.insert((7, .bytes(graph.bytes)), at: 1)
        return model.bytes
    }

    @Test func aFileThatIsWrittenAnewKeepsWhatNobodyReads() throws {
        let bytes = file { model, graph in
            model.add(6, "the model's documentation")
            model.add(2001, 7)
            graph.add(10, "the graph's documentation")
            for index in graph.fields.indices where graph.fields[index].number == 1 {
                guard case .bytes(let body) = graph.fields[index].value, var node = ProtoMessage(body) else { continue }
                node.add(6, "the node's documentation")
                graph.fields[index].value = .bytes(node.bytes)
            }
        }
        let folder = try TemporaryFolder()
        let path = folder.file("model.onnx")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let last = try LastLayer(ofModelAt: path)
        let written = try #require(ProtoMessage([UInt8](try last.writing(weights: last.weights, bias: [0.5, -1]))))
        let before = try #require(ProtoMessage(bytes))
        #expect(written.strings(6) == ["the model's documentation"] && written.integers(2001) == [7])
        let (graph, old) = (written.messages(7)[0], before.messages(7)[0])
        #expect(graph.strings(10) == ["the graph's documentation"])
        // Byte for byte, attributes that say 0 among them; the last one has a bias now.
        #expect(graph.bytes(1).dropLast() == old.bytes(1).dropLast() && old.bytes(1).count == 4)
        #expect(graph.bytes(11) == old.bytes(11) && graph.bytes(12) == old.bytes(12))
        #expect(graph.bytes(5).first == old.bytes(5).first)
    }

    @Test func aGraphInTwoPiecesIsOne() throws {
        let expected = try Network(bytes: file()).answers(to: [image])
        var model = try #require(ProtoMessage(file()))
        let graph = model.messages(7)[0]
        var (first, second) = (graph, graph)
        first.fields = Array(graph.fields.prefix(3))
        second.fields = Array(graph.fields.dropFirst(3))
        model.fields.removeAll { $0.number == 7 }
        model.add(7, first)
        model.add(7, second)
        #expect(try Network(bytes: model.bytes).answers(to: [image]) == expected)
    }

    /// A field of another kind than its own is one that nobody knows, as protobuf's own readers take it.
    @Test func aFieldOfAnotherKindIsPassedOver() throws {
        let expected = try Network(bytes: file()).answers(to: [image])
        let odd = file { model, graph in
            model.fields.append((8, .fixed32([1, 2, 3, 4])))
            graph.fields.append((5, .varint(9)))
        }
        #expect(try Network(bytes: odd).answers(to: [image]) == expected)
    }

    static let faults: [(name: String, bytes: [UInt8])] = [
        ("a group", [0x33, 0x34]), ("a field numbered 0", [0x00, 0x00]),
        ("a number without an end", Array(repeating: 0x80, count: 12)),
        ("text that is no UTF-8", [0x12, 0x02, 0xC3, 0x28]), ("more bytes than there are", [0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        ("a length beyond all files", [0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
    ]

    @Test(arguments: faults.indices) func whatIsNoMessageIsRefused(index: Int) {
        let error = networkError { _ = try Network(bytes: file() + Self.faults[index].bytes) }
        guard case .notAModel(_, let found) = error else {
            Issue.record("\(Self.faults[index].name): \(String(describing: error))")
            return
        }
        #expect(found.contains("not a whole ONNX file"))
    }

    /// Graphs within attributes of nodes of graphs, a thousand deep: refused, not followed.
    @Test func depthHasAnEnd() {
        var graph = ProtoMessage()
        for _ in 0..<1000 {
            var (attribute, node, outer) = (ProtoMessage(), ProtoMessage(), ProtoMessage())
            attribute.add(6, graph)
            node.add(5, attribute)
            outer.add(1, node)
            graph = outer
        }
        var model = ProtoMessage()
        model.add(7, graph)
        guard case .notAModel = networkError({ _ = try Network(bytes: model.bytes) }) else {
            Issue.record("a file without end was read")
            return
        }
    }
}
