import CKernels
import COneDNN

/// A scale and a shift for every channel: `BatchNormalization` with the statistics of training.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167. Mostly absorbed by the convolution before it. In training
/// mode it is read on constants alone, whose statistics are known: networks without normalised activations standardise their weights by it
/// (Qiao et al., "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization", 2019, https://arxiv.org/abs/1903.10520).
struct ChannelAffine: ChannelsFirst {
    static let names = ["BatchNormalization"]

    var standsAloneUntilRecorded: Bool { true }
    var changedRegion: ChangedRegion { .sameAsInput }
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        [2, 4].contains(shape.count) ? .onDemand : nil
    }

    var scale: [Float]
    var shift: [Float]
    /// A rectifier that follows.
    private(set) var activation: Activation?
    /// What training mode answers with beside the result: the running mean and variance.
    private var running: [HostTensor] = []

    init(_ node: NodeReader) throws {
        let gamma = try node.requiredConstant(1, "scale").floats
        let beta = try node.requiredConstant(2, "bias").floats
        var mean = try node.requiredConstant(3, "mean").floats
        var variance = try node.requiredConstant(4, "variance").floats
        guard beta.count == gamma.count, mean.count == gamma.count, variance.count == gamma.count else {
            throw Refusal("has \(gamma.count) scales, \(beta.count) biases, \(mean.count) means and \(variance.count) variances")
        }
        if node.int("training_mode", default: 0) != 0 {
            guard let constant = node.input(0)?.constant else {
                throw Refusal("is in training mode; export the model after eval()")
            }
            let own = try Self.statistics(of: constant, channels: gamma.count)
            let kept = node.float("momentum", default: 0.9)
            func mixed(_ old: [Float], _ new: [Float]) -> HostTensor {
                HostTensor(zip(old, new).map { $0 * kept + $1 * (1 - kept) }, shape: [old.count])
            }
            running = [mixed(mean, own.mean), mixed(variance, own.variance)]
            (mean, variance) = own
        }
        // In double, as the folded weights carry these on to every activation.
        let epsilon = Double(node.float("epsilon", default: 1e-5))
        let exact = zip(gamma, variance).map { Double($0) / (Double($1) + epsilon).squareRoot() }
        scale = exact.map { Float($0) }
        shift = zip(zip(beta, mean), exact).map { Float(Double($0.0) - Double($0.1) * $1) }
    }

    /// Mean and variance of each channel.
    private static func statistics(of tensor: HostTensor, channels: Int) throws -> (mean: [Float], variance: [Float]) {
        let (values, inner) = (tensor.floats, try inner(tensor.shape, channels: channels))
        let count = Double(values.count / channels)
        var (means, variances) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
        for (index, value) in values.enumerated() { means[index / inner % channels] += Double(value) / count }
        for (index, value) in values.enumerated() {
            let (channel, value) = (index / inner % channels, Double(value))
            variances[channel] += (value - means[channel]) * (value - means[channel]) / count
        }
        return (means.map { Float($0) }, variances.map { Float($0) })
    }

    /// How many elements of one channel (axis 1) lie side by side in a constant.
    private static func inner(_ shape: [Int], channels: Int) throws -> Int {
        guard shape.count > 1, shape[1] == channels, shape.product > 0 else {
            throw Refusal("normalises \(channels) channels, but gets a tensor of shape \(shape)")
        }
        return shape[2...].reduce(1, *)
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let inner = try Self.inner(tensor.shape, channels: scale.count)
        let values = tensor.floats.enumerated().map {
            let channel = $0.offset / inner % scale.count
            return $0.element * scale[channel] + shift[channel]
        }
        return [HostTensor(values, shape: tensor.shape)] + running
    }

    /// What `next` does to each of `channels`, where it is a scale and shift a channel written in another way: batch
    /// normalisation itself, or a constant that is added or multiplied.
    init?(equivalentTo next: any Operator, _ operands: [Operand?], channels: Int, axisFromEnd: Int = 3) {
        if let affine = next as? ChannelAffine, affine.scale.count == channels, affine.activation == nil {
            self = affine
        } else if let (scale, shift) = (next as? Arithmetic)?.channelwise(operands, channels: channels, axisFromEnd: axisFromEnd)
        {
            (self.scale, self.shift) = (scale, shift)
        } else {
            return nil
        }
    }

    /// The weights (outputs first) and bias of a layer that does this to its outputs as well.
    func folded(into weights: HostTensor, _ bias: [Float]) -> (weights: HostTensor, bias: [Float]) {
        let perOutput = weights.count / scale.count
        let scaled = weights.floats.enumerated().map { $0.element * scale[$0.offset / perOutput] }
        return (HostTensor(scaled, shape: weights.shape), zip(bias, zip(scale, shift)).map { $0 * $1.0 + $1.1 })
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard shape.count == 4 || shape.count == 2, shape[1] == scale.count else {
            throw Refusal("normalises \(scale.count) channels, but gets a tensor of shape \(shape)")
        }
        return [shape]
    }

    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? {
        guard activation == nil, let function = next as? Activation, ndx_rectifier(function) != nil else { return nil }
        var fused = self
        fused.activation = function
        return fused
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        program.examine(scale, shift)
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let pixels = source.count / scale.count * program.batch
        let rectifier = ndx_rectifier(activation) ?? .none
        program.emit(reads: [source], writes: [destination]) { [scale, shift] memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                Team.split(pixels, cost: scale.count, grain: 1) {
                    let start = $0.lowerBound * scale.count
                    ndx_channel_affine(from + start, to + start, $0.count, scale.count, scale, shift, rectifier)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.before(activation, node)
        let pixels = gradient.count / scale.count * program.batch
        let zeros = [Float](repeating: 0, count: scale.count)
        try program.contribute(to: node.inputs[0]) { [scale] program, target in
            program.emit(reads: [gradient], writes: [target]) { memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    Team.split(pixels, cost: scale.count, grain: 1) {
                        let start = $0.lowerBound * scale.count
                        ndx_channel_affine(from + start, to + start, $0.count, scale.count, scale, zeros, .none)
                    }
                }
            }
        }
    }
}

/// `LRN` across channels: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012.
struct LocalResponseNormalization: ChannelsFirst {
    static let names = ["LRN"]

    var changedRegion: ChangedRegion { .sameAsInput }

    private let size: Int
    private let alpha: Float
    private let beta: Float
    private let k: Float

    init(_ node: NodeReader) throws {
        size = node.int("size", default: 0)
        guard size > 0 else { throw Refusal("does not say its size") }
        guard size % 2 == 1 else { throw Refusal("sums over \(size) channels, an even number, which neurodex does not read") }
        alpha = node.float("alpha", default: 0.0001)
        beta = node.float("beta", default: 0.75)
        k = node.float("bias", default: 1)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let kernel = try Kernel { nd_lrn(source.map, destination.map, Int64(size), alpha, beta, k) }
        program.emit(kernel, reads: [source], writes: [destination])
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let source = try program.location(node.inputs[0])
        try program.contribute(to: node.inputs[0]) { program, target in
            let kernel = try Kernel { nd_lrn_backward(source.map, Int64(size), alpha, beta, k) }
            program.emit(kernel, reads: [source, gradient], writes: [target])
        }
    }
}
