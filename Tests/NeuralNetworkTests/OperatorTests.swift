import NeuralNetwork
import TestSupport
import Testing

/// Every operator against its slow second implementation, on random tensors.
@Suite struct OperatorTests {
    @Test(arguments: operatorCases.indices)
    func agreesWithTheSlowOne(_ index: Int) throws {
        let operation = operatorCases[index]
        for (number, shape) in operation.shapes.enumerated() {
            let seed = UInt64(index * 100 + number)
            var random = SeededGenerator(seed: seed)
            var model = ModelBuilder(opset: operation.opset, input: [1] + shape.map { Optional($0) })
            let (output, expected) = operation.build(&model, shape, &random)
            let images = (0..<3).map { _ in SlowTensor(random: [1] + shape, using: &random) }
            for batch in [1, 3] {
                var options = Network.Options()
                options.batch = batch
                let answers = try model.network(output: output, options: options).answers(to: images.map(\.floats))
                for (answer, image) in zip(answers, images) {
                    let error = distance(answer, expected(image).values)
                    #expect(error <= operation.tolerance, "\(operation.name), shape \(shape), batch \(batch), seed \(seed)")
                }
            }
        }
    }

    @Test func noneIsForgotten() {
        let tried = Set(operatorCases.flatMap(\.operators))
        #expect(operatorNames.filter { !tried.contains($0) } == [], "operators in the catalog without a case in operatorCases")
        #expect(tried.filter { !operatorNames.contains($0) } == [], "cases for operators that are not in the catalog")
    }

    /// A convolution and everything after it, in a random chain: what one operator leaves, the next must take.
    @Test func chainsOfOperators() throws {
        for seed in 1...12 {
            var random = SeededGenerator(seed: UInt64(seed))
            var model = ModelBuilder(input: [1, 5, 9, 12])
            let weights = model.random("weight", [5, 5, 3, 3], &random)
            let bias = [Double](repeating: 0, count: 5)
            let window = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])
            let image = SlowTensor(random: [1, 5, 9, 12], using: &random)
            var (names, values) = (["image"], [image])
            for _ in 0..<8 {
                let pick = Int.random(in: 0..<names.count, using: &random)
                let other = Int.random(in: 0..<names.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    names.append(model.node("Conv", [names[pick], "weight"], ["pads": [1, 1, 1, 1]]))
                    values.append(SlowOperators.convolution(values[pick], weights, bias, window))
                case 1:
                    names.append(model.node("Relu", [names[pick]]))
                    values.append(values[pick].map { max($0, 0) })
                case 2:
                    names.append(model.node("Add", [names[pick], names[other]]))
                    values.append(values[pick].combined(with: values[other], +))
                default:
                    names.append(model.node("MaxPool", [names[pick]], ["kernel_shape": [3, 3], "pads": [1, 1, 1, 1]]))
                    values.append(SlowOperators.maximum(values[pick], window))
                }
            }
            let output = model.node("Concat", names.suffix(4), ["axis": 1])
            let expected = SlowOperators.concatenated(values.suffix(4), axis: 1)
            let network = try model.network(output: output)
            for answer in try network.answers(to: [image.floats, image.floats, image.floats]) {
                #expect(distance(answer, expected.values) <= 1e-4, "seed \(seed)")
            }
        }
    }
}
