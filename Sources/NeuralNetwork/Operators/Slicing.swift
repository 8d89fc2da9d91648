/// https://onnx.ai/onnx/operators/onnx__Slice.html
struct Slice: Operator {
    static let names = ["Slice"]

    var takesIntegers: Bool { true }

    private let starts: [Int]
    private let ends: [Int]
    private let axes: [Int]
    private let steps: [Int]

    init(_ node: NodeReader) throws {
        guard let starts = try node.integers(input: 1, attribute: "starts"),
            let ends = try node.integers(input: 2, attribute: "ends")
        else {
            throw Refusal("does not say where it starts and ends")
        }
        self.starts = starts
        self.ends = ends
        axes = try node.integers(input: 3, attribute: "axes") ?? Array(starts.indices)
        steps = try node.constant(4, "steps")?.integers ?? starts.map { _ in 1 }
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count, !steps.contains(0) else {
            throw Refusal("has \(starts.count) starts, \(ends.count) ends, axes \(axes) and steps \(steps)")
        }
    }

    /// Whether elements along an axis come out last first.
    private func turnsAround(axis: Int, of rank: Int) -> Bool {
        zip(axes, steps).contains { ($0 < 0 ? $0 + rank : $0) == axis && $1 < 0 }
    }

    /// For every axis of `shape` the first index, the step and the count.
    private func ranges(_ shape: [Int]) throws -> [(start: Int, step: Int, count: Int)] {
        var result = shape.map { (start: 0, step: 1, count: $0) }
        for (index, named) in axes.enumerated() {
            let axis = named < 0 ? named + shape.count : named
            guard shape.indices.contains(axis) else { throw Refusal("cuts axis \(named) of shape \(shape)") }
            let (extent, step) = (shape[axis], steps[index])
            func place(_ value: Int) -> Int { value < 0 ? max(value, -extent - 1) + extent : min(value, extent) }
            let start = step > 0 ? max(0, place(starts[index])) : min(place(starts[index]), extent - 1)
            let end = step > 0 ? max(0, place(ends[index])) : max(-1, place(ends[index]))
            let span = step > 0 ? end - start : start - end
            guard step.magnitude <= 1 << 40 else {
                result[axis] = (start, 1, span > 0 ? 1 : 0)
                continue
            }
            result[axis] = (start, step, max(0, (span + abs(step) - 1) / abs(step)))
        }
        return result
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [try ranges(inputs.first??.shape ?? []).map(\.count)] }

    /// One that turns rows of the batch axis around has them in no known order.
    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        guard let input = inputs.first, let known = input.places, !known.areOfOneMap, let ranges = try? ranges(input.shape) else {
            return turnsAround(axis: 0, of: output.shape.count) ? output.map : remapped(inputs, to: output)
        }
        var result: Places? = known
        for (axis, range) in ranges.enumerated() where range.count != input.shape[axis] || range.step != 1 {
            result = result?.cut(axis: axis, start: range.start, step: range.step, to: range.count)
        }
        return result
    }

    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead {
        guard shape.count == 3, let range = try? ranges(shape)[1], range.step > 0 else { return .all }
        return range.start + (range.count - 1) * range.step < prefix ? .prefix : .all
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let ranges = try ranges(tensor.shape)
        let strides = tensor.shape.rowMajorStrides
        let start = zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 }
        let shape = ranges.map(\.count)
        return [
            tensor.gathered(
                HostTensor.indices(shape: shape, strides: zip(ranges, strides).map { $0.step * $1 }, start: start), shape: shape)
        ]
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard let ranges = try? ranges(shapes[0]), ranges.count == 4 else { return inputs[0] }
        func axis(_ field: ReceptiveField.Axis, _ range: (start: Int, step: Int, count: Int), of extent: Int)
            -> ReceptiveField.Axis
        {
            guard range.step < 0 else {
                return ReceptiveField.Axis(
                    size: field.size, stride: field.stride * range.step, start: field.start + range.start * field.stride)
            }
            // Turned around: no stride says where a place is now, so that each sees all.
            let whole = (extent - 1) * field.stride + field.size
            return ReceptiveField.Axis(size: 2 * whole, stride: max(1, whole / max(range.count, 1)), start: field.start - whole)
        }
        return ReceptiveField(
            y: axis(inputs[0].y, ranges[map.lowerBound], of: shapes[0][map.lowerBound]),
            x: axis(inputs[0].x, ranges[map.lowerBound + 1], of: shapes[0][map.lowerBound + 1]))
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let ranges = try ranges(source.shape)
        program.copy(
            source, shape: destination.shape, fromStrides: zip(ranges, source.strides).map { $0.step * $1 },
            fromStart: zip(ranges, source.strides).reduce(0) { $0 + $1.0.start * $1.1 }, to: destination,
            toStrides: destination.strides)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            let ranges = try ranges(target.shape)
            program.fill(target, with: 0)
            program.copyStrided(
                gradient, shape: gradient.shape, fromStrides: gradient.strides, to: target,
                toStrides: zip(ranges, target.strides).map { $0.step * $1 },
                toStart: zip(ranges, target.strides).reduce(0) { $0 + $1.0.start * $1.1 })
        }
    }
}

/// `Pad` with a constant; what pads with elements of its input is a `PadFromWithin`.
///
/// https://onnx.ai/onnx/operators/onnx__Pad.html
struct Pad: Operator {
    static let names = ["Pad"]

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        remapped(inputs, to: output)
    }

    var takesIntegers: Bool { true }

    private let before: [Int]
    private let after: [Int]
    private let value: Float

    init(_ node: NodeReader) throws {
        guard let pads = try node.integers(input: 1, attribute: "pads") else { throw Refusal("does not say how much") }
        value = try node.constant(2, "value")?.floats.first ?? node.float("value", default: 0)
        let rank = node.input(0)?.shape.count ?? 0
        let axes = try node.constant(3, "axes")?.integers?.map { $0 < 0 ? $0 + rank : $0 } ?? Array(0..<rank)
        guard pads.count == 2 * axes.count, axes.allSatisfy({ (0..<rank).contains($0) }),
            pads.allSatisfy({ (-65536...65536).contains($0) })
        else {
            throw Refusal("pads \(rank) axes by \(pads)")
        }
        var (before, after) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
        for (index, axis) in axes.enumerated() { (before[axis], after[axis]) = (pads[index], pads[index + axes.count]) }
        let isBatchPadded = before.first != 0 || after.first != 0
        guard !isBatchPadded || node.input(0)?.constant != nil || node.input(0)?.shape.firstIsNotTheBatch == true else {
            throw Refusal("pads the batch axis")
        }
        (self.before, self.after) = (before, after)
    }

    static func make(_ node: NodeReader) throws -> any Operator {
        let mode = node.string("mode", default: "constant")
        let pad = try Pad(node)
        guard mode != "constant" else { return pad }
        guard let filling = PadFromWithin.Mode(rawValue: mode) else {
            throw Refusal("pads in mode '\(mode)'; ONNX has constant, reflect, edge and wrap")
        }
        return PadFromWithin(pad: pad, mode: filling, before: pad.before, after: pad.after)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard shape.indices.allSatisfy({ shape[$0] + min(before[$0], 0) + min(after[$0], 0) > 0 }) else {
            throw Refusal("cuts \(before) and \(after) off a tensor of shape \(shape), which leaves nothing")
        }
        return [shape.indices.map { shape[$0] + before[$0] + after[$0] }]
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard before.count == 4 else { return inputs[0] }
        var field = inputs[0]
        field.y.start -= before[map.lowerBound] * field.y.stride
        field.x.start -= before[map.lowerBound + 1] * field.x.stride
        return field
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        // A negative pad cuts: the part of the source that is kept, and where it goes.
        let skipped = before.map { max(0, -$0) }
        let shape = source.shape.indices.map { source.shape[$0] - skipped[$0] - max(0, -after[$0]) }
        let (from, to) = (source.strides, destination.strides)
        program.fill(destination, with: value)
        program.copy(
            source, shape: shape, fromStrides: from, fromStart: zip(skipped, from).reduce(0) { $0 + $1.0 * $1.1 },
            to: destination, toStrides: to, toStart: zip(before, to).reduce(0) { $0 + max(0, $1.0) * $1.1 })
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            let skipped = before.map { max(0, -$0) }
            let shape = target.shape.indices.map { target.shape[$0] - skipped[$0] - max(0, -after[$0]) }
            let (from, to) = (gradient.strides, target.strides)
            program.fill(target, with: 0)
            program.copyStrided(
                gradient, shape: shape, fromStrides: from, fromStart: zip(before, from).reduce(0) { $0 + max(0, $1.0) * $1.1 },
                to: target, toStrides: to, toStart: zip(skipped, to).reduce(0) { $0 + $1.0 * $1.1 })
        }
    }
}
