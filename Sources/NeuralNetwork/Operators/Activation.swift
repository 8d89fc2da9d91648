import CKernels
import COneDNN
import Foundation

/// A function applied to every element on its own.
///
/// https://onnx.ai/onnx/operators/ under each of the names. Those that oneDNN does not have are in `ElementFunction`.
struct Activation: Operator {
    static let names = [
        "Relu", "Clip", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "HardSwish", "Gelu", "Mish", "Softplus", "Swish", "Exp", "Log",
        "Sqrt",
        "Abs", "Neg",
    ]

    var function: Activation? { self }
    var probability: AnswerFunction? { native.function == ND_SIGMOID ? .sigmoid : nil }
    var changedRegion: ChangedRegion { .sameAsInput }
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        [2, 4].contains(shape.count) ? .onDemand : nil
    }

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { sign(after: inputs.first ?? .unknown) }

    /// Of what it makes of values of a sign.
    func sign(after before: Sign) -> Sign {
        switch native.function {
        case ND_RELU: isRectifiedLinear ? max(before, .notNegative) : before
        case ND_CLIP: native.alpha > 1e-30 ? .positive : native.alpha >= 0 ? .notNegative : .unknown
        case ND_ABS, ND_SIGMOID, ND_SOFTPLUS, ND_EXP: .notNegative
        case ND_SQRT: before
        case ND_LINEAR: native.alpha > 0 && native.beta == 0 ? before : .unknown
        default: .unknown
        }
    }

    func isHarmless(_ inputs: [Sign], of node: Graph.Node) -> Bool { isHarmless(inputs.first ?? .unknown) }

    func isHarmless(_ sign: Sign) -> Bool {
        switch native.function {
        case ND_SQRT: sign >= .notNegative
        case ND_LOG: sign == .positive
        case ND_EXP: false
        default: true
        }
    }

    let native: nd_activation

    init(_ native: nd_activation) { self.native = native }

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
            // Where they are crossed everything is the upper one, and oneDNN 3 takes none that are.
            native = function(ND_CLIP, min(low, high), high)
        case "Sigmoid": native = function(ND_SIGMOID)
        case "Tanh": native = function(ND_TANH)
        case "Elu": native = function(ND_ELU, node.float("alpha", default: 1))
        case "HardSwish": native = function(ND_HARD_SWISH, 1 / 6, 0.5)
        case "Gelu":
            native = function(node.string("approximate", default: "none") == "tanh" ? ND_GELU_TANH : ND_GELU_ERF)
        case "Mish": native = function(ND_MISH)
        case "Softplus": native = function(ND_SOFTPLUS, 1)
        case "Swish": native = function(ND_SWISH, node.float("alpha", default: 1))
        case "Exp": native = function(ND_EXP)
        case "Log": native = function(ND_LOG)
        case "Sqrt": native = function(ND_SQRT)
        case "Abs": native = function(ND_ABS)
        case "Neg": native = function(ND_LINEAR, -1, 0)
        default: throw Refusal("is no function of one element")
        }
    }

    var keepsPlacesApart: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    /// BatchNormalization and the like, spelt out by an exporter, take roots of their constants.
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        if case .int(let values) = tensor.elements {
            switch native.function {
            case ND_ABS: return [HostTensor(values.map { abs(max($0, -.max)) }, shape: tensor.shape)]
            case ND_LINEAR: return [HostTensor(values.map { 0 &- $0 }, shape: tensor.shape)]
            default: break
            }
        }
        return [HostTensor(tensor.floats.map(value), shape: tensor.shape)]
    }

    /// The function of one number, with alpha and beta as oneDNN defines them.
    private func value(_ x: Float) -> Float {
        let (alpha, beta) = (native.alpha, native.beta)
        switch native.function {
        case ND_RELU: return x > 0 ? x : alpha * x
        case ND_CLIP: return x < alpha ? alpha : x > beta ? beta : x
        case ND_SIGMOID: return 1 / (1 + exp(-x))
        case ND_TANH: return tanh(x)
        case ND_ELU: return x > 0 ? x : alpha * (exp(x) - 1)
        case ND_HARD_SWISH: return x * min(max(alpha * x + beta, 0), 1)
        case ND_SWISH: return x / (1 + exp(-alpha * x))
        case ND_GELU_ERF: return 0.5 * x * (1 + erf(x * 0.70710678))
        case ND_GELU_TANH: return 0.5 * x * (1 + tanh(0.7978846 * (x + 0.044715 * x * x * x)))
        case ND_MISH: return x * tanh(log1p(exp(x)))
        case ND_SOFTPLUS: return max(x, 0) + log1p(exp(-abs(x)))
        case ND_EXP: return exp(x)
        case ND_LOG: return log(x)
        case ND_SQRT: return x.squareRoot()
        case ND_ABS: return abs(x)
        default: return alpha * x + beta
        }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: source.order)
        try program.activate(self, from: source, to: destination)
    }

    func mayMakeNaN(_ operands: [Operand?]) -> Bool { [ND_LOG, ND_SQRT, ND_EXP].contains(native.function) }

    /// Whether the derivative can be told from the output alone, so that the input need not be kept.
    var isKnownByItsOutput: Bool {
        switch native.function {
        case ND_RELU: native.alpha >= 0
        case ND_CLIP, ND_SIGMOID, ND_TANH, ND_EXP, ND_SQRT, ND_LINEAR: true
        case ND_ELU: native.alpha >= 0
        default: false
        }
    }

    /// Whether it is flat over a whole range, so that nothing comes back from there.
    var rectifies: Bool { native.function == ND_CLIP || (native.function == ND_RELU && native.alpha == 0) }

    /// ReLU itself, and none of its variants.
    var isRectifiedLinear: Bool { native.function == ND_RELU && native.alpha == 0 }

    /// Whether it comes ever closer to a value that it never reaches.
    var saturates: Bool { [ND_SIGMOID, ND_TANH].contains(native.function) }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let output = try program.location(node.outputs[0], in: nil)
        let input = try program.location(node.inputs[0], in: nil)
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            try emitBackward(output: output, input: input, from: gradient, to: target, into: &program)
        }
    }

    /// - Parameter input: nil where it was not kept; then `isKnownByItsOutput` must be true.
    func emitBackward(
        output: Location, input: Location?, from gradient: Location, to target: Location, into program: inout BackwardBuilder
    ) throws {
        let count = gradient.count * program.batch
        let (rule, native) = (program.rule, native)
        switch native.function {
        case ND_RELU where native.alpha >= 0:
            program.emit(reads: [output, gradient], writes: [target]) { memory in
                let (output, from, to) = (memory[output], memory[gradient], memory[target])
                return {
                    Team.split(count) {
                        let start = $0.lowerBound
                        ndx_rectify_backward(
                            output + start, from + start, to + start, $0.count, native.alpha, rule.looksAtOutput ? 1 : 0,
                            rule.looksAtSignal ? 1 : 0)
                    }
                }
            }
        case ND_CLIP:
            program.emit(reads: [output, gradient], writes: [target]) { memory in
                let (output, from, to) = (memory[output], memory[gradient], memory[target])
                return {
                    Team.split(count) {
                        let start = $0.lowerBound
                        ndx_clip_backward(output + start, from + start, to + start, $0.count, native.alpha, native.beta)
                    }
                }
            }
        case ND_LINEAR:
            let slope = nd_activation(function: ND_LINEAR, alpha: native.alpha, beta: 0)
            program.emit(
                try Kernel { nd_elementwise(gradient.map, target.map, slope) }, reads: [gradient], writes: [target])
        default:
            let known = isKnownByItsOutput
            guard let seen = known ? output : input else { throw Refusal("needs its input on the way back, which was not kept") }
            let kernel = try Kernel { nd_elementwise_backward(seen.map, native, known) }
            program.emit(kernel, reads: [seen, gradient], writes: [target])
        }
    }
}

extension nd_activation {
    static let identity = nd_activation(function: ND_IDENTITY, alpha: 0, beta: 0)
}

extension ndx_rectifier {
    static let none = ndx_rectifier(slope: 1, ceiling: .infinity)

    /// Nil for a function that is none.
    init?(_ activation: Activation?) {
        let native = activation?.native ?? .identity
        switch native.function {
        case ND_IDENTITY: self.init(slope: 1, ceiling: .infinity)
        case ND_RELU: self.init(slope: native.alpha, ceiling: .infinity)
        case ND_CLIP where native.alpha == 0: self.init(slope: 0, ceiling: native.beta)
        default: return nil
        }
    }
}
