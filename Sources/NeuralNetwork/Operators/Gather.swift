/// `Gather`: elements along an axis, by constant places, from a constant or from activations (`x[:, 0]` of a picture's channels).
///
/// https://onnx.ai/onnx/operators/onnx__Gather.html
struct Gather: Picking {
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

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
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
}
