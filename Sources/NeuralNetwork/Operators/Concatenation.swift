import CKernels

/// `Concat` along any axis but the batch.
///
/// https://onnx.ai/onnx/operators/onnx__Concat.html
struct Concatenation: Operator {
    static let names = ["Concat"]

    var takesIntegers: Bool { true }

    private let axis: Int

    init(_ node: NodeReader) throws {
        guard node.has("axis") || node.opset < 4 else { throw Refusal("does not say along which axis") }
        axis = node.int("axis", default: 1)
    }

    func joins(axis: Int, rank: Int) -> Bool { resolved(rank) == axis }

    func joinsAlongAxis(of other: any Operator, rank: Int) -> Bool {
        (other as? Concatenation).map { resolved(rank) == $0.resolved(rank) } ?? false
    }

    private func resolved(_ rank: Int) -> Int { axis < 0 ? axis + rank : axis }

    var changedRegion: ChangedRegion { joins(axis: 1, rank: 4) ? .joinedChannels : .everything }

    /// One that joins a single map leaves it as it is.
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        shape.count == 4 && operands.count > 1 && joins(axis: channelAxis, rank: 4) ? .standard : nil
    }

    /// Tokens of no place may be put before those of a map: the class token. Along axis 0 it makes one value of several maps of one picture.
    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard let axis = try? axis(rank: output.shape.count), let place = inputs.firstIndex(where: { $0.places != nil }),
            let known = inputs[place].places, !known.areOfOneMap
        else { return resolved(output.shape.count) == 0 ? output.map : remapped(inputs, to: output) }
        if known.axes[axis].allSatisfy({ $0.origin == .channels }) {
            return known.cut(axis: axis, start: 0, to: output.shape[axis])
        }
        guard axis > 0, place > 0, place == inputs.count - 1 else { return nil }
        return known.behind(inputs[..<place].reduce(0) { $0 + $1.shape[axis] }, axis: axis)
    }

    private func axis(rank: Int) throws -> Int {
        let resolved = resolved(rank)
        guard (0..<rank).contains(resolved) else { throw Refusal("joins along axis \(axis) of \(rank)") }
        return resolved
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shapes = inputs.compactMap { $0?.shape }
        guard let first = shapes.first else { throw Refusal("has no inputs") }
        let axis = try axis(rank: first.count)
        var result = first
        result[axis] = 0
        for shape in shapes {
            guard shape.count == first.count, (0..<first.count).allSatisfy({ $0 == axis || shape[$0] == first[$0] }) else {
                throw Refusal("joins tensors of shapes \(first) and \(shape) along axis \(axis), which do not fit")
            }
            result[axis] += shape[axis]
        }
        return [result]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        let tensors = inputs.compactMap { $0 }
        let shape = try shapes(tensors.map { Operand(name: "", shape: $0.shape, constant: $0) })[0]
        let axis = try axis(rank: shape.count)
        let outer = shape.prefix(axis).reduce(1, *)
        func joined<T>(_ parts: [[T]]) -> [T] {
            (0..<outer).flatMap { row in parts.flatMap { $0[(row * ($0.count / outer))..<((row + 1) * ($0.count / outer))] } }
        }
        let integers = tensors.compactMap { if case .int(let values) = $0.elements { values } else { nil } }
        return [
            integers.count == tensors.count
                ? HostTensor(joined(integers), shape: shape) : HostTensor(joined(tensors.map(\.floats)), shape: shape)
        ]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let destination = program.allocate(node.outputs[0])
        let axis = try axis(rank: destination.shape.count)
        guard axis > 0 || program.batch == 1 else { throw Refusal("joins along the batch") }
        let strides = destination.strides
        var start = 0
        for input in node.inputs.compactMap({ $0 }) {
            let source = try program.location(input, aligned: destination.shape.count)
            program.copy(
                source, shape: source.shape, fromStrides: source.strides, to: destination, toStrides: strides,
                toStart: start * strides[axis])
            start += source.shape[axis]
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let axis = try axis(rank: gradient.shape.count)
        var start = 0
        for input in node.inputs.compactMap({ $0 }) {
            let extent = try program.location(input).shape.aligned(gradient.shape.count)[axis]
            try program.contribute(to: input) { program, target in
                program.copyStrided(
                    gradient, shape: target.shape, fromStrides: gradient.strides, fromStart: start * gradient.strides[axis],
                    to: target,
                    toStrides: target.strides)
            }
            start += extent
        }
    }
}
