import COneDNN

/// A fully connected layer: `Gemm` and `MatMul` with constant weights, bias, and an activation that follows.
///
/// https://onnx.ai/onnx/operators/onnx__Gemm.html, https://onnx.ai/onnx/operators/onnx__MatMul.html
struct Linear: Operator {
    static let names = ["Gemm", "MatMul"]

    var takesActivation: Bool { true }
    var multiplyAddsPerOutput: Int { weights.shape[1] }

    /// Over the places of a map it is a convolution with a window of one place.
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        shape.count == 4 ? .standard : shape.count == 2 ? .onDemand : nil
    }

    func matrix(over shape: [Int]) -> (weights: HostTensor, bias: [Float])? {
        activation == nil && shape.count == 2 ? (weights, bias) : nil
    }

    /// It works along the last axis.
    func channelsAreLast(_ inputs: [Bool]) -> Bool { true }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output)
    }

    var weights: HostTensor  // [outputs, inputs]
    var bias: [Float]
    private(set) var activation: Activation?

    init(_ node: NodeReader) throws {
        var matrix = try node.requiredConstant(1, "weight")
        guard matrix.shape.count == 2 else { throw Refusal("its weight has shape \(matrix.shape), which is no matrix") }
        let isGemm = node.operatorType == "Gemm"
        if !isGemm || node.int("transB", default: 0) == 0 { matrix = matrix.transposed([1, 0]) }
        guard !isGemm || node.int("transA", default: 0) == 0 else {
            throw Refusal("transposes its input (transA), which mixes the images of a batch")
        }
        let outputs = matrix.shape[0]
        let alpha = isGemm ? node.float("alpha", default: 1) : 1
        weights = alpha == 1 ? matrix : HostTensor(matrix.floats.map { $0 * alpha }, shape: matrix.shape)
        bias = [Float](repeating: 0, count: outputs)
        if isGemm, let given = try node.constant(2, "bias") {
            let beta = node.float("beta", default: 1)
            guard given.count == outputs || given.count == 1, given.shape.dropLast().allSatisfy({ $0 == 1 }) else {
                throw Refusal("its bias has shape \(given.shape) for \(outputs) outputs")
            }
            let values = given.floats
            bias = (0..<outputs).map { beta * values[values.count == 1 ? 0 : $0] }
        }
    }

    static func make(_ node: NodeReader) throws -> any Operator {
        if node.input(0)?.constant != nil, node.input(1)?.constant != nil { return try ConstantProduct(node) }
        if node.operatorType == "MatMul", node.input(1)?.constant?.shape.count != 2 { return try Product(node) }
        return try Linear(node)
    }

    var keepsPlacesApart: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard let source = inputs.first??.shape, (2...6).contains(source.count), source.last == weights.shape[1] else {
            throw Refusal("has weights for \(weights.shape[1]) inputs, but gets a tensor of shape \(inputs.first??.shape ?? [])")
        }
        return [source.dropLast() + [weights.shape[0]]]
    }

    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? {
        guard activation == nil else { return nil }
        var fused = self
        if let function = next as? Activation {
            fused.activation = function
            return fused
        }
        guard let affine = ChannelAffine(equivalentTo: next, operands, channels: weights.shape[0], axisFromEnd: 1) else {
            return nil
        }
        (fused.weights, fused.bias) = affine.folded(into: weights, bias)
        return fused
    }

    /// The weights are looked at when it is lowered.
    func mayMakeNaN(_ operands: [Operand?]) -> Bool { activation?.mayMakeNaN([]) ?? false }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        guard !Self.isConvolution(source) else {
            program.examine(weights.floats, bias)
            return try program.convolve(
                weights.floats, bias: bias, Window(covering: 1, 1), activation, from: source, to: destination)
        }
        let matrix = PackedMatrix(weights, bias: bias)
        program.keepsNaN = program.keepsNaN || !matrix.holdsModerateNumbers
        let product = program.keepsNaN && activation != nil ? program.temporary(destination.shape, in: .rowMajor) : destination
        matrix.emit(from: source, to: product, into: &program)
        if let activation { try program.activate(activation, from: product, to: destination) }
    }

    /// Over the places of a map it is a convolution with a window of one place, and an activation is done in the same pass.
    private static func isConvolution(_ source: Location) -> Bool {
        source.shape.count <= 4 && source.map.height * source.map.width >= 16
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.before(activation, node, in: .rowMajor)
        let transposed = weights.transposed([1, 0])
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in
            guard !Self.isConvolution(gradient) else {
                return try program.forward.convolve(
                    transposed.floats, bias: nil, Window(covering: 1, 1), nil, from: gradient, to: target)
            }
            let bias = [Float](repeating: 0, count: transposed.shape[0])
            PackedMatrix(transposed, bias: bias).emit(from: gradient, to: target, into: &program.forward)
        }
    }
}
