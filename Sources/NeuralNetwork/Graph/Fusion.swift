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
            guard (next.operation as? Activation).map(activations) ?? true, varying.count == 1, readers[varying[0]] == 1,
                let maker = makers[varying[0]],
                recorded.map({ !$0.contains(varying[0]) }) ?? !(nodes[maker].operation is ChannelAffine),
                let fused = nodes[maker].operation.absorbing(next.operation, next.inputs.map { $0.map { operand($0) } })
            else { continue }
            nodes[maker].operation = fused
            nodes[maker].outputs = next.outputs
            for output in next.outputs { makers[output] = maker }
            kept[index] = false
        }
        nodes = zip(nodes, kept).filter(\.1).map(\.0)
    }
}
