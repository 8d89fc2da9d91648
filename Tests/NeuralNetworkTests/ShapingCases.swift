import Foundation
import TestSupport

private func slice(
    _ name: String, axis: Int, starts: Int, ends: Int, step: Int? = nil, opset: Int = 17,
    _ range: @escaping @Sendable (Int) -> (start: Int, count: Int)
) -> OperatorCase {
    OperatorCase(name: "Slice \(name)", operators: ["Slice"], shapes: [[4, 7, 5], [17, 9, 6]], opset: opset) { model, shape, _ in
        let output: String
        if opset < 10 {
            output = model.node("Slice", ["image"], ["starts": [starts], "ends": [ends], "axes": [axis]])
        } else {
            let inputs = ["image", model.integers([starts]), model.integers([ends]), model.integers([axis])]
            output = model.node("Slice", inputs + (step.map { [model.integers([$0])] } ?? []))
        }
        let resolved = axis < 0 ? axis + 4 : axis
        let (start, count) = range(shape[resolved - 1])
        return (output, { SlowOperators.sliced($0, axis: resolved, start: start, step: step ?? 1, count: count) })
    }
}

private func pad(_ name: String, _ pads: [Int], value: Float? = nil, opset: Int = 17) -> OperatorCase {
    OperatorCase(name: "Pad \(name)", operators: ["Pad"], shapes: [[3, 5, 6], [17, 4, 7]], opset: opset) { model, _, _ in
        let output: String
        if opset < 11 {
            output = model.node("Pad", ["image"], ["pads": .ints(pads), "value": .float(value ?? 0)])
        } else {
            let inputs = ["image", model.integers(pads)]
            output = model.node("Pad", inputs + (value.map { [model.weight("fill", [], [$0])] } ?? []))
        }
        return (
            output,
            { SlowOperators.padded($0, before: Array(pads[..<4]), after: Array(pads[4...]), value: Double(value ?? 0)) }
        )
    }
}

/// - Parameter source: which of so many elements stands at a place that may lie outside.
private func padFromWithin(
    _ mode: String, _ pads: [Int], _ source: @escaping @Sendable (_ place: Int, _ extent: Int) -> Int
) -> OperatorCase {
    OperatorCase(name: "Pad, \(mode)", operators: ["Pad"], shapes: [[3, 5, 6], [17, 4, 7]]) { model, shape, _ in
        let output = model.node("Pad", ["image", model.integers(pads)], ["mode": .string(mode)])
        let padded: [Int] = [1, shape[0] + pads[1] + pads[5], shape[1] + pads[2] + pads[6], shape[2] + pads[3] + pads[7]]
        return (
            output,
            { image in
                SlowTensor(padded) { index in
                    var place: [Int] = [0, 0, 0, 0]
                    for axis in 0..<4 { place[axis] = source(index[axis] - pads[axis], image.shape[axis]) }
                    return image.at(place)
                }
            }
        )
    }
}

/// A function of shapes; a value of its own, since a call has one trailing closure at most.
private struct Shape: Sendable {
    var function: @Sendable ([Int]) -> [Int]
    init(_ function: @escaping @Sendable ([Int]) -> [Int]) { self.function = function }
}

/// - Parameter to: the shape that comes out, from [channels, height, width].
private func reshaping(
    _ name: String, _ operators: [String], opset: Int = 17, to shape: Shape,
    _ build: @escaping @Sendable (inout ModelBuilder, [Int]) -> String
) -> OperatorCase {
    OperatorCase(name: name, operators: operators, opset: opset) { model, source, _ in
        let output = build(&model, source)
        return (output, { $0.reshaped(shape.function(source)) })
    }
}

let shapingCases: [OperatorCase] = [
    slice("of channels", axis: 1, starts: 1, ends: 3) { _ in (1, 2) },
    slice("of an old file", axis: 1, starts: 1, ends: 1000, opset: 9) { (1, $0 - 1) },
    slice("from the end", axis: -1, starts: -3, ends: -1) { ($0 - 3, 2) },
    slice("every second row", axis: 2, starts: 1, ends: .max, step: 2) { (1, $0 / 2) },
    slice("backwards", axis: 2, starts: -1, ends: .min, step: -1) { ($0 - 1, $0) },
    slice("backwards in twos", axis: 3, starts: 100, ends: 0, step: -2) { ($0 - 1, $0 / 2) },
    slice("channels backwards", axis: 1, starts: 3, ends: 0, step: -1) { _ in (3, 3) },
    pad("rows and columns", [0, 0, 1, 2, 0, 0, 3, 0]),
    pad("with a value", [0, 0, 1, 1, 0, 0, 1, 1], value: -2.5),
    pad("channels", [0, 4, 0, 0, 0, 5, 0, 0], value: 1),
    pad("negative", [0, -1, -2, 1, 0, 2, 0, -3], value: 9),
    padFromWithin("edge", [0, 0, 2, 1, 0, 0, 3, 0]) { min(max($0, 0), $1 - 1) },
    padFromWithin("reflect", [0, 1, 2, 3, 0, 0, 1, 2]) { place, extent in
        place < 0 ? -place : place >= extent ? 2 * (extent - 1) - place : place
    },
    padFromWithin("wrap", [0, 0, 1, 2, 0, 0, 2, 0]) { ($0 + $1) % $1 },
    pad("in an old file", [0, 0, 2, 0, 0, 0, 0, 1], value: 0.5, opset: 9),
    OperatorCase(name: "Transpose to channels last", operators: ["Transpose"]) { model, _, _ in
        (model.node("Transpose", ["image"], ["perm": [0, 2, 3, 1]]), { $0.transposed([0, 2, 3, 1]) })
    },
    OperatorCase(name: "Transpose, height and width", operators: ["Transpose"]) { model, _, _ in
        (model.node("Transpose", ["image"], ["perm": [0, 1, 3, 2]]), { $0.transposed([0, 1, 3, 2]) })
    },
    OperatorCase(name: "Transpose by default, which moves the batch", operators: ["Transpose"]) { model, _, _ in
        (model.node("Transpose", ["image"]), { $0.transposed([3, 2, 1, 0]) })
    },
    OperatorCase(name: "Channel shuffle", operators: ["Reshape", "Transpose"], shapes: [[4, 3, 5], [6, 7, 2], [34, 3, 3]]) {
        model, shape, _ in
        let split = [1, 2, shape[0] / 2, shape[1], shape[2]]
        let parts = model.node("Reshape", ["image", model.integers(split)])
        let swapped = model.node("Transpose", [parts], ["perm": [0, 2, 1, 3, 4]])
        return (
            model.node("Reshape", [swapped, model.integers([1] + shape)]),
            { $0.reshaped(split).transposed([0, 2, 1, 3, 4]).reshaped([1] + shape) }
        )
    },
    OperatorCase(name: "Pixel shuffle", operators: ["Reshape", "Transpose"], shapes: [[4, 3, 5], [12, 4, 2]]) { model, shape, _ in
        let split = [1, shape[0] / 4, 2, 2, shape[1], shape[2]]
        let target = [1, shape[0] / 4, 2 * shape[1], 2 * shape[2]]
        let parts = model.node("Reshape", ["image", model.integers(split)])
        let swapped = model.node("Transpose", [parts], ["perm": [0, 1, 4, 2, 5, 3]])
        return (
            model.node("Reshape", [swapped, model.integers(target)]),
            { $0.reshaped(split).transposed([0, 1, 4, 2, 5, 3]).reshaped(target) }
        )
    },
    reshaping("Reshape to a vector", ["Reshape"], to: Shape({ [1, $0.reduce(1, *)] })) { model, _ in
        model.node("Reshape", ["image", model.integers([0, -1])])
    },
    reshaping("Reshape between maps", ["Reshape"], to: Shape({ [1, $0[1], $0[2], $0[0]] })) { model, shape in
        model.node("Reshape", ["image", model.integers([1, shape[1], shape[2], shape[0]])])
    },
    reshaping("Flatten from the middle", ["Flatten"], to: Shape({ [$0[0], $0[1] * $0[2]] })) { model, _ in
        model.node("Flatten", ["image"], ["axis": 2])
    },
    reshaping("Flatten from the end", ["Flatten"], to: Shape({ [1, $0.reduce(1, *)] })) { model, _ in
        model.node("Flatten", ["image"], ["axis": -3])
    },
    reshaping("Unsqueeze and Squeeze", ["Unsqueeze", "Squeeze"], to: Shape({ [1] + $0 })) { model, _ in
        let wide = model.node("Unsqueeze", ["image", model.integers([1, -1])])
        return model.node("Squeeze", [wide, model.integers([-1, 1])])
    },
    reshaping("Squeeze in an old file", ["Squeeze", "Unsqueeze"], opset: 11, to: Shape({ $0 })) { model, _ in
        model.node("Squeeze", [model.node("Unsqueeze", ["image"], ["axes": [1]])], ["axes": [0, 1]])
    },
    OperatorCase(name: "Concat of channels", operators: ["Concat", "MaxPool"]) { model, _, _ in
        let window = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])
        let pool = model.node("MaxPool", ["image"], ["kernel_shape": [3, 3], "pads": [1, 1, 1, 1]])
        return (
            model.node("Concat", ["image", pool, "image"], ["axis": 1]),
            { SlowOperators.concatenated([$0, SlowOperators.maximum($0, window), $0], axis: 1) }
        )
    },
    OperatorCase(name: "Concat of rows and a constant", operators: ["Concat"]) { model, shape, random in
        let rows = model.random("rows", [1, shape[0], 2, shape[2]], &random)
        return (model.node("Concat", ["image", "rows"], ["axis": -2]), { SlowOperators.concatenated([$0, rows], axis: 2) })
    },
    OperatorCase(name: "Split of channels", operators: ["Split", "Concat"], shapes: [[4, 3, 5], [18, 2, 3]]) { model, shape, _ in
        let first = shape[0] / 2 - 1
        let parts = ["a", "b"]
        model.node("Split", ["image", model.integers([first, shape[0] - first])], ["axis": 1], outputs: parts)
        return (
            model.node("Concat", [parts[1], parts[0]], ["axis": 1]),
            { image in
                let (a, b) = (
                    SlowOperators.sliced(image, axis: 1, start: 0, step: 1, count: first),
                    SlowOperators.sliced(image, axis: 1, start: first, step: 1, count: shape[0] - first)
                )
                return SlowOperators.concatenated([b, a], axis: 1)
            }
        )
    },
    OperatorCase(name: "Split into unequal rows, one used", operators: ["Split"], shapes: [[3, 7, 4]], opset: 18) { model, _, _ in
        model.node("Split", ["image"], ["axis": -2, "num_outputs": 3], outputs: ["a", "b", "c"])
        return (model.node("Identity", ["c"]), { SlowOperators.sliced($0, axis: 2, start: 6, step: 1, count: 1) })
    },
    OperatorCase(name: "Gather of channels", operators: ["Gather"]) { model, shape, _ in
        let picks = [shape[0] - 1, 0, -1]
        return (
            model.node("Gather", ["image", model.integers(picks)], ["axis": 1]),
            { image in
                SlowTensor([1, 3] + shape[1...]) { image.at([0, picks[$0[1]] < 0 ? shape[0] - 1 : picks[$0[1]]] + $0[2...]) }
            }
        )
    },
    OperatorCase(name: "Gather of all, in their order", operators: ["Gather", "Reshape"]) { model, shape, _ in
        let count = shape.reduce(1, *)
        let vector = model.node("Reshape", ["image", model.integers([-1])])
        return (model.node("Gather", [vector, model.integers(Array(0..<count), shape: [1] + shape)]), { $0 })
    },
    OperatorCase(name: "Gather of one channel", operators: ["Gather"]) { model, _, _ in
        (
            model.node("Gather", ["image", model.integers([0], shape: [])], ["axis": 1]),
            { image in SlowTensor([1] + image.shape[2...]) { image.at([0, 0] + $0[1...]) } }
        )
    },
    OperatorCase(name: "DepthToSpace", operators: ["DepthToSpace"], shapes: [[8, 3, 5], [36, 2, 3]]) { model, shape, _ in
        let channels = shape[0] / 4
        return (
            model.node("DepthToSpace", ["image"], ["blocksize": 2]),
            { image in
                SlowTensor([1, channels, 2 * shape[1], 2 * shape[2]]) { i in
                    image.at([0, (i[2] % 2 * 2 + i[3] % 2) * channels + i[1], i[2] / 2, i[3] / 2])
                }
            }
        )
    },
    OperatorCase(name: "DepthToSpace, column first", operators: ["DepthToSpace"], shapes: [[8, 3, 5], [36, 2, 3]]) {
        model, shape, _ in
        (
            model.node("DepthToSpace", ["image"], ["blocksize": 2, "mode": "CRD"]),
            { image in
                SlowTensor([1, shape[0] / 4, 2 * shape[1], 2 * shape[2]]) { i in
                    image.at([0, i[1] * 4 + i[2] % 2 * 2 + i[3] % 2, i[2] / 2, i[3] / 2])
                }
            }
        )
    },
    OperatorCase(name: "SpaceToDepth", operators: ["SpaceToDepth"], shapes: [[3, 4, 6], [18, 2, 4]]) { model, shape, _ in
        (
            model.node("SpaceToDepth", ["image"], ["blocksize": 2]),
            { image in
                SlowTensor([1, 4 * shape[0], shape[1] / 2, shape[2] / 2]) { i in
                    let block = i[1] / shape[0]
                    return image.at([0, i[1] % shape[0], 2 * i[2] + block / 2, 2 * i[3] + block % 2])
                }
            }
        )
    },
    OperatorCase(name: "Expand", operators: ["Expand", "GlobalAveragePool"]) { model, shape, _ in
        let window = SlowOperators.Window(kernel: Array(shape[1...]))
        return (
            model.node("Expand", [model.node("GlobalAveragePool", ["image"]), model.integers([1, 1, 2, 3])]),
            { image in
                let mean = SlowOperators.average(image, window)
                return SlowTensor([1, shape[0], 2, 3]) { mean.at([0, $0[1], 0, 0]) }
            }
        )
    },
    OperatorCase(name: "Tile", operators: ["Tile"]) { model, shape, _ in
        (
            model.node("Tile", ["image", model.integers([1, 2, 1, 3])]),
            { image in
                SlowTensor([1, 2 * shape[0], shape[1], 3 * shape[2]]) {
                    image.at([0, $0[1] % shape[0], $0[2], $0[3] % shape[2]])
                }
            }
        )
    },
    OperatorCase(name: "CumSum", operators: ["CumSum"]) { model, shape, _ in
        let rows = model.node("CumSum", ["image", model.integers([2], shape: [])])
        let back = model.node("CumSum", ["image", model.integers([-3], shape: [])], ["exclusive": 1, "reverse": 1])
        return (
            model.node("Add", [rows, back]),
            { image in
                SlowTensor(image.shape) { i in
                    let above = (0...i[2]).reduce(0) { $0 + image.at([0, i[1], $1, i[3]]) }
                    return (i[1] + 1..<max(shape[0], i[1] + 1)).reduce(above) { $0 + image.at([0, $1, i[2], i[3]]) }
                }
            }
        )
    },
    OperatorCase(name: "GatherElements", operators: ["GatherElements"]) { model, shape, _ in
        // Of every row the elements two and one from its end, and its first again.
        let picks = (0..<shape[0] * shape[1]).flatMap { _ in [-2, -1, 0] }
        return (
            model.node("GatherElements", ["image", model.integers(picks, shape: [1, shape[0], shape[1], 3])], ["axis": 3]),
            { image in
                SlowTensor([1, shape[0], shape[1], 3]) { i in
                    image.at([0, i[1], i[2], [shape[2] - 2, shape[2] - 1, 0][i[3]]])
                }
            }
        )
    },
    OperatorCase(name: "ScatterND of a mask, windows moved", operators: ["ScatterND"]) { model, shape, _ in
        let ones = model.weight("ones", [shape[1], shape[2]], [Float](repeating: 1, count: shape[1] * shape[2]))
        // The last row first, then every place of the first column.
        let row = model.weight("row", [1, shape[2]], [Float](repeating: -2, count: shape[2]))
        let first = model.node("ScatterND", [ones, model.integers([shape[1] - 1], shape: [1, 1]), row])
        let places = (0..<shape[1]).flatMap { [$0, 0] }
        let column = model.weight("column", [shape[1]], (0..<shape[1]).map { Float($0) })
        let mask = model.node("ScatterND", [first, model.integers(places, shape: [shape[1], 2]), column], ["reduction": "add"])
        let expected = SlowTensor([shape[1], shape[2]]) { index in
            (index[0] == shape[1] - 1 ? -2 : 1) + (index[1] == 0 ? Double(index[0]) : 0)
        }
        return (model.node("Mul", ["image", mask]), { $0.combined(with: expected, *) })
    },
    OperatorCase(name: "GatherND", operators: ["GatherND"]) { model, shape, _ in
        // Whole rows, one of them twice.
        let places = [[0, 0], [shape[0] - 1, 1], [0, 0], [0, -1]]
        return (
            model.node("GatherND", ["image", model.integers(places.flatMap { $0 }, shape: [1, 4, 2])], ["batch_dims": 1]),
            { image in
                SlowTensor([1, 4, shape[2]]) { i in
                    image.at([0, places[i[1]][0], (places[i[1]][1] + shape[1]) % shape[1], i[2]])
                }
            }
        )
    },
    OperatorCase(name: "Identity and Dropout", operators: ["Identity", "Dropout"], opset: 11) { model, _, _ in
        (model.node("Dropout", [model.node("Identity", ["image"])], ["ratio": 0.5]), { $0 })
    },
]

private let constantFunctions: [(name: String, argument: Float, value: Double)] = [
    ("Sin", 0.7, sin(0.7)), ("Cos", 0.7, cos(0.7)), ("Tan", 0.5, tan(0.5)), ("Asin", 0.25, asin(0.25)),
    ("Acos", 0.25, acos(0.25)), ("Atan", 2, atan(2)), ("Sinh", 0.5, sinh(0.5)), ("Cosh", 0.5, cosh(0.5)),
    ("Asinh", 2, asinh(2)), ("Acosh", 2, acosh(2)), ("Atanh", 0.5, atanh(0.5)), ("Sign", -3, -1),
]

let constantCases: [OperatorCase] = [
    reshaping(
        "Shape arithmetic", ["Shape", "Gather", "Unsqueeze", "Concat", "Constant", "Mul", "Cast"],
        to: Shape({ [1, $0[0] * $0[1], $0[2]] })
    ) { model, _ in
        let shape = model.node("Shape", ["image"])
        let picked = [1, 2, -1].map { model.node("Gather", [shape, model.integers([$0], shape: [])]) }
        let rows = model.node("Mul", [picked[0], picked[1]])
        let floats = model.node("Cast", [rows], ["to": 1])
        let back = model.node("Cast", [floats], ["to": 7])
        let one = model.node(
            "Constant", [], ["value": .tensor(ModelBuilder.tensor("", [1], type: 7, raw: ProtoMessage.littleEndian([1])))])
        let axes = model.integers([0])
        let parts = [one, model.node("Unsqueeze", [back, axes]), model.node("Unsqueeze", [picked[2], axes])]
        return model.node("Reshape", ["image", model.node("Concat", parts, ["axis": 0])])
    },
    OperatorCase(name: "ConstantOfShape", operators: ["ConstantOfShape", "Constant"]) { model, shape, _ in
        let three = ModelBuilder.tensor("", [1], type: 1, raw: ProtoMessage.littleEndian([Float(3)]))
        let filled = model.node("ConstantOfShape", [model.integers([1] + shape)], ["value": .tensor(three)])
        return (model.node("Add", ["image", filled]), { $0.map { $0 + 3 } })
    },
    OperatorCase(
        name: "Numbers chosen by comparisons",
        operators: [
            "Where", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "Range", "Floor", "Ceil",
            "Round",
        ]
    ) { model, shape, _ in
        // 1 where channel k of 0 ..< channels is the first, or k + 1 >= 2.5 and not k > 1; k / 2 rounded to even elsewhere.
        let count = shape[0]
        let numbers = [0, count, 1].map { model.integers([$0], shape: []) }
        let channels = model.node("Cast", [model.node("Range", numbers)], ["to": 1])
        for (name, value) in [("zero", 0), ("one", 1), ("half", 0.5), ("limit", 2.4)] as [(String, Float)] {
            _ = model.weight(name, [], [value])
        }
        let isFirst = model.node("Equal", [channels, "zero"])
        let isLarge = model.node("GreaterOrEqual", [model.node("Add", [channels, "one"]), model.node("Ceil", ["limit"])])
        let isSmall = model.node("Not", [model.node("Greater", [channels, "one"])])
        let never = model.node("And", [model.node("Less", [channels, "zero"]), model.node("LessOrEqual", [channels, "one"])])
        let chosen = model.node(
            "Or", [model.node("Or", [isFirst, model.node("And", [isLarge, isSmall])]), never])
        let halves = model.node("Round", [model.node("Mul", [channels, "half"])])
        let factor = model.node("Where", [chosen, model.node("Floor", [model.node("Add", ["one", "half"])]), halves])
        let map = model.node("Reshape", [factor, model.integers([count, 1, 1])])
        return (
            model.node("Mul", ["image", map]),
            { image in
                SlowTensor(image.shape) { i in
                    image.at(i) * (i[1] == 0 ? 1 : (Double(i[1]) / 2).rounded(.toNearestOrEven))
                }
            }
        )
    },
    OperatorCase(name: "Functions of one constant", operators: constantFunctions.map(\.name)) { model, _, _ in
        var sum = model.weight("half", [1], [0.5])
        for (index, function) in constantFunctions.enumerated() {
            let value = model.weight("argument \(index)", [1], [function.argument])
            sum = model.node("Add", [sum, model.node(function.name, [value])])
        }
        let expected = constantFunctions.reduce(0.5) { $0 + $1.value }
        return (model.node("Mul", ["image", sum]), { $0.map { $0 * expected } })
    },
    OperatorCase(name: "Tests of constants", operators: ["Mod", "Xor", "IsNaN", "IsInf"]) { model, _, _ in
        // −7 mod 3 is 2, and −1 as in C; one of two is true; and two of the three below are no numbers.
        let (seven, three) = (model.integers([-7]), model.integers([3]))
        let python = model.node("Cast", [model.node("Mod", [seven, three])], ["to": 1])
        let c = model.node("Cast", [model.node("Mod", [seven, three], ["fmod": 1])], ["to": 1])
        let (none, infinite) = (model.weight("none", [1], [.nan]), model.weight("infinite", [1], [-.infinity]))
        let (isNaN, isInf) = (model.node("IsNaN", [none]), model.node("IsInf", [infinite]))
        let both = model.node("Xor", [isNaN, model.node("Not", [isInf])])
        let factor = model.node("Add", [model.node("Mul", [python, c]), model.node("Cast", [both], ["to": 1])])
        return (model.node("Mul", ["image", factor]), { $0.map { -$0 } })
    },
    OperatorCase(name: "Tile, Size and CumSum of constants", operators: ["Tile", "Size", "CumSum"]) { model, shape, _ in
        let (channels, count) = (shape[0], shape.reduce(1, *))
        let row = model.weight("row", [1, 1], [2])
        let column = model.node("Tile", [row, model.integers([channels, 1])])
        let sums = model.node("CumSum", [column, model.integers([0], shape: [])], ["exclusive": 1, "reverse": 1])
        let size = model.node("Cast", [model.node("Size", ["image"])], ["to": 1])
        let map = model.node("Reshape", [model.node("Add", [sums, size]), model.integers([channels, 1, 1])])
        return (
            model.node("Add", ["image", map]),
            { image in SlowTensor(image.shape) { i in image.at(i) + Double(2 * (channels - 1 - i[1]) + count) } }
        )
    },
    OperatorCase(name: "Functions of constants", operators: ["Sqrt", "Exp", "Neg", "Sigmoid"]) { model, _, _ in
        _ = model.weight("four", [], [4])
        let two = model.node("Sqrt", ["four"])
        return (model.node("Mul", ["image", model.node("Neg", [two])]), { $0.map { -2 * $0 } })
    },
]
