import CKernels

/// Collects the steps that operators emit while a graph is compiled.
struct ProgramBuilder {
    private(set) var program: Program
    private let graph: Graph
    /// Values that were put into another order than they were made in.
    private var reordered: [Graph.ValueID: Location] = [:]
    /// The layer whose node is being lowered.
    var layer = ""
    /// Whether 3×3 convolutions may be done by Winograd's filtering. It rounds otherwise than adding up does, by some 1e-6 of the largest value, and
    /// leaves no exact zeros: of no matter to maxima, but a gradient passes kinks that the last bits decide, and ends where a receptive field does.
    var usesWinograd = false
    var precision = Precision.float32
    /// Values that may hold what is no number; see ProgramBuilder+NaN.swift.
    var notNumbers: Set<Graph.ValueID> = []
    /// Of values of which something is known.
    private(set) var signs: [Graph.ValueID: Sign] = [:]
    /// Whether the node that is being lowered must not hide what is no number.
    var keepsNaN = false
    /// Values that were rounded to bfloat16.
    private var rounded: [Location: Location] = [:]

    var batch: Int { program.batch }

    init(graph: Graph, batch: Int) {
        self.graph = graph
        let shape = graph.values[graph.input].shape ?? []
        let input = Location(place: .buffer(0), shape: shape, batch: batch)
        program = Program(
            batch: batch, buffers: [shape.product * batch], constants: [], steps: [], input: input,
            locations: [graph.input: input])
    }

    /// Emits all nodes, and after each what `then` adds.
    mutating func lower(_ graph: Graph, then: (inout Self, Graph.Node) throws -> Void = { _, _ in }) throws {
        for node in graph.nodes {
            try lower(node)
            try then(&self, node)
        }
    }

    /// Emits one node.
    mutating func lower(_ node: Graph.Node) throws {
        layer = node.layer
        keepsNaN = mayGiveNaN(node, graph)
        do {
            try node.operation.lower(node, into: &self)
            if keepsNaN { notNumbers.formUnion(node.outputs) }
            let sign = sign(of: node, graph)
            if sign != .unknown { for output in node.outputs { signs[output] = sign } }
        } catch let refusal as Refusal {
            throw NetworkError.node(node.use, problem: refusal.problem)
        }
    }

    // MARK: Where values stand

    /// Where `id` stands; a constant is put in place when it is first asked for.
    /// - Parameters:
    ///   - rank: axes that a value of fewer gets, by ones put before.
    ///   - order: what it is brought into, if it is in another; nil: it is taken as it was made.
    mutating func location(_ id: Graph.ValueID?, aligned rank: Int = 0, in order: Location.Order? = .channelsLast) throws
        -> Location
    {
        guard let id else { throw Refusal("lacks an input that it needs") }
        if let made = program.locations[id] {
            var known = made
            if known.shape.count < rank {
                known.shape = known.shape.aligned(rank)
                known.order = .rowMajor
            }
            guard let order, order != known.order else { return known }
            return self.reordered(known, of: id, into: order)
        }
        guard let constant = graph.values[id].constant else {
            throw Refusal("reads '\(graph.values[id].name)' before it is made")
        }
        return place(constant.reshaped(constant.shape.aligned(max(rank, 1))), in: order ?? .channelsLast)
    }

    private mutating func reordered(_ source: Location, of id: Graph.ValueID, into order: Location.Order) -> Location {
        if let known = reordered[id], known.shape == source.shape, known.order == order { return known }
        var result = reorder(source, into: order)
        result.shape = source.shape
        reordered[id] = result
        return result
    }

    /// The same elements in another order: the same memory where the orders are one.
    mutating func reorder(_ source: Location, into order: Location.Order) -> Location {
        guard source.order != order else { return source }
        var same = source
        same.order = order
        guard !(same.isRowMajor && source.isRowMajor) else { return same }
        let target = temporary(source.shape, in: order)
        copy(source, shape: source.shape, fromStrides: source.strides, to: target, toStrides: target.strides)
        return target
    }

    /// `id` broadcast to all of `shape`: itself where it has that shape.
    mutating func expanded(_ id: Graph.ValueID, to shape: [Int], in order: Location.Order = .channelsLast) throws -> Location {
        if let constant = graph.values[id].constant {
            return place(constant.expanded(to: shape), in: order, repeated: true)
        }
        let source = try location(id, aligned: shape.count, in: order)
        guard source.shape != shape else { return source }
        let target = temporary(shape, in: order)
        let strides = zip(source.shape, source.strides).map { $0 == 1 ? 0 : $1 }
        copy(source, shape: shape, fromStrides: strides, to: target, toStrides: target.strides)
        return target
    }

    /// A value that is known before any image is seen; nil for others.
    func constant(_ id: Graph.ValueID) -> HostTensor? { graph.values[id].constant }

    /// The order to combine values in: that of the first which is as large as the result.
    func order(of operands: [Graph.ValueID], under output: Graph.ValueID) -> Location.Order {
        let shape = graph.values[output].shape
        return operands.lazy.compactMap { program.locations[$0] }.first { $0.shape == shape }?.order ?? .channelsLast
    }

    mutating func allocate(_ id: Graph.ValueID, in order: Location.Order = .channelsLast) -> Location {
        let location = temporary(graph.values[id].shape ?? [], in: order)
        program.locations[id] = location
        return location
    }

    /// Memory for a value that is not in the graph.
    mutating func temporary(_ shape: [Int], in order: Location.Order = .channelsLast) -> Location {
        program.buffers.append(shape.product * batch)
        return Location(place: .buffer(program.buffers.count - 1), shape: shape, batch: batch, order: order)
    }

    /// Lets `output` be the same memory as `input`.
    mutating func alias(_ output: Graph.ValueID, of input: Graph.ValueID) {
        guard var location = program.locations[input] else { return }
        location.shape = graph.values[output].shape ?? location.shape
        alias(output, of: location)
    }

    /// Lets `output` be the same memory as `location`, under another shape or order.
    mutating func alias(_ output: Graph.ValueID, of location: Location) { program.locations[output] = location }

    private mutating func place(_ tensor: HostTensor, in order: Location.Order, repeated: Bool = false) -> Location {
        let isMap = tensor.shape.count == 4 && order == .channelsLast
        let values = isMap ? tensor.transposed([0, 2, 3, 1]).floats : tensor.floats
        program.constants.append(repeated ? Array(repeatElement(values, count: batch).joined()) : values)
        return Location(
            place: .constant(program.constants.count - 1), shape: tensor.shape, batch: repeated ? batch : 1, order: order)
    }

    /// A value rounded to bfloat16, in half the memory.
    mutating func bfloat16(_ source: Location) -> Location {
        if let known = rounded[source] { return known }
        let count = source.count * source.batch
        program.buffers.append((count + 1) / 2)
        var target = source
        target.place = .buffer(program.buffers.count - 1)
        emit(reads: [source], writes: [target]) { [target] memory in
            let from = memory[source]
            let to = UnsafeMutableRawPointer(memory[target]).assumingMemoryBound(to: UInt16.self)
            return { Team.split(count, grain: 32) { ndx_to_bfloat16(from + $0.lowerBound, to + $0.lowerBound, $0.count) } }
        }
        rounded[source] = target
        return target
    }

    // MARK: Steps

    mutating func emit(_ kernel: Kernel, reads: [Location], writes: [Location]) {
        program.steps.append(
            Step(layer: layer, reads: reads, writes: writes, scratch: kernel.scratchSize) { memory in
                try kernel.bound(to: (reads + writes).map { memory[$0] }, scratch: memory.scratch)
            })
    }

    /// - Parameter scratch: bytes of scratch memory.
    mutating func emit(
        reads: [Location], writes: [Location], scratch: Int = 0,
        bind: @escaping @Sendable (WorkerMemory) throws -> WorkerAction
    ) {
        program.steps.append(Step(layer: layer, reads: reads, writes: writes, scratch: scratch, bind: bind))
    }

    mutating func fill(_ location: Location, with value: Float) {
        let count = location.count * batch
        emit(reads: [], writes: [location]) { memory in
            let target = memory[location]
            return { target.update(repeating: value, count: count) }
        }
    }

    /// Copies a strided box of `shape` (of one image, batch axis first) for every image of the batch.
    /// - Parameters: strides and starts in elements, for every axis of `shape`.
    mutating func copy(
        _ source: Location, shape: [Int], fromStrides: [Int], fromStart: Int = 0, to target: Location, toStrides: [Int],
        toStart: Int = 0
    ) {
        var axes = (0..<shape.count).map { (extent: shape[$0], from: fromStrides[$0], to: toStrides[$0]) }
        axes.append((extent: batch, from: source.batch == 1 ? 0 : source.count, to: target.count))
        axes.removeAll { $0.extent == 1 }
        axes.sort { abs($0.to) > abs($1.to) }
        axes.mergeNeighbours()
        precondition(axes.count <= 6, "a copy over \(axes.count) axes that do not merge")
        let (extents, from, to) = (axes.map(\.extent).aligned(6), axes.map(\.from).aligned(6), axes.map(\.to).aligned(6))
        emit(reads: [source], writes: [target]) { memory in
            let (source, target) = (memory[source] + fromStart, memory[target] + toStart)
            let count = extents[5]
            if from[4] == 1, to[5] == 1, extents[0..<4].allSatisfy({ $0 == 1 }), from[5] > 1, to[4] > 1 {
                // Rows become columns.
                return { ndx_transpose_values(source, from[5], count, extents[4], target, to[4]) }
            }
            guard from[5] == 1, to[5] == 1, extents[0..<4].allSatisfy({ $0 == 1 }) else {
                return { ndx_copy_strided(source, target, extents, from, to) }
            }
            return {
                Team.split(extents[4], cost: count, grain: 1) { pixels in
                    ndx_copy_pixels(
                        source + pixels.lowerBound * from[4], from[4], target + pixels.lowerBound * to[4], to[4], pixels.count,
                        count)
                }
            }
        }
    }

    /// The same elements in row-major order under the shape of `output`.
    mutating func reshape(_ input: Graph.ValueID, to output: Graph.ValueID) throws {
        var source = try location(input, in: .rowMajor)
        source.shape = graph.values[output].shape ?? []
        alias(output, of: source)
    }
}

extension [(extent: Int, from: Int, to: Int)] {
    /// Joins axes that lie end to end on both sides into one.
    fileprivate mutating func mergeNeighbours() {
        var merged: Self = []
        for axis in self {
            if let outer = merged.last, outer.from == axis.from * axis.extent, outer.to == axis.to * axis.extent {
                merged[merged.count - 1] = (outer.extent * axis.extent, axis.from, axis.to)
            } else {
                merged.append(axis)
            }
        }
        self = merged
    }
}
