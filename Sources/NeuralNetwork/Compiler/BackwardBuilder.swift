import CKernels

/// Collects the steps of the way back, from the gradient of one value to those of all that it was made from.
struct BackwardBuilder {
    /// Where steps go that ways forward and back have in common.
    var forward: ProgramBuilder
    let rule: BackwardRule
    private let graph: Graph
    /// Complete once the last node that reads the value has been passed.
    private var gradients: [Graph.ValueID: Gradient] = [:]

    private struct Gradient {
        var location: Location
        /// Whether it is the gradient of another value too, so that nothing may be added to it.
        var isShared = false
    }

    init(_ forward: ProgramBuilder, graph: Graph, rule: BackwardRule) {
        self.forward = forward
        self.graph = graph
        self.rule = rule
    }

    var batch: Int { forward.batch }

    /// The gradient of `id`, channels innermost, if anything has come back to it.
    mutating func gradient(of id: Graph.ValueID) -> Location? {
        gradients[id].map { forward.reorder($0.location, into: graph.values[id].order) }
    }

    /// The gradients that the way back begins with, channels innermost; whoever runs it writes them. What comes back to one of them from
    /// another is added.
    mutating func seed(_ ids: [Graph.ValueID]) throws -> [Location] {
        let values = try ids.map { try forward.location($0, in: graph.values[$0].order) }
        let locations = values.map { forward.temporary($0.shape, in: $0.order) }
        // Nothing to do, but from here on the values and their gradients must stand beside each other.
        forward.emit(reads: values, writes: locations) { _ in {} }
        for (id, location) in zip(ids, locations) {
            gradients[id] = Gradient(location: forward.reorder(location, into: try forward.location(id, in: nil).order))
        }
        return locations
    }

    /// All nodes from the last to the first.
    mutating func run() throws {
        for node in graph.nodes.reversed() {
            guard node.outputs.contains(where: { gradients[$0] != nil }) else { continue }
            forward.layer = node.layer
            do {
                try node.operation.lowerBackward(node, into: &self)
            } catch let refusal as Refusal {
                throw NetworkError.node(node.use, problem: refusal.problem)
            }
        }
    }

    // MARK: For operators

    /// The same elements in another order.
    mutating func reorder(_ source: Location, into order: Location.Order) -> Location { forward.reorder(source, into: order) }

    /// Where a value of the way forward stands.
    mutating func location(_ id: Graph.ValueID?, aligned rank: Int = 0, in order: Location.Order? = .channelsLast) throws
        -> Location
    {
        try forward.location(id, aligned: rank, in: order)
    }

    /// A value of the way forward, broadcast to all of `shape`.
    mutating func expanded(_ id: Graph.ValueID, to shape: [Int], in order: Location.Order = .channelsLast) throws -> Location {
        try forward.expanded(id, to: shape, in: order)
    }

    /// Adds up a gradient over the axes along which a smaller operand was repeated.
    mutating func sum(_ source: Location, to target: Location) {
        let shape = target.shape.aligned(source.shape.count)
        let strides = zip(shape, Location.strides(of: shape, in: target.order)).map { $0 == 1 ? 0 : $1 }
        let from = HostTensor.indices(shape: source.shape, strides: source.strides)
        let to = HostTensor.indices(shape: source.shape, strides: strides)
        let (batch, inner, outer) = (batch, target.count, source.count)
        emit(reads: [source], writes: [target]) { memory in
            let (source, target) = (memory[source], memory[target])
            return {
                target.update(repeating: 0, count: inner * batch)
                for image in 0..<batch { for (f, t) in zip(from, to) { target[image * inner + t] += source[image * outer + f] } }
            }
        }
    }

    /// The gradient of a node's output, its first unless another is asked for.
    /// - Parameter order: nil: that of the output.
    mutating func incoming(_ node: Graph.Node, output: Int = 0, in order: Location.Order? = .channelsLast) throws -> Location {
        guard node.outputs.indices.contains(output), let location = gradients[node.outputs[output]]?.location else {
            throw Refusal("has no gradient to pass back")
        }
        return order.map { forward.reorder(location, into: $0) } ?? location
    }

    /// Whether anything has come back to a node's output.
    func hasGradient(_ node: Graph.Node, output: Int) -> Bool { gradients[node.outputs[output]] != nil }

    /// Lets `write` emit what computes a gradient of `id` into the location it is given. Where `id` is read by several nodes,
    /// what comes from each is added up; where it does not depend on the image, nothing is done.
    /// - Parameter order: what `write` writes; nil: that of the value.
    mutating func contribute(
        to id: Graph.ValueID?, in order: Location.Order? = .channelsLast, _ write: (inout Self, Location) throws -> Void
    ) throws {
        guard let id, graph.values[id].constant == nil else { return }
        let value = try forward.location(id, in: nil)
        let written = forward.temporary(value.shape, in: order ?? value.order)
        try write(&self, written)
        add(Gradient(location: forward.reorder(written, into: value.order)), to: id)
    }

    private mutating func add(_ new: Gradient, to id: Graph.ValueID) {
        guard let known = gradients[id] else {
            gradients[id] = new
            return
        }
        // To the one that is no other value's, if there is one.
        let part = known.isShared && !new.isShared ? known.location : new.location
        var sum = known.isShared && !new.isShared ? new : known
        if sum.isShared {
            let own = forward.temporary(sum.location.shape, in: sum.location.order)
            copy(sum.location, to: own)
            sum = Gradient(location: own)
        }
        add(part, to: sum.location)
        gradients[id] = sum
    }

    /// Passes a gradient on as it is, under the shape that `id` has.
    mutating func pass(_ gradient: Location, to id: Graph.ValueID?) throws {
        guard let id, graph.values[id].constant == nil else { return }
        let value = try forward.location(id, in: nil)
        var same = forward.reorder(gradient, into: value.order)
        same.shape = value.shape
        add(Gradient(location: same, isShared: true), to: id)
    }

    mutating func copy(_ source: Location, to target: Location) {
        let count = source.count * batch
        emit(reads: [source], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return { Team.split(count) { (to + $0.lowerBound).update(from: from + $0.lowerBound, count: $0.count) } }
        }
    }

    /// Adds the elements of one gradient to another of the same shape and order.
    mutating func add(_ source: Location, to target: Location) {
        let count = target.count * batch
        emit(reads: [source, target], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return { Team.split(count) { ndx_add(from + $0.lowerBound, to + $0.lowerBound, $0.count) } }
        }
    }

    /// The gradient before an activation that was done in the same pass, from that after it.
    mutating func before(
        _ activation: Activation?, _ node: Graph.Node, in order: Location.Order = .channelsLast
    ) throws -> Location {
        let gradient = try incoming(node, in: order)
        guard let activation else { return gradient }
        let target = forward.temporary(gradient.shape, in: order)
        let output = try location(node.outputs[0], in: order)
        try activation.emitBackward(output: output, input: nil, from: gradient, to: target, into: &self)
        return target
    }

    mutating func emit(_ kernel: Kernel, reads: [Location], writes: [Location]) {
        forward.emit(kernel, reads: reads, writes: writes)
    }
    mutating func emit(
        reads: [Location], writes: [Location], bind: @escaping @Sendable (WorkerMemory) throws -> WorkerAction
    ) { forward.emit(reads: reads, writes: writes, bind: bind) }
    mutating func fill(_ location: Location, with value: Float) { forward.fill(location, with: value) }
    mutating func temporary(_ shape: [Int], in order: Location.Order = .channelsLast) -> Location {
        forward.temporary(shape, in: order)
    }

    /// The transpose of `ProgramBuilder.copy`: what stood at the strided places of a larger tensor goes back to them.
    mutating func copyStrided(
        _ source: Location, shape: [Int], fromStrides: [Int], fromStart: Int = 0, to target: Location, toStrides: [Int],
        toStart: Int = 0
    ) {
        forward.copy(
            source, shape: shape, fromStrides: fromStrides, fromStart: fromStart, to: target, toStrides: toStrides,
            toStart: toStart)
    }
}
