import Foundation
import TestSupport

private typealias Rule = (name: String, function: @Sendable (Double, Double) -> Double)

private let rules: [Rule] = [
    ("Add", { $0 + $1 }), ("Sub", { $0 - $1 }), ("Mul", { $0 * $1 }), ("Div", { $0 / $1 }), ("Max", { max($0, $1) }),
    ("Min", { min($0, $1) }), ("Sum", { $0 + $1 }),
]

/// The shapes of constants that broadcast against an image; 0 stands for its channels, 2 and 3 for height and width.
private let patterns: [[Int]] = [[], [1], [0, 1, 1], [1, 0, 1, 1], [3], [2, 3], [0, 2, 3], [1, 1, 2, 1]]

/// The image plus 2, so that it can be divided by.
private func away(_ model: inout ModelBuilder) -> String {
    _ = model.weight("two", [], [2])
    return model.node("Add", ["image", "two"])
}

private func withConstant(_ rule: Rule, _ pattern: [Int], isLeft: Bool) -> OperatorCase {
    let function = rule.function
    let name = "\(rule.name) with a constant \(pattern)\(isLeft ? " on the left" : "")"
    let type = rule.name
    return OperatorCase(name: name, operators: [type], shapes: [[1, 7, 5], [3, 4, 3], [17, 5, 4]]) { model, shape, random in
        let constant = pattern.map { (extent: Int) -> Int in extent == 0 ? shape[0] : extent == 1 ? 1 : shape[extent - 1] }
        let values = (0..<constant.reduce(1, *)).map { _ in Float.random(in: 0.5...2, using: &random) }
        _ = model.weight("constant", constant, values)
        let image = away(&model)
        let slow = SlowTensor(constant, values)
        let output = model.node(type, isLeft ? ["constant", image] : [image, "constant"])
        return (
            output,
            { image in
                let shifted = image.map { $0 + 2 }
                return isLeft ? slow.combined(with: shifted, function) : shifted.combined(with: slow, function)
            }
        )
    }
}

private func withPixel(_ rule: Rule, isLeft: Bool) -> OperatorCase {
    let (type, function) = (rule.name, rule.function)
    return OperatorCase(name: "\(type) of a map and a pixel\(isLeft ? " on the left" : "")", operators: [type]) {
        model, shape, _ in
        let image = away(&model)
        let pixel = model.node("GlobalMaxPool", [image])
        let window = SlowOperators.Window(kernel: Array(shape[1...]))
        return (
            model.node(type, isLeft ? [pixel, image] : [image, pixel]),
            { image in
                let shifted = image.map { $0 + 2 }
                let pixel = SlowOperators.maximum(shifted, window)
                return isLeft ? pixel.combined(with: shifted, function) : shifted.combined(with: pixel, function)
            }
        )
    }
}

/// Attention to parts of a map, as in ResNeSt: five axes, of which the operands share some only.
private func ofFiveAxes(_ rule: Rule) -> OperatorCase {
    let (type, function) = (rule.name, rule.function)
    return OperatorCase(name: "\(type) over five axes, two of them repeated", operators: [type]) { model, shape, _ in
        let image = away(&model)
        let parts = model.node("Reshape", [image, model.integers([1, 1] + shape)])
        let pixel = model.node("Reshape", [model.node("GlobalMaxPool", [image]), model.integers([1, 1, shape[0], 1, 1])])
        let window = SlowOperators.Window(kernel: Array(shape[1...]))
        return (
            model.node(type, [parts, pixel]),
            { image in
                let shifted = image.map { $0 + 2 }
                return shifted.combined(with: SlowOperators.maximum(shifted, window), function).reshaped([1, 1] + shape)
            }
        )
    }
}

/// Of two activations that both depend on the image.
private func ofMaps(_ rule: Rule) -> OperatorCase {
    let (type, function) = (rule.name, rule.function)
    return OperatorCase(name: "\(type) of two maps", operators: [type]) { model, _, _ in
        let image = away(&model)
        let other = model.node("Exp", [model.node("Neg", ["image"])])
        return (
            model.node(type, [image, other]), { image in image.map { $0 + 2 }.combined(with: image.map { exp(-$0) }, function) }
        )
    }
}

private func ofThree(_ type: String, _ function: @escaping @Sendable (Double, Double) -> Double) -> OperatorCase {
    OperatorCase(name: "\(type) of three", operators: [type], shapes: [[3, 4, 6]]) { model, shape, random in
        let constant = model.random("constant", [shape[0], 1, 1], &random)
        return (
            model.node(type, ["image", model.node("Neg", ["image"]), "constant"]),
            { image in image.combined(with: image.map { -$0 }, function).combined(with: constant, function) }
        )
    }
}

let arithmeticCases: [OperatorCase] =
    rules.map(ofMaps) + rules.map(ofFiveAxes)
    + [ofThree("Max") { max($0, $1) }, ofThree("Min") { min($0, $1) }]
    + rules.flatMap { rule in
        [false, true].flatMap { isLeft in
            patterns.map { withConstant(rule, $0, isLeft: isLeft) } + [withPixel(rule, isLeft: isLeft)]
        }
    }

let linearCases: [OperatorCase] = [
    OperatorCase(name: "Sum of three", operators: ["Sum"]) { model, _, _ in
        (model.node("Sum", ["image", "image", "image"]), { $0.map { 3 * $0 } })
    },
    OperatorCase(name: "Mean of three", operators: ["Mean"], shapes: [[3, 4, 6]]) { model, shape, random in
        let constant = model.random("constant", [shape[0], 1, 1], &random)
        return (
            model.node("Mean", ["image", "constant", "image"]),
            { $0.map { 2 * $0 }.combined(with: constant, +).map { $0 / 3 } }
        )
    },
    OperatorCase(name: "Gemm", operators: ["Gemm"]) { model, shape, random in
        let weights = model.random("weight", [6, shape.reduce(1, *)], &random)
        let bias = model.random("bias", [6], &random)
        let flat = model.node("Flatten", ["image"])
        return (
            model.node("Gemm", [flat, "weight", "bias"], ["transB": 1, "alpha": 0.5, "beta": 2.0]),
            { SlowOperators.linear($0.reshaped([1, weights.shape[1]]), weights, bias.values, alpha: 0.5, beta: 2) }
        )
    },
    OperatorCase(name: "Gemm, weights as [inputs, outputs], one bias", operators: ["Gemm"]) { model, shape, random in
        let weights = model.random("weight", [shape.reduce(1, *), 4], &random)
        _ = model.weight("bias", [1], [0.75])
        return (
            model.node("Gemm", [model.node("Flatten", ["image"]), "weight", "bias"]),
            {
                SlowOperators.linear(
                    $0.reshaped([1, weights.shape[0]]), weights.transposed([1, 0]), [Double](repeating: 0.75, count: 4))
            }
        )
    },
    OperatorCase(name: "MatMul of rows", operators: ["MatMul", "Reshape"]) { model, shape, random in
        let rows = [1, shape[0], shape[1] * shape[2]]
        let weights = model.random("weight", [rows[2], 5], &random)
        let source = model.node("Reshape", ["image", model.integers([0, 0, -1])])
        return (
            model.node("MatMul", [source, "weight"]),
            { SlowOperators.linear($0.reshaped(rows), weights.transposed([1, 0]), [0, 0, 0, 0, 0]) }
        )
    },
    OperatorCase(name: "MatMul of a map's rows by its columns", operators: ["MatMul", "Transpose"]) { model, _, _ in
        let turned = model.node("Transpose", ["image"], ["perm": [0, 1, 3, 2]])
        return (
            model.node("MatMul", ["image", turned]), { SlowOperators.product($0, $0.transposed([0, 1, 3, 2])) }
        )
    },
    OperatorCase(
        name: "MatMul of tokens, heads along an axis", operators: ["MatMul", "Reshape"], shapes: [[4, 3, 5], [6, 7, 3]]
    ) { model, shape, random in
        let (channels, tokens, width) = (shape[0], shape[1] * shape[2], shape[0] / 2)
        let weights = model.random("weight", [channels, channels], &random)
        func heads(_ name: String) -> String {
            let parts = model.node("Reshape", [name, model.integers([1, tokens, 2, width])])
            return model.node("Transpose", [parts], ["perm": [0, 2, 1, 3]])
        }
        let flat = model.node("Transpose", [model.node("Reshape", ["image", model.integers([0, 0, -1])])], ["perm": [0, 2, 1]])
        let (queries, keys) = (heads(flat), heads(model.node("MatMul", [flat, "weight"])))
        let scores = model.node("MatMul", [queries, model.node("Transpose", [keys], ["perm": [0, 1, 3, 2]])])
        let output = model.node("MatMul", [model.node("Softmax", [scores], ["axis": -1]), keys])
        return (
            output,
            { image in
                func heads(_ tokensOf: SlowTensor) -> SlowTensor {
                    tokensOf.reshaped([1, tokens, 2, width]).transposed([0, 2, 1, 3])
                }
                let flat = image.reshaped([1, channels, tokens]).transposed([0, 2, 1])
                let keys = heads(SlowOperators.product(flat, weights))
                let scores = SlowOperators.product(heads(flat), keys.transposed([0, 1, 3, 2]))
                return SlowOperators.product(SlowOperators.softmax(scores, axis: 3), keys)
            }
        )
    },
    OperatorCase(name: "MatMul by a constant of more axes", operators: ["MatMul"]) { model, shape, random in
        let constant = model.random("constant", [shape[0], shape[2], 3], &random)
        return (model.node("MatMul", ["image", "constant"]), { SlowOperators.product($0, constant) })
    },
    OperatorCase(name: "MatMul of a constant matrix by a map", operators: ["MatMul"]) { model, shape, random in
        let constant = model.random("constant", [4, shape[1]], &random)
        return (model.node("MatMul", ["constant", "image"]), { SlowOperators.product(constant, $0) })
    },
    OperatorCase(name: "MatMul, one matrix for all channels", operators: ["MatMul"]) { model, _, _ in
        let mean = model.node("ReduceMean", ["image"], ["axes": [1]])
        let turned = model.node("Transpose", ["image"], ["perm": [0, 1, 3, 2]])
        return (
            model.node("MatMul", [turned, mean]),
            { image in
                let mean = SlowOperators.reduced(image, axes: [1], keep: true) { $0.reduce(0, +) / Double($0.count) }
                return SlowOperators.product(image.transposed([0, 1, 3, 2]), mean)
            }
        )
    },
    OperatorCase(name: "MatMul of one matrix by all channels", operators: ["MatMul"]) { model, _, _ in
        let mean = model.node("ReduceMean", ["image"], ["axes": [1]])
        let turned = model.node("Transpose", ["image"], ["perm": [0, 1, 3, 2]])
        return (
            model.node("MatMul", [mean, turned]),
            { image in
                let mean = SlowOperators.reduced(image, axes: [1], keep: true) { $0.reduce(0, +) / Double($0.count) }
                return SlowOperators.product(mean, image.transposed([0, 1, 3, 2]))
            }
        )
    },
    OperatorCase(name: "MatMul by a vector", operators: ["MatMul"]) { model, shape, random in
        let vector = model.random("vector", [shape[2]], &random)
        return (
            model.node("MatMul", ["image", "vector"]),
            { image in
                let column = SlowOperators.product(image, vector.reshaped([shape[2], 1]))
                return column.reshaped(Array(image.shape.dropLast()))
            }
        )
    },
    OperatorCase(name: "MatMul in six axes", operators: ["MatMul", "Reshape"], shapes: [[4, 6, 4], [8, 2, 6]]) {
        model, shape, _ in
        let split = [1, 2, shape[0] / 2, 2, shape[1] / 2, shape[2]]
        let parts = model.node("Reshape", ["image", model.integers(split)])
        let turned = model.node("Transpose", [parts], ["perm": [0, 3, 2, 1, 5, 4]])
        let wanted = model.node("Transpose", [parts], ["perm": [0, 3, 2, 1, 4, 5]])
        return (
            model.node("MatMul", [wanted, turned]),
            { image in
                let parts = image.reshaped(split)
                return SlowOperators.product(parts.transposed([0, 3, 2, 1, 4, 5]), parts.transposed([0, 3, 2, 1, 5, 4]))
            }
        )
    },
    OperatorCase(name: "Einsum of queries and keys", operators: ["Einsum"]) { model, shape, _ in
        let turned = model.node("Transpose", ["image"], ["perm": [0, 3, 2, 1]])
        // [1, c, h, w] and [1, w, h, c]: for each row the products of channels.
        return (
            model.node("Einsum", ["image", turned], ["equation": "b i h d, b d h j -> b h i j"]),
            { image in
                SlowTensor([1, shape[1], shape[0], shape[0]]) { index in
                    (0..<shape[2]).reduce(0.0) { sum, d in
                        sum + image.at([0, index[2], index[1], d]) * image.at([0, index[3], index[1], d])
                    }
                }
            }
        )
    },
    OperatorCase(name: "Einsum with a constant, axes left open", operators: ["Einsum"]) { model, shape, random in
        let constant = model.random("constant", [shape[0], 3], &random)
        return (
            model.node("Einsum", ["image", "constant"], ["equation": "bc...,co->b...o"]),
            { SlowOperators.product($0.transposed([0, 2, 3, 1]), constant) }
        )
    },
    OperatorCase(name: "Einsum of one tensor", operators: ["Einsum"]) { model, _, _ in
        (model.node("Einsum", ["image"], ["equation": "bchw->bwch"]), { $0.transposed([0, 3, 1, 2]) })
    },
]
