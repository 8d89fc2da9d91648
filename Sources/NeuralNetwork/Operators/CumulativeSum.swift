/// Sums up to each place along an axis. https://onnx.ai/onnx/operators/onnx__CumSum.html
struct CumulativeSum: Operator {
    static let names = ["CumSum"]

    private let axis: Int
    private let (isExclusive, isReversed): (Bool, Bool)

    init(_ node: NodeReader) throws {
        axis = try node.requiredConstant(1, "axis").integers?.first ?? 0
        (isExclusive, isReversed) = (node.int("exclusive", default: 0) != 0, node.int("reverse", default: 0) != 0)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        let axis = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(axis) else { throw Refusal("adds up along axis \(axis) of shape \(shape)") }
        guard axis > 0 || shape.firstIsNotTheBatch else { throw Refusal("adds up the images of a batch") }
        return [shape]
    }

    /// The step along the axis, and the places on it.
    private func line(_ shape: [Int], _ strides: [Int]) throws -> (stride: Int, extent: Int) {
        let axis = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(axis) else { throw Refusal("adds up along axis \(axis) of shape \(shape)") }
        return (strides[axis], shape[axis])
    }

    /// Writes the sums of `values` to `sums`, which may be they themselves.
    private func addUp<Number: AdditiveArithmetic>(
        _ values: UnsafePointer<Number>, to sums: UnsafeMutablePointer<Number>, count: Int, stride: Int, extent: Int,
        isReversed: Bool
    ) {
        for start in 0..<count where start / stride % extent == 0 {
            var sum = Number.zero
            for step in 0..<extent {
                let index = start + (isReversed ? extent - 1 - step : step) * stride
                let own = values[index]
                sums[index] = isExclusive ? sum : sum + own
                sum += own
            }
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let (stride, extent) = try line(tensor.shape, tensor.shape.rowMajorStrides)
        let values = tensor.numbers
        var sums = values
        addUp(values, to: &sums, count: values.count, stride: stride, extent: extent, isReversed: isReversed)
        if case .int = tensor.elements { return [HostTensor(sums.map { Int($0) }, shape: tensor.shape)] }
        return [HostTensor(sums.map { Float($0) }, shape: tensor.shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let target = program.allocate(node.outputs[0], in: source.order)
        let ((stride, extent), count) = (try line(source.shape, source.strides), source.count * program.batch)
        program.emit(reads: [source], writes: [target]) { [self] memory in
            let (from, to) = (memory[source], memory[target])
            return { addUp(from, to: to, count: count, stride: stride, extent: extent, isReversed: isReversed) }
        }
    }

    /// What an element adds to all sums after it comes back from these: the same sum from the other end.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let ((stride, extent), count) = (try line(gradient.shape, gradient.strides), gradient.count * program.batch)
        try program.contribute(to: node.inputs[0], in: gradient.order) { [self] program, target in
            program.emit(reads: [gradient], writes: [target]) { memory in
                let (from, to) = (memory[gradient], memory[target])
                return { addUp(from, to: to, count: count, stride: stride, extent: extent, isReversed: !isReversed) }
            }
        }
    }
}
