import CKernels

/// `Equal`, `Less`, `Greater`, `And`, `Or`, `Xor` of two tensors: 1 or 0. It steps, so that nothing comes back through it.
///
/// https://onnx.ai/onnx/operators/ under each of the names.
struct Comparison: Operator {
    private static let kinds: [String: ndx_comparison] = [
        "Equal": NDX_EQUAL, "Less": NDX_LESS, "LessOrEqual": NDX_LESS_OR_EQUAL, "Greater": NDX_GREATER,
        "GreaterOrEqual": NDX_GREATER_OR_EQUAL, "And": NDX_AND, "Or": NDX_OR, "Xor": NDX_XOR,
    ]
    static let names = kinds.keys.sorted()

    private let kind: ndx_comparison

    init(_ node: NodeReader) throws {
        guard let kind = Self.kinds[node.operatorType], node.inputCount == 2, node.input(0) != nil, node.input(1) != nil else {
            throw Refusal("has \(node.inputCount) inputs; it needs 2")
        }
        self.kind = kind
    }

    var takesIntegers: Bool { true }
    var changedRegion: ChangedRegion { .unionOfInputs }
    func type(_ inputs: [Operand?]) -> ElementType { .bool }
    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { .notNegative }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shapes = inputs.compactMap { $0?.shape }
        return [try Arithmetic.broadcast(shapes[0], shapes[1])]
    }

    private func holds(_ a: Double, _ b: Double) -> Bool {
        switch kind {
        case NDX_EQUAL: a == b
        case NDX_LESS: a < b
        case NDX_LESS_OR_EQUAL: a <= b
        case NDX_GREATER: a > b
        case NDX_GREATER_OR_EQUAL: a >= b
        case NDX_AND: a != 0 && b != 0
        case NDX_OR: a != 0 || b != 0
        default: (a != 0) != (b != 0)
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count == 2, let a = inputs[0], let b = inputs[1] else { return nil }
        let shape = try Arithmetic.broadcast(a.shape, b.shape)
        let (left, right) = (try a.repeated(to: shape).numbers, try b.repeated(to: shape).numbers)
        return [HostTensor(zip(left, right).map { holds($0, $1) ? 1 : 0 }, shape: shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        try program.emitPairs(of: node) { [kind] in ndx_compare(kind, $0, $1, $2, $3) }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {}
}

/// https://onnx.ai/onnx/operators/onnx__Not.html
struct Negation: Operator {
    static let names = ["Not"]

    init(_ node: NodeReader) throws {}

    var takesIntegers: Bool { true }
    var changedRegion: ChangedRegion { .sameAsInput }
    func type(_ inputs: [Operand?]) -> ElementType { .bool }
    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { .notNegative }
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        inputs[0].map { [HostTensor($0.numbers.map { $0 == 0 ? 1 : 0 }, shape: $0.shape)] }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: source.order)
        let count = source.count * program.batch
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return { for index in 0..<count { to[index] = from[index] == 0 ? 1 : 0 } }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {}
}

/// `Where`: of two tensors the first where a condition holds, else the second. What comes back goes to the one that was taken.
///
/// https://onnx.ai/onnx/operators/onnx__Where.html
struct Selection: Operator {
    static let names = ["Where"]

    init(_ node: NodeReader) throws {
        guard node.inputCount == 3, (0..<3).allSatisfy({ node.input($0) != nil }) else {
            throw Refusal("has \(node.inputCount) inputs; it needs 3")
        }
    }

    var takesIntegers: Bool { true }
    var changedRegion: ChangedRegion { .unionOfInputs }
    func type(_ inputs: [Operand?]) -> ElementType { inputs.count > 1 ? inputs[1]?.type ?? .float : .float }

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { inputs.dropFirst().min() ?? .unknown }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shapes = inputs.compactMap { $0?.shape }
        return [try shapes.dropFirst().reduce(shapes[0]) { try Arithmetic.broadcast($0, $1) }]
    }

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

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let operands = node.inputs.compactMap { $0 }
        let destination = program.allocate(node.outputs[0], in: program.order(of: operands, under: node.outputs[0]))
        let parts = try operands.map { try program.expanded($0, to: destination.shape, in: destination.order) }
        let count = destination.count * program.batch
        program.emit(reads: parts, writes: [destination]) { memory in
            let (condition, a, b, to) = (memory[parts[0]], memory[parts[1]], memory[parts[2]], memory[destination])
            return { ndx_select(condition, a, b, to, count) }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let operands = node.inputs.compactMap { $0 }
        let condition = try program.expanded(operands[0], to: gradient.shape, in: gradient.order)
        let count = gradient.count * program.batch
        for (index, operand) in operands.enumerated().dropFirst() {
            try program.contribute(to: operand, in: gradient.order) { program, target in
                let full = target.shape == gradient.shape ? target : program.temporary(gradient.shape, in: gradient.order)
                program.emit(reads: [condition, gradient], writes: [full]) { memory in
                    let (condition, from, to) = (memory[condition], memory[gradient], memory[full])
                    return { ndx_select(condition, index == 1 ? from : nil, index == 1 ? nil : from, to, count) }
                }
                if full != target { program.sum(full, to: target) }
            }
        }
    }
}

/// `Floor`, `Ceil` and `Round`, which step, so that nothing comes back through them.
///
/// https://onnx.ai/onnx/operators/ under each of the names.
struct Rounding: Operator {
    static let names = ["Floor", "Ceil", "Round"]

    private let direction: Int32
    /// Whether what comes back passes as if nothing were rounded, as of what is quantised (`Expansion.integerRules`).
    private let passesBack: Bool
    static let passing = "passes_back"

    init(_ node: NodeReader) throws {
        direction = ["Floor": -1, "Ceil": 1][node.operatorType] ?? 0
        passesBack = node.int(Self.passing, default: 0) != 0
    }

    var changedRegion: ChangedRegion { .sameAsInput }
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let values = tensor.floats
        var results = values
        ndx_round(direction, values, &results, values.count)
        return [HostTensor(results, shape: tensor.shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: source.order)
        let (count, direction) = (source.count * program.batch, direction)
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return { ndx_round(direction, from, to, count) }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        if passesBack { try program.pass(program.incoming(node, in: nil), to: node.inputs[0]) }
    }
}
