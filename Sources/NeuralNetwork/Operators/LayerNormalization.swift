import CKernels

/// `LayerNormalization` over the last axes: (x - mean) / sqrt(variance + epsilon) * scale + bias, with each row's own mean and variance.
///
/// Ba et al., "Layer Normalization", 2016, https://arxiv.org/abs/1607.06450; https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
struct LayerNormalization: Operator {
    static let names = ["LayerNormalization"]

    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        [2, 4].contains(shape.count) ? .onDemand : nil
    }

    private let axis: Int
    private let epsilon: Float
    private let scale: [Float]
    private let shift: [Float]

    init(_ node: NodeReader) throws {
        axis = node.int("axis", default: -1)
        epsilon = node.float("epsilon", default: 1e-5)
        scale = try node.requiredConstant(1, "scale").floats
        shift = try node.constant(2, "bias")?.floats ?? [Float](repeating: 0, count: scale.count)
        guard shift.count == scale.count else { throw Refusal("has \(scale.count) scales and \(shift.count) biases") }
    }

    var keepsPlacesApart: Bool { true }
    var mayMakeScores: Bool { false }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        let first = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(first) else { throw Refusal("normalises from axis \(axis) of shape \(shape)") }
        guard first > 0 else { throw Refusal("normalises along axis 0, which mixes the images of a batch") }
        guard shape[first...].reduce(1, *) == scale.count else {
            throw Refusal("has \(scale.count) scales for axes \(first) to \(shape.count - 1) of shape \(shape)")
        }
        // Mean and inverse deviation follow, which training alone reads.
        let rows = shape[..<first] + shape[first...].map { _ in 1 }
        return [shape, Array(rows), Array(rows)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        let (rows, width) = (source.count / scale.count * program.batch, scale.count)
        program.emit(reads: [source], writes: [destination]) { [scale, shift, epsilon] memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                Team.split(rows, cost: width, grain: 1) {
                    let start = $0.lowerBound * width
                    ndx_normalize_rows(from + start, to + start, $0.count, width, scale, shift, epsilon)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        let input = try program.location(node.inputs[0], in: .rowMajor)
        let (rows, width) = (gradient.count / scale.count * program.batch, scale.count)
        try program.contribute(to: node.inputs[0], in: .rowMajor) { [scale, epsilon] program, target in
            program.emit(reads: [input, gradient], writes: [target]) { memory in
                let (input, from, to) = (memory[input], memory[gradient], memory[target])
                return {
                    Team.split(rows, cost: width, grain: 1) {
                        let start = $0.lowerBound * width
                        ndx_normalize_rows_backward(input + start, from + start, to + start, $0.count, width, scale, epsilon)
                    }
                }
            }
        }
    }
}
