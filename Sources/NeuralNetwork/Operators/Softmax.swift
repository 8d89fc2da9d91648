import CKernels
import COneDNN

/// `Softmax` and `LogSoftmax` over the channels of a map or the last axis of anything else.
///
/// https://onnx.ai/onnx/operators/onnx__Softmax.html; before operator set 13 over all axes from `axis` on.
struct Softmax: Operator {
    static let names = ["Softmax", "LogSoftmax"]

    private let isLogarithm: Bool

    init(_ node: NodeReader) throws {
        isLogarithm = node.operatorType == "LogSoftmax"
        let shape = node.input(0)?.shape ?? []
        let axis = node.int("axis", default: node.opset < 13 ? 1 : -1)
        let resolved = axis < 0 ? axis + shape.count : axis
        let onePixel = shape.dropFirst(2).allSatisfy { $0 == 1 }
        let isInnermost = shape.count == 4 ? resolved == 1 && (node.opset >= 13 || onePixel) : resolved == shape.count - 1
        guard (2...4).contains(shape.count), isInnermost else {
            throw Refusal("works along axis \(axis) of \(shape); neurodex reads it over channels or the last axis")
        }
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let kernel = try Kernel { nd_softmax(source.map, destination.map, isLogarithm) }
        program.emit(kernel, reads: [source], writes: [destination])
    }
    /// Of y = softmax x: y (g − Σ g y); of its logarithm y: g − exp y Σ g.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let output = try program.location(node.outputs[0])
        let channels = Int(output.map.channels)
        let rows = output.count / channels * program.batch
        let isLogarithm: Int32 = isLogarithm ? 1 : 0
        try program.contribute(to: node.inputs[0]) { program, target in
            program.emit(reads: [output, gradient], writes: [target]) { memory in
                let (output, from, to) = (memory[output], memory[gradient], memory[target])
                return { ndx_softmax_backward(output, from, to, rows, channels, isLogarithm) }
            }
        }
    }
}
