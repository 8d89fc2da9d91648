import CKernels

/// Functions of one element that oneDNN does not have: computed by loops of our own, and not in one pass with what is before them.
///
/// https://onnx.ai/onnx/operators/ under each of the names.
struct ElementFunction: Operator {
    static let names = ["Celu", "HardSigmoid", "Selu", "ThresholdedRelu"] + plain.keys.sorted()

    var isActivation: Bool { true }
    var probability: AnswerFunction? { kind == NDX_HARD_SIGMOID ? .sigmoid : nil }
    var changedRegion: ChangedRegion { .sameAsInput }
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        [2, 4].contains(shape.count) ? .onDemand : nil
    }

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign {
        let isEven = kind == NDX_POWER && alpha.truncatingRemainder(dividingBy: 2) == 0
        return isEven || kind == NDX_HARD_SIGMOID ? .notNegative : .unknown
    }

    func isHarmless(_ inputs: [Sign], of node: Graph.Node) -> Bool {
        let least: Sign = kind == NDX_POWER && alpha > 0 ? .notNegative : .positive
        return inputs.first ?? .unknown >= least
    }

    /// Those without parameters.
    private static let plain: [String: ndx_kind] = [
        "Erf": NDX_ERF, "Softsign": NDX_SOFTSIGN, "Reciprocal": NDX_RECIPROCAL, "Sign": NDX_SIGN, "Sin": NDX_SIN, "Cos": NDX_COS,
        "Tan": NDX_TAN, "Asin": NDX_ASIN, "Acos": NDX_ACOS, "Atan": NDX_ATAN, "Sinh": NDX_SINH, "Cosh": NDX_COSH,
        "Asinh": NDX_ASINH, "Acosh": NDX_ACOSH, "Atanh": NDX_ATANH,
    ]

    let kind: ndx_kind
    let (alpha, beta): (Float, Float)

    init(_ node: NodeReader) throws {
        switch node.operatorType {
        case "Celu": (kind, alpha, beta) = (NDX_CELU, node.float("alpha", default: 1), 0)
        case "HardSigmoid":
            (kind, alpha, beta) = (NDX_HARD_SIGMOID, node.float("alpha", default: 0.2), node.float("beta", default: 0.5))
        case "Selu":
            (kind, alpha, beta) = (
                NDX_SELU, node.float("alpha", default: 1.67326319217681884765625),
                node.float("gamma", default: 1.05070102214813232421875)
            )
        case "ThresholdedRelu": (kind, alpha, beta) = (NDX_THRESHOLDED_RELU, node.float("alpha", default: 1), 0)
        default:
            guard let kind = Self.plain[node.operatorType] else { throw Refusal("is no function of one element") }
            (self.kind, alpha, beta) = (kind, 0, 0)
        }
    }

    /// x to a power that is known.
    init(power: Float) { (kind, alpha, beta) = (NDX_POWER, power, 0) }

    /// Whether it comes ever closer to a value, or is flat beyond some number.
    var saturates: Bool { [NDX_ERF, NDX_HARD_SIGMOID, NDX_SOFTSIGN, NDX_SIGN, NDX_ATAN].contains(kind) }

    var keepsPlacesApart: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let values = tensor.floats
        var results = values
        ndx_function(kind, values, &results, values.count, alpha, beta)
        if kind == NDX_SIGN, case .int = tensor.elements { return [HostTensor(results.map { Int($0) }, shape: tensor.shape)] }
        return [HostTensor(results, shape: tensor.shape)]
    }

    func mayMakeNaN(_ operands: [Operand?]) -> Bool {
        switch kind {
        case NDX_RECIPROCAL, NDX_ASIN, NDX_ACOS, NDX_SINH, NDX_COSH, NDX_ACOSH, NDX_ATANH: true
        case NDX_POWER: alpha != alpha.rounded() || alpha < 0
        default: false
        }
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: source.order)
        let count = source.count * program.batch
        program.emit(reads: [source], writes: [destination]) { [self] memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                Team.split(count) { ndx_function(kind, from + $0.lowerBound, to + $0.lowerBound, $0.count, alpha, beta) }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: nil)
        let input = try program.location(node.inputs[0], in: gradient.order)
        let count = gradient.count * program.batch
        try program.contribute(to: node.inputs[0], in: gradient.order) { [self] program, target in
            program.emit(reads: [input, gradient], writes: [target]) { memory in
                let (input, from, to) = (memory[input], memory[gradient], memory[target])
                return {
                    Team.split(count) {
                        let start = $0.lowerBound
                        ndx_function_backward(kind, input + start, from + start, to + start, $0.count, alpha, beta)
                    }
                }
            }
        }
    }
}
