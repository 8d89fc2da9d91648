import COneDNN

/// `Conv` over height and width, with bias, and what follows it: a scale and shift a channel, and an activation.
///
/// https://onnx.ai/onnx/operators/onnx__Conv.html
struct Convolution: ChannelsFirst {
    static let names = ["Conv"]

    var takesActivation: Bool { true }
    var changedRegion: ChangedRegion { .window }
    var multiplyAddsPerOutput: Int { Array(weights.shape.dropFirst()).product }

    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? { .standard }

    func slidingWindow(over size: [Int]) -> (window: Window, filler: Float)? {
        (try? window.resolved(over: size)).map { ($0.window, 0) }
    }

    /// Of one with a window of one place over one place.
    func matrix(over shape: [Int]) -> (weights: HostTensor, bias: [Float])? {
        guard activation == nil, groups == 1, shape.count == 4, shape[2] * shape[3] == 1, window.kernel == [1, 1],
            window.padBefore == [0, 0], window.padAfter == [0, 0]
        else { return nil }
        return (weights, bias)
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output)
    }

    var weights: HostTensor  // [outputs, inputs / groups, height, width]
    var bias: [Float]
    private(set) var activation: Activation?
    let groups: Int
    private(set) var window: Window

    init(_ node: NodeReader) throws {
        weights = try node.requiredConstant(1, "weight")
        guard weights.shape.count == 4 else {
            throw Refusal("its weight has shape \(weights.shape); neurodex reads convolutions over height and width")
        }
        groups = node.int("group", default: 1)
        window = try Window(node, kernel: [weights.shape[2], weights.shape[3]])
        let outputs = weights.shape[0]
        guard groups > 0, outputs > 0, outputs % groups == 0 else {
            throw Refusal("has \(outputs) output channels in \(groups) groups")
        }
        bias = try node.constant(2, "bias")?.floats ?? [Float](repeating: 0, count: outputs)
        guard bias.count == outputs else { throw Refusal("has \(bias.count) biases for \(outputs) output channels") }
    }

    var unpadded: any Operator {
        var result = self
        result.window = window.unpadded
        return result
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard let source = inputs.first??.shape, source.count == 4 else {
            throw Refusal("needs a map [batch, channels, height, width], but gets \(inputs.first??.shape ?? [])")
        }
        guard source[1] == weights.shape[1] * groups else {
            throw Refusal("has weights for \(weights.shape[1] * groups) input channels, but gets \(source[1])")
        }
        let size = try window.resolved(over: [source[2], source[3]]).output
        return [[source[0], weights.shape[0], size[0], size[1]]]
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard let resolved = try? window.resolved(over: [shapes[0][2], shapes[0][3]]) else { return inputs[0] }
        return resolved.window.receptiveField(inputs[0])
    }

    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? {
        guard activation == nil else { return nil }
        var fused = self
        if let function = next as? Activation {
            fused.activation = function
            return fused
        }
        guard let affine = ChannelAffine(equivalentTo: next, operands, channels: weights.shape[0]) else { return nil }
        (fused.weights, fused.bias) = affine.folded(into: weights, bias)
        return fused
    }

    /// The weights are looked at when it is lowered.
    func mayMakeNaN(_ operands: [Operand?]) -> Bool { activation?.mayMakeNaN([]) ?? false }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let resolved = try window.resolved(over: [source.shape[2], source.shape[3]]).window
        program.examine(weights.floats, bias)
        if program.usesWinograd, !program.keepsNaN, groups == 1,
            let winograd = WinogradConvolution(
                weights: weights.floats, bias: bias, activation, resolved, from: source, to: destination,
                beside: program.precision)
        {
            return winograd.emit(from: source, to: destination, into: &program)
        }
        try program.convolve(
            weights.floats, bias: bias, groups: groups, resolved, activation, from: source, to: destination)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.before(activation, node)
        try program.contribute(to: node.inputs[0]) { program, target in
            let window = try window.resolved(over: [target.shape[2], target.shape[3]]).window
            if let subpixel = SubpixelConvolution(self, window, from: gradient, to: target) {
                return try subpixel.emit(from: gradient, to: target, into: &program)
            }
            if try emitFlipped(window, from: gradient, to: target, into: &program.forward) { return }
            var native = window.native
            let kernel = try Kernel {
                nd_convolution_backward(gradient.map, target.map, &native, Int64(groups), weights.floats)
            }
            program.emit(kernel, reads: [gradient], writes: [target])
        }
    }

    /// With stride 1 the way back is a convolution too: filters turned by 180°, inputs and outputs exchanged. oneDNN's forward
    /// kernels are faster than its backward ones. False where the way back is of another kind.
    private func emitFlipped(
        _ window: Window, from gradient: Location, to target: Location, into program: inout ProgramBuilder
    ) throws -> Bool {
        let before = (0..<2).map { window.reach($0) - 1 - window.padBefore[$0] }
        let after = (0..<2).map { window.reach($0) - 1 - window.padAfter[$0] }
        guard window.stride == [1, 1], groups == 1, (before + after).allSatisfy({ $0 >= 0 }) else { return false }
        let (outputs, inputs, taps) = (weights.shape[0], weights.shape[1], window.kernel[0] * window.kernel[1])
        let values = weights.floats
        var turned = [Float](repeating: 0, count: values.count)
        for output in 0..<outputs {
            for input in 0..<inputs {
                for tap in 0..<taps {
                    turned[(input * outputs + output) * taps + taps - 1 - tap] = values[(output * inputs + input) * taps + tap]
                }
            }
        }
        var mirrored = window
        (mirrored.padBefore, mirrored.padAfter) = (before, after)
        var native = mirrored.native
        let kernel = try Kernel { nd_convolution(gradient.map, target.map, &native, 1, turned, nil, .identity) }
        program.emit(kernel, reads: [gradient], writes: [target])
        return true
    }
}

extension ProgramBuilder {
    /// Emits a convolution by oneDNN.
    ///
    /// - Parameter weights: [outputs, inputs / groups, height, width].
    mutating func convolve(
        _ weights: [Float], bias: [Float]?, groups: Int = 1, _ window: Window, _ activation: Activation?, from source: Location,
        to destination: Location
    ) throws {
        if keepsNaN, let activation {
            let before = temporary(destination.shape, in: destination.order)
            try convolve(weights, bias: bias, groups: groups, window, nil, from: source, to: before)
            return try activate(activation, from: before, to: destination)
        }
        var native = window.native
        let function = activation?.native ?? .identity
        if precision == .bfloat16, groups == 1 {
            let rounded = bfloat16(source)
            let kernel = try Kernel {
                nd_convolution_bfloat16(source.map, destination.map, &native, 1, weights, bias, function)
            }
            return emit(kernel, reads: [rounded], writes: [destination])
        }
        let kernel = try Kernel {
            nd_convolution(source.map, destination.map, &native, Int64(groups), weights, bias, function)
        }
        emit(kernel, reads: [source], writes: [destination])
    }
}
