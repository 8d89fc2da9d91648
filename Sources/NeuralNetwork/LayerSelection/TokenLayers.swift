/// Which values of a transformer are layers: those whose tokens stand on a grid.
///
/// By default the sums of its blocks (the residual stream), fully connected layers with an activation function (the hidden layer of an MLP), and
/// those that read a product of activations (what attention puts out); all others on demand.
struct TokenLayers {
    /// Of values with three axes, [1, tokens, channels].
    let grids: [Graph.ValueID: TokenGrid]
    private let graph: Graph
    private let producers: [Int?]

    init(_ graph: Graph, _ places: [Graph.ValueID: Places]) {
        var grids: [Graph.ValueID: TokenGrid] = [:]
        for (value, known) in places { grids[value] = known.tokenGrid(graph.values[value].shape ?? []) }
        (self.grids, self.graph, producers) = (grids, graph, graph.producers)
    }

    /// Nil for a node that makes no such value, and for one that is no layer.
    func kind(_ node: Graph.Node, hasActivation: Bool) -> LayerKind? {
        let operation = node.operation
        guard let grid = grids[node.outputs[0]], operation.keepsPlacesApart else { return nil }
        if operation.isSum { return isResidual(node) ? .standard : nil }
        if operation.takesActivation {
            return operation.activation != nil || hasActivation || readsAttention(node) ? .standard : .onDemand
        }
        // As it is of a vector, which each token is.
        return operation.layerKind(
            node.inputs.map { $0.map { graph.operand($0) } }, shape: [1, grid.channels], channelAxis: 1)
    }

    /// Where a value is a sequence of places, its steps and channels.
    func sequence(_ value: Graph.ValueID) -> TokenGrid? { grids[value].flatMap { $0.isSequence ? $0 : nil } }

    /// Whether it adds up two values that both depend on the image.
    func isResidual(_ node: Graph.Node) -> Bool {
        node.operation.isSum && node.inputs.compactMap { $0 }.filter { graph.values[$0].constant == nil }.count > 1
    }

    /// Whether what it reads is a product of activations, behind changes of shape.
    private func readsAttention(_ node: Graph.Node) -> Bool {
        var value = node.inputs[0]
        while let index = value.flatMap({ producers[$0] }) {
            if graph.nodes[index].operation.mixesPlaces { return true }
            guard graph.nodes[index].operation.passage.movesElements else { return false }
            value = graph.nodes[index].inputs[0]
        }
        return false
    }

    /// What a token before the grid is called: the first is the class token.
    static func name(of token: Int, in layer: String) -> String {
        token == 0 ? "\(layer).class_token" : "\(layer).token_\(token)"
    }
}

extension Layer {
    /// The same of one token before the grid.
    func ofToken(_ token: Int, name: String, in graph: Graph) -> Layer {
        let input = graph.values[graph.input].shape ?? []
        var result = self
        (result.name, result.tensor, result.height, result.width) = (name, "\(tensor)#\(token)", 1, 1)
        result.receptiveField = .whole(height: input[2], width: input[3])
        return result
    }
}
