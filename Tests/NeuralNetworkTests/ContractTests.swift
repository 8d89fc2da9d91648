import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// What every operator keeps to, whatever it computes.
@Suite struct ContractTests {
    /// Operators on a constant instead of an image are computed when the file is read, and give the same.
    @Test(arguments: operatorCases.indices)
    func ofConstantsItIsComputedWhenTheFileIsRead(_ index: Int) throws {
        let operation = operatorCases[index]
        guard !Self.joining.contains(operation.name) else { return }
        for (number, shape) in operation.shapes.prefix(2).enumerated() {
            var random = SeededGenerator(seed: UInt64(index * 100 + number))
            var model = ModelBuilder(opset: operation.opset, input: [1, 1, 1, 1], name: "picture")
            let (output, expected) = operation.build(&model, shape, &random)
            let image = SlowTensor(random: [1] + shape, using: &random)
            _ = model.weight("image", [1] + shape, image.floats)
            // Steps of a sequence stand along the first axis, and are no images.
            let sum = model.node("Add", [model.node("Flatten", [output], ["axis": 0]), "picture"])
            let answer = try model.network(output: sum).answers(to: [[0]])[0]
            let error = distance(answer, expected(image).values)
            #expect(error <= operation.tolerance, "\(operation.name), shape \(shape): \(error)")
        }
    }

    /// What joins the rows of the batch axis on purpose, or picks of the first alone, so that there is nothing to compare row by row.
    private static let joining = [
        "Transpose by default, which moves the batch", "Gather of all, in their order", "Tile, Size and CumSum of constants",
        "GatherElements",
    ]

    /// Several maps along the batch axis of one image, as windows and phases stand there: each is computed, or the node refuses by its name.
    @Test(arguments: operatorCases.indices)
    func rowsOfTheBatchAxisAreAllComputed(_ index: Int) throws {
        let operation = operatorCases[index]
        guard !Self.joining.contains(operation.name) else { return }
        for (number, shape) in operation.shapes.prefix(2).enumerated() {
            var random = SeededGenerator(seed: UInt64(index * 100 + number))
            let picture = [1, 3 * shape[0]] + shape.dropFirst()
            var model = ModelBuilder(opset: operation.opset, input: picture.map { Optional($0) }, name: "picture")
            let rows = model.integers([3] + shape)
            model.node("Reshape", ["picture", rows], outputs: ["image"])
            let (output, expected) = operation.build(&model, shape, &random)
            let image = SlowTensor(random: [3] + shape, using: &random)
            do {
                let answer = try model.network(output: output).answers(to: [image.floats])[0]
                let wanted = (0..<3).flatMap { expected(image.image($0)).values }
                let error = distance(answer, wanted)
                #expect(error <= operation.tolerance, "\(operation.name), shape \(shape): \(error)")
            } catch let error as NetworkError {
                guard case .node(let use, _) = error else {
                    Issue.record("\(operation.name): \(error)")
                    continue
                }
                #expect(!use.operatorType.isEmpty)
            }
        }
    }
}
