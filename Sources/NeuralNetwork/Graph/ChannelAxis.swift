extension Graph {
    /// Says for each output of the last node which axis holds the channels.
    mutating func markChannelAxis() {
        if let node = nodes.last { markChannelAxis(of: node) }
    }

    /// The same of any node, as its operator tells from its inputs.
    mutating func markChannelAxis(of node: Node) {
        let inputs = node.inputs.compactMap { $0 }.filter { values[$0].constant == nil && values[$0].shape?.count == 4 }
        let areLast = node.operation.channelsAreLast(inputs.map { values[$0].channelsAreLast })
        for output in node.outputs where values[output].shape?.count == 4 { values[output].channelsAreLast = areLast }
    }
}
