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

    /// Nil for a node that makes no such value.
    func kind(_ node: Graph.Node, hasActivation: Bool) -> LayerKind? {
        guard grids[node.outputs[0]] != nil, node.operation.keepsPlacesApart else { return nil }
        switch node.operation.roleOnTokens {
        case .none: return nil
        case .sum: return isResidual(node) ? .standard : nil
        case .function: return .onDemand
        case .layer(let isActivated):
            return isActivated || hasActivation || readsAttention(node) ? .standard : .onDemand
        }
    }

    /// Whether it adds up two values that both depend on the image.
    func isResidual(_ node: Graph.Node) -> Bool {
        guard case .sum = node.operation.roleOnTokens else { return false }
        return node.inputs.compactMap { $0 }.filter { graph.values[$0].constant == nil }.count > 1
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

/// What an operator is among tokens.
enum RoleOnTokens {
    case none
    /// A sum.
    case sum
    /// A function of each token.
    case function
    /// A fully connected layer, with an activation function or without.
    case layer(isActivated: Bool)
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
