import Foundation
import TestSupport

/// The nearest value of a grid: (min(max(round(x / scale) + zero, low), high) − zero) · scale. Scales of the cases are powers of two, so that
/// the quotient is exact and a half is one.
func nearest(_ x: Double, scale: Double, zero: Double, _ range: ClosedRange<Double>) -> Double {
    let rounded = (x / scale).rounded(.toNearestOrEven) + zero
    return (min(max(rounded, range.lowerBound), range.upperBound) - zero) * scale
}

private func throughGrid(
    _ name: String, scale: Float, zero: Int, isSigned: Bool, between: [String] = [], isFused: Bool = true
) -> OperatorCase {
    OperatorCase(name: name, operators: ["QuantizeLinear", "DequantizeLinear"], opset: 13, isDifferentiable: false) {
        model, _, _ in
        _ = model.weight("scale", [], [scale])
        let point = model.bytes([zero], shape: [], isSigned: isSigned)
        var value = model.node("QuantizeLinear", ["image", "scale", point])
        for type in between { value = model.node(type, [value], ["kernel_shape": [2, 2]]) }
        let output = model.node("DequantizeLinear", [value, "scale", point])
        let range: ClosedRange<Double> = isSigned ? -128...127 : 0...255
        let answer = isFused ? output : model.node("Add", [output, model.node("DequantizeLinear", [value, "scale", point])])
        return (
            answer,
            { image in
                let rounded = image.map { nearest($0, scale: Double(scale), zero: Double(zero), range) }
                let pooled = between.isEmpty ? rounded : SlowOperators.maximum(rounded, SlowOperators.Window(kernel: [2, 2]))
                return isFused ? pooled : pooled.map { 2 * $0 }
            }
        )
    }
}

let quantizationCases: [OperatorCase] = [
    throughGrid("QuantizeLinear to uint8 and back", scale: 0x1p-6, zero: 120, isSigned: false),
    throughGrid("QuantizeLinear to int8, cut off at both ends", scale: 0x1p-8, zero: 10, isSigned: true),
    throughGrid("QuantizeLinear that is a ReLU", scale: 0x1p-7, zero: 0, isSigned: false),
    throughGrid("MaxPool of integers", scale: 0x1p-6, zero: 128, isSigned: false, between: ["MaxPool"]),
    throughGrid("QuantizeLinear read twice", scale: 0x1p-6, zero: 0, isSigned: true, isFused: false),
    OperatorCase(
        name: "QuantizeLinear of every channel by itself", operators: ["QuantizeLinear", "DequantizeLinear"], opset: 13,
        isDifferentiable: false
    ) { model, shape, _ in
        let scales = (0..<shape[0]).map { Double(sign: .plus, exponent: -4 - $0 % 4, significand: 1) }
        let zeros = (0..<shape[0]).map { $0 * 5 % 17 }
        _ = model.weight("scale", [shape[0]], scales.map { Float($0) })
        let point = model.bytes(zeros, shape: [shape[0]], isSigned: true)
        let rounded = model.node("QuantizeLinear", ["image", "scale", point], ["axis": 1])
        return (
            model.node("DequantizeLinear", [rounded, "scale", point], ["axis": -3]),
            { image in
                SlowTensor(image.shape) {
                    nearest(image.at($0), scale: scales[$0[1]], zero: Double(zeros[$0[1]]), -128...127)
                }
            }
        )
    },
    OperatorCase(name: "DequantizeLinear alone", operators: ["DequantizeLinear"]) { model, _, _ in
        _ = model.weight("scale", [], [0.25])
        _ = model.weight("zero", [], [3])
        return (model.node("DequantizeLinear", ["image", "scale", "zero"]), { $0.map { ($0 - 3) * 0.25 } })
    },
    OperatorCase(name: "Conv with weights of int8, a scale each filter", operators: ["DequantizeLinear", "Conv"]) {
        model, shape, random in
        let (filters, count) = (4, shape[0] * 9)
        let numbers = (0..<filters * count).map { _ in Int.random(in: -128...127, using: &random) }
        let (scales, zeros) = ([0.02, 0.5, 0.001, 0.125], [0, 3, -7, 127])
        let integers = model.bytes(numbers, shape: [filters, shape[0], 3, 3], isSigned: true)
        _ = model.weight("scale", [filters], scales.map { Float($0) })
        let point = model.bytes(zeros, shape: [filters], isSigned: true)
        let weights = model.node("DequantizeLinear", [integers, "scale", point], ["axis": 0])
        let slow = SlowTensor(
            [filters, shape[0], 3, 3],
            numbers.enumerated().map {
                Double($0.element - zeros[$0.offset / count]) * scales[$0.offset / count]
            })
        return (
            model.node("Conv", ["image", weights], ["pads": [1, 1, 1, 1]]),
            { SlowOperators.convolution($0, slow, [0, 0, 0, 0], SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])) }
        )
    },
]
