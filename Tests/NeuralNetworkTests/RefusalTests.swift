import NeuralNetwork
import TestSupport
import Testing

/// What neurodex does not read is refused for what it is, before any work is done.
@Suite struct RefusalTests {
    private func refusal(_ body: () throws -> Network) -> String {
        do {
            return "no refusal of \(try body().path)"
        } catch { return "\(error)" }
    }

    @Test func operatorsOfTransformers() throws {
        var model = ModelBuilder()
        let output = model.node("GroupQueryAttention", ["image"], name: "attention", domain: "com.microsoft")
        let text = refusal { try model.network(output: output) }
        #expect(text.contains("com.microsoft.GroupQueryAttention") && text.contains("transformer"), "\(text)")
    }

    @Test func anOperatorThatIsNotThereIsNamed() throws {
        var model = ModelBuilder()
        let constant = model.node("Det", [model.weight("matrix", [1, 1], [2])], name: "determinant")
        let output = model.node("Add", ["image", constant])
        let text = refusal { try model.network(output: output) }
        #expect(text.contains("Det (node 'determinant'"), "\(text)")
    }

    /// Places of boxes beside the probabilities of classes are no scores of classes, whatever makes them.
    @Test func placesOfBoxesAreNoClasses() throws {
        for (name, count, isClass) in [("where", 4, false), ("boxes", 6, false), ("where", 12, false), ("kinds", 5, true)] {
            var (model, random) = (ModelBuilder(), SeededGenerator(seed: 2))
            _ = model.random("first", [3, 3], &random)
            _ = model.random("second", [3, count], &random)
            let flat = model.node("Flatten", [model.node("GlobalAveragePool", ["image"])])
            let scores = model.node("Softmax", [model.node("MatMul", [flat, "first"])], ["axis": 1], outputs: ["scores"])
            let places = model.node("MatMul", [flat, "second"], name: "places", outputs: [name])
            model.graph.add(12, ModelBuilder.valueInfo(scores, [1, 3]))
            var options = Network.Options()
            options.output = name
            let network = try Network(bytes: model.bytes(outputs: [places]), options: options)
            #expect(network.layers.last?.isLogits == isClass, "\(name) of \(count)")
        }
    }
}
