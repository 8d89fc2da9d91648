import Foundation
import TestSupport

private typealias Rule = (type: String, reduce: @Sendable ([Double]) -> Double)

private let rules: [Rule] = [
    ("ReduceMean", { $0.reduce(0, +) / Double($0.count) }), ("ReduceSum", { $0.reduce(0, +) }),
    ("ReduceMax", { $0.max() ?? .nan }), ("ReduceMin", { $0.min() ?? .nan }),
    ("ReduceL1", { $0.reduce(0) { $0 + abs($1) } }),
    ("ReduceL2", { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
    ("ReduceSumSquare", { $0.reduce(0) { $0 + $1 * $1 } }), ("ReduceProd", { $0.reduce(1, *) }),
    ("ReduceLogSumExp", { log($0.reduce(0) { $0 + exp($1) }) }),
]

private func along(_ rule: Rule, _ axes: [Int], keep: Bool, opset: Int = 17) -> OperatorCase {
    let (type, reduce) = rule
    let name = "\(type) along \(axes)\(keep ? "" : ", axes dropped")"
    return OperatorCase(name: name, operators: [type], shapes: [[3, 4, 5], [17, 2, 3]], opset: opset) { model, _, _ in
        let isInput = opset >= 18 || type == "ReduceSum"
        let output =
            isInput
            ? model.node(type, ["image", model.integers(axes)], ["keepdims": .int(keep ? 1 : 0)])
            : model.node(type, ["image"], ["keepdims": .int(keep ? 1 : 0), "axes": .ints(axes)])
        return (output, { SlowOperators.reduced($0, axes: axes.map { $0 < 0 ? $0 + 4 : $0 }, keep: keep, reduce) })
    }
}

let reductionCases: [OperatorCase] = rules.flatMap { rule in
    [
        along(rule, [1], keep: true), along(rule, [-1], keep: false), along(rule, [2, 3], keep: true),
        along(rule, [1, 3], keep: false, opset: 18),
    ]
}
