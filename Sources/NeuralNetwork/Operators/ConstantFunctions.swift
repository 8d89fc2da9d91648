import Foundation

/// `Mod`, `IsNaN` and `IsInf`, of constants.
struct ConstantTest: ShapeArithmetic {
    static let names = ["Mod", "IsNaN", "IsInf"]

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
        let results = pairs.map { x, y in isTruncated ? fmod(x, y) : x - (x / y).rounded(.down) * y }
        guard case .int = left.elements, case .int = right.elements else {
            return [HostTensor(results.map { Float($0) }, shape: shape)]
        }
        guard results.allSatisfy(\.isFinite) else { throw Refusal("divides by 0") }
        return [HostTensor(results.map { Int($0) }, shape: shape)]
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
