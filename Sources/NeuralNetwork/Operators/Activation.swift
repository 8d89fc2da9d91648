import COneDNN

/// A function applied to every element on its own.
///
/// https://onnx.ai/onnx/operators/ under each of the names; GELU is not here, exporters spell it out with Erf.
struct Activation: Operator {
    static let names = ["Relu", "Clip", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSwish", "Exp", "Sqrt", "Abs", "Neg"]

    let native: nd_activation

    init(_ node: NodeReader) throws {
        func function(_ kind: nd_function, _ alpha: Float = 0, _ beta: Float = 0) -> nd_activation {
            nd_activation(function: kind, alpha: alpha, beta: beta)
        }
        switch node.operatorType {
        case "Relu": native = function(ND_RELU)
        case "LeakyRelu": native = function(ND_RELU, node.float("alpha", default: 0.01))
        case "Clip":
            let limit = Float.greatestFiniteMagnitude
            let low = try node.has("min") ? node.float("min", default: -limit) : node.constant(1, "min")?.floats.first ?? -limit
            let high = try node.has("max") ? node.float("max", default: limit) : node.constant(2, "max")?.floats.first ?? limit
            native = function(ND_CLIP, low, high)
        case "Sigmoid": native = function(ND_SIGMOID)
        case "Tanh": native = function(ND_TANH)
        case "Elu": native = function(ND_ELU, node.float("alpha", default: 1))
        case "HardSwish": native = function(ND_HARD_SWISH, 1 / 6, 0.5)
        case "Exp": native = function(ND_EXP)
        case "Sqrt": native = function(ND_SQRT)
        case "Abs": native = function(ND_ABS)
        case "Neg": native = function(ND_LINEAR, -1, 0)
        default: throw Refusal("is no function of one element")
        }
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let kernel = try Kernel { nd_elementwise(source.map, destination.map, native) }
        program.emit(kernel, reads: [source], writes: [destination])
    }
}

extension nd_activation {
    static let identity = nd_activation(function: ND_IDENTITY, alpha: 0, beta: 0)
}
