import NeuralNetwork
import TestSupport
import Testing

/// `If` with a condition that is known when the file is loaded.
@Suite struct BranchTests {
    /// Doubles or negates the picture, by whether it has more than three channels.
    private func model(channels: Int, varying: Bool = false) -> (ModelBuilder, String) {
        var model = ModelBuilder(input: [1, channels, 2, 2])
        func branch(_ type: String, _ inputs: [String], _ weight: ProtoMessage?) -> ProtoMessage {
            var (graph, node) = (ProtoMessage(), ProtoMessage())
            for input in inputs { node.add(1, input) }
            node.add(2, "inner")
            node.add(4, type)
            graph.add(1, node)
            if let weight { graph.add(5, weight) }
            graph.add(12, ModelBuilder.valueInfo("inner", []))
            return graph
        }
        let two = ModelBuilder.tensor("inner.two", [], type: 1, raw: ProtoMessage.littleEndian([Float(2)]))
        let attributes: [String: ModelBuilder.Attribute] = [
            "then_branch": .graph(branch("Mul", ["image", "inner.two"], two)),
            "else_branch": .graph(branch("Neg", ["image"], nil)),
        ]
        let condition: String
        if varying {
            let mean = model.node("ReduceMean", ["image"], ["axes": [1, 2, 3], "keepdims": 0])
            condition = model.node("Greater", [mean, model.weight("bound", [], [0])])
        } else {
            let count = model.node("Gather", [model.node("Shape", ["image"]), model.integers([1], shape: [])])
            condition = model.node("Greater", [count, model.integers([3], shape: [])])
        }
        return (model, model.node("If", [condition], attributes, name: "choice"))
    }

    @Test(arguments: [(4, Float(2)), (3, -1)]) func theChosenGraphIsRead(_ channels: Int, _ factor: Float) throws {
        let (model, output) = model(channels: channels)
        let image = (0..<channels * 4).map { Float($0) - 5 }
        #expect(try model.network(output: output).answers(to: [image]) == [image.map { factor * $0 }])
    }

    @Test func aConditionOfThePictureIsRefused() throws {
        let (model, output) = model(channels: 3, varying: true)
        let error = #expect(throws: NetworkError.self) { try model.network(output: output) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("If (node 'choice', layer choice): chooses between two graphs"))
    }
}
