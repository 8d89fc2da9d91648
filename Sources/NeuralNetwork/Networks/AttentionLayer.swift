/// A softmax over tokens between two products of activations, as in each block of a transformer: how much every query takes of every key (Vaswani et
/// al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762).
public struct AttentionLayer: Equatable, Sendable {
    /// Tokens in the order of their axis: `prefix` of no place, as the class token, then those of a picture's places row by row.
    public struct Grid: Equatable, Sendable {
        public var prefix: Int
        public var height: Int
        public var width: Int

        public init(prefix: Int, height: Int, width: Int) { (self.prefix, self.height, self.width) = (prefix, height, width) }

        public var count: Int { prefix + height * width }
    }

    /// As its author knows the module that it is in; unique in a network.
    public let name: String
    public let heads: Int
    public let queries: Int
    public let keys: Int
    /// Nil where queries are no tokens of a picture, as one that was learnt, and where it cannot be told which.
    public let queryGrid: Grid?
    /// Nil where keys are those of a window, or it cannot be told which.
    public let keyGrid: Grid?
    /// Whether every query and every key is a token of one grid, so that one block's result is the next one's input.
    public var isSquare: Bool { queryGrid != nil && queryGrid == keyGrid }

    let value: Graph.ValueID
    /// Where in memory every head begins, and the steps from a query or key to the next.
    private let starts: [Int]
    private let (queryStep, keyStep): (Int, Int)

    fileprivate init(name: String, _ value: Graph.ValueID, of graph: Graph, _ grids: (queries: Grid?, keys: Grid?)) {
        let shape = graph.values[value].shape ?? []
        let strides = Location.strides(of: shape, in: graph.values[value].order)
        (self.name, self.value, queryGrid, keyGrid) = (name, value, grids.queries, grids.keys)
        (queries, keys) = (shape[shape.count - 2], shape[shape.count - 1])
        (queryStep, keyStep) = (strides[shape.count - 2], strides[shape.count - 1])
        starts = HostTensor.indices(shape: Array(shape.dropLast(2)), strides: Array(strides.dropLast(2)))
        heads = starts.count
    }

    /// What stands in memory as heads × queries × keys.
    func ordered(_ memory: UnsafeBufferPointer<Float>) -> [Float] {
        starts.flatMap { start in
            (0..<queries).flatMap { query in (0..<keys).map { memory[start + query * queryStep + $0 * keyStep] } }
        }
    }
}

extension DifferentiableNetwork {
    /// Every softmax over a picture's tokens, in the order in which they are computed.
    /// - Parameter target: those alone that this layer is computed from; nil for all.
    /// - Throws: `NetworkError.noSuchName` for a layer that is not there.
    public func attentions(before target: Layer? = nil) throws -> [AttentionLayer] {
        let graph = try target.map { self.graph(upTo: try value(of: $0)) } ?? graph
        let (places, producers) = (graph.places(), graph.producers)
        var names = LayerNames.Unique()
        var found: [AttentionLayer] = []
        for (index, node) in graph.nodes.enumerated() {
            guard let softmax = node.operation as? Softmax, let shape = graph.values[node.outputs[0]].shape, shape.count > 2,
                softmax.isOverLastAxis(of: shape), graph.multipliesActivations(index),
                let product = graph.productBehind(node.inputs[0], producers)
            else { continue }
            let made = places[product]
            // Over channels, as in cross-covariance attention, is none of tokens.
            if let made, let last = made.axes.last, !last.isEmpty, last.allSatisfy({ $0.origin == .channels }) { continue }
            found.append(
                AttentionLayer(
                    name: names.next(node.layer), node.outputs[0], of: graph, made.map { $0.attentionGrids } ?? (nil, nil)))
        }
        return found
    }
}

extension Graph {
    /// The product of two activations that a value is, but for what is added to it or multiplied by it, and changes of shape.
    fileprivate func productBehind(_ value: ValueID?, _ producers: [Int?]) -> ValueID? {
        var value = value
        // Scales, position biases and masks; none has more.
        for _ in 0..<16 {
            guard let id = value, let index = producers[id] else { return nil }
            let node = nodes[index]
            if node.operation.mixesPlaces { return id }
            value = node.inputs.compactMap { $0 }.first {
                values[$0].constant == nil && values[$0].shape?.suffix(2) == values[id].shape?.suffix(2)
            }
        }
        return nil
    }

    /// Whether what a node makes goes, behind changes of shape, into a product of activations.
    fileprivate func multipliesActivations(_ index: Int) -> Bool {
        let outputs = nodes[index].outputs
        return nodes.indices.dropFirst(index + 1).contains { later in
            guard nodes[later].inputs.contains(where: { $0.map(outputs.contains) ?? false }) else { return false }
            let operation = nodes[later].operation
            if operation.mixesPlaces { return true }
            return (operation.passage.movesElements || operation.passage.keepsElements) && multipliesActivations(later)
        }
    }
}

extension Places {
    /// Of a product of queries [.., queries, channels] and keys [.., channels, keys], the grids that they stand on; nil for parts of one.
    fileprivate var attentionGrids: (queries: AttentionLayer.Grid?, keys: AttentionLayer.Grid?) {
        // Windows stand side by side in an axis of their own.
        guard axes.count > 2, axes.dropLast(2).joined().allSatisfy({ $0.origin == .channels }) else { return (nil, nil) }
        func grid(_ axis: Int) -> AttentionLayer.Grid? {
            tokenGrid(axis: axis).map { AttentionLayer.Grid(prefix: $0.prefix, height: $0.height, width: $0.width) }
        }
        return (grid(axes.count - 2), grid(axes.count - 1))
    }
}
