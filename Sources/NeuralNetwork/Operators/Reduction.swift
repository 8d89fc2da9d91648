import CKernels

/// `ReduceMean`, `ReduceMax` and the like along any axes but the batch's.
///
/// https://onnx.ai/onnx/operators/ under each of the names. A mean or maximum of the whole map is a `Pooling`.
struct Reduction: Operator {
    private static let kinds: [String: ndx_reduction] = [
        "ReduceMean": NDX_REDUCE_MEAN, "ReduceSum": NDX_REDUCE_SUM, "ReduceMax": NDX_REDUCE_MAX, "ReduceMin": NDX_REDUCE_MIN,
        "ReduceL1": NDX_REDUCE_L1,
        "ReduceL2": NDX_REDUCE_L2, "ReduceSumSquare": NDX_REDUCE_SUM_SQUARE, "ReduceProd": NDX_REDUCE_PRODUCT,
        "ReduceLogSumExp": NDX_REDUCE_LOG_SUM_EXP,
    ]
    static let names = kinds.keys.sorted()

    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign {
        switch kind {
        case NDX_REDUCE_L1, NDX_REDUCE_L2, NDX_REDUCE_SUM_SQUARE: .notNegative
        case NDX_REDUCE_LOG_SUM_EXP: .unknown
        default: min(inputs.first ?? .unknown, .notNegative)
        }
    }

    private let kind: ndx_reduction
    /// Nil: all.
    private let axes: [Int]?
    private let keepsAxes: Bool
    private let doesNothing: Bool

    init(_ node: NodeReader) throws {
        guard let kind = Self.kinds[node.operatorType] else { throw Refusal("is no reduction") }
        self.kind = kind
        let given = try node.integers(input: 1, attribute: "axes")
        axes = given?.isEmpty == true ? nil : given
        keepsAxes = node.int("keepdims", default: 1) != 0
        doesNothing = axes == nil && node.int("noop_with_empty_axes", default: 0) != 0
    }

    static func make(_ node: NodeReader) throws -> any Operator {
        let reduction = try Reduction(node)
        guard let shape = node.input(0)?.shape, shape.count == 4, node.input(0)?.constant == nil,
            try reduction.axes(rank: 4) == [2, 3], let pooling = Pooling(covering: reduction.kind, keepsAxes: reduction.keepsAxes)
        else { return reduction }
        return pooling
    }

    private func axes(rank: Int) throws -> [Int] {
        guard !doesNothing else { return [] }
        let resolved = axes?.map { $0 < 0 ? $0 + rank : $0 }.sorted() ?? Array(0..<rank)
        guard resolved.allSatisfy({ (0..<rank).contains($0) }), Set(resolved).count == resolved.count else {
            throw Refusal("reduces axes \(axes ?? []) of \(rank)")
        }
        return resolved
    }

    func averages(_ axes: [Int], rank: Int) -> Bool { kind == NDX_REDUCE_MEAN && (try? self.axes(rank: rank)) == axes }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        let axes = try axes(rank: shape.count)
        guard !axes.contains(0) || shape.firstIsNotTheBatch else {
            throw Refusal("reduces axis 0, which mixes the images of a batch")
        }
        return [result(of: shape, axes)]
    }

    private func result(of shape: [Int], _ axes: [Int]) -> [Int] {
        keepsAxes
            ? shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
            : shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }

    /// Which element every result begins at, and where it goes; the steps from there to all that it is made of.
    private struct Plan {
        var base: [Int64]
        var at: [Int64]
        var offsets: [Int64]

        init(_ shape: [Int], strides: [Int], _ axes: [Int], to target: [Int]) {
            let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
            let reduced = shape.indices.map { axes.contains($0) ? shape[$0] : 1 }
            base = HostTensor.indices(shape: kept, strides: strides).map(Int64.init)
            offsets = HostTensor.indices(shape: reduced, strides: strides).map(Int64.init)
            at = HostTensor.indices(shape: kept, strides: target).map(Int64.init)
        }
    }

    /// - Parameter result: where results stand; its strides are given an axis for each of the source's.
    private func plan(_ source: Location, _ result: Location) throws -> Plan {
        let axes = try axes(rank: source.shape.count)
        var (strides, rest) = ([Int](), result.strides[...])
        for axis in source.shape.indices { strides.append(keepsAxes || !axes.contains(axis) ? rest.removeFirst() : 0) }
        return Plan(source.shape, strides: source.strides, axes, to: strides)
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let tensor = inputs[0] else { return nil }
        let axes = try axes(rank: tensor.shape.count)
        let shape = result(of: tensor.shape, axes)
        let kept = tensor.shape.indices.map { axes.contains($0) ? 1 : tensor.shape[$0] }
        let plan = Plan(tensor.shape, strides: tensor.shape.rowMajorStrides, axes, to: kept.rowMajorStrides)
        guard !plan.offsets.isEmpty, plan.base.count == shape.product else { throw Refusal("reduces an empty tensor") }
        var results = [Float](repeating: 0, count: plan.base.count)
        ndx_reduce(kind, tensor.floats, &results, plan.base, plan.at, plan.base.count, plan.offsets, plan.offsets.count)
        // Shape arithmetic stays in integers.
        if case .int(let values) = tensor.elements, kind != NDX_REDUCE_MEAN, kind != NDX_REDUCE_L2, kind != NDX_REDUCE_LOG_SUM_EXP
        {
            return [HostTensor(plan.base.map { base in integer(plan.offsets.map { values[Int(base + $0)] }) }, shape: shape)]
        }
        return [HostTensor(results, shape: shape)]
    }

    private func integer(_ values: [Int]) -> Int {
        switch kind {
        case NDX_REDUCE_MAX: values.max() ?? 0
        case NDX_REDUCE_MIN: values.min() ?? 0
        case NDX_REDUCE_PRODUCT: values.reduce(1, &*)
        case NDX_REDUCE_L1: values.reduce(0) { $0 &+ abs(Swift.max($1, -.max)) }
        case NDX_REDUCE_SUM_SQUARE: values.reduce(0) { $0 &+ $1 &* $1 }
        default: values.reduce(0, &+)
        }
    }

    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        guard shapes[0].count == 4, let axes = try? axes(rank: 4), axes.contains(where: map.contains) else { return inputs[0] }
        let reach = map.map { axes.contains($0) ? shapes[0][$0] : 1 }
        return Window(covering: reach[0], reach[1]).receptiveField(inputs[0])
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0])
        let (plan, batch, kind) = (try plan(source, destination), program.batch, kind)
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                for image in 0..<batch {
                    ndx_reduce(
                        kind, from + image * source.count, to + image * destination.count, plan.base, plan.at, plan.base.count,
                        plan.offsets, plan.offsets.count)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        let (input, output) = try (program.location(node.inputs[0], in: nil), program.location(node.outputs[0]))
        let (plan, batch, kind) = (try plan(input, gradient), program.batch, kind)
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            program.emit(reads: [input, output, gradient], writes: [target]) { memory in
                let (input, output, from, to) = (memory[input], memory[output], memory[gradient], memory[target])
                return {
                    for image in 0..<batch {
                        let (inner, outer) = (image * target.count, image * gradient.count)
                        ndx_reduce_backward(
                            kind, input + inner, output + outer, from + outer, to + inner, plan.base, plan.at, plan.base.count,
                            plan.offsets, plan.offsets.count)
                    }
                }
            }
        }
    }
}
