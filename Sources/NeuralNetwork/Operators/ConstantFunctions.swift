import Foundation

/// Functions of one number that no CNN has been met with but on constants: positions of an embedding, a mask.
///
/// https://onnx.ai/onnx/operators/ under each of the names.
struct ConstantFunction: ShapeArithmetic {
    private static let functions: [String: @Sendable (Double) -> Double] = [
        "Sin": { sin($0) }, "Cos": { cos($0) }, "Tan": { tan($0) }, "Asin": { asin($0) }, "Acos": { acos($0) },
        "Atan": { atan($0) }, "Sinh": { sinh($0) }, "Cosh": { cosh($0) }, "Asinh": { asinh($0) }, "Acosh": { acosh($0) },
        "Atanh": { atanh($0) }, "Sign": { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
    ]
    static let names = functions.keys.sorted()

    private let function: @Sendable (Double) -> Double

    init(_ node: NodeReader) throws {
        guard let function = Self.functions[node.operatorType] else { throw Refusal("is no function of one number") }
        self.function = function
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        if case .int = tensor.elements { return [HostTensor(tensor.numbers.map { Int(function($0)) }, shape: tensor.shape)] }
        return [HostTensor(tensor.floats.map { Float(function(Double($0))) }, shape: tensor.shape)]
    }
}

/// `Mod`, `Xor`, `IsNaN` and `IsInf`, of constants.
struct ConstantTest: ShapeArithmetic {
    static let names = ["Mod", "Xor", "IsNaN", "IsInf"]

    private let name: String
    /// Whether the remainder has the sign of the dividend, as in C; else of the divisor, as in Python.
    private let isTruncated: Bool

    init(_ node: NodeReader) throws {
        name = node.operatorType
        isTruncated = node.int("fmod", default: 0) != 0
    }

    func type(_ inputs: [Operand?]) -> ElementType { name == "Mod" ? inputs.first??.type ?? .float : .bool }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let a = inputs[0] else { return nil }
        guard inputs.count > 1, let b = inputs[1] else {
            let test: (Double) -> Bool = name == "IsNaN" ? { $0.isNaN } : { $0.isInfinite }
            return [HostTensor(a.numbers.map { test($0) ? 1 : 0 }, shape: a.shape)]
        }
        let shape = try Arithmetic.broadcast(a.shape, b.shape)
        let (left, right) = (try a.repeated(to: shape), try b.repeated(to: shape))
        let pairs = zip(left.numbers, right.numbers)
        if name == "Xor" { return [HostTensor(pairs.map { ($0 != 0) != ($1 != 0) ? 1 : 0 }, shape: shape)] }
        let results = pairs.map { x, y in isTruncated ? fmod(x, y) : x - (x / y).rounded(.down) * y }
        guard case .int = left.elements, case .int = right.elements else {
            return [HostTensor(results.map { Float($0) }, shape: shape)]
        }
        guard results.allSatisfy(\.isFinite) else { throw Refusal("divides by 0") }
        return [HostTensor(results.map { Int($0) }, shape: shape)]
    }
}

/// `Tile`: a constant, so many times along each axis.
///
/// https://onnx.ai/onnx/operators/onnx__Tile.html
struct Tile: ShapeArithmetic {
    static let names = ["Tile"]

    private let repeats: [Int]

    init(_ node: NodeReader) throws {
        guard let repeats = try node.requiredConstant(1, "repeats").integers else {
            throw Refusal("its repeats are not integers")
        }
        self.repeats = repeats
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        guard repeats.count == tensor.shape.count, repeats.allSatisfy({ (0..<1 << 28).contains($0) }) else {
            throw Refusal("repeats \(repeats) times along the axes of shape \(tensor.shape)")
        }
        let shape = zip(tensor.shape, repeats).map { $0 * $1 }
        guard HostTensor.isReasonable(shape), shape.product <= 1 << 24 else {
            throw Refusal("would make a constant of shape \(shape)")
        }
        var offsets = [0]
        for (axis, stride) in tensor.shape.rowMajorStrides.enumerated() {
            let places = (0..<shape[axis]).map { $0 % tensor.shape[axis] * stride }
            offsets = offsets.flatMap { base in places.map { base + $0 } }
        }
        return [tensor.gathered(offsets, shape: shape)]
    }
}

/// The number of elements. https://onnx.ai/onnx/operators/onnx__Size.html
struct SizeOf: ShapeArithmetic {
    static let names = ["Size"]

    init(_ node: NodeReader) throws {}

    func type(_ inputs: [Operand?]) -> ElementType { .int64 }
    func evaluate(shapesOf inputs: [Operand?]) throws -> [HostTensor]? {
        [HostTensor([(inputs.first??.shape ?? []).product], shape: [])]
    }
}

/// Sums up to each place along an axis of a constant. https://onnx.ai/onnx/operators/onnx__CumSum.html
struct CumulativeSum: ShapeArithmetic {
    static let names = ["CumSum"]

    private let axis: Int
    private let (isExclusive, isReversed): (Bool, Bool)

    init(_ node: NodeReader) throws {
        axis = try node.requiredConstant(1, "axis").integers?.first ?? 0
        (isExclusive, isReversed) = (node.int("exclusive", default: 0) != 0, node.int("reverse", default: 0) != 0)
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let axis = axis < 0 ? axis + tensor.shape.count : axis
        guard tensor.shape.indices.contains(axis) else { throw Refusal("adds up along axis \(axis) of shape \(tensor.shape)") }
        let (values, stride, extent) = (tensor.numbers, tensor.shape.rowMajorStrides[axis], tensor.shape[axis])
        var sums = values
        for start in values.indices where start / stride % extent == 0 {
            var sum = 0.0
            for step in 0..<extent {
                let index = start + (isReversed ? extent - 1 - step : step) * stride
                sums[index] = isExclusive ? sum : sum + values[index]
                sum += values[index]
            }
        }
        if case .int = tensor.elements { return [HostTensor(sums.map { Int($0) }, shape: tensor.shape)] }
        return [HostTensor(sums.map { Float($0) }, shape: tensor.shape)]
    }
}

/// `Gemm` and `MatMul` of two constants, by their definitions.
struct ConstantProduct: Operator {
    static let names: [String] = []

    private let isGemm: Bool
    private let (alpha, beta): (Float, Float)
    private let (transposesA, transposesB): (Bool, Bool)

    init(_ node: NodeReader) throws {
        isGemm = node.operatorType == "Gemm"
        (alpha, beta) = isGemm ? (node.float("alpha", default: 1), node.float("beta", default: 1)) : (1, 1)
        (transposesA, transposesB) = (
            isGemm && node.int("transA", default: 0) != 0, isGemm && node.int("transB", default: 0) != 0
        )
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { throw Refusal("multiplies constants only here") }
    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws { throw Refusal("multiplies constants only here") }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count > 1, var a = inputs[0], var b = inputs[1] else { return nil }
        let (isRow, isColumn) = (a.shape.count == 1, b.shape.count == 1)
        if isRow { a = a.reshaped([1] + a.shape) }
        if isColumn { b = b.reshaped(b.shape + [1]) }
        guard a.shape.count >= 2, b.shape.count >= 2 else { throw Refusal("multiplies shapes \(a.shape) and \(b.shape)") }
        if transposesA { a = a.transposed([1, 0]) }
        if transposesB { b = b.transposed([1, 0]) }
        var result = try product(a, b)
        if isGemm, inputs.count > 2, let bias = inputs[2] {
            let shape = try Arithmetic.broadcast(result.shape, bias.shape)
            let values = zip(result.floats, bias.expanded(to: shape).floats).map { alpha * $0 + beta * $1 }
            result = HostTensor(values, shape: shape)
        } else if alpha != 1 {
            result = HostTensor(result.floats.map { $0 * alpha }, shape: result.shape)
        }
        if isColumn { result.shape.removeLast() }
        if isRow { result.shape.remove(at: result.shape.count - (isColumn ? 1 : 2)) }
        guard case .int = a.elements, case .int = b.elements, let integers = result.integers else { return [result] }
        return [HostTensor(integers, shape: result.shape)]
    }

    /// Of matrices, those of the axes before broadcast against each other.
    private func product(_ a: HostTensor, _ b: HostTensor) throws -> HostTensor {
        let (rows, inner, columns) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
        let outer = try Arithmetic.broadcast(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
        let shape = outer + [rows, columns]
        guard inner == b.shape[b.shape.count - 2], HostTensor.isReasonable(shape),
            Double(shape.product) * Double(inner) <= 0x1p32
        else {
            throw Refusal("multiplies constants of shapes \(a.shape) and \(b.shape)")
        }
        let x = a.expanded(to: outer + [rows, inner]).floats
        let y = b.expanded(to: outer + [inner, columns]).floats
        var values = [Float](repeating: 0, count: shape.product)
        for index in values.indices {
            let (row, column) = (index / columns, index % columns)
            let start = row / rows * inner * columns + column
            var sum = 0.0
            for step in 0..<inner { sum += Double(x[row * inner + step]) * Double(y[start + step * columns]) }
            values[index] = Float(sum)
        }
        return HostTensor(values, shape: shape)
    }
}
