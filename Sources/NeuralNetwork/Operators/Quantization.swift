import CKernels

/// The values that a quantised tensor can have: (q − zero) · scale for the integers q of a type.
struct QuantizationGrid: Sendable {
    /// One, or one for each place along `axis`.
    let scale: [Float]
    /// As many.
    private(set) var zero: [Float]
    let axis: Int
    /// Nil where the integers are of a type that is not rounded to, such as the int32 of a bias.
    let range: ClosedRange<Int>?
    let type: ElementType

    /// From the inputs 1 (scale) and 2 (zero point, whose type is that of the integers).
    /// - Parameter type: where there is no zero point.
    init(_ node: NodeReader, type: ElementType?) throws {
        let scale = try node.requiredConstant(1, "scale").floats
        let zero = try node.constant(2, "zero point")?.floats ?? scale.map { _ in 0 }
        guard !scale.isEmpty, zero.count == scale.count, scale.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw Refusal("has \(scale.count) scales and \(zero.count) zero points; a scale is a positive number")
        }
        guard node.int("block_size", default: 0) == 0 else {
            throw Refusal(
                "quantises block by block (block_size), which neurodex does not do; quantise it per tensor or per channel")
        }
        self.scale = scale
        self.zero = zero
        axis = node.int("axis", default: 1)
        self.type = node.input(2)?.type ?? type ?? .uint8
        range = self.type.quantizedRange
    }

    /// Whether nothing is below the value 0, so that rounding to the grid is a ReLU too, as quantisers make of one.
    var rectifies: Bool { zero.allSatisfy { zero in range.map { Float($0.lowerBound) } == zero } }

    /// `body` of every element and its scale and zero point.
    func map(_ tensor: HostTensor, _ body: (Float, Float, Float) -> Float) throws -> [Float] {
        let values = tensor.floats
        guard scale.count > 1 else { return values.map { body($0, scale[0], zero[0]) } }
        let axis = axis < 0 ? axis + tensor.shape.count : axis
        guard tensor.shape.indices.contains(axis), tensor.shape[axis] == scale.count else {
            throw Refusal("has \(scale.count) scales along axis \(axis) of a tensor of shape \(tensor.shape)")
        }
        let inner = tensor.shape.dropFirst(axis + 1).reduce(1, *)
        return values.indices.map { index in
            let place = index / inner % scale.count
            return body(values[index], scale[place], zero[place])
        }
    }

    /// What runs over all elements of `written`, with this grid as C sees it, once it is bound to a worker's memory.
    /// - Parameter run: takes where `read` and `written` stand, pixels, channels and the grid.
    func pass(
        over written: Location, reading read: [Location], batch: Int,
        _ run: @escaping @Sendable ([UnsafeMutablePointer<Float>], UnsafeMutablePointer<Float>, Int, Int, ndx_grid) -> Void
    ) throws -> @Sendable (WorkerMemory) throws -> WorkerAction {
        let axis = axis < 0 ? axis + written.shape.count : axis
        let isPerChannel = scale.count > 1
        guard
            !isPerChannel
                || written.shape.indices.contains(axis) && written.shape[axis] == scale.count && written.strides[axis] == 1
        else {
            throw Refusal("has \(scale.count) scales along axis \(axis) of an activation of shape \(written.shape)")
        }
        let channels = isPerChannel ? scale.count : 1
        let pixels = written.count * batch / channels
        let (scale, zero, range) = (scale, zero, range ?? 0...0)
        return { memory in
            let (from, to) = (read.map { memory[$0] }, memory[written])
            return {
                scale.withUnsafeBufferPointer { scale in
                    zero.withUnsafeBufferPointer { zero in
                        let grid = ndx_grid(
                            scale: scale.baseAddress, zero: zero.baseAddress, low: Float(range.lowerBound),
                            high: Float(range.upperBound), per_channel: isPerChannel ? 1 : 0)
                        run(from, to, pixels, channels, grid)
                    }
                }
            }
        }
    }

    /// What `DequantizeLinear` does, or its way back, which knows no zero point.
    func dequantizing(
        _ source: Location, to target: Location, batch: Int, isBackward: Bool = false
    ) throws -> @Sendable (WorkerMemory) throws -> WorkerAction {
        var grid = self
        if isBackward { grid.zero = zero.map { _ in 0 } }
        return try grid.pass(over: target, reading: [source], batch: batch) { from, to, pixels, channels, grid in
            ndx_dequantize(from[0], to, pixels, channels, grid)
        }
    }
}

/// Rounding to a grid: `QuantizeLinear`, and the `DequantizeLinear` after it in the same pass.
///
/// q = min(max(round(x / scale) + zero, low), high), halves to the even integer. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
///
/// The way back takes rounding for the identity (the straight-through estimator of Bengio, Léonard, Courville, "Estimating or Propagating
/// Gradients Through Stochastic Neurons", 2013, https://arxiv.org/abs/1308.3432), and passes nothing where x lies outside the grid. Where the grid
/// begins at 0 it is a ReLU, and follows the rule of one.
struct Quantize: Operator {
    static let names = ["QuantizeLinear"]

    var passage: Passage { .rounded }

    private let grid: QuantizationGrid
    private var dequantize: QuantizationGrid?

    init(_ node: NodeReader) throws {
        let named = Int32(clamping: node.int("output_dtype", default: 0))
        let type = named == 0 ? nil : ElementType(rawValue: named)
        grid = try QuantizationGrid(node, type: type)
        guard grid.range != nil, named == 0 || type != nil else {
            let name = ElementType.name(of: type == nil && named != 0 ? named : grid.type.rawValue)
            throw Refusal("quantises to \(name); neurodex rounds to integers of 8 or 16 bits")
        }
    }

    func type(_ inputs: [Operand?]) -> ElementType { grid.type }
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0], let range = grid.range else { return nil }
        let (low, high) = (Float(range.lowerBound), Float(range.upperBound))
        let values = try grid.map(tensor) { min(max(($0 / $1).rounded(.toNearestOrEven) + $2, low), high) }
        return [HostTensor(values.map { $0.isNaN ? 0 : Int($0) }, shape: tensor.shape)]
    }

    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? {
        guard dequantize == nil, let next = next as? Dequantize else { return nil }
        var fused = self
        fused.dequantize = next.grid
        return fused
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let quantizing = try grid.pass(over: destination, reading: [source], batch: program.batch) {
            from, to, pixels, channels, grid in
            ndx_quantize(from[0], to, pixels, channels, grid)
        }
        program.emit(reads: [source], writes: [destination], bind: quantizing)
        guard let dequantize else { return }
        program.emit(
            reads: [destination], writes: [destination],
            bind: try dequantize.dequantizing(destination, to: destination, batch: program.batch))
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let input = try program.location(node.inputs[0])
        let rule = program.rule
        let (forward, backward): (Int32, Int32) =
            grid.rectifies ? (rule.looksAtOutput ? 1 : 0, rule.looksAtSignal ? 1 : 0) : (1, 0)
        try program.contribute(to: node.inputs[0]) { program, target in
            let passing = try grid.pass(over: target, reading: [input, gradient], batch: program.batch) {
                from, to, pixels, channels, grid in
                ndx_quantize_backward(from[0], from[1], to, pixels, channels, grid, forward, backward)
            }
            program.emit(reads: [input, gradient], writes: [target], bind: passing)
            guard let dequantize else { return }
            program.emit(
                reads: [target], writes: [target],
                bind: try dequantize.dequantizing(target, to: target, batch: program.batch, isBackward: true))
        }
    }
}

/// From a grid's integers back to numbers: (q − zero) · scale. Of weights, when the file is read.
///
/// https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
struct Dequantize: Operator {
    static let names = ["DequantizeLinear"]

    var passage: Passage { .rounded }

    let grid: QuantizationGrid

    init(_ node: NodeReader) throws { grid = try QuantizationGrid(node, type: node.input(0)?.type) }

    func type(_ inputs: [Operand?]) -> ElementType { .float }
    var takesIntegers: Bool { true }
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        return [HostTensor(try grid.map(tensor) { ($0 - $2) * $1 }, shape: tensor.shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        program.emit(
            reads: [source], writes: [destination],
            bind: try grid.dequantizing(source, to: destination, batch: program.batch))
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            program.emit(
                reads: [gradient], writes: [target],
                bind: try grid.dequantizing(gradient, to: target, batch: program.batch, isBackward: true))
        }
    }
}
