import CKernels
import COneDNN

/// What is known of the sign of all elements of a value, from how it is made: roots of sums of squares are no risk, and normalisations that a
/// file spells out are full of them.
enum Sign: Comparable, Sendable {
    case unknown
    case notNegative
    /// And away from 0.
    case positive
}

extension ProgramBuilder {
    /// Of what a node makes.
    func sign(of node: Graph.Node, _ graph: Graph) -> Sign {
        let operands = node.inputs.compactMap { $0 }.map { sign(of: $0, graph) }
        guard let first = operands.first else { return .unknown }
        switch node.operation {
        case is any Reshaping, is Identity, is Cast, is Transpose, is Expand, is Pooling: return first
        case is Softmax: return node.operatorType == "Softmax" ? .notNegative : .unknown
        case let activation as Activation: return sign(after: activation, first)
        case let function as ElementFunction:
            let isEven = function.kind == NDX_POWER && function.alpha.truncatingRemainder(dividingBy: 2) == 0
            return isEven || function.kind == NDX_HARD_SIGMOID ? .notNegative : .unknown
        case is Reduction:
            if ["ReduceL1", "ReduceL2", "ReduceSumSquare"].contains(node.operatorType) { return .notNegative }
            return node.operatorType == "ReduceLogSumExp" ? .unknown : min(first, .notNegative)
        case let arithmetic as Arithmetic:
            let combined = sign(ofArithmetic: node, operands)
            return arithmetic.activation.map { sign(after: $0, combined) } ?? combined
        default: return .unknown
        }
    }

    func sign(of id: Graph.ValueID, _ graph: Graph) -> Sign {
        guard let constant = graph.values[id].constant else { return signs[id] ?? .unknown }
        guard constant.count <= 1 << 16, let least = constant.floats.min() else { return .unknown }
        return least > 1e-30 ? .positive : least >= 0 ? .notNegative : .unknown
    }

    private func sign(after activation: Activation, _ before: Sign) -> Sign {
        switch activation.native.function {
        case ND_RELU: activation.isRectifiedLinear ? max(before, .notNegative) : before
        case ND_CLIP: activation.native.alpha > 1e-30 ? .positive : activation.native.alpha >= 0 ? .notNegative : .unknown
        case ND_ABS, ND_SIGMOID, ND_SOFTPLUS, ND_EXP: .notNegative
        case ND_SQRT: before
        case ND_LINEAR: activation.native.alpha > 0 && activation.native.beta == 0 ? before : .unknown
        default: .unknown
        }
    }

    private func sign(ofArithmetic node: Graph.Node, _ operands: [Sign]) -> Sign {
        let (least, most) = (operands.min() ?? .unknown, operands.max() ?? .unknown)
        switch node.operatorType {
        case "Add", "Sum", "Mean": return least == .unknown ? .unknown : most
        case "Max": return most
        case "Mul":
            return node.inputs.count == 2 && node.inputs[0] == node.inputs[1] ? .notNegative : min(least, .notNegative)
        case "Div": return min(least, .notNegative)
        case "Min": return least
        default: return .unknown
        }
    }

    /// Whether a root, a logarithm, a power or a division gives numbers here, as all that it is taken of is of the right sign.
    func isHarmless(_ node: Graph.Node, _ graph: Graph) -> Bool {
        let operands = node.inputs.compactMap { $0 }
        guard let first = operands.first else { return false }
        func isHarmless(_ activation: Activation?, of sign: Sign) -> Bool {
            switch activation?.native.function {
            case ND_SQRT?: sign >= .notNegative
            case ND_LOG?: sign == .positive
            case ND_EXP?: false
            default: true
            }
        }
        switch node.operation {
        case let activation as Activation: return isHarmless(activation, of: sign(of: first, graph))
        case let function as ElementFunction:
            let least: Sign = function.kind == NDX_POWER && function.alpha > 0 ? .notNegative : .positive
            return sign(of: first, graph) >= least
        case let arithmetic as Arithmetic:
            let known = operands.map { sign(of: $0, graph) }
            let areModerate = operands.allSatisfy { graph.values[$0].constant?.holdsModerateNumbers ?? true }
            let divides = node.operatorType == "Div" && known.dropFirst().contains { $0 != .positive }
            return areModerate && !divides && isHarmless(arithmetic.activation, of: sign(ofArithmetic: node, known))
        default: return false
        }
    }
}
