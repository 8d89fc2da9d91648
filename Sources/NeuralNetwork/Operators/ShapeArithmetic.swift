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
