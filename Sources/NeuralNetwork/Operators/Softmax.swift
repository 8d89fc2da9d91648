import CKernels
import COneDNN

/// `Softmax` and `LogSoftmax` along any axis but the batch's.
///
/// https://onnx.ai/onnx/operators/onnx__Softmax.html; before operator set 13 over all axes from `axis` on.
struct Softmax: Operator {
    static let names = ["Softmax", "LogSoftmax"]

    var saturates: Bool { true }
    var probability: AnswerFunction? { .softmax }

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { isLogarithm ? .unknown : .notNegative }

    private let isLogarithm: Bool
    /// The axes it runs over together; nil: a map's channels or the last axis of anything else, which lie side by side in memory.
    private let axes: Range<Int>?

    init(_ node: NodeReader) throws {
        isLogarithm = node.operatorType == "LogSoftmax"
        let shape = node.input(0)?.shape ?? []
        let axis = node.int("axis", default: node.opset < 13 ? 1 : -1)
        let first = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(first), first > 0 || shape.firstIsNotTheBatch else {
            throw Refusal("works along axis \(axis) of \(shape)\(first == 0 ? ", which mixes the images of a batch" : "")")
        }
        let given = first..<(node.opset < 13 ? shape.count : first + 1)
        let onePixel = shape.dropFirst(2).allSatisfy { $0 == 1 }
        let isInnermost = shape.count == 4 ? first == 1 && (given.count == 1 || onePixel) : given == shape.count - 1..<shape.count
        axes = isInnermost && shape.count < 5 ? nil : given
    }

    /// Whether each row along the last axis of a tensor of this shape adds up to 1.
    func isOverLastAxis(of shape: [Int]) -> Bool {
        guard !isLogarithm else { return false }
        return axes.map { $0 == shape.count - 1..<shape.count } ?? (shape.count != 4)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: axes == nil ? .channelsLast : nil)
        let destination = program.allocate(node.outputs[0], in: source.order)
        guard let axes else {
            let kernel = try Kernel { nd_softmax(source.map, destination.map, isLogarithm) }
            program.emit(kernel, reads: [source], writes: [destination])
            if program.keepsNaN { program.keepNaNRows(of: source, in: destination) }
            return
        }
        let rows = Rows(of: source.shape, along: axes)
        if let (from, to) = rows.inPlace(source).flatMap({ from in rows.inPlace(destination).map { (from, $0) } }) {
            program.emit(try Kernel { nd_softmax(from.map, to.map, isLogarithm) }, reads: [from], writes: [to])
            if program.keepsNaN { program.keepNaNRows(of: from, in: to) }
            return
        }
        let (from, to) = (program.temporary(rows.shape), program.temporary(rows.shape))
        program.copy(source, shape: source.shape, fromStrides: source.strides, to: from, toStrides: rows.strides)
        program.emit(try Kernel { nd_softmax(from.map, to.map, isLogarithm) }, reads: [from], writes: [to])
        if program.keepsNaN { program.keepNaNRows(of: from, in: to) }
        program.copy(to, shape: source.shape, fromStrides: rows.strides, to: destination, toStrides: destination.strides)
    }

    /// Of y = softmax x: y (g − Σ g y); of its logarithm y: g − exp y Σ g.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        guard let axes else {
            let gradient = try program.incoming(node)
            let output = try program.location(node.outputs[0])
            return try program.contribute(to: node.inputs[0]) { program, target in
                emitBackward(output: output, from: gradient, to: target, channels: Int(output.map.channels), into: &program)
            }
        }
        let (gradient, output) = try (program.incoming(node, in: nil), program.location(node.outputs[0], in: nil))
        let rows = Rows(of: output.shape, along: axes)
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            if let y = rows.inPlace(output), let g = rows.inPlace(gradient), let x = rows.inPlace(target) {
                return emitBackward(output: y, from: g, to: x, channels: rows.shape[2], into: &program)
            }
            let (ys, gs, xs) = (program.temporary(rows.shape), program.temporary(rows.shape), program.temporary(rows.shape))
            for (value, row) in [(output, ys), (gradient, gs)] {
                program.copyStrided(value, shape: value.shape, fromStrides: value.strides, to: row, toStrides: rows.strides)
            }
            emitBackward(output: ys, from: gs, to: xs, channels: rows.shape[2], into: &program)
            program.copyStrided(xs, shape: target.shape, fromStrides: rows.strides, to: target, toStrides: target.strides)
        }
    }

    private func emitBackward(
        output: Location, from gradient: Location, to target: Location, channels: Int, into program: inout BackwardBuilder
    ) {
        let rows = output.count / channels * program.batch
        let isLogarithm: Int32 = isLogarithm ? 1 : 0
        program.emit(reads: [output, gradient], writes: [target]) { memory in
            let (output, from, to) = (memory[output], memory[gradient], memory[target])
            return { ndx_softmax_backward(output, from, to, rows, channels, isLogarithm) }
        }
    }

    /// A tensor with some of its axes put last: [1, the product of the others, theirs].
    private struct Rows {
        let shape: [Int]
        /// Where the elements go, for every axis of the tensor.
        let strides: [Int]

        init(of tensor: [Int], along axes: Range<Int>) {
            let order = tensor.indices.filter { !axes.contains($0) } + axes
            var strides = [Int](repeating: 0, count: tensor.count)
            for (axis, stride) in zip(order, order.map { tensor[$0] }.rowMajorStrides) { strides[axis] = stride }
            let count = axes.map { tensor[$0] }.product
            self.strides = strides
            shape = [1, tensor.product / count, count]
        }

        /// A tensor whose elements stand in memory in this order already; nil where they do not.
        func inPlace(_ location: Location) -> Location? {
            guard location.isRowMajor, strides == location.shape.rowMajorStrides else { return nil }
            var result = location
            (result.shape, result.order) = (shape, .rowMajor)
            return result
        }
    }
}
