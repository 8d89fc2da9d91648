import CKernels

/// `Gather`: elements along an axis, by constant places, from a constant or from activations (`x[:, 0]` of a picture's channels).
///
/// https://onnx.ai/onnx/operators/onnx__Gather.html
struct Gather: Operator {
    static let names = ["Gather"]

    private let axis: Int
    private let places: HostTensor

    init(_ node: NodeReader) throws {
        axis = node.int("axis", default: 0)
        places = try node.requiredConstant(1, "indices")
    }

    /// PyTorch's second exporter writes some changes of shape (`as_strided`) as all elements of a vector in their order.
    static func make(_ node: NodeReader) throws -> any Operator {
        let gather = try Gather(node)
        guard gather.axis == 0, let vector = node.input(0), vector.constant == nil, vector.shape == [gather.places.count],
            gather.places.shape.first == 1, gather.places.integers == Array(0..<gather.places.count)
        else { return gather }
        return Reshape(to: gather.places.shape)
    }

    /// The shape that comes out, and the offset of each of its elements in a tensor of these strides.
    private func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        let axis = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(axis) else { throw Refusal("gathers along axis \(axis) of shape \(shape)") }
        let picks = places.integers?.map { $0 < 0 ? $0 + shape[axis] : $0 } ?? []
        guard picks.count == places.count, picks.allSatisfy({ (0..<shape[axis]).contains($0) }) else {
            throw Refusal("gathers \(places.integers ?? []) of \(shape[axis])")
        }
        let result = Array(shape.prefix(axis)) + places.shape + shape.dropFirst(axis + 1)
        guard HostTensor.isReasonable(result), result.product <= max(shape.product, 1 << 24) else {
            throw Refusal("gathers a tensor of shape \(result)")
        }
        let before = HostTensor.indices(shape: Array(shape.prefix(axis)), strides: Array(strides.prefix(axis)))
        let after = HostTensor.indices(shape: Array(shape.dropFirst(axis + 1)), strides: Array(strides.dropFirst(axis + 1)))
        return (result, before.flatMap { b in picks.flatMap { pick in after.map { b + pick * strides[axis] + $0 } } })
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard axis != 0 && axis != -shape.count || shape.firstIsNotTheBatch else {
            throw Refusal("gathers along axis 0, which picks from the images of a batch")
        }
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let data = inputs[0] else { return nil }
        let (shape, offsets) = try plan(data.shape, strides: data.shape.rowMajorStrides)
        return [data.gathered(offsets, shape: shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        let offsets = try plan(source.shape, strides: source.strides).offsets.map(Int64.init)
        let batch = program.batch
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                for image in 0..<batch {
                    ndx_gather(from + image * source.count, to + image * destination.count, offsets, offsets.count)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        let batch = program.batch
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            let offsets = try plan(target.shape, strides: target.strides).offsets.map(Int64.init)
            program.fill(target, with: 0)
            program.emit(reads: [gradient, target], writes: [target]) { memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    for image in 0..<batch {
                        ndx_scatter_add(from + image * gradient.count, to + image * target.count, offsets, offsets.count)
                    }
                }
            }
        }
    }
}
