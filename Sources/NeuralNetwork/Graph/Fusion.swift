extension Graph {
    /// Lets every node absorb those after it that can be done in the same pass: batch normalisation and activation into
    /// the convolution before them.
    ///
    /// - Parameters:
    ///   - recorded: what is recorded, once that is known: no node absorbs what comes after that. Until then batch normalisation that no
    ///     layer absorbed stays a layer of its own.
    ///   - activations: which activations may be absorbed; the others stay nodes of their own, so that what stands before
    ///     them can be recorded, or is there on the way back.
    mutating func fuse(recorded: Set<ValueID>? = nil, activations: (Activation) -> Bool) {
        let readers = readers
        var makers = producers
        var kept: [Bool] = nodes.map { _ in true }
        for index in nodes.indices {
            let next = nodes[index]
            let varying = next.inputs.compactMap { $0 }.filter { values[$0].constant == nil }
            guard next.operation.function.map(activations) ?? true, varying.count == 1, readers[varying[0]] == 1,
                let maker = makers[varying[0]], varying[0] != scores,
                recorded.map({ !$0.contains(varying[0]) }) ?? !nodes[maker].operation.standsAloneUntilRecorded,
                let fused = nodes[maker].operation.absorbing(next.operation, next.inputs.map { $0.map { operand($0) } })
            else { continue }
            nodes[maker].operation = fused
            nodes[maker].outputs = next.outputs
            for output in next.outputs { makers[output] = maker }
            kept[index] = false
        }
        nodes = zip(nodes, kept).filter(\.1).map(\.0)
    }
    /// Lets a concatenation take up those of its module that it alone reads, along the same axis: PyTorch's first exporter does so by itself,
    /// and its second writes both. What is left over is dead.
    mutating func joinConcatenations() {
        let (producers, readers) = (producers, readers)
        for index in nodes.indices {
            let outer = nodes[index].operation
            nodes[index].inputs = nodes[index].inputs.flatMap { input -> [ValueID?] in
                guard let input, readers[input] == 1, let maker = producers[input], nodes[maker].layer == nodes[index].layer,
                    outer.joinsAlongAxis(of: nodes[maker].operation, rank: values[input].shape?.count ?? 0)
                else { return [input] }
                return nodes[maker].inputs
            }
        }
    }
    /// Lets a change of shape read what was there before another that joined the axis of images to the next: images stay apart. What is left over
    /// is dead.
    mutating func joinReshapes() {
        let producers = producers
        for index in nodes.indices where nodes[index].operation.passage == .reshaped {
            guard let input = nodes[index].inputs[0], values[input].shape?.first ?? 1 != 1, let maker = producers[input],
                nodes[maker].operation.passage == .reshaped, let shape = values[nodes[index].outputs[0]].shape, shape.first == 1
            else { continue }
            nodes[index].operation = Reshape(to: shape)
            nodes[index].inputs = [nodes[maker].inputs[0]]
        }
    }
}
