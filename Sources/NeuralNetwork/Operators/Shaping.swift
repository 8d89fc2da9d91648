/// What leaves every element as it is: `Identity`, `Dropout` (which does nothing once training is over).
struct Identity: Operator {
    static let names = ["Identity", "Dropout"]

    var passage: Passage { .unchanged }
    var changedRegion: ChangedRegion { .sameAsInput }

    init(_ node: NodeReader) throws {}

    var takesIntegers: Bool { true }

    var keepsPlacesApart: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        // Dropout's second output is its mask, which nothing reads here.
        let shape = inputs.first??.shape ?? []
        return [shape, shape]
    }
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? { inputs[0].map { [$0, $0] } }
    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        guard let input = node.inputs[0] else { throw Refusal("has no input") }
        program.alias(node.outputs[0], of: input)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        try program.pass(program.incoming(node), to: node.inputs[0])
    }
}

/// An operator that gives the same elements, in the same row-major order, another shape.
protocol Reshaping: Operator {
    func shape(from shape: [Int]) throws -> [Int]
}

extension Reshaping {
    var takesIntegers: Bool { true }
    var passage: Passage { .reshaped }

    /// Of four axes that are made anew, the second holds the channels.
    func channelsAreLast(_ inputs: [Bool]) -> Bool { false }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        inputs.varying.first?.places?.reshaped(to: output.shape)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let source = inputs.first??.shape ?? []
        let shape = try shape(from: source)
        guard shape.product == source.product else { throw Refusal("cannot make shape \(shape) of \(source)") }
        return [shape]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let shape = try shape(from: tensor.shape)
        guard shape.product == tensor.count else { throw Refusal("cannot make shape \(shape) of \(tensor.shape)") }
        return [tensor.reshaped(shape)]
    }

    /// Where a map is spread out into a vector, every element of it may depend on every pixel of the map.
    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard shapes[0].count == 4 else { return inputs[0] }
        return Window(covering: shapes[0][map.lowerBound], shapes[0][map.lowerBound + 1]).receptiveField(inputs[0])
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        guard let input = node.inputs[0] else { throw Refusal("has no input") }
        try program.reshape(input, to: node.outputs[0])
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in program.copy(gradient, to: target) }
    }
}

/// https://onnx.ai/onnx/operators/onnx__Reshape.html
struct Reshape: Reshaping {
    static let names = ["Reshape"]

    private var target: [Int]
    private let allowZero: Bool

    init(_ node: NodeReader) throws {
        guard let shape = try node.integers(input: 1, attribute: "shape") else { throw Refusal("does not say its shape") }
        target = shape
        allowZero = node.int("allowzero", default: 0) != 0
    }

    /// - Parameter shape: of one image; nothing in it is left open.
    init(to shape: [Int]) {
        target = shape
        allowZero = true
    }

    func ofOneImage(batch: Int) -> any Operator {
        var result = self
        if target.first == batch { result.target[0] = 1 }
        return result
    }

    func shape(from shape: [Int]) throws -> [Int] {
        var result = target
        for (axis, extent) in target.enumerated() where extent == 0 && !allowZero {
            guard axis < shape.count else { throw Refusal("keeps axis \(axis) of a tensor of shape \(shape)") }
            result[axis] = shape[axis]
        }
        let open = result.indices.filter { result[$0] == -1 }
        if let axis = open.first, open.count == 1 {
            let rest = result.reduce(1.0) { $0 * Double($1 == -1 ? 1 : $1) }
            guard rest > 0, rest < 0x1p40 else { throw Refusal("cannot make shape \(target) of \(shape)") }
            result[axis] = shape.product / Int(rest)
        }
        guard HostTensor.isReasonable(result) else {
            throw Refusal("cannot make shape \(target) of \(shape)")
        }
        return result
    }
}

/// https://onnx.ai/onnx/operators/onnx__Flatten.html
struct Flatten: Reshaping {
    static let names = ["Flatten"]

    private let axis: Int

    init(_ node: NodeReader) throws { axis = node.int("axis", default: 1) }

    func shape(from shape: [Int]) throws -> [Int] {
        let axis = axis < 0 ? axis + shape.count : axis
        guard (0...shape.count).contains(axis) else { throw Refusal("flattens from axis \(axis) of shape \(shape)") }
        return [shape.prefix(axis).reduce(1, *), shape.dropFirst(axis).reduce(1, *)]
    }
}

/// https://onnx.ai/onnx/operators/onnx__Squeeze.html
struct Squeeze: Reshaping {
    static let names = ["Squeeze"]

    private let axes: [Int]?

    init(_ node: NodeReader) throws { axes = try node.integers(input: 1, attribute: "axes") }

    func shape(from shape: [Int]) throws -> [Int] {
        let ones = shape.indices.filter { shape[$0] == 1 }
        let dropped = Set(axes?.map { $0 < 0 ? $0 + shape.count : $0 } ?? ones)
        return shape.indices.filter { !dropped.contains($0) }.map { shape[$0] }
    }
}

/// https://onnx.ai/onnx/operators/onnx__Unsqueeze.html
struct Unsqueeze: Reshaping {
    static let names = ["Unsqueeze"]

    private let axes: [Int]

    init(_ node: NodeReader) throws {
        guard let axes = try node.integers(input: 1, attribute: "axes") else { throw Refusal("does not say its axes") }
        self.axes = axes
    }

    func shape(from shape: [Int]) throws -> [Int] {
        let rank = shape.count + axes.count
        var result = shape
        for axis in axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
            guard (0...result.count).contains(axis) else { throw Refusal("puts axis \(axis) into shape \(shape)") }
            result.insert(1, at: axis)
        }
        return result
    }
}

/// https://onnx.ai/onnx/operators/onnx__Transpose.html
struct Transpose: Operator {
    static let names = ["Transpose"]

    private let permutation: [Int]?

    init(_ node: NodeReader) throws { permutation = node.ints("perm") }

    var takesIntegers: Bool { true }
    var passage: Passage { .transposed }

    func channelsAreLast(_ inputs: [Bool]) -> Bool {
        inputs.first.map { (try? axes(rank: 4))?.last == ($0 ? 3 : 1) } ?? false
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard let known = inputs.varying.first?.places, let axes = try? axes(rank: output.shape.count) else { return nil }
        return known.transposed(axes)
    }

    func axes(rank: Int) throws -> [Int] {
        let axes = permutation ?? Array((0..<rank).reversed())
        guard axes.sorted() == Array(0..<rank) else { throw Refusal("reorders axes \(axes) of \(rank)") }
        return axes
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        return [try axes(rank: shape.count).map { shape[$0] }]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        try inputs[0].map { [$0.transposed(try axes(rank: $0.shape.count))] }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let axes = try axes(rank: source.shape.count)
        guard axes.first == 0 || program.batch == 1 else { throw Refusal("moves the batch axis") }
        let (shape, strides) = (axes.map { source.shape[$0] }, axes.map { source.strides[$0] })
        // Channels put last, or back: the elements stand in memory like that already.
        for order in [Location.Order.channelsLast, .rowMajor] where axes.first == 0 {
            let wanted = Location.strides(of: shape, in: order)
            guard shape.indices.allSatisfy({ shape[$0] == 1 || strides[$0] == wanted[$0] }) else { continue }
            var same = source
            (same.shape, same.order) = (shape, order)
            return program.alias(node.outputs[0], of: same)
        }
        let destination = program.allocate(node.outputs[0])
        program.copy(source, shape: shape, fromStrides: strides, to: destination, toStrides: destination.strides)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let axes = try axes(rank: gradient.shape.count)
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            program.copyStrided(
                gradient, shape: gradient.shape, fromStrides: gradient.strides, to: target,
                toStrides: axes.map { target.strides[$0] })
        }
    }
}
