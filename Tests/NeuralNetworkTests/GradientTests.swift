import NeuralNetwork
import TestSupport
import Testing

/// The way back of every operator, along one random direction, beside central differences of the slow implementation in double
/// precision.
///
/// With y = f(x) the operator's case and w random weights, s(x) = Σ w ∘ y. For a random direction d, s'(x) · d must be
/// (s(x + h d) − s(x − h d)) / 2h. h is so small that no kink (a ReLU at 0, equal maxima) lies between but once in thousands of cases:
/// where the slow implementation's slopes before and after x differ, there is one, and that image says nothing.
@Suite struct GradientTests {
    static let step = 1e-6

    /// Operators that never stand between the image and an answer, and why.
    private static let constant = "is read on constants only"
    static let exemptions = [
        "Constant": "is a constant", "ConstantOfShape": "makes constants of shapes", "Shape": "makes a constant of a shape",
        "Range": constant, "OneHot": constant, "ArgMax": "answers with places, which have no slope",
        "ArgMin": "answers with places, which have no slope",
        "QuantizeLinear": "goes back as if it did not round; QuantizationTests",
    ]

    @Test func noneIsForgotten() {
        let checked = Set(operatorCases.flatMap(\.operators)).subtracting(Self.exemptions.keys)
        #expect(
            operatorNames.filter { !checked.contains($0) && Self.exemptions[$0] == nil } == [],
            "operators in the catalog whose way back no case checks; add a case, or say in exemptions why there is none")
        #expect(Self.exemptions.keys.filter { !operatorNames.contains($0) } == [], "exempt, but not in the catalog")
    }

    @Test(arguments: operatorCases.indices)
    func agreesWithCentralDifferences(_ index: Int) throws {
        let operation = operatorCases[index]
        guard operation.isDifferentiable else { return }
        for (number, shape) in operation.shapes.enumerated() {
            let seed = UInt64(index * 100 + number)
            var random = SeededGenerator(seed: seed)
            var model = ModelBuilder(opset: operation.opset, input: [1] + shape.map { Optional($0) })
            let (output, function) = operation.build(&model, shape, &random)
            let images = (0..<3).map { _ in SlowTensor(random: [1] + shape, using: &random) }
            let weights = SlowTensor(random: function(images[0]).shape, using: &random)
            _ = model.weight("the weights", weights.shape, weights.floats)
            let sum = model.node("Mul", [output, "the weights"])
            let network = try model.differentiableNetwork(output: sum)
            var kinks = 0
            for batch in [1, 3] {
                let gradients = try Self.gradients(network, of: images, batch: batch)
                for (gradient, image) in zip(gradients, images) {
                    let direction = SlowTensor(random: image.shape, using: &random)
                    func value(_ sign: Double) -> Double {
                        function(image.combined(with: direction) { $0 + sign * Self.step * $1 })
                            .combined(with: weights, *).values.reduce(0, +)
                    }
                    let expected = (value(1) - value(-1)) / (2 * Self.step)
                    let bend = (value(1) - 2 * value(0) + value(-1)) / Self.step
                    guard abs(bend) <= 1e-3 * max(abs(expected), 1) else {
                        kinks += 1
                        continue
                    }
                    let error = Self.error(gradient, along: direction, expected)
                    #expect(
                        error <= operation.gradientTolerance, "\(operation.name), shape \(shape), batch \(batch), seed \(seed)")
                }
            }
            #expect(kinks <= 1, "\(operation.name), shape \(shape), seed \(seed): \(kinks) images stand on kinks")
        }
    }

    /// How far the gradient's part along a direction is from `expected`, relative to what its parts add up to by chance, or to 0.01 where
    /// that is less: some cases are flat.
    private static func error(_ gradient: SlowTensor, along direction: SlowTensor, _ expected: Double) -> Double {
        let parts = gradient.combined(with: direction, *).values
        let scale = max(parts.reduce(0) { $0 + $1 * $1 }.squareRoot(), expected.magnitude, 0.01)
        return (parts.reduce(0, +) - expected).magnitude / scale
    }

    /// Of the sum of the network's answer by each image, in ONNX's order.
    private static func gradients(_ network: DifferentiableNetwork, of images: [SlowTensor], batch: Int) throws -> [SlowTensor] {
        let pass = try GradientPass(network, layer: #require(network.logits), batch: batch)
        var results: [SlowTensor] = []
        for start in stride(from: 0, to: images.count, by: pass.batch) {
            let slots = 0..<min(pass.batch, images.count - start)
            for slot in slots {
                _ = pass.input(image: slot).update(fromContentsOf: images[start + slot].transposed([0, 2, 3, 1]).floats)
            }
            try pass.forward()
            for slot in slots { pass.seed(image: slot).update(repeating: 1) }
            try pass.backward()
            let shape = images[0].shape
            results += slots.map {
                SlowTensor([1, shape[2], shape[3], shape[1]], Array(pass.inputGradient(image: $0))).transposed([0, 3, 1, 2])
            }
        }
        return results
    }
}
