import CKernels
import COneDNN

/// `ConvTranspose`, the transpose of a convolution, with bias: forward it is the way back of the convolution with the same weights, and the
/// other way round.
///
/// https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
struct ConvolutionTranspose: ChannelsFirst {
    static let names = ["ConvTranspose"]

    var takesActivation: Bool { true }

    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? { .standard }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output)
    }

    private let weights: HostTensor  // [inputs, outputs / groups, height, width]
    private let bias: [Float]
    private let groups: Int
    private let window: Window
    private let outputPadding: [Int]
    private let outputShape: [Int]?

    private var outputs: Int { weights.shape[1] * groups }

    init(_ node: NodeReader) throws {
        weights = try node.requiredConstant(1, "weight")
        guard weights.shape.count == 4 else {
            throw Refusal("its weight has shape \(weights.shape); neurodex reads convolutions over height and width")
        }
        groups = node.int("group", default: 1)
        guard groups > 0, weights.shape[0] % groups == 0 else {
            throw Refusal("has \(weights.shape[0]) input channels in \(groups) groups")
        }
        window = try Window(node, kernel: [weights.shape[2], weights.shape[3]])
        outputPadding = node.ints("output_padding") ?? [0, 0]
        outputShape = node.ints("output_shape").map { Array($0.suffix(2)) }
        let outputs = weights.shape[1] * groups
        bias = try node.constant(2, "bias")?.floats ?? [Float](repeating: 0, count: outputs)
        guard bias.count == outputs, outputPadding.count == 2, outputShape?.count ?? 2 == 2,
            (outputPadding + (outputShape ?? [])).allSatisfy({ (0...65536).contains($0) })
        else {
            throw Refusal("has \(bias.count) biases for \(outputs) outputs, output_padding \(outputPadding)")
        }
    }

    /// The window of the convolution that this is the transpose of, and the size of what it slides over: this one's output.
    private func resolved(over size: [Int]) throws -> (window: Window, output: [Int]) {
        var window = window
        window.autoPad = "NOTSET"
        var output = [0, 0]
        for axis in 0..<2 {
            let full = window.stride[axis] * (size[axis] - 1) + outputPadding[axis] + window.reach(axis)
            let isSame = self.window.autoPad.hasPrefix("SAME")
            if let wanted = outputShape?[axis] ?? (isSame ? size[axis] * window.stride[axis] : nil) {
                let total = max(0, full - wanted)
                let less = total / 2
                window.padBefore[axis] = self.window.autoPad == "SAME_UPPER" ? less : total - less
                window.padAfter[axis] = total - window.padBefore[axis]
                output[axis] = wanted
            } else {
                if self.window.autoPad == "VALID" { (window.padBefore[axis], window.padAfter[axis]) = (0, 0) }
                output[axis] = full - window.padBefore[axis] - window.padAfter[axis]
            }
            // What the convolution's window needs beyond the map so that it makes as many places as the input has.
            window.padAfter[axis] =
                window.stride[axis] * (size[axis] - 1) + window.reach(axis) - window.padBefore[axis] - output[axis]
        }
        guard output.allSatisfy({ $0 > 0 }) else { throw Refusal("would make a map of \(output[0])×\(output[1])") }
        return (window, output)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard let source = inputs.first??.shape, source.count == 4 else {
            throw Refusal("needs a map [batch, channels, height, width], but gets \(inputs.first??.shape ?? [])")
        }
        guard source[1] == weights.shape[0] else {
            throw Refusal("has weights for \(weights.shape[0]) input channels, but gets \(source[1])")
        }
        return [[source[0], outputs] + (try resolved(over: [source[2], source[3]]).output)]
    }

    /// Every place of the input reaches `kernel` places of the output, so a place of the output sees kernel / stride of the input.
    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard let window = try? resolved(over: [shapes[0][2], shapes[0][3]]).window else { return inputs[0] }
        func through(_ axis: Int, _ input: ReceptiveField.Axis) -> ReceptiveField.Axis {
            let taps = (window.reach(axis) + window.stride[axis] - 1) / window.stride[axis]
            let first = (window.padBefore[axis] - window.reach(axis) + 1) / window.stride[axis]
            return ReceptiveField.Axis(
                size: input.size + (taps - 1) * input.stride, stride: max(1, input.stride / window.stride[axis]),
                start: input.start + first * input.stride)
        }
        return ReceptiveField(y: through(0, inputs[0].y), x: through(1, inputs[0].x))
    }

    /// The weights are looked at when it is lowered.
    func mayMakeNaN(_ operands: [Operand?]) -> Bool { false }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        program.examine(weights.floats, bias)
        var native = try resolved(over: [source.shape[2], source.shape[3]]).window.native
        let kernel = try Kernel {
            nd_convolution_backward(source.map, destination.map, &native, Int64(groups), weights.floats)
        }
        program.emit(kernel, reads: [source], writes: [destination])
        guard bias.contains(where: { !($0 == 0) }) else { return }
        let (pixels, channels) = (destination.count / outputs * program.batch, outputs)
        let ones = [Float](repeating: 1, count: channels)
        program.emit(reads: [destination], writes: [destination]) { [bias] memory in
            let map = memory[destination]
            return { ndx_channel_affine(map, map, pixels, channels, ones, bias, .none) }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            var native = try resolved(over: [target.shape[2], target.shape[3]]).window.native
            let kernel = try Kernel {
                nd_convolution(gradient.map, target.map, &native, Int64(groups), weights.floats, nil, .identity)
            }
            program.emit(kernel, reads: [gradient], writes: [target])
        }
    }
}
