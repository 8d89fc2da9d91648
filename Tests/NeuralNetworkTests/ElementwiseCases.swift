import Foundation
import TestSupport

private func function(
    _ type: String, _ attributes: [String: ModelBuilder.Attribute] = [:], tolerance: Double = 1e-4, opset: Int = 17,
    _ function: @escaping @Sendable (Double) -> Double
) -> OperatorCase {
    OperatorCase(name: "\(type) \(attributes.keys.sorted())", operators: [type], tolerance: tolerance, opset: opset) {
        model, _, _ in
        // Wider than ±1, so that both tails are met.
        _ = model.weight("wide", [1], [4])
        let wide = model.node("Mul", ["image", "wide"])
        return (model.node(type, [wide], attributes), { image in image.map { function(4 * $0) } })
    }
}

let elementwiseCases: [OperatorCase] = [
    function("Relu") { max($0, 0) },
    function("LeakyRelu", ["alpha": 0.3]) { $0 > 0 ? $0 : 0.3 * $0 },
    function("LeakyRelu") { $0 > 0 ? $0 : 0.01 * $0 },
    function("Sigmoid") { 1 / (1 + exp(-$0)) },
    function("Tanh") { tanh($0) },
    function("Elu", ["alpha": 1.5]) { $0 > 0 ? $0 : 1.5 * (exp($0) - 1) },
    function("Elu") { $0 > 0 ? $0 : exp($0) - 1 },
    function("HardSwish") { $0 * max(0, min(1, $0 / 6 + 0.5)) },
    function("LeakyRelu", ["alpha": -0.5]) { $0 > 0 ? $0 : -0.5 * $0 },
    function("Elu", ["alpha": -0.5]) { $0 > 0 ? $0 : -0.5 * (exp($0) - 1) },
    function("Gelu", opset: 20) { 0.5 * $0 * (1 + erf($0 / 2.squareRoot())) },
    function("Gelu", ["approximate": "tanh"], opset: 20) {
        0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
    },
    function("Mish", opset: 18) { $0 * tanh(log1p(exp($0))) },
    function("Softplus") { log1p(exp($0)) },
    function("Swish", ["alpha": 1.5]) { $0 / (1 + exp(-1.5 * $0)) },
    function("Erf") { erf($0) },
    function("HardSigmoid") { max(0, min(1, 0.2 * $0 + 0.5)) },
    function("HardSigmoid", ["alpha": 0.3, "beta": 0.25]) { max(0, min(1, 0.3 * $0 + 0.25)) },
    function("Selu") { 1.0507009873554805 * ($0 > 0 ? $0 : 1.6732632423543772 * (exp($0) - 1)) },
    function("ThresholdedRelu", ["alpha": 0.75]) { $0 > 0.75 ? $0 : 0 },
    function("Softsign") { $0 / (1 + abs($0)) },
    function("Celu", ["alpha": 2.0]) { $0 > 0 ? $0 : 2 * (exp($0 / 2) - 1) },
    function("Celu") { $0 > 0 ? $0 : exp($0) - 1 },
    function("Sin") { sin($0) },
    function("Cos") { cos($0) },
    function("Atan") { atan($0) },
    function("Sinh") { sinh($0) },
    function("Cosh") { cosh($0) },
    function("Asinh") { asinh($0) },
    OperatorCase(name: "Functions of a part of the line", operators: ["Tan", "Asin", "Acos", "Atanh", "Acosh"]) { model, _, _ in
        _ = model.weight("half", [], [0.5])
        _ = model.weight("two", [], [2])
        let small = model.node("Mul", ["image", "half"])
        let sum = ["Tan", "Asin", "Acos", "Atanh"].reduce(model.node("Acosh", [model.node("Add", ["image", "two"])])) {
            model.node("Add", [$0, model.node($1, [small])])
        }
        return (sum, { $0.map { acosh($0 + 2) + tan($0 / 2) + asin($0 / 2) + acos($0 / 2) + atanh($0 / 2) } })
    },
    OperatorCase(name: "Sign", operators: ["Sign", "Mul"]) { model, _, _ in
        (model.node("Mul", ["image", model.node("Sign", ["image"])]), { $0.map { abs($0) } })
    },
    function("Exp") { exp($0) },
    function("Abs") { abs($0) },
    function("Neg") { -$0 },
    function("Clip", ["min": -1.0, "max": 2.0], opset: 7) { min(max($0, -1), 2) },
    function("Clip", ["max": 2.0], opset: 7) { min($0, 2) },
    OperatorCase(name: "Clip by inputs", operators: ["Clip"]) { model, _, _ in
        _ = model.weight("low", [], [0])
        _ = model.weight("high", [], [0.5])
        return (model.node("Clip", ["image", "low", "high"]), { $0.map { min(max($0, 0), 0.5) } })
    },
    OperatorCase(name: "Clip from above alone", operators: ["Clip"]) { model, _, _ in
        _ = model.weight("high", [], [0.25])
        return (model.node("Clip", ["image", "", "high"]), { $0.map { min($0, 0.25) } })
    },
    OperatorCase(name: "Reciprocal and Log", operators: ["Reciprocal", "Log"]) { model, _, _ in
        _ = model.weight("three", [], [3])
        return (
            model.node("Log", [model.node("Reciprocal", [model.node("Add", ["image", "three"])])]),
            { $0.map { log(1 / ($0 + 3)) } }
        )
    },
    OperatorCase(name: "Pow, by 2 and by 3", operators: ["Pow"]) { model, _, _ in
        _ = model.weight("two", [], [2])
        _ = model.weight("three", [1], [3])
        return (
            model.node("Add", [model.node("Pow", ["image", "two"]), model.node("Pow", ["image", "three"])]),
            {
                $0.map { $0 * $0 + $0 * $0 * $0 }
            }
        )
    },
    OperatorCase(name: "Pow, by an exponent for each channel", operators: ["Pow"]) { model, shape, random in
        let exponents = model.random("exponents", [shape[0], 1, 1], &random)
        _ = model.weight("two", [], [2])
        return (
            model.node("Pow", [model.node("Add", ["image", "two"]), "exponents"]),
            { $0.map { $0 + 2 }.combined(with: exponents) { pow($0, $1) } }
        )
    },
    OperatorCase(name: "Pow, by the image", operators: ["Pow"]) { model, shape, random in
        let values = (0..<shape[0]).map { _ in Float.random(in: 0.5...2, using: &random) }
        _ = model.weight("bases", [shape[0], 1, 1], values)
        let bases = SlowTensor([shape[0], 1, 1], values)
        return (model.node("Pow", ["bases", "image"]), { bases.combined(with: $0) { pow($0, $1) } })
    },
    OperatorCase(name: "PRelu, a slope for each channel", operators: ["PRelu"]) { model, shape, random in
        let slopes = model.random("slopes", [shape[0], 1, 1], &random)
        return (model.node("PRelu", ["image", "slopes"]), { $0.combined(with: slopes) { $0 > 0 ? $0 : $0 * $1 } })
    },
    OperatorCase(name: "PRelu, slopes of the image", operators: ["PRelu"]) { model, _, _ in
        let slopes = model.node("GlobalAveragePool", ["image"])
        return (
            model.node("PRelu", ["image", slopes]),
            { image in
                let window = SlowOperators.Window(kernel: Array(image.shape[2...]))
                return image.combined(with: SlowOperators.average(image, window)) { $0 > 0 ? $0 : $0 * $1 }
            }
        )
    },
    // Not near 0, where the derivative has no end.
    OperatorCase(name: "Sqrt", operators: ["Sqrt", "Abs"]) { model, _, _ in
        _ = model.weight("more", [], [0.25])
        return (
            model.node("Sqrt", [model.node("Add", [model.node("Abs", ["image"]), "more"])]),
            { $0.map { (abs($0) + 0.25).squareRoot() } }
        )
    },
]
