import Foundation
import TestSupport

private typealias Function = (type: String, attributes: [String: ModelBuilder.Attribute], function: @Sendable (Double) -> Double)

private let functions: [Function] = [
    ("Relu", [:], { max($0, 0) }),
    ("LeakyRelu", ["alpha": 0.2], { $0 > 0 ? $0 : 0.2 * $0 }),
    ("Clip", ["min": -0.5, "max": 0.75], { min(max($0, -0.5), 0.75) }),
    ("Sigmoid", [:], { 1 / (1 + exp(-$0)) }),
    ("Tanh", [:], { tanh($0) }),
    ("Elu", ["alpha": 0.75], { $0 > 0 ? $0 : 0.75 * (exp($0) - 1) }),
    ("HardSwish", [:], { $0 * max(0, min(1, $0 / 6 + 0.5)) }),
]

private func afterConvolution(_ last: Function) -> OperatorCase {
    let (type, attributes, function) = last
    return OperatorCase(
        name: "Conv, BatchNormalization, \(type)", operators: ["Conv", "BatchNormalization", type], shapes: [[3, 6, 5]], opset: 7
    ) { model, shape, random in
        let weights = model.random("weight", [5, shape[0], 3, 3], &random)
        let values = ["gamma", "beta", "mean"].map { model.random($0, [5], &random).values }
        let variance = (0..<5).map { _ in Float.random(in: 0.5...2, using: &random) }
        _ = model.weight("variance", [5], variance)
        let convolution = model.node("Conv", ["image", "weight"], ["strides": [2, 1], "pads": [1, 1, 1, 1]])
        let norm = model.node("BatchNormalization", [convolution, "gamma", "beta", "mean", "variance"], ["epsilon": 0.01])
        let window = SlowOperators.Window(kernel: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1])
        return (
            model.node(type, [norm], attributes),
            { image in
                SlowOperators.batchNormalization(
                    SlowOperators.convolution(image, weights, [0, 0, 0, 0, 0], window), gamma: values[0], beta: values[1],
                    mean: values[2], variance: variance.map(Double.init), epsilon: 0.01
                ).map(function)
            }
        )
    }
}

private func afterLinear(_ last: Function) -> OperatorCase {
    let (type, attributes, function) = last
    return OperatorCase(name: "Gemm, \(type)", operators: ["Gemm", type], shapes: [[3, 2, 2]], opset: 7) { model, shape, random in
        let weights = model.random("weight", [7, shape.reduce(1, *)], &random)
        _ = model.weight("bias", [7], [Float](repeating: 0.25, count: 7))
        let flat = model.node("Flatten", ["image"])
        let gemm = model.node("Gemm", [flat, "weight", "bias"], ["transB": 1])
        return (
            model.node(type, [gemm], attributes),
            {
                SlowOperators.linear(
                    $0.reshaped([1, weights.shape[1]]), weights, [Double](repeating: 0.25, count: 7)
                ).map(function)
            }
        )
    }
}

private func afterSum(_ last: Function) -> OperatorCase {
    let (type, attributes, function) = last
    return OperatorCase(name: "Add, \(type)", operators: ["Add", type], shapes: [[3, 6, 5], [17, 3, 3]], opset: 7) {
        model, shape, _ in
        let window = SlowOperators.Window(kernel: Array(shape[1...]))
        let sum = model.node("Add", ["image", model.node("GlobalAveragePool", ["image"])])
        return (
            model.node(type, [sum], attributes),
            { $0.combined(with: SlowOperators.average($0, window), +).map(function) }
        )
    }
}

/// What is done in one pass: the activation at the end goes back through what was made after it.
let fusedCases: [OperatorCase] = functions.flatMap { [afterConvolution($0), afterLinear($0), afterSum($0)] }
