import Foundation
import TestSupport

private func normPool(_ name: String, power: Int, kernel: [Int], strides: [Int], pads: [Int], ceil: Bool = false) -> OperatorCase
{
    OperatorCase(name: "LpPool \(name)", operators: ["LpPool"], shapes: [[3, 8, 11], [17, 9, 4]], opset: 18) { model, _, _ in
        let window = SlowOperators.Window(kernel: kernel, strides: strides, pads: pads, ceilMode: ceil)
        let output = model.node(
            "LpPool", ["image"],
            [
                "p": .int(power), "kernel_shape": .ints(kernel), "strides": .ints(strides), "pads": .ints(pads),
                "ceil_mode": .int(ceil ? 1 : 0),
            ])
        return (output, { SlowOperators.norm($0, window, power: Double(power)) })
    }
}

private func norm(_ values: [Double], _ power: Double) -> Double { pow(values.reduce(0) { $0 + pow(abs($1), power) }, 1 / power) }

/// A pooling over rows, as one over a map of height 1.
private func poolAlongOneAxis(_ type: String, _ slow: @escaping @Sendable (SlowTensor, SlowOperators.Window) -> SlowTensor)
    -> OperatorCase
{
    OperatorCase(name: "\(type) along one axis", operators: [type], shapes: [[3, 8, 11], [17, 9, 4]], opset: 19) {
        model, shape, _ in
        let rows = [1, shape[0], shape[1] * shape[2]]
        let source = model.node("Reshape", ["image", model.integers(rows)])
        let output = model.node(type, [source], ["kernel_shape": .ints([3]), "strides": .ints([2]), "pads": .ints([1, 1])])
        let window = SlowOperators.Window(kernel: [1, 3], strides: [1, 2], pads: [0, 1, 0, 1])
        return (
            output,
            { image in
                let result = slow(image.reshaped([1, rows[1], 1, rows[2]]), window)
                return result.reshaped([1, rows[1], result.shape[3]])
            }
        )
    }
}

let normCases: [OperatorCase] = [
    normPool("of power 2", power: 2, kernel: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1]),
    normPool("of power 1", power: 1, kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0]),
    normPool("of power 3, ceil_mode", power: 3, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil: true),
    OperatorCase(name: "GlobalLpPool", operators: ["GlobalLpPool"]) { model, _, _ in
        (model.node("GlobalLpPool", ["image"]), { SlowOperators.reduced($0, axes: [2, 3], keep: true) { norm($0, 2) } })
    },
    OperatorCase(name: "GlobalLpPool of power 1", operators: ["GlobalLpPool"]) { model, _, _ in
        (
            model.node("GlobalLpPool", ["image"], ["p": 1]),
            { SlowOperators.reduced($0, axes: [2, 3], keep: true) { norm($0, 1) } }
        )
    },
    OperatorCase(name: "LpNormalization of channels", operators: ["LpNormalization"], gradientTolerance: 5e-4) { model, _, _ in
        (
            model.node("LpNormalization", ["image"], ["axis": 1]),
            { image in image.combined(with: SlowOperators.reduced(image, axes: [1], keep: true) { norm($0, 2) }, /) }
        )
    },
    OperatorCase(name: "LpNormalization of power 1", operators: ["LpNormalization"]) { model, _, _ in
        (
            model.node("LpNormalization", ["image"], ["axis": -1, "p": 1]),
            { image in image.combined(with: SlowOperators.reduced(image, axes: [3], keep: true) { norm($0, 1) }, /) }
        )
    },
    OperatorCase(name: "ReduceLogSum", operators: ["ReduceLogSum"]) { model, _, _ in
        let positive = model.node("Exp", ["image"])
        return (
            model.node("ReduceLogSum", [positive], ["axes": [1], "keepdims": 0]),
            { image in SlowOperators.reduced(image.map(exp), axes: [1], keep: false) { log($0.reduce(0, +)) } }
        )
    },
    poolAlongOneAxis("MaxPool", SlowOperators.maximum), poolAlongOneAxis("AveragePool") { SlowOperators.average($0, $1) },
    poolAlongOneAxis("LpPool") { SlowOperators.norm($0, $1, power: 2) },
    OperatorCase(name: "ConvTranspose along one axis", operators: ["ConvTranspose"], shapes: [[3, 2, 5], [4, 3, 4]]) {
        model, shape, random in
        let rows = [1, shape[0], shape[1] * shape[2]]
        let weights = model.random("weight", [shape[0], 2, 3], &random)
        let source = model.node("Reshape", ["image", model.integers(rows)])
        let output = model.node("ConvTranspose", [source, "weight"], ["strides": .ints([2]), "pads": .ints([1, 0])])
        let window = SlowOperators.Window(kernel: [1, 3], strides: [1, 2], pads: [0, 1, 0, 0])
        let width = 2 * (rows[2] - 1) + 3 - 1
        return (
            output,
            { image in
                SlowOperators.transposedConvolution(
                    image.reshaped([1, rows[1], 1, rows[2]]), weights.reshaped([rows[1], 2, 1, 3]), [0, 0], window,
                    size: [1, width]
                ).reshaped([1, 2, width])
            }
        )
    },
    OperatorCase(name: "Conv over three axes that leaves the last", operators: ["Conv"], shapes: [[5, 4, 3], [6, 7, 2]]) {
        model, shape, random in
        let weights = model.random("weight", [4, 1, 3, 2, 1], &random)
        let volume = model.node("Reshape", ["image", model.integers([1, 1] + shape)])
        let output = model.node(
            "Conv", [volume, "weight"],
            ["pads": .ints([1, 1, 0, 0, 1, 0]), "strides": .ints([2, 1, 1]), "dilations": .ints([1, 2, 1])])
        let window = SlowOperators.Window(kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 1, 0, 1])
        return (
            output,
            { image in
                let planes = (0..<shape[2]).map { place -> SlowTensor in
                    let plane = SlowTensor([1, 1, shape[0], shape[1]]) { image.at([0, $0[2], $0[3], place]) }
                    return SlowOperators.convolution(plane, weights.reshaped([4, 1, 3, 2]), [0, 0, 0, 0], window)
                }
                return SlowTensor(planes[0].shape + [shape[2]]) { planes[$0[4]].at(Array($0.dropLast())) }
            }
        )
    },
]
