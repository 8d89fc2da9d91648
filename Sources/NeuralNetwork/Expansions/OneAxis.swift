/// Convolutions and poolings along one axis, as channel attention has them (Wang et al., "ECA-Net", 2020, https://arxiv.org/abs/1910.03151), as such
/// over a map of height 1: nodes that give input and weight a height, the operator, and one that takes the height away.
enum OneAxis {
    private static let weighted: Set<String> = ["Conv", "ConvTranspose"]
    private static let others: Set<String> = [
        "MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool", "BatchNormalization",
    ]

    static func rule(_ node: ONNXNodeProto, _ inputs: [Operand?]) -> Expansion.Rule? {
        let rank = inputs.first??.shape.count
        let hasWeights = weighted.contains(node.opType)
        guard rank == 3, node.output.count == 1, hasWeights || others.contains(node.opType) else { return nil }
        if hasWeights, inputs.count < 2 || inputs[1]?.shape.count != 3 { return nil }
        return { expansion in
            expansion.writeOut(node, hasWeights: hasWeights)
        }
    }

    /// With a height of 1 in all that is said of the window.
    fileprivate static func widened(_ attribute: ONNXAttributeProto) -> ONNXAttributeProto {
        var result = attribute
        let values = attribute.ints
        switch attribute.name {
        case "kernel_shape", "strides", "dilations": result.ints = [1] + values
        case "output_padding": result.ints = [0] + values
        case "pads" where values.count == 2: result.ints = [0, values[0], 0, values[1]]
        case "output_shape" where values.count == 1: result.ints = [1] + values
        default: break
        }
        return result
    }
}

extension Expansion {
    fileprivate mutating func writeOut(_ node: ONNXNodeProto, hasWeights: Bool) {
        let height: [ONNXAttributeProto] = [.ints("axes", [2])]
        var inputs = node.input
        for index in inputs.indices.prefix(hasWeights ? 2 : 1) { inputs[index] = add("Unsqueeze", [inputs[index]], height) }
        let map = add(node.opType, inputs, node.attribute.map(OneAxis.widened), as: "\(node.output[0]), of height 1")
        add("Squeeze", [map], height, output: 0)
    }
}

/// A convolution over three axes that looks at one place of the last (Bello, "LambdaNetworks", 2021, https://arxiv.org/abs/2102.08602) as one over a
/// map whose columns are both last axes: from one column to the next are as many places as the last axis has.
enum FlatAxis {
    static func rule(_ node: ONNXNodeProto, _ inputs: [Operand?]) -> Expansion.Rule? {
        guard node.opType == "Conv", let shape = inputs.first??.shape, shape.count == 5, inputs.count > 1,
            let weight = inputs[1]?.shape, weight.count == 5, weight[4] == 1
        else { return nil }
        return { try $0.flatten(shape, weight) }
    }
}

extension Expansion {
    fileprivate mutating func flatten(_ shape: [Int], _ weight: [Int]) throws {
        let depth = shape[4]
        let (strides, dilations) = (reader.ints("strides") ?? [1, 1, 1], reader.ints("dilations") ?? [1, 1, 1])
        let pads = reader.ints("pads") ?? [0, 0, 0, 0, 0, 0]
        guard strides.count == 3, dilations.count == 3, pads.count == 6, strides[1] == 1, strides[2] == 1, pads[2] == 0,
            pads[5] == 0, strides[0] > 0, (strides + dilations + pads + weight).allSatisfy({ (0...65536).contains($0) }),
            ["NOTSET", "", "VALID"].contains(reader.string("auto_pad", default: "NOTSET"))
        else {
            throw Refusal(
                "slides over 3 axes by strides \(strides) with pads \(pads); neurodex reads convolutions over 3 axes whose last is left as it is"
            )
        }
        let flat = reshape(input(0), to: [shape[0], shape[1], shape[2], shape[3] * depth])
        let matrix = reshape(input(1), to: Array(weight.dropLast()))
        let map = add(
            "Conv", [flat, matrix] + node.input.dropFirst(2),
            [
                .int("group", reader.int("group", default: 1)), .ints("strides", [strides[0], 1]),
                .ints("dilations", [dilations[0], dilations[1] * depth]),
                .ints("pads", [pads[0], pads[1] * depth, pads[3], pads[4] * depth]),
                .ints("kernel_shape", [weight[2], weight[3]]),
            ])
        let height = (shape[2] + pads[0] + pads[3] - (weight[2] - 1) * dilations[0] - 1) / strides[0] + 1
        let width = shape[3] + pads[1] + pads[4] - (weight[3] - 1) * dilations[1]
        _ = reshape(map, to: [shape[0], weight[0], height, width, depth], output: 0)
    }
}
