import Foundation
import TestSupport

/// A rule of resizing as its definition says it: where a result lies in the source, and how much each element counts from there.
private struct Rule: Sendable {
    var name: String
    var attributes: [String: ModelBuilder.Attribute]
    /// From a result's index, the source's extent, the result's, and the scale.
    var place: @Sendable (Double, Double, Double, Double) -> Double
    /// Of an element at a distance from there.
    var weight: @Sendable (Double) -> Double
    var rounds: (@Sendable (Double) -> Double)?
}

private func linear(_ d: Double) -> Double { max(0, 1 - abs(d)) }

private func cubic(_ d: Double) -> Double {
    let (x, a) = (abs(d), -0.75)
    if x <= 1 { return (a + 2) * pow(x, 3) - (a + 3) * pow(x, 2) + 1 }
    return x < 2 ? a * pow(x, 3) - 5 * a * pow(x, 2) + 8 * a * x - 4 * a : 0
}

private let rules: [Rule] = [
    Rule(
        name: "nearest, asymmetric",
        attributes: ["mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"],
        place: { x, _, _, scale in x / scale }, weight: { $0 == 0 ? 1 : 0 }, rounds: { $0.rounded(.down) }),
    Rule(
        name: "nearest by default", attributes: [:], place: { x, _, _, scale in (x + 0.5) / scale - 0.5 },
        weight: { $0 == 0 ? 1 : 0 }, rounds: { ($0 - 0.5).rounded(.up) }),
    Rule(
        name: "linear", attributes: ["mode": "linear"], place: { x, _, _, scale in (x + 0.5) / scale - 0.5 }, weight: linear),
    Rule(
        name: "linear, corners aligned", attributes: ["mode": "linear", "coordinate_transformation_mode": "align_corners"],
        place: { x, source, count, _ in x * (source - 1) / (count - 1) }, weight: linear),
    Rule(
        name: "cubic, as PyTorch", attributes: ["mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"],
        place: { x, _, count, scale in count > 1 ? (x + 0.5) / scale - 0.5 : 0 }, weight: cubic),
]

private func resized(_ x: SlowTensor, to size: [Int], scales: [Double], _ rule: Rule) -> SlowTensor {
    SlowTensor(Array(x.shape[..<2]) + size) { index in
        let places = (0..<2).map { axis in
            let place = rule.place(Double(index[2 + axis]), Double(x.shape[2 + axis]), Double(size[axis]), scales[axis])
            return rule.rounds?(place) ?? place
        }
        var sum = 0.0
        for y in -3..<x.shape[2] + 3 {
            for column in -3..<x.shape[3] + 3 {
                let weight = rule.weight(places[0] - Double(y)) * rule.weight(places[1] - Double(column))
                guard weight != 0 else { continue }
                let (row, place) = (min(max(y, 0), x.shape[2] - 1), min(max(column, 0), x.shape[3] - 1))
                sum += weight * x.at([index[0], index[1], row, place])
            }
        }
        return sum
    }
}

private func resize(_ rule: Rule, scales: [Float]) -> OperatorCase {
    OperatorCase(name: "Resize \(rule.name) by \(scales)", operators: ["Resize"], shapes: [[3, 4, 5], [17, 3, 6]]) {
        model, shape, _ in
        _ = model.weight("scales", [4], [1, 1] + scales)
        let size = (0..<2).map { Int((Double(scales[$0]) * Double(shape[1 + $0])).rounded(.down)) }
        return (
            model.node("Resize", ["image", "", "scales"], rule.attributes),
            { resized($0, to: size, scales: scales.map(Double.init), rule) }
        )
    }
}

/// By a factor that makes no whole number of places, as `F.interpolate` has it.
private func resizeUnevenly(_ rule: Rule, scales: [Float]) -> OperatorCase {
    OperatorCase(name: "Resize \(rule.name) by \(scales)", operators: ["Resize"], shapes: [[3, 20, 26]]) { model, shape, _ in
        _ = model.weight("scales", [4], [1, 1] + scales)
        let size = (0..<2).map { Int((scales[$0] * Float(shape[1 + $0])).rounded(.down)) }
        var own = rule
        // In single precision: 17 / 1.7 is 10, and not a little less.
        if rule.name == "nearest, asymmetric" { own.place = { x, _, _, scale in Double(Float(x) / Float(scale)) } }
        if rule.name == "nearest by default" { own.place = { x, _, _, scale in Double((Float(x) + 0.5) / Float(scale) - 0.5) } }
        let exact = own
        let output = model.node("Resize", ["image", "", "scales"], rule.attributes)
        return (output, { resized($0, to: size, scales: scales.map(Double.init), exact) })
    }
}

private let unevenCases: [OperatorCase] = rules.flatMap { (rule: Rule) -> [OperatorCase] in
    [resizeUnevenly(rule, scales: [1.7, 1.7]), resizeUnevenly(rule, scales: [0.45, 0.6])]
}

let resizeCases: [OperatorCase] =
    unevenCases
    + rules.flatMap { [resize($0, scales: [2, 3]), resize($0, scales: [1.5, 0.75])] } + [
        OperatorCase(name: "Resize to a size", operators: ["Resize"], shapes: [[3, 4, 5]]) { model, shape, _ in
            let sizes = model.integers([1, shape[0], 6, 7])
            let scales = [6 / Double(shape[1]), 7 / Double(shape[2])]
            return (
                model.node("Resize", ["image", "", "", sizes], ["mode": "linear"]),
                { resized($0, to: [6, 7], scales: scales, rules[2]) }
            )
        },
        OperatorCase(name: "Upsample", operators: ["Upsample"], shapes: [[3, 4, 5]], opset: 9) { model, shape, _ in
            _ = model.weight("scales", [4], [1, 1, 2, 2])
            let size = [2 * shape[1], 2 * shape[2]]
            return (
                model.node("Upsample", ["image", "scales"], ["mode": "nearest"]),
                { resized($0, to: size, scales: [2, 2], rules[0]) }
            )
        },
    ]
