import TestSupport

/// Of a map, of its places in a row, as transformers have their tokens, or of a vector.
private func batchNormalization(rank: Int) -> OperatorCase {
    OperatorCase(name: "BatchNormalization of rank \(rank)", operators: ["BatchNormalization"]) { model, shape, random in
        let channels = rank == 2 ? shape.reduce(1, *) : shape[0]
        let sides = rank == 2 ? [1, channels] : rank == 3 ? [1, channels, shape[1] * shape[2]] : [1] + shape
        let values = ["gamma", "beta", "mean"].map { model.random($0, [channels], &random).values }
        let variance = (0..<channels).map { _ in Float.random(in: 0.1...2, using: &random) }
        _ = model.weight("variance", [channels], variance)
        let source = rank == 4 ? "image" : model.node("Reshape", ["image", model.integers(sides)])
        let output = model.node("BatchNormalization", [source, "gamma", "beta", "mean", "variance"], ["epsilon": 0.01])
        return (
            output,
            { image in
                SlowOperators.batchNormalization(
                    image.reshaped(sides), gamma: values[0], beta: values[1], mean: values[2],
                    variance: variance.map(Double.init), epsilon: 0.01)
            }
        )
    }
}

/// As networks without normalised activations make their weights: in training mode, of a constant.
private let standardizedWeight = OperatorCase(
    name: "BatchNormalization of a weight by its own statistics", operators: ["BatchNormalization"],
    shapes: [[1, 7, 5], [3, 4, 5], [17, 2, 3]]
) { model, shape, random in
    let values = model.random("values", [1, shape[0], shape[1] * shape[2]], &random)
    let (gamma, beta) = (model.random("gamma", [shape[0]], &random), model.random("beta", [shape[0]], &random))
    _ = model.weight("zeros", [shape[0]], [Float](repeating: 0, count: shape[0]))
    let standardized = model.node(
        "BatchNormalization", ["values", "gamma", "beta", "zeros", "zeros"],
        ["epsilon": 0.01, "momentum": 1.0, "training_mode": 1], outputs: ["standardized", "mean", "variance"])
    let weight = model.node("Reshape", [standardized, model.integers([1] + shape)])
    return (
        model.node("Mul", ["image", weight]),
        { image in
            let weight = SlowOperators.normalized(values, epsilon: 0.01) { $0[1] == $1[1] }
                .combined(with: gamma.reshaped([shape[0], 1]), *).combined(with: beta.reshaped([shape[0], 1]), +)
            return image.combined(with: weight.reshaped([1] + shape), *)
        }
    )
}

private func lrn(_ size: Int) -> OperatorCase {
    OperatorCase(name: "LRN of \(size)", operators: ["LRN"]) { model, _, _ in
        let output = model.node("LRN", ["image"], ["size": .int(size), "alpha": 0.5, "beta": 0.6, "bias": 1.5])
        return (output, { SlowOperators.lrn($0, size: size, alpha: 0.5, beta: 0.6, bias: 1.5) })
    }
}

/// As in ConvNeXt: channels are put last, normalised, and put back.
private let layerNormalizationOfChannels = OperatorCase(
    name: "LayerNormalization of channels that are put last", operators: ["LayerNormalization", "Transpose"]
) { model, shape, random in
    let (gamma, beta) = (model.random("gamma", [shape[0]], &random), model.random("beta", [shape[0]], &random))
    let last = model.node("Transpose", ["image"], ["perm": [0, 2, 3, 1]])
    let norm = model.node("LayerNormalization", [last, "gamma", "beta"], ["axis": -1, "epsilon": 0.01])
    return (
        model.node("Transpose", [norm], ["perm": [0, 3, 1, 2]]),
        { image in
            SlowOperators.normalized(image, epsilon: 0.01) { $0[2...] == $1[2...] }
                .combined(with: gamma.reshaped([shape[0], 1, 1]), *).combined(with: beta.reshaped([shape[0], 1, 1]), +)
        }
    )
}

private let layerNormalizationOfMaps = OperatorCase(
    name: "LayerNormalization of whole maps", operators: ["LayerNormalization"], shapes: [[3, 4, 5], [17, 2, 3]]
) { model, shape, random in
    let gamma = model.random("gamma", Array(shape[1...]), &random)
    return (
        model.node("LayerNormalization", ["image", "gamma"], ["axis": 2]),
        { SlowOperators.normalized($0, epsilon: 1e-5) { $0[1] == $1[1] }.combined(with: gamma, *) }
    )
}

/// ConvNeXt's block in small: fully connected layers over the places of a map, between transpositions, scaled and added.
private let fullyConnectedOverPlaces = OperatorCase(
    name: "MatMul over the places of a map", operators: ["MatMul", "Transpose", "Relu", "Add", "Mul"]
) { model, shape, random in
    let channels = shape[0]
    let (wide, narrow) = (model.random("wide", [channels, 6], &random), model.random("narrow", [6, channels], &random))
    let (bias, scale) = (model.random("bias", [6], &random), model.random("scale", [channels, 1, 1], &random))
    let last = model.node("Transpose", ["image"], ["perm": [0, 2, 3, 1]])
    let hidden = model.node("Relu", [model.node("Add", [model.node("MatMul", [last, "wide"]), "bias"])])
    let back = model.node("Transpose", [model.node("MatMul", [hidden, "narrow"])], ["perm": [0, 3, 1, 2]])
    return (
        model.node("Add", [model.node("Mul", [back, "scale"]), "image"]),
        { image in
            let rows = image.transposed([0, 2, 3, 1])
            let hidden = SlowOperators.linear(rows, wide.transposed([1, 0]), bias.values).map { max($0, 0) }
            let out = SlowOperators.linear(hidden, narrow.transposed([1, 0]), [Double](repeating: 0, count: channels))
            return out.transposed([0, 3, 1, 2]).combined(with: scale, *).combined(with: image, +)
        }
    )
}

private func groupNormalization(_ type: String, groups: Int, perGroup: Bool, opset: Int, flat: Bool = false) -> OperatorCase {
    let name = "\(type) of \(groups) groups, operator set \(opset)\(flat ? ", of rows" : "")"
    return OperatorCase(name: name, operators: [type], shapes: [[4, 5, 3], [16, 3, 4]], opset: opset) { model, shape, random in
        let groups = groups == 0 ? shape[0] : groups
        let size = shape[0] / groups
        let count = perGroup ? groups : shape[0]
        let (gamma, beta) = (model.random("gamma", [count], &random), model.random("beta", [count], &random))
        var attributes: [String: ModelBuilder.Attribute] = ["epsilon": 0.01]
        if type == "GroupNormalization" { attributes["num_groups"] = .int(groups) }
        let rows = [1, shape[0], shape[1] * shape[2]]
        let source = flat ? model.node("Reshape", ["image", model.integers(rows)]) : "image"
        @Sendable func wide(_ values: SlowTensor) -> SlowTensor {
            SlowTensor([shape[0], 1, 1], (0..<shape[0]).map { values.values[perGroup ? $0 / size : $0] })
        }
        return (
            model.node(type, [source, "gamma", "beta"], attributes),
            { image in
                let result = SlowOperators.normalized(image, epsilon: 0.01) { $0[1] / size == $1[1] / size }
                    .combined(with: wide(gamma), *).combined(with: wide(beta), +)
                return flat ? result.reshaped(rows) : result
            }
        )
    }
}

/// - Parameters:
///   - shape: what the image is made before, from [channels, height, width]; nil for the map itself.
///   - isJoined: whether it runs over all axes from `axis` on together.
private func softmax(
    _ type: String, _ name: String, axis: Int, attributes: [String: ModelBuilder.Attribute] = [:], opset: Int = 17,
    isJoined: Bool = false, shape: (@Sendable ([Int]) -> [Int])?
) -> OperatorCase {
    // oneDNN's logarithm of one is off by 1.4e-6, which counts where a lone channel's answer is 0.
    OperatorCase(name: "\(type) \(name)", operators: [type], tolerance: type == "Softmax" ? 1e-4 : 1e-3, opset: opset) {
        model, image, _ in
        let target: [Int] = shape?(image) ?? [1] + image
        let source = shape == nil ? "image" : model.node("Reshape", ["image", model.integers(target)])
        let output = model.node(type, [source], attributes)
        let isLogarithm = type == "LogSoftmax"
        let slow = isJoined ? target[..<axis] + [target[axis...].reduce(1, *)] : target
        return (output, { SlowOperators.softmax($0.reshaped(slow), axis: axis, logarithm: isLogarithm).reshaped(target) })
    }
}

let normalizationCases: [OperatorCase] =
    [
        batchNormalization(rank: 4), batchNormalization(rank: 3), batchNormalization(rank: 2), standardizedWeight, lrn(5), lrn(3),
        lrn(1),
        layerNormalizationOfChannels,
        layerNormalizationOfMaps, fullyConnectedOverPlaces,
        groupNormalization("InstanceNormalization", groups: 0, perGroup: false, opset: 17),
        groupNormalization("InstanceNormalization", groups: 0, perGroup: false, opset: 17, flat: true),
        groupNormalization("GroupNormalization", groups: 2, perGroup: true, opset: 18),
        groupNormalization("GroupNormalization", groups: 2, perGroup: false, opset: 21),
    ]
    + ["Softmax", "LogSoftmax"].flatMap { type in
        [
            softmax(type, "over channels", axis: 1, attributes: ["axis": 1], shape: nil),
            softmax(type, "of a vector, by default of old", axis: 1, opset: 9, shape: { [1, $0.reduce(1, *)] }),
            softmax(type, "of rows, by default", axis: 2, shape: { [1, $0[0], $0[1] * $0[2]] }),
            softmax(type, "over the height of a map", axis: 2, attributes: ["axis": 2], shape: nil),
            softmax(type, "over the width of a map, by default", axis: 3, shape: nil),
            softmax(type, "of a map, by default of old", axis: 1, opset: 9, isJoined: true, shape: nil),
            softmax(type, "of rows of old", axis: 2, attributes: ["axis": 2], opset: 11, isJoined: true, shape: nil),
            softmax(type, "over one of five axes", axis: 2, attributes: ["axis": -3], shape: { [1, $0[0], $0[1], 1, $0[2]] }),
            softmax(
                type, "over the first of five axes", axis: 1, attributes: ["axis": 1], shape: { [1, $0[1], 1] + [$0[0], $0[2]] }),
        ]
    }
