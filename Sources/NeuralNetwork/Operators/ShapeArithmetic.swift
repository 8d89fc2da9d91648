import Foundation

/// `Equal`, `Less`, `Greater`, `And`, `Or` of two numbers that are known before any image is seen: 1 or 0.
struct Comparison: ShapeArithmetic {
    static let names = ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or"]

    private let holds: @Sendable (Double, Double) -> Bool

    init(_ node: NodeReader) throws {
        switch node.operatorType {
        case "Equal": holds = { $0 == $1 }
        case "Less": holds = { $0 < $1 }
        case "LessOrEqual": holds = { $0 <= $1 }
        case "Greater": holds = { $0 > $1 }
        case "GreaterOrEqual": holds = { $0 >= $1 }
        case "And": holds = { $0 != 0 && $1 != 0 }
        default: holds = { $0 != 0 || $1 != 0 }
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count == 2, let a = inputs[0], let b = inputs[1] else { return nil }
        let shape = try Arithmetic.broadcast(a.shape, b.shape)
        let (left, right) = (try a.repeated(to: shape).numbers, try b.repeated(to: shape).numbers)
        return [HostTensor(zip(left, right).map { holds($0, $1) ? 1 : 0 }, shape: shape)]
    }
}

/// https://onnx.ai/onnx/operators/onnx__Not.html
struct Negation: ShapeArithmetic {
    static let names = ["Not"]

    init(_ node: NodeReader) throws {}

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        inputs[0].map { [HostTensor($0.numbers.map { $0 == 0 ? 1 : 0 }, shape: $0.shape)] }
    }
}

/// https://onnx.ai/onnx/operators/onnx__Where.html
struct Selection: ShapeArithmetic {
    static let names = ["Where"]

    init(_ node: NodeReader) throws {}

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count == 3, let condition = inputs[0], let a = inputs[1], let b = inputs[2] else { return nil }
        let shape = try Arithmetic.broadcast(condition.shape, try Arithmetic.broadcast(a.shape, b.shape))
        let chosen = try condition.repeated(to: shape).numbers
        let (left, right) = (try a.repeated(to: shape), try b.repeated(to: shape))
        if case .int(let x) = left.elements, case .int(let y) = right.elements {
            return [HostTensor(chosen.indices.map { chosen[$0] != 0 ? x[$0] : y[$0] }, shape: shape)]
        }
        let (x, y) = (left.floats, right.floats)
        return [HostTensor(chosen.indices.map { chosen[$0] != 0 ? x[$0] : y[$0] }, shape: shape)]
    }
}

/// https://onnx.ai/onnx/operators/onnx__Range.html
struct RangeOfNumbers: ShapeArithmetic {
    static let names = ["Range"]

    init(_ node: NodeReader) throws {}

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        let numbers = inputs.compactMap { $0?.numbers.first }
        guard numbers.count == 3, numbers[2] != 0 else { throw Refusal("counts from, to and by \(numbers)") }
        let count: Double = max(0, ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up))
        // Of sizes and places, of which there are at most as many as a map has cells.
        guard count <= 0x1p20 else { throw Refusal("counts \(count) numbers") }
        let values: [Double] = (0..<Int(count)).map { numbers[0] + Double($0) * numbers[2] }
        let areIntegers = inputs.allSatisfy { if case .int = $0?.elements { true } else { false } }
        return [
            areIntegers
                ? HostTensor(values.map { Int($0) }, shape: [values.count])
                : HostTensor(values.map { Float($0) }, shape: [values.count])
        ]
    }
}

/// `Floor`, `Ceil` and `Round` of numbers that are known before any image is seen, as exporters write them for sizes.
struct Rounding: ShapeArithmetic {
    static let names = ["Floor", "Ceil", "Round"]

    private let rule: FloatingPointRoundingRule

    init(_ node: NodeReader) throws {
        rule = ["Floor": .down, "Ceil": .up][node.operatorType] ?? .toNearestOrEven
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        inputs[0].map { [HostTensor($0.floats.map { $0.rounded(rule) }, shape: $0.shape)] }
    }
}

/// `Expand`: a tensor repeated along axes of extent 1, of constants or activations.
///
/// https://onnx.ai/onnx/operators/onnx__Expand.html
struct Expand: Operator {
    static let names = ["Expand"]

    var passage: Passage { .repeated }

    private let target: [Int]

    init(_ node: NodeReader) throws {
        guard let shape = try node.requiredConstant(1, "shape").integers else { throw Refusal("its shape are not integers") }
        target = shape
    }

    private func shape(from shape: [Int]) throws -> [Int] { try Arithmetic.broadcast(shape, target) }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let (source, result) = (inputs.first??.shape ?? [], try shape(from: inputs.first??.shape ?? []))
        guard result.count == source.count, result.first == source.first else {
            throw Refusal("makes shape \(result) of \(source), which mixes the images of a batch")
        }
        return [result]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        try inputs[0].map { [try $0.repeated(to: try shape(from: $0.shape))] }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        guard let input = node.inputs[0] else { throw Refusal("has no input") }
        let shape = try shape(from: program.location(input, in: nil).shape)
        program.alias(node.outputs[0], of: try program.expanded(input, to: shape))
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            if target.shape == gradient.shape { program.copy(gradient, to: target) } else { program.sum(gradient, to: target) }
        }
    }
}

extension HostTensor {
    /// The elements as numbers, whatever their type.
    var numbers: [Double] {
        switch elements {
        case .float(let values): values.map { Double($0) }
        case .int(let values): values.map { Double($0) }
        }
    }

    /// Broadcast to `shape`, which it must fit.
    /// - Throws: `Refusal` where that is too large.
    func repeated(to shape: [Int]) throws -> HostTensor {
        guard HostTensor.isReasonable(shape), shape.product <= max(count, 1 << 24) else {
            throw Refusal("would make a constant of shape \(shape)")
        }
        return expanded(to: shape)
    }
}
