import TestSupport

private func convolution(
    _ name: String, outputs: Int, kernel: [Int], strides: [Int] = [1, 1], dilations: [Int] = [1, 1], pads: [Int] = [0, 0, 0, 0],
    autoPad: String? = nil, depthwise: Bool = false, bias: Bool = true,
    shapes: [[Int]] = [[1, 7, 5], [3, 8, 11], [16, 6, 9], [17, 9, 4]]
) -> OperatorCase {
    OperatorCase(name: name, operators: ["Conv"], shapes: shapes) { model, shape, random in
        let groups = depthwise ? shape[0] : 1
        let outputs = depthwise ? 2 * shape[0] : outputs
        let weights = model.random("weight", [outputs, shape[0] / groups] + kernel, &random)
        let shift = bias ? model.random("bias", [outputs], &random).values : [Double](repeating: 0, count: outputs)
        var attributes: [String: ModelBuilder.Attribute] = [
            "strides": .ints(strides), "dilations": .ints(dilations), "group": .int(groups), "kernel_shape": .ints(kernel),
        ]
        var window = SlowOperators.Window(kernel: kernel, strides: strides, dilations: dilations, pads: pads)
        if let autoPad {
            attributes["auto_pad"] = .string(autoPad)
            window = autoPad == "VALID" ? window : window.same(upper: autoPad == "SAME_UPPER", over: Array(shape[1...]))
        } else {
            attributes["pads"] = .ints(pads)
        }
        let resolved = window
        let output = model.node("Conv", ["image", "weight"] + (bias ? ["bias"] : []), attributes)
        return (output, { SlowOperators.convolution($0, weights, shift, resolved, groups: groups) })
    }
}

/// Everything at once: groups, strides, dilations and pads that differ on all sides.
private func grouped(_ name: String, outputs: Int, strides: [Int], dilations: [Int], pads: [Int]) -> OperatorCase {
    OperatorCase(name: name, operators: ["Conv"], shapes: [[4, 9, 8], [6, 8, 11], [32, 7, 9]]) { model, shape, random in
        let weights = model.random("weight", [outputs, shape[0] / 2, 3, 2], &random)
        let bias = model.random("bias", [outputs], &random).values
        let window = SlowOperators.Window(kernel: [3, 2], strides: strides, dilations: dilations, pads: pads)
        let output = model.node(
            "Conv", ["image", "weight", "bias"],
            ["group": 2, "strides": .ints(strides), "dilations": .ints(dilations), "pads": .ints(pads)])
        return (output, { SlowOperators.convolution($0, weights, bias, window, groups: 2) })
    }
}

/// Over the rows of maps, or over the channels of a picture's mean as in ECA-Net.
private func alongOneAxis(_ name: String, kernel: Int, stride: Int, dilation: Int, pads: [Int], overChannels: Bool)
    -> OperatorCase
{
    OperatorCase(name: name, operators: ["Conv"], shapes: [[3, 8, 11], [17, 9, 4]]) { model, shape, random in
        let rows = overChannels ? [1, 1, shape.reduce(1, *)] : [1, shape[0], shape[1] * shape[2]]
        let weights = model.random("weight", [4, rows[1], kernel], &random)
        let bias = model.random("bias", [4], &random).values
        let source = model.node("Reshape", ["image", model.integers(rows)])
        let output = model.node(
            "Conv", [source, "weight", "bias"],
            ["kernel_shape": .ints([kernel]), "strides": .ints([stride]), "dilations": .ints([dilation]), "pads": .ints(pads)])
        let window = SlowOperators.Window(
            kernel: [1, kernel], strides: [1, stride], dilations: [1, dilation], pads: [0, pads[0], 0, pads[1]])
        return (
            output,
            { image in
                let map = image.reshaped([1, rows[1], 1, rows[2]])
                let result = SlowOperators.convolution(map, weights.reshaped([4, rows[1], 1, kernel]), bias, window)
                return result.reshaped([1, 4, result.shape[3]])
            }
        )
    }
}

let convolutionCases: [OperatorCase] = [
    alongOneAxis("Conv along one axis", kernel: 3, stride: 2, dilation: 2, pads: [1, 3], overChannels: false),
    alongOneAxis("Conv over the channels of a vector", kernel: 5, stride: 1, dilation: 1, pads: [2, 2], overChannels: true),
    grouped("Conv in groups, strided, asymmetric pads", outputs: 8, strides: [2, 3], dilations: [1, 1], pads: [1, 0, 0, 2]),
    grouped(
        "Conv in groups, strided, dilated, asymmetric pads", outputs: 8, strides: [2, 1], dilations: [2, 3], pads: [2, 1, 0, 3]),
    convolution("Conv 7×7 of stride 2", outputs: 17, kernel: [7, 5], strides: [2, 2], pads: [3, 2, 3, 2]),
    convolution("Conv 1×1 of stride 2", outputs: 6, kernel: [1, 1], strides: [2, 2]),
    convolution("Conv of stride 4", outputs: 5, kernel: [3, 3], strides: [4, 4], pads: [0, 1, 2, 0]),
    convolution("Conv padded beyond its kernel", outputs: 3, kernel: [2, 2], pads: [3, 2, 2, 3]),
    convolution(
        "Conv depthwise of stride 2", outputs: 0, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], depthwise: true),
    convolution("Conv 1×1", outputs: 5, kernel: [1, 1]),
    convolution("Conv 3×3 padded", outputs: 16, kernel: [3, 3], pads: [1, 1, 1, 1]),
    convolution(
        "Conv 3×3 of many channels", outputs: 40, kernel: [3, 3], pads: [1, 1, 1, 1], shapes: [[32, 12, 10], [44, 9, 15]]),
    convolution(
        "Conv 3×3 of many channels, asymmetric pads", outputs: 32, kernel: [3, 3], pads: [0, 2, 2, 1], shapes: [[48, 12, 11]]),
    convolution("Conv 3×3 without bias", outputs: 17, kernel: [3, 3], bias: false),
    convolution("Conv strides", outputs: 4, kernel: [3, 2], strides: [2, 3]),
    convolution("Conv dilations", outputs: 4, kernel: [2, 2], dilations: [3, 2]),
    convolution(
        "Conv dilated, strided, padded", outputs: 3, kernel: [3, 3], strides: [2, 1], dilations: [2, 1], pads: [2, 1, 1, 0]),
    convolution("Conv asymmetric pads", outputs: 6, kernel: [3, 3], pads: [0, 2, 1, 0]),
    convolution("Conv SAME_UPPER", outputs: 4, kernel: [4, 3], strides: [2, 2], autoPad: "SAME_UPPER"),
    convolution("Conv SAME_LOWER", outputs: 4, kernel: [4, 3], strides: [2, 2], autoPad: "SAME_LOWER"),
    convolution("Conv VALID", outputs: 4, kernel: [2, 3], autoPad: "VALID"),
    convolution("Conv depthwise", outputs: 0, kernel: [3, 3], pads: [1, 1, 1, 1], depthwise: true),
    OperatorCase(name: "Conv in groups", operators: ["Conv"], shapes: [[4, 5, 6], [6, 7, 3], [32, 4, 5]]) {
        model, shape, random in
        let weights = model.random("weight", [8, shape[0] / 2, 3, 3], &random)
        let window = SlowOperators.Window(kernel: [3, 3], pads: [1, 1, 1, 1])
        let output = model.node("Conv", ["image", "weight"], ["group": 2, "pads": [1, 1, 1, 1]])
        return (output, { SlowOperators.convolution($0, weights, [Double](repeating: 0, count: 8), window, groups: 2) })
    },
]

private func transposed(
    _ name: String, outputs: Int, kernel: [Int], strides: [Int], pads: [Int] = [0, 0, 0, 0], dilations: [Int] = [1, 1],
    groups: Int = 1,
    outputPadding: [Int] = [0, 0], bias: Bool = true
) -> OperatorCase {
    OperatorCase(name: "ConvTranspose \(name)", operators: ["ConvTranspose"], shapes: [[4, 5, 3], [16, 3, 4]]) {
        model, shape, random in
        let weights = model.random("weight", [shape[0], outputs / groups] + kernel, &random)
        let shift = bias ? model.random("bias", [outputs], &random).values : [Double](repeating: 0, count: outputs)
        let output = model.node(
            "ConvTranspose", ["image", "weight"] + (bias ? ["bias"] : []),
            [
                "strides": .ints(strides), "pads": .ints(pads), "dilations": .ints(dilations), "group": .int(groups),
                "output_padding": .ints(outputPadding),
            ])
        var size = outputPadding
        for axis in 0..<2 {
            size[axis] += strides[axis] * (shape[1 + axis] - 1) + (kernel[axis] - 1) * dilations[axis] + 1
            size[axis] -= pads[axis] + pads[axis + 2]
        }
        let result = size
        let window = SlowOperators.Window(kernel: kernel, strides: strides, dilations: dilations, pads: pads)
        return (output, { SlowOperators.transposedConvolution($0, weights, shift, window, groups: groups, size: result) })
    }
}

let transposedConvolutionCases: [OperatorCase] = [
    transposed("of stride 1", outputs: 3, kernel: [3, 2], strides: [1, 1], pads: [1, 0, 1, 1]),
    transposed("2×2 of stride 2", outputs: 6, kernel: [2, 2], strides: [2, 2], bias: false),
    transposed("with output padding", outputs: 5, kernel: [3, 3], strides: [2, 3], pads: [1, 1, 1, 1], outputPadding: [1, 2]),
    transposed(
        "dilated, in groups", outputs: 4, kernel: [3, 2], strides: [2, 1], pads: [0, 1, 2, 0], dilations: [2, 3], groups: 2),
]

private func pooling(
    _ name: String, _ type: String, kernel: [Int], strides: [Int] = [1, 1], pads: [Int] = [0, 0, 0, 0], ceil: Bool = false,
    countsPadding: Bool = false, autoPad: String? = nil, dilations: [Int]? = nil, opset: Int = 17
) -> OperatorCase {
    OperatorCase(name: "\(type) \(name)", operators: [type], opset: opset) { model, shape, _ in
        var window = SlowOperators.Window(kernel: kernel, strides: strides, pads: pads, ceilMode: ceil)
        var attributes: [String: ModelBuilder.Attribute] = ["kernel_shape": .ints(kernel), "strides": .ints(strides)]
        if let dilations {
            attributes["dilations"] = .ints(dilations)
            window.dilations = dilations
        }
        if let autoPad {
            attributes["auto_pad"] = .string(autoPad)
            window = window.same(upper: autoPad == "SAME_UPPER", over: Array(shape[1...]))
        } else {
            attributes["pads"] = .ints(pads)
        }
        if ceil { attributes["ceil_mode"] = 1 }
        if countsPadding { attributes["count_include_pad"] = 1 }
        let resolved = window
        return (
            model.node(type, ["image"], attributes),
            {
                type == "MaxPool"
                    ? SlowOperators.maximum($0, resolved) : SlowOperators.average($0, resolved, countsPadding: countsPadding)
            }
        )
    }
}

let poolingCases: [OperatorCase] =
    ["MaxPool", "AveragePool"].flatMap { type in
        [
            pooling("2×2", type, kernel: [2, 2], strides: [2, 2]),
            pooling("3×2 padded", type, kernel: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1]),
            pooling("asymmetric pads", type, kernel: [3, 3], pads: [0, 1, 2, 0]),
            pooling("ceil_mode", type, kernel: [3, 3], strides: [2, 2], ceil: true),
            pooling("ceil_mode padded", type, kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil: true),
            pooling(
                "ceil_mode, windows that start in the padding", type, kernel: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1],
                ceil: true),
            pooling("SAME_UPPER", type, kernel: [3, 2], strides: [2, 2], autoPad: "SAME_UPPER"),
            pooling("SAME_LOWER", type, kernel: [3, 2], strides: [2, 2], autoPad: "SAME_LOWER"),
            pooling("dilated", type, kernel: [2, 2], dilations: [2, 3], opset: 19),
        ]
    } + [
        pooling("overlapping", "MaxPool", kernel: [3, 3], strides: [2, 2]),
        pooling("counting asymmetric padding", "AveragePool", kernel: [2, 3], pads: [1, 0, 0, 2], countsPadding: true),
        pooling("counting padding", "AveragePool", kernel: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1], countsPadding: true),
        pooling(
            "counting padding, ceil_mode", "AveragePool", kernel: [3, 3], strides: [2, 3], pads: [1, 0, 1, 1], ceil: true,
            countsPadding: true),
        pooling(
            "counting padding, ceil_mode, large strides", "AveragePool", kernel: [4, 2], strides: [3, 3], pads: [2, 1, 0, 1],
            ceil: true, countsPadding: true),
        OperatorCase(name: "GlobalAveragePool", operators: ["GlobalAveragePool"]) { model, shape, _ in
            let window = SlowOperators.Window(kernel: Array(shape[1...]))
            return (model.node("GlobalAveragePool", ["image"]), { SlowOperators.average($0, window) })
        },
        OperatorCase(name: "GlobalMaxPool", operators: ["GlobalMaxPool"]) { model, shape, _ in
            let window = SlowOperators.Window(kernel: Array(shape[1...]))
            return (model.node("GlobalMaxPool", ["image"]), { SlowOperators.maximum($0, window) })
        },
        OperatorCase(name: "ReduceMax over the map", operators: ["ReduceMax"], opset: 13) { model, shape, _ in
            let window = SlowOperators.Window(kernel: Array(shape[1...]))
            return (model.node("ReduceMax", ["image"], ["axes": [2, 3]]), { SlowOperators.maximum($0, window) })
        },
        OperatorCase(name: "ReduceMean, axes kept", operators: ["ReduceMean"]) { model, shape, _ in
            let window = SlowOperators.Window(kernel: Array(shape[1...]))
            return (model.node("ReduceMean", ["image"], ["axes": [-1, -2]]), { SlowOperators.average($0, window) })
        },
        OperatorCase(name: "ReduceMean, axes dropped", operators: ["ReduceMean"], opset: 18) { model, shape, _ in
            let window = SlowOperators.Window(kernel: Array(shape[1...]))
            let axes = model.integers([2, 3])
            return (
                model.node("ReduceMean", ["image", axes], ["keepdims": 0]),
                { SlowOperators.average($0, window).reshaped([1, shape[0]]) }
            )
        },
    ]
