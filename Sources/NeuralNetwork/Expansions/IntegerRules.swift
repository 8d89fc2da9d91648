extension Expansion {
    /// Networks of integers in the operators of the QOperator format, as the same with DequantizeLinear before and QuantizeLinear after an
    /// ordinary operator, and what is quantised for each picture (`DynamicQuantizeLinear`).
    ///
    /// https://onnx.ai/onnx/operators/ under each of the names; those of com.microsoft:
    /// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
    static let integerRules: [String: Rule] = [
        "QLinearConv": { try $0.quantizedConvolution() },
        "QLinearMatMul": { try $0.quantizedProduct() },
        "ConvInteger": { try $0.convolutionOfIntegers() },
        "MatMulInteger": { try $0.productOfIntegers() },
        "DynamicQuantizeLinear": { try $0.quantizationByRange() },
        "com.microsoft.QGemm": { try $0.quantizedGemm() },
        "com.microsoft.QLinearAdd": { $0.quantizedPair("Add") },
        "com.microsoft.QLinearMul": { $0.quantizedPair("Mul") },
        "com.microsoft.QLinearSigmoid": { $0.quantizedFunction("Sigmoid", []) },
        "com.microsoft.QLinearLeakyRelu": {
            $0.quantizedFunction("LeakyRelu", [.float("alpha", $0.reader.float("alpha", default: 0.01))])
        },
        "com.microsoft.QLinearGlobalAveragePool": { try $0.quantizedPooling("GlobalAveragePool", []) },
        "com.microsoft.QLinearAveragePool": { try $0.quantizedPooling("AveragePool", $0.node.attribute) },
        "com.microsoft.QLinearConcat": { $0.quantizedConcatenation() },
    ]

    /// The numbers of input `index`, whose scale and zero point follow at `grid`.
    private mutating func dequantized(_ index: Int, grid: Int, axis: Int? = nil) -> String {
        add("DequantizeLinear", [input(index), input(grid), input(grid + 1)], axis.map { [.int("axis", $0)] } ?? [])
    }

    private mutating func quantized(_ value: String, grid: Int) {
        add("QuantizeLinear", [value, input(grid), input(grid + 1)], output: 0)
    }

    /// A bias of integers, in steps of the product of the scales of input and weight.
    private mutating func bias(_ index: Int, _ scales: (Int, Int)) throws -> [String] {
        guard has(index) else { return [] }
        guard let values = try operand(index).constant?.floats, let input = try operand(scales.0).constant?.floats.first,
            let weight = try operand(scales.1).constant?.floats
        else { throw Refusal("its bias and scales must be constants") }
        guard weight.count == 1 || weight.count == values.count else {
            throw Refusal("has \(weight.count) scales of its weight for \(values.count) outputs")
        }
        let numbers = values.enumerated().map { $1 * input * weight[weight.count == 1 ? 0 : $0] }
        return [constant(HostTensor(numbers, shape: [numbers.count]))]
    }

    private mutating func quantizedConvolution() throws {
        let (image, weight) = (dequantized(0, grid: 1), dequantized(3, grid: 4, axis: 0))
        quantized(add("Conv", [image, weight] + (try bias(8, (1, 4))), node.attribute), grid: 6)
    }

    private mutating func quantizedProduct() throws {
        let perColumn = try operand(4).constant?.count ?? 1 > 1
        let (left, right) = (dequantized(0, grid: 1), dequantized(3, grid: 4, axis: perColumn ? -1 : nil))
        quantized(add("MatMul", [left, right]), grid: 6)
    }

    private mutating func quantizedGemm() throws {
        let rows = reader.int("transB", default: 0) != 0
        let (left, right) = (dequantized(0, grid: 1), dequantized(3, grid: 4, axis: rows ? 0 : 1))
        let product = add("Gemm", [left, right] + (try bias(6, (1, 4))), node.attribute)
        guard has(7) else {
            add("Identity", [product], output: 0)
            return
        }
        quantized(product, grid: 7)
    }

    private mutating func quantizedPair(_ type: String) {
        let (left, right) = (dequantized(0, grid: 1), dequantized(3, grid: 4))
        quantized(add(type, [left, right]), grid: 6)
    }

    private mutating func quantizedFunction(_ type: String, _ attributes: [ONNXAttributeProto]) {
        quantized(add(type, [dequantized(0, grid: 1)], attributes), grid: 3)
    }

    private mutating func quantizedPooling(_ type: String, _ attributes: [ONNXAttributeProto]) throws {
        guard reader.int("channels_last", default: 0) == 0 else {
            throw Refusal("pools a map with its channels last; neurodex reads it with channels first")
        }
        let kept = attributes.filter { $0.name != "channels_last" }
        quantized(add(type, [dequantized(0, grid: 1)], kept), grid: 3)
    }

    private mutating func quantizedConcatenation() {
        let parts = stride(from: 2, to: node.input.count - 2, by: 3).map { dequantized($0, grid: $0 + 1) }
        quantized(add("Concat", parts, node.attribute), grid: 0)
    }

    /// Integers as numbers, less their zero point.
    /// - Parameter shape: that the zero point is given, where there is one for each place.
    private mutating func shifted(_ index: Int, zero: Int, _ shape: ((Int) -> [Int])? = nil) throws -> String {
        let numbers = add("Cast", [input(index)], [.int("to", 1)])
        guard has(zero) else { return numbers }
        var shift = add("Cast", [input(zero)], [.int("to", 1)])
        let count = try operand(zero).shape.product
        if let shape, count > 1 { shift = reshape(shift, to: shape(count)) }
        return add("Sub", [numbers, shift])
    }

    private mutating func convolutionOfIntegers() throws {
        let image = try shifted(0, zero: 2)
        let rank = try operand(1).shape.count
        let weight = try shifted(1, zero: 3) { [$0] + [Int](repeating: 1, count: max(rank - 1, 0)) }
        add("Conv", [image, weight], node.attribute, output: 0)
    }

    private mutating func productOfIntegers() throws {
        let rank = try operand(0).shape.count
        let left = try shifted(0, zero: 2) { [Int](repeating: 1, count: max(rank - 2, 0)) + [$0, 1] }
        add("MatMul", [left, try shifted(1, zero: 3)], output: 0)
    }

    /// By the smallest and largest number of a picture's values. What rounds is taken for the identity on the way back.
    private mutating func quantizationByRange() throws {
        let rank = try operand(0).shape.count
        let axes = constant(Array((rank > 1 ? 1 : 0)..<rank))
        let zero = constant(0)
        let top = add("Max", [add("ReduceMax", [input(0), axes]), zero])
        let bottom = add("Min", [add("ReduceMin", [input(0), axes]), zero])
        let wide = add("Sub", [top, bottom])
        // A picture of zeros has no range.
        let scale = add("Max", [add("Div", [wide, constant(255)]), constant(1e-30)])
        let passing: [ONNXAttributeProto] = [.int(Rounding.passing, 1)]
        // A difference, as a sum of activations would be a layer.
        let below = add("Round", [add("Div", [bottom, scale])], passing)
        let start = add("Neg", [below])
        let steps = add("Sub", [add("Round", [add("Div", [input(0), scale])], passing), below])
        add("Clip", [steps, constant(0), constant(255)], output: 0)
        let one = [Int](repeating: 1, count: rank)
        if node.output.count > 1 { _ = reshape(scale, to: one, output: 1) }
        if node.output.count > 2 { _ = reshape(start, to: one, output: 2) }
    }
}
