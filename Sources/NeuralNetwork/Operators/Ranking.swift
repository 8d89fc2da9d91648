import CKernels

/// `TopK`, `ArgMax` and `ArgMin`: the largest numbers along an axis, and where they stand. What comes back to the numbers goes where they stood;
/// places have no slope.
///
/// https://onnx.ai/onnx/operators/onnx__TopK.html, onnx__ArgMax.html, onnx__ArgMin.html
struct Ranking: Operator {
    static let names = ["TopK", "ArgMax", "ArgMin"]

    private let axis: Int
    private let kept: Int
    private let isSmallest: Bool
    /// Whether the numbers come out, and their places after them.
    private let givesNumbers: Bool
    private let keepsAxis: Bool

    init(_ node: NodeReader) throws {
        givesNumbers = node.operatorType == "TopK"
        axis = node.int("axis", default: givesNumbers ? -1 : 0)
        isSmallest = givesNumbers ? node.int("largest", default: 1) == 0 : node.operatorType == "ArgMin"
        kept = givesNumbers ? try node.constant(1, "count (k)")?.integers?.first ?? node.int("k", default: 0) : 1
        keepsAxis = givesNumbers || node.int("keepdims", default: 1) != 0
        guard kept > 0 else { throw Refusal("takes the \(kept) largest") }
        guard node.int("select_last_index", default: 0) == 0 else {
            throw Refusal("takes the last of equals (select_last_index); neurodex takes the first")
        }
    }

    var takesIntegers: Bool { true }
    var mayMakeScores: Bool { false }
    func type(_ inputs: [Operand?]) -> ElementType { givesNumbers ? inputs.first??.type ?? .float : .int64 }

    /// The axis, counted from the first.
    private func axis(of shape: [Int]) throws -> Int {
        let axis = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(axis), kept <= shape[axis] else {
            throw Refusal("takes \(kept) along axis \(axis) of shape \(shape)")
        }
        return axis
    }

    /// The same of what depends on the image.
    private func resolved(_ shape: [Int]) throws -> Int {
        let axis = try axis(of: shape)
        guard axis > 0 || shape.firstIsNotTheBatch else { throw Refusal("ranks along axis 0, which mixes the images of a batch") }
        return axis
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        var shape = inputs.first??.shape ?? []
        let axis = try resolved(shape)
        shape[axis] = kept
        guard keepsAxis else {
            shape.remove(at: axis)
            return [shape]
        }
        return givesNumbers ? [shape, shape] : [shape]
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? { nil }

    /// Of one image, row-major: the numbers along the axis begin at each of `outer` × `inner` places.
    private struct Plan {
        let ranking: ndx_ranking
        let (outer, inner): (Int, Int)

        init(_ ranking: Ranking, _ shape: [Int], axis: Int) {
            (outer, inner) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
            self.ranking = ndx_ranking(
                extent: shape[axis], kept: ranking.kept, stride: inner, smallest: ranking.isSmallest ? 1 : 0)
        }

        /// Calls `body` with where each line of numbers begins, and where what is kept of it does.
        func eachLine(_ images: Int, _ body: (_ from: Int, _ to: Int) -> Void) {
            for line in 0..<images * outer {
                for place in 0..<inner {
                    body(line * ranking.extent * inner + place, line * ranking.kept * inner + place)
                }
            }
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let axis = try axis(of: tensor.shape)
        let plan = Plan(self, tensor.shape, axis: axis)
        var ranking = plan.ranking
        var shape = tensor.shape
        shape[axis] = kept
        let values = tensor.floats
        var (numbers, places) = ([Float](repeating: 0, count: shape.product), [Float](repeating: 0, count: shape.product))
        values.withUnsafeBufferPointer { from in
            numbers.withUnsafeMutableBufferPointer { numbers in
                places.withUnsafeMutableBufferPointer { places in
                    guard let from = from.baseAddress, let to = numbers.baseAddress, let at = places.baseAddress else { return }
                    plan.eachLine(1) { start, kept in ndx_rank(from + start, &ranking, to + kept, at + kept) }
                }
            }
        }
        if !keepsAxis { shape.remove(at: axis) }
        let indices = HostTensor(places.map { Int($0) }, shape: shape)
        guard givesNumbers else { return [indices] }
        if case .int = tensor.elements { return [HostTensor(numbers.map { Int($0) }, shape: shape), indices] }
        return [HostTensor(numbers, shape: shape), indices]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let plan = Plan(self, source.shape, axis: try resolved(source.shape))
        let numbers = givesNumbers ? program.allocate(node.outputs[0], in: .rowMajor) : nil
        let hasPlaces = !givesNumbers || node.outputs.count > 1
        let at =
            hasPlaces
            ? program.allocate(node.outputs[givesNumbers ? 1 : 0], in: .rowMajor)
            : program.temporary(numbers?.shape ?? [], in: .rowMajor)
        program.emit(reads: [source], writes: [at] + (numbers.map { [$0] } ?? [])) { [batch = program.batch] memory in
            let (from, places, numbers) = (memory[source], memory[at], numbers.map { memory[$0] })
            return {
                var ranking = plan.ranking
                plan.eachLine(batch) { start, kept in
                    ndx_rank(from + start, &ranking, numbers.map { $0 + kept }, places + kept)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        guard givesNumbers else {
            throw Refusal(
                "answers with places, which have no gradient; name the numbers that it ranks with --output, or explain a layer before it"
            )
        }
        guard program.hasGradient(node, output: 0) else { return }
        let gradient = try program.incoming(node, in: .rowMajor)
        let source = try program.location(node.inputs[0], in: .rowMajor)
        let plan = Plan(self, source.shape, axis: try resolved(source.shape))
        let (at, batch) = (program.temporary(gradient.shape, in: .rowMajor), program.batch)
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in
            program.emit(reads: [source, gradient], writes: [at, target]) { memory in
                let (input, from, places, to) = (memory[source], memory[gradient], memory[at], memory[target])
                return {
                    var ranking = plan.ranking
                    to.update(repeating: 0, count: target.count * batch)
                    plan.eachLine(batch) { start, kept in
                        ndx_rank(input + start, &ranking, nil, places + kept)
                        for step in stride(from: kept, to: kept + ranking.kept * plan.inner, by: plan.inner) {
                            to[start + Int(places[step]) * plan.inner] += from[step]
                        }
                    }
                }
            }
        }
    }
}

/// `OneHot` of constants: along a new axis one number where the place is the one that is said, another elsewhere.
///
/// https://onnx.ai/onnx/operators/onnx__OneHot.html
struct OneHot: ShapeArithmetic {
    static let names = ["OneHot"]

    private let axis: Int

    init(_ node: NodeReader) throws { axis = node.int("axis", default: -1) }

    func type(_ inputs: [Operand?]) -> ElementType { inputs.count > 2 ? inputs[2]?.type ?? .float : .float }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count > 2, let places = inputs[0], let depth = inputs[1]?.integers?.first, let values = inputs[2] else {
            return nil
        }
        let rank = places.shape.count + 1
        let axis = axis < 0 ? axis + rank : axis
        var shape = places.shape
        guard let indices = places.integers, (0..<rank).contains(axis), values.count == 2, depth > 0 else {
            throw Refusal("marks places of shape \(places.shape) along axis \(axis) of \(depth)")
        }
        shape.insert(depth, at: axis)
        guard HostTensor.isReasonable(shape), shape.product <= 1 << 24 else {
            throw Refusal("would make a tensor of shape \(shape)")
        }
        let inner = shape[(axis + 1)...].reduce(1, *)
        let chosen = (0..<shape.product).map { index -> Int in
            let own = indices[index / (depth * inner) * inner + index % inner]
            return (own < 0 ? own + depth : own) == index / inner % depth ? 1 : 0
        }
        return [values.gathered(chosen, shape: shape)]
    }
}
