import TestSupport

private func batchNormalization(rank: Int) -> OperatorCase {
    OperatorCase(name: "BatchNormalization of rank \(rank)", operators: ["BatchNormalization"]) { model, shape, random in
        let channels = rank == 4 ? shape[0] : shape.reduce(1, *)
        let values = ["gamma", "beta", "mean"].map { model.random($0, [channels], &random).values }
        let variance = (0..<channels).map { _ in Float.random(in: 0.1...2, using: &random) }
        _ = model.weight("variance", [channels], variance)
        let source = rank == 4 ? "image" : model.node("Flatten", ["image"])
        let output = model.node("BatchNormalization", [source, "gamma", "beta", "mean", "variance"], ["epsilon": 0.01])
        return (
            output,
            { image in
                SlowOperators.batchNormalization(
                    rank == 4 ? image : image.reshaped([1, channels]), gamma: values[0], beta: values[1], mean: values[2],
                    variance: variance.map(Double.init), epsilon: 0.01)
            }
        )
    }
}

private func lrn(_ size: Int) -> OperatorCase {
    OperatorCase(name: "LRN of \(size)", operators: ["LRN"]) { model, _, _ in
        let output = model.node("LRN", ["image"], ["size": .int(size), "alpha": 0.5, "beta": 0.6, "bias": 1.5])
        return (output, { SlowOperators.lrn($0, size: size, alpha: 0.5, beta: 0.6, bias: 1.5) })
    }
}

/// - Parameter shape: what the image is made before, from [channels, height, width]; nil for the map itself.
private func softmax(
    _ type: String, _ name: String, axis: Int, attributes: [String: ModelBuilder.Attribute] = [:], opset: Int = 17,
    shape: (@Sendable ([Int]) -> [Int])?
) -> OperatorCase {
    // oneDNN's logarithm of one is off by 1.4e-6, which counts where a lone channel's answer is 0.
    OperatorCase(name: "\(type) \(name)", operators: [type], tolerance: type == "Softmax" ? 1e-4 : 1e-3, opset: opset) {
        model, image, _ in
        let target: [Int] = shape?(image) ?? [1] + image
        let source = shape == nil ? "image" : model.node("Reshape", ["image", model.integers(target)])
        let output = model.node(type, [source], attributes)
        let isLogarithm = type == "LogSoftmax"
        return (output, { SlowOperators.softmax($0.reshaped(target), axis: axis, logarithm: isLogarithm) })
    }
}

let normalizationCases: [OperatorCase] =
    [batchNormalization(rank: 4), batchNormalization(rank: 2), lrn(5), lrn(3), lrn(1)]
    + ["Softmax", "LogSoftmax"].flatMap { type in
        [
            softmax(type, "over channels", axis: 1, attributes: ["axis": 1], shape: nil),
            softmax(type, "of a vector, by default of old", axis: 1, opset: 9, shape: { [1, $0.reduce(1, *)] }),
            softmax(type, "of rows, by default", axis: 2, shape: { [1, $0[0], $0[1] * $0[2]] }),
        ]
    }
