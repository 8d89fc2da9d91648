/// `Split` into parts along any axis but the batch's; along axis 0 where that holds something else.
///
/// https://onnx.ai/onnx/operators/onnx__Split.html
struct Split: Operator {
    static let names = ["Split"]

    private let axis: Int
    private let sizes: [Int]

    init(_ node: NodeReader) throws {
        let shape = node.input(0)?.shape ?? []
        let named = node.int("axis", default: 0)
        axis = named < 0 ? named + shape.count : named
        guard shape.indices.contains(axis) else { throw Refusal("cuts axis \(named) of shape \(shape)") }
        let extent = shape[axis]
        if let sizes = try node.integers(input: 1, attribute: "split") {
            self.sizes = sizes
        } else {
            let count = node.int("num_outputs", default: node.outputCount)
            guard count > 0, count <= max(extent, 1) else { throw Refusal("cuts \(extent) elements into \(count) parts") }
            // The last is smaller where the parts are not equal.
            let size = (extent + count - 1) / count
            sizes = (0..<count).map { min(size, extent - $0 * size) }
        }
        guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, { $0.addingReportingOverflow($1).partialValue }) == extent else {
            throw Refusal("cuts \(extent) elements into parts of \(sizes)")
        }
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard let known = inputs.first?.places, !known.areOfOneMap else { return placesOfElements(inputs, of: output) }
        return known.cut(axis: axis, start: starts[output.index], to: sizes[output.index])
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard axis > 0 || sizes.count == 1 || shape.firstIsNotTheBatch else {
            throw Refusal("cuts axis 0, which takes the images of a batch apart")
        }
        return sizes.map { size in shape.indices.map { $0 == axis ? size : shape[$0] } }
    }

    /// The first element of every part along the axis.
    private var starts: [Int] { sizes.indices.map { sizes[..<$0].reduce(0, +) } }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let strides = tensor.shape.rowMajorStrides
        return zip(starts, sizes).map { start, size in
            let shape = tensor.shape.indices.map { $0 == axis ? size : tensor.shape[$0] }
            return tensor.gathered(
                HostTensor.indices(shape: shape, strides: strides, start: start * strides[axis]), shape: shape)
        }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        for (output, start) in zip(node.outputs, starts) {
            let destination = program.allocate(output, in: source.order)
            program.copy(
                source, shape: destination.shape, fromStrides: source.strides, fromStart: start * source.strides[axis],
                to: destination, toStrides: destination.strides)
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            program.fill(target, with: 0)
            for (index, start) in starts.prefix(node.outputs.count).enumerated() where program.hasGradient(node, output: index) {
                let gradient = try program.incoming(node, output: index, in: target.order)
                program.copyStrided(
                    gradient, shape: gradient.shape, fromStrides: gradient.strides, to: target, toStrides: target.strides,
                    toStart: start * target.strides[axis])
            }
        }
    }
}
