import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Networks with inputs beside the image.
@Suite struct GivenInputTests {
    private func model() -> (ModelBuilder, String) {
        var model = ModelBuilder(input: [1, 2, 2, 2])
        model.graph.add(11, ModelBuilder.valueInfo("scale", [nil, 2]))
        model.graph.add(11, ModelBuilder.valueInfo("count", [1], type: 7))
        let shaped = model.node("Reshape", ["scale", model.integers([1, 2, 1, 1])])
        let scaled = model.node("Mul", ["image", shaped])
        return (model, model.node("Add", [scaled, model.node("Cast", ["count"], ["to": 1])]))
    }

    private func answer(_ inputs: [GivenInput]) throws -> [Float] {
        let (model, output) = model()
        var options = Network.Options()
        options.inputs = inputs
        return try model.network(output: output, options: options).answers(to: [[1, 2, 3, 4, 5, 6, 7, 8]])[0]
    }

    private func refusal(_ inputs: [GivenInput]) -> String {
        do { return "\(try answer(inputs))" } catch { return "\(error)" }
    }

    @Test func theyAreConstants() throws {
        let count = GivenInput(name: "count", values: [10])
        #expect(try answer([GivenInput(name: "scale", values: [1, -1]), count]) == [11, 12, 13, 14, 5, 4, 3, 2])
        // One number fills what the file declares, and an array brings its own shape.
        #expect(try answer([GivenInput(name: "scale", values: [2]), count]) == [12, 14, 16, 18, 20, 22, 24, 26])
        let array = GivenInput(name: "scale", shape: [1, 2], values: [0, 1])
        #expect(try answer([count, array]) == [10, 10, 10, 10, 15, 16, 17, 18])
    }

    /// Whoever asks what a file's outputs and tensors look like gives the inputs as well.
    @Test func outputsAreLookedAtWithThem() throws {
        let (model, output) = model()
        let folder = try TemporaryFolder()
        let path = folder.file("m.onnx")
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        var options = Network.Options()
        #expect(try FileOutput.all(of: path, options: options).map(\.shape) == [nil])
        options.inputs = [GivenInput(name: "scale", values: [1, -1]), GivenInput(name: "count", values: [10])]
        #expect(try FileOutput.all(of: path, options: options).map(\.shape) == [[2, 2, 2]])
        #expect(try FileOutput(named: output, of: path, options: options).shape == [2, 2, 2])
        #expect(try BeforeSelection(of: path, options: options) == nil)
    }

    @Test func whatIsMissingOrWrongIsSaid() {
        let text = refusal([])
        for words in ["3 inputs", "'image' is the image", "'scale' [any, 2], 'count' [1]", "--input 'scale=…' --input 'count=…'"]
        {
            #expect(text.contains(words), "\(text)")
        }
        let count = GivenInput(name: "count", values: [10])
        #expect(refusal([count]).contains("'scale' [any, 2] is beside it"))
        #expect(refusal([count, GivenInput(name: "scale", values: [1, 2, 3])]).contains("is given 3 numbers, which do not fit"))
        #expect(refusal([count, GivenInput(name: "scale", shape: [2], values: [1, 2])]).contains("2 numbers of shape [2]"))
        #expect(
            refusal([GivenInput(name: "scale", values: [1]), GivenInput(name: "count", values: [1.5])]).contains("whole numbers"))
        #expect(refusal([GivenInput(name: "scal", values: [1])]).contains("there is no input 'scal'"))
    }
}
