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
        node.operation.sign(node.inputs.compactMap { $0 }.map { sign(of: $0, graph) }, of: node)
    }

    func sign(of id: Graph.ValueID, _ graph: Graph) -> Sign {
        guard let constant = graph.values[id].constant else { return signs[id] ?? .unknown }
        guard constant.count <= 1 << 16, let least = constant.floats.min() else { return .unknown }
        return least > 1e-30 ? .positive : least >= 0 ? .notNegative : .unknown
    }

    /// Whether a root, a logarithm, a power or a division gives numbers here, as all that it is taken of is of the right sign.
    func isHarmless(_ node: Graph.Node, _ graph: Graph) -> Bool {
        let operands = node.inputs.compactMap { $0 }
        guard operands.allSatisfy({ graph.values[$0].constant?.holdsModerateNumbers ?? true }) else { return false }
        return node.operation.isHarmless(operands.map { sign(of: $0, graph) }, of: node)
    }
}
