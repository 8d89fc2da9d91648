import Foundation
import TestSupport

/// A grid of integers: its scale is a power of two, so that all that is computed on it is exact.
private struct Grid: Sendable {
    var scale: Double
    var zero: Int
    var isSigned = false

    var range: ClosedRange<Double> { isSigned ? -128...127 : 0...255 }

    func nearest(_ x: Double) -> Double { (integer(x) - Double(zero)) * scale }

    func integer(_ x: Double) -> Double {
        min(max((x / scale).rounded(.toNearestOrEven) + Double(zero), range.lowerBound), range.upperBound)
    }

    /// Names of its scale and zero point in the model.
    func inputs(_ model: inout ModelBuilder, _ name: String) -> [String] {
        [model.weight("\(name) scale", [], [Float(scale)]), model.bytes([zero], shape: [], isSigned: isSigned)]
    }
}

private let pictureGrid = Grid(scale: 0x1p-5, zero: 120)
private let weightGrid = Grid(scale: 0x1p-6, zero: 3, isSigned: true)
private let answerGrid = Grid(scale: 0x1p-3, zero: 128)

/// From the picture in integers to integers of another grid, and back to numbers.
private func onGrid(
    _ name: String, _ operators: [String], shapes: [[Int]] = [[3, 5, 6], [8, 4, 4]],
    _ build:
        @escaping @Sendable (
            _ model: inout ModelBuilder, _ picture: [String], _ answer: [String], _ shape: [Int],
            _ random: inout SeededGenerator
        ) -> (output: String, slow: @Sendable (SlowTensor) -> SlowTensor)
) -> OperatorCase {
    OperatorCase(name: name, operators: operators, shapes: shapes, isDifferentiable: false) { model, shape, random in
        let grid = pictureGrid.inputs(&model, "picture")
        let answer = answerGrid.inputs(&model, "answer")
        let integers = model.node("QuantizeLinear", ["image"] + grid)
        let (output, slow) = build(&model, [integers] + grid, answer, shape, &random)
        return (
            model.node("DequantizeLinear", [output] + answer),
            { slow($0.map(pictureGrid.nearest)).map(answerGrid.nearest) }
        )
    }
}

/// Random integers of the weights' grid, and what they stand for.
private func weights(_ model: inout ModelBuilder, _ shape: [Int], _ random: inout SeededGenerator) -> (String, SlowTensor) {
    let numbers = (0..<shape.reduce(1, *)).map { _ in Int.random(in: -60...60, using: &random) }
    return (
        model.bytes(numbers, shape: shape, isSigned: true),
        SlowTensor(shape, numbers.map { Double($0 - weightGrid.zero) * weightGrid.scale })
    )
}

private let microsoft = "com.microsoft"

let integerCases: [OperatorCase] = [
    onGrid("QLinearConv with a bias", ["QLinearConv"]) { model, picture, answer, shape, random in
        let (name, slow) = weights(&model, [4, shape[0], 3, 3], &random)
        let grid = weightGrid.inputs(&model, "weight")
        let bias = [100, -200, 0, 51]
        let integers = model.integers(bias)
        let output = model.node(
            "QLinearConv", picture + [name] + grid + answer + [integers], ["pads": [1, 1, 1, 1], "strides": [2, 1]])
        let window = SlowOperators.Window(kernel: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1])
        let shifts = bias.map { Double($0) * pictureGrid.scale * weightGrid.scale }
        return (output, { SlowOperators.convolution($0, slow, shifts, window) })
    },
    onGrid("QLinearMatMul", ["QLinearMatMul"]) { model, picture, answer, shape, random in
        let (name, slow) = weights(&model, [shape[2], 5], &random)
        let output = model.node("QLinearMatMul", picture + [name] + weightGrid.inputs(&model, "weight") + answer)
        return (output, { SlowOperators.product($0, slow) })
    },
    onGrid("QLinearAdd and QLinearSigmoid", ["com.microsoft.QLinearAdd", "com.microsoft.QLinearSigmoid"]) {
        model, picture, answer, _, _ in
        let sum = model.node("QLinearAdd", picture + picture + answer, domain: microsoft)
        let output = model.node("QLinearSigmoid", [sum] + answer + answer, domain: microsoft)
        return (output, { $0.map { 1 / (1 + exp(-answerGrid.nearest(2 * $0))) } })
    },
    onGrid("QLinearMul and QLinearLeakyRelu", ["com.microsoft.QLinearMul", "com.microsoft.QLinearLeakyRelu"]) {
        model, picture, answer, _, _ in
        let square = model.node("QLinearMul", picture + picture + answer, domain: microsoft)
        let output = model.node("QLinearLeakyRelu", [square] + answer + answer, ["alpha": 0.5], domain: microsoft)
        return (output, { $0.map { max(answerGrid.nearest($0 * $0), 0.5 * answerGrid.nearest($0 * $0)) } })
    },
    onGrid("QLinearGlobalAveragePool", ["com.microsoft.QLinearGlobalAveragePool"], shapes: [[3, 4, 8], [8, 2, 2]]) {
        model, picture, answer, shape, _ in
        let window = SlowOperators.Window(kernel: Array(shape[1...]))
        return (
            model.node("QLinearGlobalAveragePool", picture + answer, domain: microsoft), { SlowOperators.average($0, window) }
        )
    },
    onGrid("QLinearAveragePool", ["com.microsoft.QLinearAveragePool"]) { model, picture, answer, _, _ in
        let window = SlowOperators.Window(kernel: [2, 2], strides: [2, 2])
        let output = model.node(
            "QLinearAveragePool", picture + answer, ["kernel_shape": [2, 2], "strides": [2, 2]], domain: microsoft)
        return (output, { SlowOperators.average($0, window) })
    },
    onGrid("QLinearConcat", ["com.microsoft.QLinearConcat"]) { model, picture, answer, _, _ in
        let output = model.node("QLinearConcat", answer + picture + picture, ["axis": 1], domain: microsoft)
        return (output, { SlowOperators.concatenated([$0, $0], axis: 1) })
    },
    onGrid("QGemm", ["com.microsoft.QGemm"], shapes: [[3, 2, 2]]) { model, picture, answer, shape, random in
        let (name, slow) = weights(&model, [5, shape.reduce(1, *)], &random)
        let flat = model.node("Flatten", [picture[0]])
        let inputs = [flat] + picture[1...] + [name] + weightGrid.inputs(&model, "weight") + [model.integers([7, 0, -90, 1, 2])]
        let shifts = [7.0, 0, -90, 1, 2].map { $0 * pictureGrid.scale * weightGrid.scale }
        return (
            model.node("QGemm", inputs + answer, ["transB": 1], domain: microsoft),
            { SlowOperators.linear($0.reshaped([1, slow.shape[1]]), slow, shifts) }
        )
    },
    OperatorCase(name: "ConvInteger", operators: ["ConvInteger"], shapes: [[3, 5, 6]], isDifferentiable: false) {
        model, shape, random in
        let grid = pictureGrid.inputs(&model, "picture")
        let integers = model.node("QuantizeLinear", ["image"] + grid)
        let (name, slow) = weights(&model, [4, shape[0], 3, 3], &random)
        let zero = weightGrid.inputs(&model, "weight")[1]
        let sums = model.node("ConvInteger", [integers, name, grid[1], zero], ["pads": [1, 1, 1, 1]])
        let window = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])
        let step = pictureGrid.scale * weightGrid.scale
        return (
            model.node("Mul", [model.node("Cast", [sums], ["to": 1]), model.weight("step", [], [Float(step)])]),
            { SlowOperators.convolution($0.map(pictureGrid.nearest), slow, [0, 0, 0, 0], window) }
        )
    },
    OperatorCase(
        name: "DynamicQuantizeLinear and MatMulInteger", operators: ["DynamicQuantizeLinear", "MatMulInteger"], tolerance: 0.02,
        shapes: [[3, 5, 6]], isDifferentiable: false
    ) { model, shape, random in
        model.node("DynamicQuantizeLinear", ["image"], outputs: ["integers", "scale", "zero"])
        let (name, slow) = weights(&model, [shape[2], 4], &random)
        let point = weightGrid.inputs(&model, "weight")[1]
        let sums = model.node("MatMulInteger", ["integers", name, "zero", point])
        let step = model.node("Mul", ["scale", model.weight("weight step", [], [Float(weightGrid.scale)])])
        return (model.node("Mul", [model.node("Cast", [sums], ["to": 1]), step]), { SlowOperators.product($0, slow) })
    },
    OperatorCase(name: "DynamicQuantizeLinear", operators: ["DynamicQuantizeLinear"], isDifferentiable: false) { model, _, _ in
        // A picture and a number above all of it, so that range and scale are known: 0 to 255/64, or a little below 0.
        let cut = model.node("Clip", ["image", model.weight("low", [], [0]), model.weight("high", [], [1])])
        let edge = model.node(
            "Concat",
            [
                cut,
                model.node(
                    "Add", [model.node("Mul", [cut, model.weight("none", [], [0])]), model.weight("top", [], [255.0 / 64])]),
            ], ["axis": 1])
        model.node("DynamicQuantizeLinear", [edge], outputs: ["integers", "scale", "zero"])
        return (
            "integers",
            { image in
                let cut = image.map { (min(max($0, 0), 1) * 64).rounded(.toNearestOrEven) }
                return SlowOperators.concatenated([cut, cut.map { _ in 255 }], axis: 1)
            }
        )
    },
]
