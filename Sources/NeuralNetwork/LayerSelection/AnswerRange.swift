/// Between which numbers a network's answer is bound to be, as far as its last operators tell: where it is never negative and never grows
/// beyond bounds, as what is made of probabilities by weights, products, sums and choices, it is no score that a softmax is to be taken of.
struct AnswerRange {
    private let graph: Graph
    private let producers: [Int?]
    /// Operators that are looked through.
    private static let depth = 24

    init(_ graph: Graph) { (self.graph, producers) = (graph, graph.producers) }

    /// Whether the answer is made of probabilities and is some itself, up to a factor.
    var isOfProbabilities: Bool {
        let range = range(of: graph.output, Self.depth)
        return range.low >= 0 && range.high.isFinite
    }

    private typealias Range = (low: Double, high: Double)
    private static let anything: Range = (-.infinity, .infinity)

    private func range(of id: Graph.ValueID?, _ depth: Int) -> Range {
        guard let id, depth > 0 else { return Self.anything }
        if let constant = graph.values[id].constant {
            let numbers = constant.floats
            guard let low = numbers.min(), let high = numbers.max(), numbers.allSatisfy(\.isFinite) else { return Self.anything }
            return (Double(low), Double(high))
        }
        guard let node = producers[id].map({ graph.nodes[$0] }) else { return Self.anything }
        func input(_ index: Int) -> Range {
            range(of: node.inputs.indices.contains(index) ? node.inputs[index] : nil, depth - 1)
        }
        switch node.operatorType {
        case "Softmax", "Sigmoid", "HardSigmoid": return (0, 1)
        case "Exp": return (0, .infinity)
        case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather", "Split", "Dropout",
            "Expand", "ReduceMean", "ReduceMax", "ReduceMin":
            return input(0)
        case "Concat":
            return node.inputs.indices.map(input).reduce((.infinity, -.infinity)) { (min($0.0, $1.low), max($0.1, $1.high)) }
        case "Add" where node.inputs.count == 2: return (input(0).low + input(1).low, input(0).high + input(1).high)
        case "Sub" where node.inputs.count == 2: return (input(0).low - input(1).high, input(0).high - input(1).low)
        case "Mul" where node.inputs.count == 2: return Self.product(input(0), input(1))
        case "Div" where node.inputs.count == 2: return quotient(node, input(0), input(1))
        case "Pow" where node.inputs.count == 2:
            let (base, power) = (input(0), input(1))
            return base.low >= 0 && base.high <= 1 && power.low >= 0 ? (0, 1) : Self.anything
        default: return Self.anything
        }
    }

    private static func product(_ a: Range, _ b: Range) -> Range {
        guard a.low >= 0, b.low >= 0 else { return anything }
        return (a.low * b.low, a.high == 0 || b.high == 0 ? 0 : a.high * b.high)
    }

    /// Of something that is never negative, by its own sum or by a number.
    private func quotient(_ node: Graph.Node, _ a: Range, _ b: Range) -> Range {
        guard a.low >= 0 else { return Self.anything }
        if let sum = node.inputs[1].flatMap({ producers[$0] }).map({ graph.nodes[$0] }),
            ["ReduceSum", "ReduceL1"].contains(sum.operatorType), sum.inputs[0] == node.inputs[0]
        {
            return (0, 1)
        }
        return b.low > 0 ? (a.low / b.high, a.high / b.low) : Self.anything
    }
}
