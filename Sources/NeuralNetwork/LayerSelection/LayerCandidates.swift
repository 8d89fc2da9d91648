/// The values of a graph that can be layers, in the order of the graph, with their names.
struct LayerCandidates {
    /// What is recorded of the graph's layers, whatever their names are.
    struct Options {
        /// Keep the means of all layers.
        var everyMean: Bool
        /// Record what stands before activation functions, and those as layers of their own.
        var beforeActivation: Bool
        /// Whether the answer's channels are classes.
        var hasClasses: Bool
    }

    struct Candidate {
        var entry: Recording.Entry
        /// Whether it is recorded where nobody names layers.
        var isDefault: Bool
    }

    private(set) var found: [Candidate] = []

    private let graph: Graph
    private let places: [Graph.ValueID: Places]
    private let fields: [Graph.ValueID: ReceptiveField]
    private let tokens: TokenLayers
    private let options: Options
    /// What makes each output, and which that is: the answer where one node makes several.
    private let ends: [Int: Graph.ValueID]
    /// For values that a node of an activation function alone reads, that node.
    private let activations: [Graph.ValueID: Int]
    private var names = LayerNames.Unique()
    /// Nodes of activation functions that belong to the layer before them.
    private var passed = Set<Int>()

    init(_ graph: Graph, _ places: [Graph.ValueID: Places], _ tokens: TokenLayers, _ options: Options) {
        (self.graph, self.places, self.tokens, self.options) = (graph, places, tokens, options)
        fields = Recording.receptiveFields(graph, places)
        let producers = graph.producers
        ends = Dictionary(
            ([graph.scores] + graph.others).compactMap { end in
                Recording.source(of: end, graph, producers).map { ($0, end) }
            }, uniquingKeysWith: { first, _ in first })
        activations = Self.activations(graph, graph.readers)
        for (index, node) in graph.nodes.enumerated() where !passed.contains(index) { add(node, end: ends[index]) }
    }

    private static func activations(_ graph: Graph, _ readers: [Int]) -> [Graph.ValueID: Int] {
        var found: [Graph.ValueID: Int] = [:]
        for (index, node) in graph.nodes.enumerated() where node.operation.isActivation {
            if let input = node.inputs[0], readers[input] == 1 { found[input] = index }
        }
        return found
    }

    /// - Parameter end: the output that the node makes, if it does.
    private mutating func add(_ node: Graph.Node, end: Graph.ValueID?) {
        guard let shape = graph.values[node.outputs[0]].shape, let kind = kind(node, shape, isEnd: end != nil) else { return }
        let (value, end) = behindActivations(node, end)
        let name = names.next(node.layer)
        // An answer that is no map: all its elements are neurons, whatever axes they have. That of a recogniser of text is a sequence.
        let grid = end != nil ? tokens.sequence(value) : tokens.grids[value]
        let map =
            graph.values[value].map ?? grid?.map
            ?? (channels: (graph.values[value].shape ?? shape).product, height: 1, width: 1)
        let layer = Layer(
            name: name, tensor: graph.values[value].name, operatorType: node.operatorType, channels: map.channels,
            height: map.height, width: map.width, receptiveField: fields[value] ?? .pixel,
            isLogits: end == graph.scores && options.hasClasses, keepsMeans: options.everyMean, firstNeuron: 0)
        found.append(
            Candidate(
                entry: .init(value: value, layer: layer, parts: [], grid: grid),
                isDefault: kind == .standard && hasPlace(value, node) || end != nil))
        for token in 0..<(grid?.prefix ?? 0) {
            let own = layer.ofToken(token, name: names.next(TokenLayers.name(of: token, in: name)), in: graph)
            found.append(
                Candidate(
                    entry: .init(value: value, layer: own, parts: [], grid: grid, token: token),
                    isDefault: token == 0 && tokens.isResidual(node)))
        }
    }

    /// Nil for a node whose value is no layer.
    private func kind(_ node: Graph.Node, _ shape: [Int], isEnd: Bool) -> LayerKind? {
        let value = node.outputs[0]
        return tokens.kind(node, hasActivation: activations[value] != nil)
            ?? node.operation.layerKind(
                node.inputs.map { $0.map { graph.operand($0) } }, shape: shape,
                channelAxis: graph.values[value].channelsAreLast ? 3 : 1)
            ?? (isEnd ? .standard : nil)
    }

    /// The value that stands for a node's layer, and the output that it is, if it is one: activations that were not done in the same pass
    /// belong to the layer all the same.
    private mutating func behindActivations(
        _ node: Graph.Node, _ end: Graph.ValueID?
    ) -> (value: Graph.ValueID, end: Graph.ValueID?) {
        var (value, end) = (node.outputs[0], end)
        while !options.beforeActivation, value != end ?? graph.scores, node.operation.takesActivation,
            let next = activations[value]
        {
            passed.insert(next)
            value = graph.nodes[next].outputs[0]
            end = end ?? ends[next]
        }
        return (end ?? value, end)
    }

    /// Of rows of maps that stand nowhere in the picture nothing can be recorded; what heads share out is no map.
    private func hasPlace(_ value: Graph.ValueID, _ node: Graph.Node) -> Bool {
        places[value]?.areTokensOfHeads != true
            && (!node.operation.mixesPlaces || !graph.isInRows(value) || places[value]?.assembly != nil)
    }
}
