extension Expansion {
    /// Operators that optimisers make of several, written out again; those of com.microsoft:
    /// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
    static let fusedRules: [String: Rule] = [
        "com.microsoft.FusedConv": { try $0.fusedConvolution() },
        "com.microsoft.FusedGemm": { try $0.fusedGemm() },
        "com.microsoft.FusedMatMul": { try $0.fusedProduct() },
        "com.microsoft.Gelu": { $0.add("Gelu", [$0.input(0)], output: 0) },
        "com.microsoft.BiasGelu": { $0.add("Gelu", [$0.add("Add", [$0.input(0), $0.input(1)])], output: 0) },
        "com.microsoft.FastGelu": { $0.fastGelu() },
        "com.microsoft.QuickGelu": {
            $0.add("Swish", [$0.input(0)], [.float("alpha", $0.reader.float("alpha", default: 1.702))], output: 0)
        },
        "com.microsoft.SkipLayerNormalization": { try $0.normalizedSum(byMean: true) },
        "com.microsoft.SkipSimplifiedLayerNormalization": { try $0.normalizedSum(byMean: false) },
        "SimplifiedLayerNormalization": { try $0.normalizedBySquares($0.input(0), scale: $0.input(1), epsilon: 1e-5) },
        "RMSNormalization": { try $0.normalizedBySquares($0.input(0), scale: $0.input(1), epsilon: 1e-5) },
        "com.microsoft.Attention": { try $0.packedAttention() },
        "com.microsoft.MultiHeadAttention": { try $0.multiHeadAttention() },
        "Attention": { try $0.attention() },
    ]

    /// The activation function that a fused operator names.
    private mutating func activate(_ value: String) throws {
        let name = reader.string("activation", default: "")
        let numbers = reader.floats("activation_params") ?? []
        let alpha = numbers.first ?? reader.float("activation_alpha", default: 0.01)
        switch name {
        case "": add("Identity", [value], output: 0)
        case "Relu", "Tanh", "Sigmoid": add(name, [value], output: 0)
        case "LeakyRelu": add(name, [value], [.float("alpha", alpha)], output: 0)
        case "HardSigmoid" where numbers.count == 2:
            add(name, [value], [.float("alpha", numbers[0]), .float("beta", numbers[1])], output: 0)
        case "Clip" where numbers.count == 2:
            let (low, high) = (constant(numbers[0]), constant(numbers[1]))
            add(name, [value, low, high], output: 0)
        default: throw Refusal("has the activation function '\(name)' fused into it, which neurodex does not read there")
        }
    }

    private mutating func fusedConvolution() throws {
        let own = node.attribute.filter { !$0.name.hasPrefix("activation") }
        let map = add("Conv", Array(node.input.prefix(3)), own)
        try activate(has(3) ? add("Add", [map, input(3)]) : map)
    }

    private mutating func fusedGemm() throws {
        try activate(add("Gemm", node.input, node.attribute.filter { !$0.name.hasPrefix("activation") }))
    }

    private mutating func fusedProduct() throws {
        guard reader.int("transBatchA", default: 0) == 0, reader.int("transBatchB", default: 0) == 0 else {
            throw Refusal("moves the batch axis (transBatchA or transBatchB)")
        }
        var factors: [String] = []
        for (index, name) in ["transA", "transB"].enumerated() {
            let rank = try operand(index).shape.count
            let isTurned = reader.int(name, default: 0) != 0 && rank > 1
            let axes = Array(0..<max(rank - 2, 0)) + [rank - 1, rank - 2]
            factors.append(isTurned ? transpose(input(index), axes) : input(index))
        }
        let alpha = reader.float("alpha", default: 1)
        let product = add("MatMul", factors, output: alpha == 1 ? 0 : nil)
        if alpha != 1 { add("Mul", [product, constant(alpha)], output: 0) }
    }

    private mutating func fastGelu() {
        let shifted = has(1) ? add("Add", [input(0), input(1)]) : input(0)
        add("Gelu", [shifted], [.string("approximate", "tanh")], output: 0)
    }

    /// Input 0 plus input 1 (plus a bias), normalised; output 3 is the sum.
    private mutating func normalizedSum(byMean: Bool) throws {
        let bias = byMean ? 4 : 3
        let sum = has(bias) ? add("Add", [input(0), input(1)]) : input(0)
        let total = add("Add", [sum, input(has(bias) ? bias : 1)], output: 3)
        guard byMean else { return try normalizedBySquares(total, scale: input(2), epsilon: 1e-12) }
        let epsilon = reader.float("epsilon", default: 1e-12)
        add("LayerNormalization", [total, input(2), input(3)], [.float("epsilon", epsilon), .int("axis", -1)], output: 0)
    }

    /// x / √(mean x² + ε) · scale along the last axis (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019,
    /// https://arxiv.org/abs/1910.07467).
    private mutating func normalizedBySquares(_ value: String, scale: String, epsilon: Float) throws {
        let rank = try operand(0).shape.count
        let axis = reader.int("axis", default: -1)
        guard axis == -1 || axis == rank - 1 else {
            throw Refusal("normalises from axis \(axis) on; neurodex reads it over the last axis")
        }
        let mean = add("ReduceMean", [add("Mul", [value, value]), constant([-1])])
        let root = add("Sqrt", [add("Add", [mean, constant(reader.float("epsilon", default: epsilon))])])
        add("Mul", [add("Div", [value, root]), scale], output: 0)
    }
}
