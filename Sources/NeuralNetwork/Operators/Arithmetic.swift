import CKernels
import COneDNN

/// `Add`, `Sub`, `Mul`, `Div`, `Max`, `Min`, `Sum` and `Mean` of tensors, with broadcasting, and an activation that follows.
///
/// https://onnx.ai/onnx/repo-docs/Broadcasting.html. On constants it is the arithmetic of shapes.
struct Arithmetic: Operator {
    static let names = ["Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min"]

    private let kind: nd_binary_kind
    private(set) var activation: Activation?

    var isSum: Bool { kind == ND_ADD }
    var changedRegion: ChangedRegion { .unionOfInputs }

    /// A sum of maps: the end of a residual block.
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        let varying = operands.filter { $0 != nil && $0?.constant == nil }
        return isSum && varying.count > 1 && shape.count == 4 ? .standard : nil
    }

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign {
        let combined = combined(inputs, of: node)
        return activation?.sign(after: combined) ?? combined
    }

    private func combined(_ inputs: [Sign], of node: Graph.Node) -> Sign {
        let (least, most) = (inputs.min() ?? .unknown, inputs.max() ?? .unknown)
        switch kind {
        case ND_ADD: return least == .unknown ? .unknown : most
        case ND_MAXIMUM: return most
        case ND_MULTIPLY:
            let isSquare = node.inputs.count == 2 && node.inputs[0] == node.inputs[1]
            return isSquare ? .notNegative : min(least, .notNegative)
        case ND_DIVIDE: return min(least, .notNegative)
        case ND_MINIMUM: return least
        default: return .unknown
        }
    }

    func isHarmless(_ inputs: [Sign], of node: Graph.Node) -> Bool {
        let divides = kind == ND_DIVIDE && inputs.dropFirst().contains { $0 != .positive }
        return !divides && (activation?.isHarmless(combined(inputs, of: node)) ?? true)
    }

    init(_ node: NodeReader) throws {
        let kinds: [String: nd_binary_kind] = [
            "Add": ND_ADD, "Sum": ND_ADD, "Mean": ND_ADD, "Sub": ND_SUBTRACT, "Mul": ND_MULTIPLY, "Div": ND_DIVIDE,
            "Max": ND_MAXIMUM,
            "Min": ND_MINIMUM,
        ]
        guard let kind = kinds[node.operatorType] else { throw Refusal("is no arithmetic") }
        self.kind = kind
        guard node.inputCount >= 1 else { throw Refusal("has no inputs") }
        // A mean is a sum, and then less.
        if node.operatorType == "Mean" {
            activation = Activation(nd_activation(function: ND_LINEAR, alpha: 1 / Float(node.inputCount), beta: 0))
        }
    }

    var keepsPlacesApart: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shapes = inputs.compactMap { $0?.shape }
        return [try shapes.dropFirst().reduce(shapes[0]) { try Self.broadcast($0, $1) }]
    }

    static func broadcast(_ a: [Int], _ b: [Int]) throws -> [Int] {
        let rank = max(a.count, b.count)
        let (left, right) = (a.aligned(rank), b.aligned(rank))
        return try (0..<rank).map { axis in
            guard left[axis] == right[axis] || left[axis] == 1 || right[axis] == 1 else {
                throw Refusal("combines tensors of shapes \(a) and \(b), which do not fit")
            }
            return left[axis] == 1 ? right[axis] : left[axis]
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        let tensors = inputs.compactMap { $0 }
        let result = try tensors.dropFirst().reduce(tensors[0], combine)
        return activation == nil ? [result] : try activation?.evaluate([result])
    }

    private func combine(_ a: HostTensor, _ b: HostTensor) throws -> HostTensor {
        let shape = try Self.broadcast(a.shape, b.shape)
        guard HostTensor.isReasonable(shape), shape.product <= max(a.count, b.count, 1 << 24) else {
            throw Refusal("would make a constant of shape \(shape)")
        }
        let (left, right) = (a.expanded(to: shape), b.expanded(to: shape))
        if case .int(let x) = left.elements, case .int(let y) = right.elements {
            return HostTensor(try zip(x, y).map { try integer($0, $1) }, shape: shape)
        }
        return HostTensor(zip(left.floats, right.floats).map { real($0, $1) }, shape: shape)
    }

    private func integer(_ a: Int, _ b: Int) throws -> Int {
        let (result, overflow) =
            switch kind {
            case ND_ADD: a.addingReportingOverflow(b)
            case ND_SUBTRACT: a.subtractingReportingOverflow(b)
            case ND_MULTIPLY: a.multipliedReportingOverflow(by: b)
            case ND_DIVIDE: a.dividedReportingOverflow(by: b)
            case ND_MAXIMUM: (max(a, b), false)
            default: (min(a, b), false)
            }
        guard !overflow else { throw Refusal("computes a shape that no integer holds, from \(a) and \(b)") }
        return result
    }

    private func real(_ a: Float, _ b: Float) -> Float {
        switch kind {
        case ND_ADD: a + b
        case ND_SUBTRACT: a - b
        case ND_MULTIPLY: a * b
        case ND_DIVIDE: a / b
        case ND_MAXIMUM: a.isNaN || a > b ? a : b
        default: a.isNaN || a < b ? a : b
        }
    }

    func mayMakeNaN(_ operands: [Operand?]) -> Bool {
        if activation?.mayMakeNaN([]) == true { return true }
        guard kind != ND_DIVIDE else {
            // By numbers that are not 0.
            let divisors = operands.dropFirst().map { $0?.constant?.floats ?? [0] }
            return !divisors.allSatisfy { $0.allSatisfy { abs($0) > 1e-30 && abs($0) < 1e18 } }
        }
        return operands.contains { $0?.constant.map { !$0.holdsModerateNumbers } ?? false }
    }

    /// The scale and shift a channel that combining with a constant amounts to; nil where it is something else.
    /// - Parameter axisFromEnd: which axis holds the channels, counted from the last as 1.
    func channelwise(_ operands: [Operand?], channels: Int, axisFromEnd: Int) -> (scale: [Float], shift: [Float])? {
        guard activation == nil, operands.count == 2, let index = operands.firstIndex(where: { $0?.constant != nil }),
            let constant = operands[index]?.constant, let other = operands[1 - index], other.shape.count >= constant.shape.count
        else { return nil }
        var shape = constant.shape
        while shape.count < axisFromEnd { shape.insert(1, at: 0) }
        let axis = shape.count - axisFromEnd
        guard constant.count == 1 || (constant.count == channels && shape[axis] == channels) else { return nil }
        let values = constant.count == 1 ? [Float](repeating: constant.floats[0], count: channels) : constant.floats
        let (one, zero) = ([Float](repeating: 1, count: channels), [Float](repeating: 0, count: channels))
        switch kind {
        case ND_ADD: return (one, values)
        case ND_MULTIPLY: return (values, zero)
        case ND_SUBTRACT: return index == 1 ? (one, values.map { -$0 }) : (one.map { -$0 }, values)
        case ND_DIVIDE where index == 1: return (values.map { 1 / $0 }, zero)
        default: return nil
        }
    }

    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? {
        guard activation == nil, let function = next as? Activation else { return nil }
        var fused = self
        fused.activation = function
        return fused
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let operands = node.inputs.compactMap { $0 }
        guard operands.count > 1 else { return program.alias(node.outputs[0], of: operands[0]) }
        let destination = program.allocate(node.outputs[0], in: program.order(of: operands, under: node.outputs[0]))
        if try emitGate(operands, to: destination, into: &program) { return }
        if try emitPlanes(operands, to: destination, into: &program) { return }
        if program.keepsNaN { return try emitKeepingNaN(operands, to: destination, into: &program) }
        var left = try program.expanded(operands[0], to: destination.shape, in: destination.order)
        for (index, operand) in operands.enumerated().dropFirst() {
            // oneDNN repeats along the axes of a map; what has more is repeated before.
            let right =
                destination.shape.count > 4
                ? try program.expanded(operand, to: destination.shape, in: destination.order)
                : try program.location(operand, aligned: destination.shape.count, in: destination.order)
            let function = index == operands.count - 1 ? activation?.native ?? .identity : .identity
            let kernel = try Kernel { nd_binary(left.map, right.map, destination.map, kind, function) }
            program.emit(kernel, reads: [left, right], writes: [destination])
            left = destination
        }
    }

    /// A map and a constant that is one number, or, where each channel's places lie side by side, has one for each channel, as exporters of group
    /// normalisation leave them after a change of shape: oneDNN takes up to a hundred times as long where channels are few. False for anything else.
    private func emitPlanes(_ operands: [Graph.ValueID], to destination: Location, into program: inout ProgramBuilder) throws
        -> Bool
    {
        guard operands.count == 2, activation == nil,
            let place = (0..<2).first(where: { program.constant(operands[$0]) != nil }),
            let affine = program.constant(operands[place]).flatMap({ planeAffine($0, isFirst: place == 0, destination) })
        else { return false }
        let other = try program.location(operands[1 - place], aligned: destination.shape.count, in: destination.order)
        guard other.shape == destination.shape else { return false }
        program.emitPlanes(from: other, to: destination, scale: affine.scale, shift: affine.shift)
        return true
    }

    /// What combining a map with a constant does to each channel of a row-major one, or to all of it; nil where it is neither.
    private func planeAffine(_ constant: HostTensor, isFirst: Bool, _ map: Location) -> (scale: [Float], shift: [Float])? {
        let own = constant.shape.aligned(4)
        let isNumber = constant.count == 1 && constant.shape.count <= map.shape.count && divides(exactlyBy: constant.floats[0])
        let isPlanes =
            map.order == .rowMajor && map.shape.count == 4 && own.count == 4 && own[0] * own[2] * own[3] == 1
            && own[1] == map.shape[1] && own[1] > 1
        guard isNumber || isPlanes else { return nil }
        let (varying, known) = (
            Operand(name: "", shape: map.shape), Operand(name: "", shape: own, constant: constant.reshaped(own))
        )
        return channelwise(
            isFirst ? [known, varying] : [varying, known], channels: constant.count, axisFromEnd: isNumber ? 1 : 3)
    }

    /// Whether a division is the same as a product with the inverse, to the last bit.
    private func divides(exactlyBy number: Float) -> Bool {
        kind != ND_DIVIDE || (number.isNormal && (1 / number).isNormal && number.significand == 1)
    }

    /// As `lower`, and no maximum, minimum or activation hides what is no number.
    private func emitKeepingNaN(_ operands: [Graph.ValueID], to destination: Location, into program: inout ProgramBuilder) throws
    {
        var left = try program.expanded(operands[0], to: destination.shape, in: destination.order)
        for operand in operands.dropFirst() {
            let right = try program.expanded(operand, to: destination.shape, in: destination.order)
            let result = program.temporary(destination.shape, in: destination.order)
            let kernel = try Kernel { [left] in nd_binary(left.map, right.map, result.map, kind, .identity) }
            program.emit(kernel, reads: [left, right], writes: [result])
            if kind == ND_MAXIMUM || kind == ND_MINIMUM { for side in [left, right] { program.keepNaN(of: side, in: result) } }
            left = result
        }
        try program.activate(
            activation ?? Activation(nd_activation(function: ND_LINEAR, alpha: 1, beta: 0)), from: left, to: destination)
    }

    /// A map whose channels are multiplied by a number each, as squeeze-and-excitation does (Hu et al. 2018,
    /// https://arxiv.org/abs/1709.01507): in one pass over the map. False for another product.
    private func emitGate(_ operands: [Graph.ValueID], to destination: Location, into program: inout ProgramBuilder) throws
        -> Bool
    {
        guard kind == ND_MULTIPLY, operands.count == 2, activation == nil else { return false }
        let factors = try operands.map { try program.location($0, aligned: destination.shape.count, in: destination.order) }
        for (map, gate) in [(factors[0], factors[1]), (factors[1], factors[0])] where Self.isGate(gate, of: map) {
            Self.emitGate(gate, of: map, to: destination, into: &program)
            return true
        }
        return false
    }

    /// Whether `gate` has one number for each channel of `map`.
    private static func isGate(_ gate: Location, of map: Location) -> Bool {
        map.shape.count == 4 && map.order == .channelsLast && map.shape[0] == 1 && map.shape[2] * map.shape[3] > 1
            && gate.shape == [1, map.shape[1], 1, 1]
    }

    private static func emitGate(
        _ gate: Location, of map: Location, to destination: Location, into program: inout ProgramBuilder
    ) {
        let (batch, channels, pixels) = (program.batch, map.shape[1], map.count / map.shape[1])
        let (mapStep, gateStep) = (map.batch == 1 ? 0 : map.count, gate.batch == 1 ? 0 : channels)
        let zeros = [Float](repeating: 0, count: channels)
        program.emit(reads: [map, gate], writes: [destination]) { memory in
            let (map, gate, to) = (memory[map], memory[gate], memory[destination])
            return {
                for image in 0..<batch {
                    Team.split(pixels, cost: channels, grain: 1) {
                        let start = $0.lowerBound * channels
                        ndx_channel_affine(
                            map + image * mapStep + start, to + image * pixels * channels + start, $0.count, channels,
                            gate + image * gateStep, zeros, .none)
                    }
                }
            }
        }
    }

    /// Back to the gate: what comes to a channel, times what it was, over all places.
    private static func emitGateBackward(
        _ gradient: Location, of map: Location, to target: Location, into program: inout BackwardBuilder
    ) {
        let (batch, channels, pixels) = (program.batch, map.shape[1], map.count / map.shape[1])
        let mapStep = map.batch == 1 ? 0 : map.count
        program.emit(reads: [gradient, map], writes: [target]) { memory in
            let (from, map, to) = (memory[gradient], memory[map], memory[target])
            return {
                for image in 0..<batch {
                    ndx_channel_products(
                        from + image * pixels * channels, map + image * mapStep, pixels, channels, to + image * channels)
                }
            }
        }
    }

    /// Sums pass signals on to all they add; a product passes to each factor the other times the signal; a maximum or minimum passes the
    /// signal to the operand that it is, the first of equals.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.before(activation, node, in: program.location(node.outputs[0], in: nil).order)
        let operands = node.inputs.compactMap { $0 }
        for (index, operand) in operands.enumerated() {
            if isSum, try program.location(operand, in: nil).shape == gradient.shape {
                try program.pass(gradient, to: operand)
                continue
            }
            try program.contribute(to: operand, in: gradient.order) { program, target in
                if kind == ND_MULTIPLY, operands.count == 2 {
                    let other = try program.location(operands[1 - index], aligned: gradient.shape.count, in: gradient.order)
                    if Self.isGate(target, of: other), other.shape == gradient.shape {
                        return Self.emitGateBackward(gradient, of: other, to: target, into: &program)
                    }
                    if Self.isGate(other, of: gradient), target.shape == gradient.shape {
                        return Self.emitGate(other, of: gradient, to: target, into: &program.forward)
                    }
                }
                let full =
                    target.shape == gradient.shape ? target : program.temporary(gradient.shape, in: gradient.order)
                try emitBackward(of: index, operands, gradient, to: full, into: &program)
                if full != target { program.sum(full, to: target) }
            }
        }
    }

    /// The gradient of one operand as if it had the shape of the result.
    private func emitBackward(
        of index: Int, _ operands: [Graph.ValueID], _ gradient: Location, to target: Location, into program: inout BackwardBuilder
    ) throws {
        switch kind {
        case ND_ADD: program.copy(gradient, to: target)
        case ND_SUBTRACT where index == 0: program.copy(gradient, to: target)
        case ND_SUBTRACT:
            let kernel = try Kernel {
                nd_elementwise(gradient.map, target.map, nd_activation(function: ND_LINEAR, alpha: -1, beta: 0))
            }
            program.emit(kernel, reads: [gradient], writes: [target])
        case ND_MULTIPLY where operands.count == 2, ND_DIVIDE where operands.count == 2 && index == 0:
            if let constant = program.forward.constant(operands[1 - index]),
                let affine = planeAffine(constant, isFirst: index == 1, gradient)
            {
                let zeros = affine.scale.map { _ in Float(0) }
                return program.forward.emitPlanes(from: gradient, to: target, scale: affine.scale, shift: zeros)
            }
            let other =
                gradient.shape.count > 4
                ? try program.expanded(operands[1 - index], to: gradient.shape, in: gradient.order)
                : try program.location(operands[1 - index], aligned: gradient.shape.count, in: gradient.order)
            let kernel = try Kernel { nd_binary(gradient.map, other.map, target.map, kind, .identity) }
            program.emit(kernel, reads: [gradient, other], writes: [target])
        case ND_DIVIDE where operands.count == 2:
            let (dividend, divisor) = try (
                program.expanded(operands[0], to: gradient.shape, in: gradient.order),
                program.expanded(operands[1], to: gradient.shape, in: gradient.order)
            )
            let count = gradient.count * program.batch
            program.emit(reads: [dividend, divisor, gradient], writes: [target]) { memory in
                let (dividend, divisor, from, to) = (memory[dividend], memory[divisor], memory[gradient], memory[target])
                return { ndx_divisor_backward(dividend, divisor, from, to, count) }
            }
        case ND_MAXIMUM, ND_MINIMUM: try emitExtremumBackward(of: index, operands, gradient, to: target, into: &program)
        default:
            throw Refusal("has no way back to input \(index); explanations that need gradients cannot pass it")
        }
    }

    /// The signal where operand `index` goes beyond all before it and none after it goes beyond it.
    private func emitExtremumBackward(
        of index: Int, _ operands: [Graph.ValueID], _ gradient: Location, to target: Location, into program: inout BackwardBuilder
    ) throws {
        let own = try program.expanded(operands[index], to: gradient.shape, in: gradient.order)
        let count = gradient.count * program.batch
        let isMinimum: Int32 = kind == ND_MINIMUM ? 1 : 0
        var signal = gradient
        for (other, operand) in operands.enumerated() where other != index {
            let rival = try program.expanded(operand, to: gradient.shape, in: gradient.order)
            let isStrict: Int32 = other < index ? 1 : 0
            program.emit(reads: [own, rival, signal], writes: [target]) { [signal] memory in
                let (own, rival, from, to) = (memory[own], memory[rival], memory[signal], memory[target])
                return { ndx_extremum_backward(own, rival, from, to, count, isMinimum, isStrict) }
            }
            signal = target
        }
        if operands.count == 1 { program.copy(gradient, to: target) }
    }
}

extension ProgramBuilder {
    /// Emits a scale and a shift for each channel of a row-major map, or one of each for all of a map.
    fileprivate mutating func emitPlanes(from source: Location, to target: Location, scale: [Float], shift: [Float]) {
        let (channels, count) = (scale.count, batch * target.count)
        let size = channels == 1 ? 1 : target.shape[2] * target.shape[3]
        emit(reads: [source], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            guard channels > 1 else {
                return {
                    Team.split(count) {
                        ndx_plane_affine(from + $0.lowerBound, to + $0.lowerBound, $0.count, scale[0], shift[0])
                    }
                }
            }
            return {
                Team.split(count / size, cost: size, grain: 1) { range in
                    for plane in range {
                        let channel = plane % channels
                        ndx_plane_affine(from + plane * size, to + plane * size, size, scale[channel], shift[channel])
                    }
                }
            }
        }
    }
}

extension [Int] {
    /// With ones put before, up to `rank` axes.
    func aligned(_ rank: Int) -> [Int] { [Int](repeating: 1, count: Swift.max(0, rank - count)) + self }
}

extension HostTensor {
    /// Broadcast to `shape`, which it must fit.
    func expanded(to shape: [Int]) -> HostTensor {
        guard self.shape != shape else { return self }
        if count == 1 {
            switch elements {
            case .float(let values): return HostTensor([Float](repeating: values[0], count: shape.product), shape: shape)
            case .int(let values): return HostTensor([Int](repeating: values[0], count: shape.product), shape: shape)
            }
        }
        let own = self.shape.aligned(shape.count)
        let strides = zip(own, own.rowMajorStrides).map { $0 == 1 ? 0 : $1 }
        return gathered(Self.indices(shape: shape, strides: strides), shape: shape)
    }
}
