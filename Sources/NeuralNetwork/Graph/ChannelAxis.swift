extension Graph {
    /// Says for each output of the last node which axis holds the channels: the last one after a fully connected layer over the places
    /// of a map, and wherever a Transpose has put it; then as in the node's inputs.
    mutating func markChannelAxis() {
        guard let node = nodes.last else { return }
        let inputs = node.inputs.compactMap { $0 }.filter { values[$0].constant == nil && values[$0].shape?.count == 4 }
        let areLast: Bool
        switch node.operation {
        case is Linear: areLast = true
        case let transpose as Transpose:
            guard let input = inputs.first else { return }
            areLast = (try? transpose.axes(rank: 4))?.last == (values[input].channelsAreLast ? 3 : 1)
        case is Activation, is ElementFunction, is Pairwise, is Arithmetic, is Identity, is Cast, is LayerNormalization:
            areLast = inputs.contains { values[$0].channelsAreLast }
        default: areLast = false
        }
        for output in node.outputs where values[output].shape?.count == 4 { values[output].channelsAreLast = areLast }
    }
}
