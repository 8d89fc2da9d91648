extension Graph {
    /// What every value's axes are made of, where that can be told.
    func places() -> [ValueID: Places] {
        var copy = self
        return copy.followPlaces()
    }

    /// Says of maps whose channels changes of shape have put last that they are there, as where a transformer makes maps of its tokens again.
    mutating func markChannelsPutLast() { _ = followPlaces() }

    private mutating func followPlaces() -> [ValueID: Places] {
        var found: [ValueID: Places] = [:]
        found[input] = Places(map: values[input].shape ?? [], channelsAreLast: false)
        for node in nodes {
            // Of channels that were found to be last, what follows has them there too.
            markChannelAxis(of: node)
            let inputs = node.inputs.compactMap { $0 }.map {
                PlacedInput(
                    shape: values[$0].constant?.shape ?? values[$0].shape ?? [], places: found[$0],
                    isConstant: values[$0].constant != nil)
            }
            for (index, output) in node.outputs.enumerated() {
                guard let shape = values[output].shape else { continue }
                let told = node.operation.places(
                    inputs, of: PlacedOutput(index: index, shape: shape, channelsAreLast: values[output].channelsAreLast))
                // Of a value that has more than its parts, as several maps of one picture, nothing is known.
                found[output] = told.flatMap { $0.fits(shape) ? $0 : nil }
                if found[output]?.haveChannelsLast == true { values[output].channelsAreLast = true }
            }
        }
        return found
    }

    /// Whether a value's maps stand in several rows of the batch axis.
    func isInRows(_ value: ValueID) -> Bool {
        let shape = values[value].shape ?? []
        return shape.count == 4 && shape.firstIsNotTheBatch
    }

    /// Puts together the maps of a value that stand in several rows of the batch axis: they become one map, which is taken apart again for the nodes
    /// that read it.
    ///
    /// - Returns: the value of the one map; nil where it cannot be told where in the picture the elements stand.
    mutating func assembleMap(_ value: ValueID, _ places: [ValueID: Places]) -> ValueID? {
        guard let index = producers[value], let plan = places[value]?.assembly else { return nil }
        return assemble(value, after: index, plan)
    }

    private mutating func assemble(
        _ value: ValueID, after index: Int, _ plan: (parts: [Int], order: [Int], map: [Int])
    ) -> ValueID {
        let source = values[value]
        func add(_ shape: [Int], _ name: String, isLast: Bool) -> ValueID {
            values.append(Value(name: name, shape: shape, channelsAreLast: isLast))
            return values.count - 1
        }
        let map = add(plan.map, source.name, isLast: false)
        let apart = add(source.shape ?? [], source.name, isLast: source.channelsAreLast)
        let node = nodes[index]
        for other in nodes.indices.dropFirst(index + 1) {
            nodes[other].inputs = nodes[other].inputs.map { $0 == value ? apart : $0 }
        }
        if output == value { output = apart }
        others = others.map { $0 == value ? apart : $0 }
        if head?.scores == value { head?.scores = apart }
        let inverse = plan.order.indices.map { place in plan.order.firstIndex(of: place) ?? 0 }
        let steps = [
            Node(
                name: node.name, operatorType: node.operatorType, layer: node.layer,
                operation: PlaceShuffle(parts: plan.parts, order: plan.order, to: plan.map), inputs: [value], outputs: [map]),
            Node(
                name: node.name, operatorType: node.operatorType, layer: node.layer,
                operation: PlaceShuffle(parts: plan.order.map { plan.parts[$0] }, order: inverse, to: source.shape ?? []),
                inputs: [map], outputs: [apart]),
        ]
        nodes.insert(contentsOf: steps, at: index + 1)
        return map
    }
}

/// A change of shape, of the order of axes, and of shape again: from maps along the batch axis to one map, or back.
struct PlaceShuffle: ChannelsFirst {
    static let names: [String] = []

    private let parts: [Int]
    private let order: [Int]
    private let target: [Int]

    init(parts: [Int], order: [Int], to target: [Int]) { (self.parts, self.order, self.target) = (parts, order, target) }

    init(_ node: NodeReader) throws { throw Refusal("stands in no file") }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [target] }

    /// Which element of the source, row-major, each element of the result is.
    private var sources: [Int] {
        let strides = parts.rowMajorStrides
        return HostTensor.indices(shape: order.map { parts[$0] }, strides: order.map { strides[$0] })
    }

    /// The same in memory: offsets from one location to another.
    private func offsets(_ source: Location, _ result: Location) -> (from: [Int], to: [Int]) {
        let from = HostTensor.indices(shape: source.shape, strides: source.strides)
        return (sources.map { from[$0] }, HostTensor.indices(shape: result.shape, strides: result.strides))
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0])
        let (from, to) = offsets(source, destination)
        program.emit(reads: [source], writes: [destination]) { memory in
            let (source, target) = (memory[source], memory[destination])
            return { for (f, t) in zip(from, to) { target[t] = source[f] } }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            let (back, from) = offsets(target, gradient)
            program.emit(reads: [gradient], writes: [target]) { memory in
                let (source, target) = (memory[gradient], memory[target])
                return { for (b, f) in zip(back, from) { target[b] = source[f] } }
            }
        }
    }
}
