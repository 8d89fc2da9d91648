/// Attention in one operator as what it is made of: products, a softmax (Vaswani et al., "Attention Is All You Need", 2017,
/// https://arxiv.org/abs/1706.03762).
extension Expansion {
    /// Queries, keys and values, each [images, heads, tokens, channels].
    private struct Parts {
        var (query, key, value): (String, String, String)
        /// Of the queries and values, and how many tokens ask and are asked.
        var (heads, channels, valueChannels): (Int, Int, Int)
        var (images, tokens, others): (Int, Int, Int)
    }

    /// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Attention: one product makes queries, keys and
    /// values.
    mutating func packedAttention() throws {
        let (shape, weight) = (try operand(0).shape, try operand(1).shape)
        guard shape.count == 3, weight.count == 2 else { throw Refusal("attends over tensors of shapes \(shape) and \(weight)") }
        try refuse([(3, "a mask"), (4, "what was before (past)")])
        let third = weight[1] / 3
        let sizes = reader.ints("qkv_hidden_sizes") ?? [third, third, third]
        guard sizes.count == 3, sizes.allSatisfy({ (1...weight[1]).contains($0) }), sizes.reduce(0, +) == weight[1] else {
            throw Refusal("parts \(weight[1]) channels into \(sizes)")
        }
        var product = add("MatMul", [input(0), input(1)])
        if has(2) { product = add("Add", [product, input(2)]) }
        let parts = addSplit(product, axis: 2, sizes: sizes)
        try attend(parts, [shape, shape, shape], sizes, bias: 5)
    }

    /// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention
    mutating func multiHeadAttention() throws {
        try refuse([(4, "a mask of keys"), (6, "keys from before (past)"), (7, "values from before (past)")])
        let shape = try operand(0).shape
        guard shape.count == 3, has(1), has(2) else {
            throw Refusal("attends with queries of shape \(shape) that keys or values are packed with; neurodex reads them apart")
        }
        let shapes = try (0..<3).map { try operand($0).shape }
        guard shapes.allSatisfy({ $0.count == 3 }) else { throw Refusal("attends over tensors of shapes \(shapes)") }
        let sizes = shapes.map { $0[2] }
        var parts = Array(node.input.prefix(3))
        if has(3) {
            let biases = addSplit(input(3), axis: 0, sizes: sizes)
            parts = zip(parts, biases).map { add("Add", [$0, $1]) }
        }
        try attend(parts, shapes, sizes, bias: 5)
    }

    /// https://onnx.ai/onnx/operators/onnx__Attention.html
    mutating func attention() throws {
        try refuse([(4, "keys from before (past)"), (5, "values from before (past)")])
        guard reader.float("softcap", default: 0) == 0, node.output.dropFirst().allSatisfy(\.isEmpty) else {
            throw Refusal("caps its scores, or gives more than what it attends to; neurodex reads it with one output alone")
        }
        let shapes = try (0..<3).map { try operand($0).shape }
        let heads = (
            shapes[0].count == 4 ? shapes[0][1] : reader.int("q_num_heads", default: 0),
            shapes[1].count == 4 ? shapes[1][1] : reader.int("kv_num_heads", default: 0)
        )
        guard heads.0 > 0, heads.0 == heads.1, shapes.allSatisfy({ [3, 4].contains($0.count) && $0.count == shapes[0].count })
        else {
            throw Refusal(
                "attends by \(heads.0) heads of queries and \(heads.1) of keys over shapes \(shapes); neurodex reads it with one head of keys for each of queries"
            )
        }
        if shapes[0].count == 3 {
            return try attend(Array(node.input.prefix(3)), shapes, shapes.map { $0[2] }, heads: heads.0, bias: 3)
        }
        let parts = Parts(
            query: input(0), key: input(1), value: input(2), heads: heads.0, channels: shapes[0][3], valueChannels: shapes[2][3],
            images: shapes[0][0], tokens: shapes[0][2], others: shapes[1][2])
        try attend(parts, bias: 3, output: 0)
    }

    private func refuse(_ inputs: [(index: Int, what: String)]) throws {
        if let given = inputs.first(where: { has($0.index) }) {
            throw Refusal("takes \(given.what); neurodex reads attention over the whole of one picture's tokens")
        }
    }

    /// Of tokens [images, tokens, heads · channels].
    private mutating func attend(
        _ parts: [String], _ shapes: [[Int]], _ sizes: [Int], heads given: Int? = nil, bias: Int
    ) throws {
        let heads = given ?? reader.int("num_heads", default: 0)
        guard heads > 0, sizes.allSatisfy({ $0.isMultiple(of: heads) }) else {
            throw Refusal("has \(heads) heads for \(sizes) channels")
        }
        let apart = parts.indices.map { index in
            transpose(
                reshape(parts[index], to: [shapes[index][0], shapes[index][1], heads, sizes[index] / heads]), [0, 2, 1, 3])
        }
        let all = Parts(
            query: apart[0], key: apart[1], value: apart[2], heads: heads, channels: sizes[0] / heads,
            valueChannels: sizes[2] / heads, images: shapes[0][0], tokens: shapes[0][1], others: shapes[1][1])
        let attended = transpose(try attend(all, bias: bias, output: nil), [0, 2, 1, 3])
        _ = reshape(attended, to: [all.images, all.tokens, sizes[2]], output: 0)
    }

    /// - Parameter bias: the input that is added to the scores.
    @discardableResult
    private mutating func attend(_ parts: Parts, bias: Int, output: Int?) throws -> String {
        let scale = reader.float("scale", default: 0)
        let factor = constant(scale > 0 ? scale : 1 / Float(parts.channels).squareRoot())
        let keys = transpose(parts.key, [0, 1, 3, 2])
        var scores = add("MatMul", [add("Mul", [parts.query, factor]), keys])
        if has(bias) {
            let mask = try operand(bias)
            guard mask.type != .bool else {
                throw Refusal("takes a mask of yes and no; neurodex reads one that is added to the scores")
            }
            scores = add("Add", [scores, input(bias)])
        }
        if reader.int("unidirectional", default: 0) != 0 || reader.int("is_causal", default: 0) != 0 {
            guard parts.tokens <= 1 << 12, parts.others <= 1 << 12 else {
                throw Refusal("lets \(parts.tokens) tokens see those before them alone; neurodex reads that of up to 4096")
            }
            let values = (0..<parts.tokens * parts.others).map { index -> Float in
                index % parts.others > index / parts.others ? -1e9 : 0
            }
            scores = add("Add", [scores, constant(HostTensor(values, shape: [1, 1, parts.tokens, parts.others]))])
        }
        return add("MatMul", [add("Softmax", [scores], [.int("axis", -1)]), parts.value], output: output)
    }
}
