import CKernels
import COneDNN

extension Graph {
    /// Makes one activation of each that an exporter has spelt out as a product:
    ///
    /// | function | as it is written |
    /// |---|---|
    /// | SiLU (Swish) | x · sigmoid x |
    /// | hard-swish | x · clip(x + 3, 0, 6) / 6, x · hard-sigmoid x |
    /// | GELU | x · ½ · (1 + erf(x / √2)), in any order; or with tanh(√(2/π) (x + 0.044715 x³)) |
    /// | Mish | x · tanh(softplus x) |
    ///
    /// What is left over is dead.
    mutating func recognizeIdioms() {
        let (producers, readers) = (producers, readers)
        for index in nodes.indices {
            guard let function = IdiomReader(graph: self, producers: producers, readers: readers).activation(index) else {
                continue
            }
            nodes[index].operation = Activation(function.activation)
            nodes[index].operatorType = function.name
            nodes[index].inputs = [function.input]
        }
    }
}

private struct IdiomReader {
    let graph: Graph
    let producers: [Int?]
    let readers: [Int]

    typealias Found = (activation: nd_activation, name: String, input: Graph.ValueID)

    func activation(_ index: Int) -> Found? {
        let product = graph.nodes[index]
        guard isProduct(product) else { return nil }
        let (values, factor) = factors(of: product)
        guard values.count == 2 else { return nil }
        return match(values[0], values[1], factor) ?? match(values[1], values[0], factor)
    }

    /// `gate` as a function of `x`, whose product with it and `factor` is known by a name.
    private func match(_ x: Graph.ValueID, _ gate: Graph.ValueID, _ factor: Float) -> Found? {
        func found(_ function: nd_function, _ name: String, _ alpha: Float = 0, _ beta: Float = 0) -> Found {
            (nd_activation(function: function, alpha: alpha, beta: beta), name, x)
        }
        guard let node = maker(of: gate) else { return nil }
        let source = node.inputs[0]
        if let function = node.operation as? Activation {
            switch function.native.function {
            case ND_SIGMOID where source == x && near(factor, 1): return found(ND_SWISH, "Swish", 1)
            case ND_CLIP where near(function.native.alpha, 0) && near(function.native.beta, 6) && near(factor, 1.0 / 6):
                return isSum(source, of: x, 3) ? found(ND_HARD_SWISH, "HardSwish", 1 / 6, 0.5) : nil
            case ND_TANH where near(factor, 1):
                guard let inner = maker(of: source), (inner.operation as? Activation)?.native.function == ND_SOFTPLUS,
                    inner.inputs[0] == x
                else { return nil }
                return found(ND_MISH, "Mish")
            default: return nil
            }
        }
        if let function = node.operation as? ElementFunction, function.kind == NDX_HARD_SIGMOID, source == x, near(factor, 1),
            near(function.alpha, 1.0 / 6), near(function.beta, 0.5)
        {
            return found(ND_HARD_SWISH, "HardSwish", 1 / 6, 0.5)
        }
        // ½ x (1 + …)
        guard near(factor, 0.5), let inner = summand(of: gate, besides: 1), let bend = maker(of: inner) else { return nil }
        if (bend.operation as? ElementFunction)?.kind == NDX_ERF, let (scaled, scale) = scaled(bend.inputs[0]), scaled == x,
            near(scale, 0.70710678)
        {
            return found(ND_GELU_ERF, "Gelu")
        }
        if (bend.operation as? Activation)?.native.function == ND_TANH, let (sum, scale) = scaled(bend.inputs[0]),
            near(scale, 0.79788456), isCubic(sum, of: x)
        {
            return found(ND_GELU_TANH, "Gelu")
        }
        return nil
    }

    /// x + 0.044715 x³
    private func isCubic(_ id: Graph.ValueID, of x: Graph.ValueID) -> Bool {
        guard let sum = maker(of: id), sum.operation.isSum, sum.inputs.count == 2,
            let cube = sum.inputs.compactMap({ $0 }).first(where: { $0 != x }), sum.inputs.contains(x),
            let (power, scale) = scaled(cube), near(scale, 0.044715), let node = maker(of: power)
        else { return false }
        if let function = node.operation as? ElementFunction {
            return function.kind == NDX_POWER && function.alpha == 3 && node.inputs[0] == x
        }
        return isProduct(node) && factors(of: node).values == [x, x, x]
    }

    // MARK: Reading products and sums

    private func near(_ a: Float, _ b: Float) -> Bool { abs(a - b) <= 1e-4 * max(abs(b), 1e-3) }

    private func maker(of id: Graph.ValueID?) -> Graph.Node? { id.flatMap { producers[$0] }.map { graph.nodes[$0] } }

    private func isProduct(_ node: Graph.Node) -> Bool {
        (node.operatorType == "Mul" || node.operatorType == "Div") && node.inputs.count == 2
    }

    private func number(_ id: Graph.ValueID?) -> Float? {
        guard let constant = id.flatMap({ graph.values[$0].constant }), constant.count == 1 else { return nil }
        return constant.floats[0]
    }

    /// Products within a product that are read through: more than any function has that is known by a name.
    private static let mostProducts = 8

    /// What a node multiplies, and the product of its constant factors; products that nothing else reads are read through.
    private func factors(of node: Graph.Node, within depth: Int = 0) -> (values: [Graph.ValueID], factor: Float) {
        var (values, factor) = ([Graph.ValueID](), Float(1))
        for (place, input) in node.inputs.enumerated() {
            guard let input else { continue }
            let divides = node.operatorType == "Div" && place == 1
            if let number = number(input) {
                factor *= divides ? 1 / number : number
            } else if !divides, depth < Self.mostProducts, readers[input] == 1, let inner = maker(of: input), isProduct(inner) {
                let (others, own) = factors(of: inner, within: depth + 1)
                values += others
                factor *= own
            } else {
                // Divided by what depends on the image: no product of the kind that is looked for.
                values += divides ? [input, input, input] : [input]
            }
        }
        return (values, factor)
    }

    /// A value times a number.
    private func scaled(_ id: Graph.ValueID?) -> (value: Graph.ValueID, factor: Float)? {
        guard let node = maker(of: id), isProduct(node) else { return nil }
        let (values, factor) = factors(of: node)
        return values.count == 1 ? (values[0], factor) : nil
    }

    /// The other summand of a sum with a number.
    private func summand(of id: Graph.ValueID?, besides constant: Float) -> Graph.ValueID? {
        guard let node = maker(of: id), node.operation.isSum, node.inputs.count == 2 else { return nil }
        for (place, input) in node.inputs.enumerated() {
            if let number = number(input), near(number, constant) { return node.inputs[1 - place] }
        }
        return nil
    }

    private func isSum(_ id: Graph.ValueID?, of x: Graph.ValueID, _ constant: Float) -> Bool {
        summand(of: id, besides: constant) == x
    }
}
