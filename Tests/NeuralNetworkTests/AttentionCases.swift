import Foundation
import TestSupport

private let microsoft = "com.microsoft"

/// Softmax (q · kᵀ / √channels + bias) · v, head by head; all [1, tokens, heads · channels].
private func attention(
    _ q: SlowTensor, _ k: SlowTensor, _ v: SlowTensor, heads: Int, scale: Double? = nil, isCausal: Bool = false,
    bias: SlowTensor? = nil
) -> SlowTensor {
    func apart(_ x: SlowTensor) -> SlowTensor {
        x.reshaped([1, x.shape[1], heads, x.shape[2] / heads]).transposed([0, 2, 1, 3])
    }
    let factor = scale ?? 1 / Double(q.shape[2] / heads).squareRoot()
    var scores = SlowOperators.product(apart(q), apart(k).transposed([0, 1, 3, 2])).map { $0 * factor }
    if let bias { scores = scores.combined(with: bias, +) }
    if isCausal { scores = SlowTensor(scores.shape) { $0[3] > $0[2] ? -1e9 : scores.at($0) } }
    let attended = SlowOperators.product(SlowOperators.softmax(scores, axis: 3), apart(v))
    return attended.transposed([0, 2, 1, 3]).reshaped([1, q.shape[1], v.shape[2]])
}

private func linear(_ x: SlowTensor, _ matrix: SlowTensor, _ bias: [Double]? = nil) -> SlowTensor {
    let product = SlowOperators.product(x, matrix)
    return SlowTensor(product.shape) { product.at($0) + (bias?[$0[$0.count - 1]] ?? 0) }
}

/// A case over tokens: the places of the picture, with its channels.
private func ofTokens(
    _ name: String, _ operators: [String], opset: Int = 17, shapes: [[Int]] = [[8, 3, 2], [4, 2, 5]],
    _ build:
        @escaping @Sendable (_ model: inout ModelBuilder, _ tokens: String, _ channels: Int, _ random: inout SeededGenerator) -> (
            output: String, slow: @Sendable (SlowTensor) -> SlowTensor
        )
) -> OperatorCase {
    OperatorCase(name: name, operators: operators, shapes: shapes, fitsOtherShapes: shapes.count > 1, opset: opset) {
        model, shape, random in
        let count = shape[1] * shape[2]
        let flat = model.node("Reshape", ["image", model.integers([1, shape[0], count])])
        let tokens = model.node("Transpose", [flat], ["perm": [0, 2, 1]])
        let (output, slow) = build(&model, tokens, shape[0], &random)
        return (output, { slow($0.reshaped([1, shape[0], count]).transposed([0, 2, 1])) })
    }
}

private let gelu: @Sendable (Double) -> Double = { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) }
private let geluOfTanh: @Sendable (Double) -> Double = { x in
    x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

private func function(
    _ type: String, hasBias: Bool, _ attributes: [String: ModelBuilder.Attribute] = [:],
    _ slow: @escaping @Sendable (Double) -> Double
) -> OperatorCase {
    ofTokens(type, ["com.microsoft.\(type)"], opset: 20) { model, tokens, channels, random in
        let bias = hasBias ? model.random("shift", [channels], &random) : nil
        let output = model.node(type, [tokens] + (hasBias ? ["shift"] : []), attributes, domain: microsoft)
        return (output, { x in (bias.map { x.combined(with: $0, +) } ?? x).map(slow) })
    }
}

/// - Parameter byMean: whether the mean is taken off, and a bias added.
private func normalizedSum(_ type: String, byMean: Bool) -> OperatorCase {
    ofTokens(type, ["com.microsoft.\(type)"]) { model, tokens, channels, random in
        let scale = model.random("gamma", [channels], &random)
        let shift =
            byMean ? model.random("beta", [channels], &random) : SlowTensor([channels], [Double](repeating: 0, count: channels))
        let added = model.random("added", [channels], &random)
        let twice = model.node("Mul", [tokens, model.weight("two", [], [2])])
        let inputs = [tokens, twice, "gamma"] + (byMean ? ["beta"] : []) + ["added"]
        model.node(type, inputs, ["epsilon": 1e-3], outputs: ["normal", "", "", "sum"], domain: microsoft)
        return (
            model.node("Add", ["normal", "sum"]),
            { x in
                let sum = x.map { 3 * $0 }.combined(with: added, +)
                let mean = SlowOperators.reduced(sum, axes: [2], keep: true) { byMean ? $0.reduce(0, +) / Double($0.count) : 0 }
                let apart = sum.combined(with: mean, -)
                let deviation = SlowOperators.reduced(apart, axes: [2], keep: true) {
                    ($0.reduce(0) { $0 + $1 * $1 } / Double($0.count) + 1e-3).squareRoot()
                }
                let normal = apart.combined(with: deviation, /).combined(with: scale, *).combined(with: shift, +)
                return normal.combined(with: sum, +)
            }
        )
    }
}

private func rootMeanSquare(_ type: String) -> OperatorCase {
    ofTokens(type, [type]) { model, tokens, channels, random in
        let scale = model.random("gamma", [channels], &random)
        return (
            model.node(type, [tokens, "gamma"], ["epsilon": 1e-3]),
            { x in
                let root = SlowOperators.reduced(x, axes: [2], keep: true) {
                    ($0.reduce(0) { $0 + $1 * $1 } / Double($0.count) + 1e-3).squareRoot()
                }
                return x.combined(with: root, /).combined(with: scale, *)
            }
        )
    }
}

let attentionCases: [OperatorCase] = [
    ofTokens("Attention that makes its own queries", ["com.microsoft.Attention"]) { model, tokens, channels, random in
        let matrix = model.random("qkv", [channels, 3 * channels], &random)
        let bias = model.random("qkv bias", [3 * channels], &random).values
        let output = model.node(
            "Attention", [tokens, "qkv", "qkv bias"], ["num_heads": 2, "unidirectional": 1], domain: microsoft)
        return (
            output,
            { x in
                let all = linear(x, matrix, bias)
                let parts = (0..<3).map { SlowOperators.sliced(all, axis: 2, start: $0 * channels, step: 1, count: channels) }
                return attention(parts[0], parts[1], parts[2], heads: 2, isCausal: true)
            }
        )
    },
    ofTokens("MultiHeadAttention with biases", ["com.microsoft.MultiHeadAttention"]) { model, tokens, channels, random in
        let (a, b) = (model.random("a", [channels, channels], &random), model.random("b", [channels, 2 * channels], &random))
        let bias = model.random("biases", [4 * channels], &random).values
        let (key, value) = (model.node("MatMul", [tokens, "a"]), model.node("MatMul", [tokens, "b"]))
        let output = model.node(
            "MultiHeadAttention", [tokens, key, value, "biases"], ["num_heads": 2, "scale": 0.3], domain: microsoft)
        return (
            output,
            { x in
                func shifted(_ x: SlowTensor, _ start: Int) -> SlowTensor {
                    SlowTensor(x.shape) { x.at($0) + bias[start + $0[2]] }
                }
                return attention(
                    shifted(x, 0), shifted(linear(x, a), channels), shifted(linear(x, b), 2 * channels), heads: 2, scale: 0.3)
            }
        )
    },
    ofTokens("Attention of operator set 23, three axes", ["Attention"], opset: 23, shapes: [[8, 3, 2]]) {
        model, tokens, channels, random in
        let bias = model.random("mask", [6, 6], &random)
        let output = model.node(
            "Attention", [tokens, tokens, tokens, "mask"], ["q_num_heads": 4, "kv_num_heads": 4])
        return (output, { attention($0, $0, $0, heads: 4, bias: bias) })
    },
    ofTokens("Attention of operator set 23, four axes", ["Attention"], opset: 23, shapes: [[8, 3, 2]]) {
        model, tokens, channels, _ in
        let heads = model.node("Reshape", [tokens, model.integers([1, 6, 2, 4])])
        let apart = model.node("Transpose", [heads], ["perm": [0, 2, 1, 3]])
        let attended = model.node("Attention", [apart, apart, apart], ["is_causal": 1])
        let together = model.node("Transpose", [attended], ["perm": [0, 2, 1, 3]])
        return (
            model.node("Reshape", [together, model.integers([1, 6, 8])]), { attention($0, $0, $0, heads: 2, isCausal: true) }
        )
    },
    function("Gelu", hasBias: false, [:], gelu), function("BiasGelu", hasBias: true, [:], gelu),
    function("FastGelu", hasBias: true, [:], geluOfTanh),
    function("QuickGelu", hasBias: false, ["alpha": 1.5]) { $0 / (1 + exp(-1.5 * $0)) },
    normalizedSum("SkipLayerNormalization", byMean: true), normalizedSum("SkipSimplifiedLayerNormalization", byMean: false),
    rootMeanSquare("SimplifiedLayerNormalization"), rootMeanSquare("RMSNormalization"),
    OperatorCase(name: "FusedConv", operators: ["com.microsoft.FusedConv"], shapes: [[3, 5, 6]], fitsOtherShapes: false) {
        model, shape, random in
        let weights = model.random("weight", [3, shape[0], 3, 3], &random)
        let bias = model.random("bias", [3], &random).values
        let window = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])
        let output = model.node(
            "FusedConv", ["image", "weight", "bias", "image"],
            ["pads": [1, 1, 1, 1], "activation": "LeakyRelu", "activation_params": .floats([0.25])], domain: microsoft)
        return (
            output,
            { image in
                SlowOperators.convolution(image, weights, bias, window).combined(with: image, +).map { $0 > 0 ? $0 : $0 / 4 }
            }
        )
    },
    OperatorCase(name: "FusedGemm", operators: ["com.microsoft.FusedGemm"], shapes: [[3, 2, 2]], fitsOtherShapes: false) {
        model, shape, random in
        let weights = model.random("weight", [5, 12], &random)
        let bias = model.random("bias", [5], &random).values
        let flat = model.node("Flatten", ["image"])
        let output = model.node(
            "FusedGemm", [flat, "weight", "bias"], ["transB": 1, "activation": "Relu"], domain: microsoft)
        return (output, { SlowOperators.linear($0.reshaped([1, 12]), weights, bias).map { max($0, 0) } })
    },
    OperatorCase(name: "FusedMatMul", operators: ["com.microsoft.FusedMatMul"], shapes: [[3, 4, 5]], fitsOtherShapes: false) {
        model, _, random in
        let weights = model.random("weight", [6, 4], &random)
        let output = model.node(
            "FusedMatMul", ["image", "weight"], ["transA": 1, "transB": 1, "alpha": 0.5], domain: microsoft)
        return (
            output,
            { image in
                SlowOperators.product(image.transposed([0, 1, 3, 2]), weights.transposed([1, 0])).map { $0 / 2 }
            }
        )
    },
]
