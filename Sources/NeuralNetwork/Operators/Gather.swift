/// `Gather`: elements along an axis, by constant places, from a constant or from activations (`x[:, 0]` of a picture's channels).
///
/// https://onnx.ai/onnx/operators/onnx__Gather.html
struct Gather: Picking {
    static let names = ["Gather"]

    private let along: PlacesAlongAxis

    init(_ node: NodeReader) throws { along = try PlacesAlongAxis(node) }

    /// PyTorch's second exporter writes some changes of shape (`as_strided`) as all elements of a vector in their order.
    static func make(_ node: NodeReader) throws -> any Operator {
        let gather = try Gather(node)
        if let image = gather.onlyImage(node) { return image }
        guard gather.along.axis == 0, let vector = node.input(0), vector.constant == nil,
            vector.shape == [gather.along.places.count],
            gather.along.places.shape.first == 1,
            gather.along.places.integers == Array(0..<gather.along.places.count)
        else { return gather }
        return Reshape(to: gather.along.places.shape)
    }

    /// `x[0]` of a batch, in a file that takes one image, as torchvision's detectors have it.
    private func onlyImage(_ node: NodeReader) -> (any Operator)? {
        guard node.takesOneImage, let batch = node.input(0), batch.constant == nil, batch.shape.first == 1,
            [0, -batch.shape.count].contains(along.axis), let places = along.places.integers, places == [0] || places == [-1]
        else { return nil }
        return Reshape(to: along.places.shape + batch.shape.dropFirst())
    }

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        let (axis, picks) = try along.picks(from: shape)
        let result = try checked(Array(shape.prefix(axis)) + along.places.shape + shape.dropFirst(axis + 1), from: shape)
        let before = HostTensor.indices(shape: Array(shape.prefix(axis)), strides: Array(strides.prefix(axis)))
        let after = HostTensor.indices(shape: Array(shape.dropFirst(axis + 1)), strides: Array(strides.dropFirst(axis + 1)))
        return (result, before.flatMap { b in picks.flatMap { pick in after.map { b + pick * strides[axis] + $0 } } })
    }

    var mayMakeScores: Bool { false }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard let input = inputs.first, let known = input.places, !known.areOfOneMap else { return output.map }
        guard let (axis, picks) = try? along.picks(from: input.shape), let first = picks.first,
            picks == Array(first..<first + picks.count), along.places.shape.count <= 1
        else { return nil }
        let cut = known.cut(axis: axis, start: first, to: picks.count)
        return along.places.shape.isEmpty ? cut?.dropping(axis: axis) : cut
    }

    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead {
        guard shape.count == 3, let (axis, picks) = try? along.picks(from: shape), axis == 1 else { return .all }
        return picks.allSatisfy { $0 < prefix } ? .prefix : .all
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        try along.refuseBatch(of: shape)
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }
}
