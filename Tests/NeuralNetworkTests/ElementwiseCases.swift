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
    // Not near 0, where the derivative has no end.
    OperatorCase(name: "Sqrt", operators: ["Sqrt", "Abs"]) { model, _, _ in
        _ = model.weight("more", [], [0.25])
        return (
            model.node("Sqrt", [model.node("Add", [model.node("Abs", ["image"]), "more"])]),
            { $0.map { (abs($0) + 0.25).squareRoot() } }
        )
    },
]
