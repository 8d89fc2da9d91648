import CKernels

/// Collects the steps that operators emit while a graph is compiled.
struct ProgramBuilder {
    private(set) var program: Program
    private let graph: Graph
    /// The layer whose node is being lowered.
    var layer = ""

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
    mutating func lower(_ graph: Graph, then: (inout Self, Graph.Node) -> Void = { _, _ in }) throws {
        for node in graph.nodes {
            try lower(node)
            then(&self, node)
        }
    }

    /// Emits one node.
    mutating func lower(_ node: Graph.Node) throws {
        layer = node.layer
        do {
            try node.operation.lower(node, into: &self)
        } catch let refusal as Refusal {
            throw NetworkError.node(node.use, problem: refusal.problem)
        }
    }

    // MARK: Where values stand

    /// Where `id` stands; a constant is put in place when it is first asked for.
    /// - Parameter rank: axes that a constant of fewer gets, by ones put before.
    mutating func location(_ id: Graph.ValueID?, aligned rank: Int = 0) throws -> Location {
        guard let id else { throw Refusal("lacks an input that it needs") }
        if var known = program.locations[id] {
            if known.shape.count < rank {
                guard known.isRowMajor, rank != 4 || known.count == 1 else {
                    throw Refusal("combines an activation of shape \(known.shape) with one of \(rank) axes")
                }
                known.shape = known.shape.aligned(rank)
            }
            return known
        }
        guard let constant = graph.values[id].constant else {
            throw Refusal("reads '\(graph.values[id].name)' before it is made")
        }
        return place(constant.reshaped(constant.shape.aligned(max(rank, 1))))
    }

    /// `id` broadcast to all of `shape`: itself where it has that shape.
    mutating func expanded(_ id: Graph.ValueID, to shape: [Int]) throws -> Location {
        if let constant = graph.values[id].constant { return place(constant.expanded(to: shape), repeated: true) }
        let source = try location(id, aligned: shape.count)
        guard source.shape != shape else { return source }
        let target = temporary(shape)
        let strides = zip(source.shape, source.strides).map { $0 == 1 ? 0 : $1 }
        copy(source, shape: shape, fromStrides: strides, to: target, toStrides: target.strides)
        return target
    }

    mutating func allocate(_ id: Graph.ValueID) -> Location {
        let location = temporary(graph.values[id].shape ?? [])
        program.locations[id] = location
        return location
    }

    /// Memory for a value that is not in the graph.
    mutating func temporary(_ shape: [Int]) -> Location {
        program.buffers.append(shape.product * batch)
        return Location(place: .buffer(program.buffers.count - 1), shape: shape, batch: batch)
    }

    /// Lets `output` be the same memory as `input`.
    mutating func alias(_ output: Graph.ValueID, of input: Graph.ValueID) {
        guard var location = program.locations[input] else { return }
        location.shape = graph.values[output].shape ?? location.shape
        program.locations[output] = location
    }

    private mutating func place(_ tensor: HostTensor, repeated: Bool = false) -> Location {
        let channelsLast = tensor.shape.count == 4 ? tensor.transposed([0, 2, 3, 1]).floats : tensor.floats
        program.constants.append(repeated ? Array(repeatElement(channelsLast, count: batch).joined()) : channelsLast)
        return Location(place: .constant(program.constants.count - 1), shape: tensor.shape, batch: repeated ? batch : 1)
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
        var source = try location(input)
        let shape = graph.values[output].shape ?? []
        if !source.isRowMajor {
            let flat = temporary([source.shape[0], source.count / source.shape[0]])
            copy(source, shape: source.shape, fromStrides: source.strides, to: flat, toStrides: source.shape.rowMajorStrides)
            source = flat
        }
        source.shape = shape
        guard !source.isRowMajor else {
            program.locations[output] = source
            return
        }
        let target = allocate(output)
        copy(source, shape: shape, fromStrides: shape.rowMajorStrides, to: target, toStrides: target.strides)
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
