extension Expansion {
    /// Norms under a window, of a whole map and along an axis, https://onnx.ai/onnx/operators/ under each of the names.
    static let normRules: [String: Rule] = [
        "LpPool": { try $0.normUnderWindow() },
        "GlobalLpPool": { try $0.normOfMap() },
        "LpNormalization": { try $0.normalizedByNorm() },
        "ReduceLogSum": { $0.add("Log", [$0.add("ReduceSum", $0.node.input, $0.node.attribute)], output: 0) },
    ]

    /// (Σ |x|^p)^(1/p): the window's sum is its mean, padding counted, times its places. The tiny number lets a window of zeros have a slope of 0.
    private mutating func normUnderWindow() throws {
        let shape = try operand(0).shape
        guard shape.count == 4 else {
            guard let rule = OneAxis.rule(node, inputs) else {
                throw Refusal("slides over \(shape.count - 2) axes; neurodex reads windows over height and width")
            }
            return try rule(&self)
        }
        guard let kernel = reader.ints("kernel_shape") else { throw Refusal("says no kernel_shape") }
        let power = Float(reader.int("p", default: 2))
        let window = node.attribute.filter { $0.name != "p" }
        let mean = add(
            "AveragePool", [magnitudes(of: input(0), to: power)],
            window + [.int("count_include_pad", 1), .int(Pooling.wholeWindows, 1)])
        let sum = add("Mul", [mean, constant(kernel.reduce(1) { $0 * Float($1) })])
        root(of: sum, power)
    }

    private mutating func normOfMap() throws {
        let rank = try operand(0).shape.count
        guard rank > 2 else { throw Refusal("takes the norm of maps of \(rank) axes") }
        let power = Float(reader.int("p", default: 2))
        let axes = constant(Array(2..<rank))
        root(of: add("ReduceSum", [magnitudes(of: input(0), to: power), axes]), power)
    }

    private mutating func magnitudes(of value: String, to power: Float) -> String {
        if power == 2 { return add("Mul", [value, value]) }
        let magnitude = add("Abs", [value])
        return power == 1 ? magnitude : add("Pow", [magnitude, constant(power)])
    }

    private mutating func root(of sum: String, _ power: Float) {
        switch power {
        case 1: add("Identity", [sum], output: 0)
        case 2: add("Sqrt", [add("Max", [sum, constant(1e-30)])], output: 0)
        default: add("Pow", [add("Max", [sum, constant(1e-30)]), constant(1 / power)], output: 0)
        }
    }

    private mutating func normalizedByNorm() throws {
        let type = reader.int("p", default: 2) == 1 ? "ReduceL1" : "ReduceL2"
        let norm = add(type, [input(0), constant([reader.int("axis", default: -1)])])
        add("Div", [input(0), add("Max", [norm, constant(1e-30)])], output: 0)
    }
}
