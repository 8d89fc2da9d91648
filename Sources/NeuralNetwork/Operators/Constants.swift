/// https://onnx.ai/onnx/operators/onnx__Constant.html
struct ConstantNode: ShapeArithmetic {
    static let names = ["Constant"]

    private let value: HostTensor
    private let type: ElementType

    init(_ node: NodeReader) throws {
        type = try node.tensorType("value") ?? (node.has("value_int") || node.has("value_ints") ? .int64 : .float)
        if let tensor = try node.tensor("value") {
            value = tensor
        } else if let floats = node.floats("value_floats"), node.has("value_floats") {
            value = HostTensor(floats, shape: [floats.count])
        } else if let ints = node.ints("value_ints"), node.has("value_ints") {
            value = HostTensor(ints, shape: [ints.count])
        } else if node.has("value_float") {
            value = HostTensor([node.float("value_float", default: 0)], shape: [])
        } else if node.has("value_int") {
            value = HostTensor([node.int("value_int", default: 0)], shape: [])
        } else {
            throw Refusal(
                "holds no tensor of numbers\(node.attributeNames.isEmpty ? "" : ", but \(node.attributeNames.joined(separator: ", "))")"
            )
        }
    }

    func type(_ inputs: [Operand?]) -> ElementType { type }
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? { [value] }
}

/// https://onnx.ai/onnx/operators/onnx__Shape.html, of one image.
struct ShapeOf: ShapeArithmetic {
    static let names = ["Shape"]

    private let start: Int
    private let end: Int

    init(_ node: NodeReader) throws {
        start = node.int("start", default: 0)
        end = node.int("end", default: .max)
    }

    func evaluate(shapesOf inputs: [Operand?]) throws -> [HostTensor]? {
        let shape = inputs.first??.shape ?? []
        func place(_ value: Int) -> Int { min(max(value < 0 ? max(value, -shape.count) + shape.count : value, 0), shape.count) }
        let extents = place(start) < place(end) ? Array(shape[place(start)..<place(end)]) : []
        return [HostTensor(extents, shape: [extents.count])]
    }
}

/// https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html
struct ConstantOfShape: ShapeArithmetic {
    static let names = ["ConstantOfShape"]

    private let value: HostTensor

    init(_ node: NodeReader) throws { value = try node.tensor("value") ?? HostTensor([Float(0)], shape: [1]) }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let shape = inputs[0]?.integers, HostTensor.isReasonable(shape), shape.product <= 1 << 24, value.count == 1 else {
            throw Refusal("cannot make a tensor of shape \(inputs[0]?.integers ?? [])")
        }
        return [value.gathered([Int](repeating: 0, count: shape.product), shape: shape)]
    }
}

/// https://onnx.ai/onnx/operators/onnx__Cast.html. Activations are floats whatever precision a file asks for.
struct Cast: Operator {
    static let names = ["Cast"]

    var passage: Passage { .unchanged }

    private let target: ElementType

    init(_ node: NodeReader) throws {
        let number = Int32(clamping: node.int("to", default: 1))
        guard let type = ElementType(rawValue: number) else {
            throw Refusal("casts to \(ElementType.name(of: number)), which neurodex does not read")
        }
        target = type
    }

    func type(_ inputs: [Operand?]) -> ElementType { target }

    var keepsPlacesApart: Bool { true }

    /// Bytes of a picture are numbers from 0 to 255 whatever they are called.
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let widens = inputs.first??.type == .uint8 && target != .bool && target != .int8
        guard !target.isInteger || widens || inputs.first??.type == target else {
            throw Refusal("makes integers of an image's activations")
        }
        return [inputs.first??.shape ?? []]
    }

    var takesIntegers: Bool { true }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        if !target.isInteger { return [HostTensor(tensor.floats, shape: tensor.shape)] }
        guard let integers = tensor.integers else { throw Refusal("makes integers of numbers that are not finite") }
        return [HostTensor(integers, shape: tensor.shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        guard let input = node.inputs[0] else { throw Refusal("has no input") }
        program.alias(node.outputs[0], of: input)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        try program.pass(program.incoming(node), to: node.inputs[0])
    }
}
