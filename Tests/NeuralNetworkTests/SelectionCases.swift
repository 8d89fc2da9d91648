import Foundation
import TestSupport

private typealias Test = (type: String, holds: @Sendable (Double, Double) -> Bool)

private let tests: [Test] = [
    ("Less", { $0 < $1 }), ("LessOrEqual", { $0 <= $1 }), ("Greater", { $0 > $1 }), ("GreaterOrEqual", { $0 >= $1 }),
]

private typealias Join = (type: String, joins: @Sendable (Bool, Bool) -> Bool)

private let joins: [Join] = [("And", { $0 && $1 }), ("Or", { $0 || $1 }), ("Xor", { $0 != $1 })]

/// Of a picture and a weight a channel: the picture where it fits, else twice another one.
private func chosen(_ test: Test) -> OperatorCase {
    OperatorCase(name: "Where \(test.type)", operators: ["Where", test.type]) { model, shape, random in
        let bounds = model.random("bounds", [1, shape[0], 1, 1], &random)
        let condition = model.node(test.type, ["image", "bounds"])
        let other = model.node("Mul", ["image", model.weight("two", [], [2])])
        return (
            model.node("Where", [condition, "image", other]),
            { image in
                let flags = image.combined(with: bounds) { test.holds($0, $1) ? 1 : 0 }
                return flags.combined(with: image) { $0 != 0 ? $1 : 2 * $1 }
            }
        )
    }
}

private func joined(_ join: Join) -> OperatorCase {
    OperatorCase(name: "\(join.type) of comparisons", operators: [join.type, "Where", "Greater", "Less"]) { model, _, _ in
        let low = model.node("Greater", ["image", model.weight("low", [], [-0.25])])
        let high = model.node("Less", ["image", model.weight("high", [], [0.5])])
        let condition = model.node(join.type, [low, high])
        return (
            model.node("Where", [condition, "image", model.weight("else", [], [3])]),
            { $0.map { join.joins($0 > -0.25, $0 < 0.5) ? $0 : 3 } }
        )
    }
}

private func rounded(_ type: String, _ rule: FloatingPointRoundingRule) -> OperatorCase {
    OperatorCase(name: "\(type) of activations", operators: [type]) { model, _, _ in
        let scaled = model.node("Mul", ["image", model.weight("four", [], [4])])
        return (model.node("Add", [model.node(type, [scaled]), "image"]), { $0.map { (4 * $0).rounded(rule) + $0 } })
    }
}

/// Places of a line of numbers, the first in rank first.
private func order(_ values: [Double], smallest: Bool) -> [Int] {
    values.indices.sorted { a, b in
        values[a] == values[b] ? a < b : smallest ? values[a] < values[b] : values[a] > values[b]
    }
}

/// - Parameter read: what of a number and its place comes out.
private func ranked(
    _ image: SlowTensor, axis: Int, kept: Int, smallest: Bool, _ read: (Double, Int) -> Double
) -> SlowTensor {
    var shape = image.shape
    shape[axis] = kept
    return SlowTensor(shape) { index in
        let line = (0..<image.shape[axis]).map { place -> Double in
            var own = index
            own[axis] = place
            return image.at(own)
        }
        let place = order(line, smallest: smallest)[index[axis]]
        return read(line[place], place)
    }
}

private func top(_ name: String, axis: Int, count: Int, smallest: Bool = false, places: Bool = false) -> OperatorCase {
    OperatorCase(
        name: "TopK \(name)", operators: ["TopK"], shapes: [[3, 4, 5], [17, 3, 6]], isDifferentiable: !places, hasWayBack: !places
    ) { model, _, _ in
        model.node(
            "TopK", ["image", model.integers([count])], ["axis": .int(axis), "largest": .int(smallest ? 0 : 1)],
            outputs: ["numbers", "places"])
        let output = places ? model.node("Cast", ["places"], ["to": 1]) : "numbers"
        return (
            output,
            { ranked($0, axis: axis < 0 ? axis + 4 : axis, kept: count, smallest: smallest) { places ? Double($1) : $0 } }
        )
    }
}

private func extreme(_ type: String, axis: Int, keeps: Bool) -> OperatorCase {
    OperatorCase(
        name: "\(type) along \(axis)", operators: [type], shapes: [[3, 4, 5], [17, 3, 6]], isDifferentiable: false,
        hasWayBack: false
    ) {
        model, _, _ in
        let places = model.node(type, ["image"], ["axis": .int(axis), "keepdims": .int(keeps ? 1 : 0)])
        return (
            model.node("Cast", [places], ["to": 1]),
            { image in
                let result = ranked(image, axis: axis, kept: 1, smallest: type == "ArgMin") { Double($1) }
                return keeps ? result : result.reshaped(image.shape.indices.filter { $0 != axis }.map { image.shape[$0] })
            }
        )
    }
}

let selectionCases: [OperatorCase] =
    tests.map(chosen) + joins.map(joined) + [
        rounded("Floor", .down), rounded("Ceil", .up), rounded("Round", .toNearestOrEven),
        top("of channels", axis: 1, count: 2), top("of columns, the smallest", axis: -1, count: 3, smallest: true),
        top("places", axis: 2, count: 3, places: true), extreme("ArgMax", axis: 1, keeps: true),
        extreme("ArgMin", axis: 3, keeps: false),
        OperatorCase(name: "Equal and Not of activations", operators: ["Equal", "Not", "Where"]) { model, _, _ in
            let cut = model.node("Relu", ["image"])
            let isZero = model.node("Equal", [cut, model.weight("zero", [], [0])])
            let isNot = model.node("Not", [isZero])
            return (model.node("Where", [isNot, "image", model.node("Neg", ["image"])]), { $0.map(abs) })
        },
        OperatorCase(name: "A comparison as a number", operators: ["Greater", "Cast"]) { model, _, _ in
            let isLarge = model.node("Greater", ["image", model.weight("bound", [], [0.1])])
            return (model.node("Mul", [model.node("Cast", [isLarge], ["to": 1]), "image"]), { $0.map { $0 > 0.1 ? $0 : 0 } })
        },
        OperatorCase(name: "OneHot of constants", operators: ["OneHot"], shapes: [[4, 3, 5]], fitsOtherShapes: false) {
            model, _, _ in
            _ = model.weight("values", [2], [0.5, 2])
            let marks = model.node("OneHot", [model.integers([2, 0, -1]), model.integers([5]), "values"])
            return (
                model.node("Mul", ["image", marks]),
                { image in
                    SlowTensor(image.shape) { image.at($0) * ([2, 0, 4][$0[2]] == $0[3] ? 2 : 0.5) }
                }
            )
        },
        OperatorCase(
            name: "ScatterND of rows into a picture", operators: ["ScatterND"], shapes: [[3, 4, 5]], fitsOtherShapes: false
        ) { model, _, _ in
            let places = model.integers([0, 2, 1, 0, 0, 3], shape: [1, 2, 3])
            let rows = model.node(
                "Slice", ["image", model.integers([0]), model.integers([2]), model.integers([2])])
            let first = model.node(
                "Slice", [rows, model.integers([0]), model.integers([1]), model.integers([1])])
            let scaled = model.node(
                "Mul", [model.node("Reshape", [first, model.integers([1, 2, 5])]), model.weight("two", [], [2])])
            return (
                model.node("ScatterND", ["image", places, scaled]),
                { image in
                    SlowTensor(image.shape) { index in
                        if index[1] == 2, index[2] == 1 { return 2 * image.at([0, 0, 0, index[3]]) }
                        if index[1] == 0, index[2] == 3 { return 2 * image.at([0, 0, 1, index[3]]) }
                        return image.at(index)
                    }
                }
            )
        },
        OperatorCase(
            name: "ScatterND that adds constants", operators: ["ScatterND"], shapes: [[3, 4, 5]], fitsOtherShapes: false
        ) { model, _, random in
            let added = model.random("added", [1, 4, 5], &random)
            return (
                model.node("ScatterND", ["image", model.integers([0, 1], shape: [1, 2]), "added"], ["reduction": "add"]),
                { image in
                    SlowTensor(image.shape) { image.at($0) + ($0[1] == 1 ? added.at([0, $0[2], $0[3]]) : 0) }
                }
            )
        },
    ]
