extension ONNXNodeProto {
    /// A convolution along one axis, as channel attention has it (Wang et al., "ECA-Net", 2020, https://arxiv.org/abs/1910.03151), as one over a
    /// map of height 1: nodes that give input and weight a height, the convolution, and one that takes the height away.
    var alongWidth: [ONNXNodeProto] {
        var convolution = self
        convolution.input[0] = "\(input[0]), of height 1 for \(output[0])"
        convolution.input[1] = "\(input[1]), of height 1 for \(output[0])"
        convolution.output[0] = "\(output[0]), of height 1"
        for index in attribute.indices {
            let values = attribute[index].ints
            switch attribute[index].name {
            case "kernel_shape", "strides", "dilations": convolution.attribute[index].ints = [1] + values
            case "pads" where values.count == 2: convolution.attribute[index].ints = [0, values[0], 0, values[1]]
            default: continue
            }
        }
        return [
            height("Unsqueeze", input[0], to: convolution.input[0]), height("Unsqueeze", input[1], to: convolution.input[1]),
            convolution, height("Squeeze", convolution.output[0], to: output[0]),
        ]
    }

    /// A node of the same name that gives or takes the axis of height.
    private func height(_ type: String, _ input: String, to output: String) -> ONNXNodeProto {
        var (node, axes) = (ONNXNodeProto(), ONNXAttributeProto())
        axes.name = "axes"
        axes.ints = [2]
        (node.name, node.opType, node.input, node.output, node.attribute) = (name, type, [input], [output], [axes])
        return node
    }
}
