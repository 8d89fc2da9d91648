/// The end of a network that averages a map over all places and lets each class weigh the averages:
/// score(c) = bias(c) + Σ_k w(c,k) mean A_k.
///
/// However it is written: GlobalAveragePool, AveragePool over the whole map or ReduceMean; Gemm, MatMul or a 1×1 convolution after it, or
/// none, where each class has a map of its own; anything between them that leaves the elements as they are.
public struct ClassifierHead: Sendable {
    /// How maps become scores.
    public enum Weights: Sendable {
        /// The class's own map is averaged, and that is its score.
        case ownMaps
        /// `weights`: classes × channels; `bias`: one a class.
        case linear(weights: [Float], bias: [Float])
    }

    /// The layer whose map is averaged, for messages.
    public let layer: String
    public let channels: Int
    public let height: Int
    public let width: Int
    public let classes: Int
    public let weights: Weights

    let value: Graph.ValueID

    /// The class activation map of one class (Zhou et al. 2016), Σ_k w(class,k) A_k: height × width.
    ///
    /// - Parameter map: of the layer, height × width × channels.
    public func activationMap(ofClass index: Int, map: UnsafeBufferPointer<Float>) -> [Float] {
        precondition((0..<classes).contains(index), "class \(index) of \(classes)")
        switch weights {
        case .ownMaps: return (0..<height * width).map { map[$0 * channels + index] }
        case .linear(let weights, _):
            return (0..<height * width).map { pixel in
                var sum = 0.0
                for channel in 0..<channels {
                    sum += Double(weights[index * channels + channel]) * Double(map[pixel * channels + channel])
                }
                return Float(sum)
            }
        }
    }
}

extension DifferentiableNetwork {
    /// How the network makes scores of its last map; nil where it does not end in global average pooling and at most one linear layer.
    public var classifierHead: ClassifierHead? {
        guard let logits else { return nil }
        let producers = graph.producers
        /// The node that makes a value, behind those that leave its elements as they are.
        func maker(of id: Graph.ValueID?) -> Graph.Node? {
            guard let id, let index = producers[id] else { return nil }
            let node = graph.nodes[index]
            return [.unchanged, .reshaped].contains(node.operation.passage) ? maker(of: node.inputs[0]) : node
        }
        var node = maker(of: graph.scores)
        var weights = ClassifierHead.Weights.ownMaps
        if let last = node, let linear = linearWeights(last) {
            weights = linear
            node = maker(of: last.inputs[0])
        }
        guard let pooling = node?.operation, let id = node?.inputs[0], let map = averagedMap(id, by: pooling) else { return nil }
        if case .linear(let matrix, _) = weights {
            guard matrix.count == logits.channels * map.channels else { return nil }
        } else {
            guard map.channels == logits.channels else { return nil }
        }
        let known = layer(of: id)?.name ?? producers[id].map { graph.nodes[$0].layer }
        return ClassifierHead(
            layer: known ?? graph.values[id].name, channels: map.channels, height: map.height, width: map.width,
            classes: logits.channels, weights: weights, value: id)
    }

    /// The map that `pooling` averages over all of its places, or whose tokens, all of which are places of a grid; nil where it does not.
    private func averagedMap(_ id: Graph.ValueID, by pooling: any Operator) -> (channels: Int, height: Int, width: Int)? {
        let value = graph.values[id]
        guard let shape = value.shape, shape.first == 1 else { return nil }
        if shape.count == 3, pooling.averages([1], rank: 3) {
            return graph.places()[id]?.tokenGrid(shape).flatMap { $0.prefix == 0 ? $0.map : nil }
        }
        guard let map = value.map,
            pooling.averagesWhole([shape[2], shape[3]]) || value.channelsAreLast && pooling.averages([1, 2], rank: 4)
        else { return nil }
        return map
    }

    /// Whether the scores are computed from tokens of no place alone, such as the class token, of the last tokens that stand on a grid.
    public var readsClassTokenAlone: Bool {
        guard let logits, let end = try? value(of: logits) else { return false }
        let graph = graph(upTo: end)
        let places = graph.places()
        let last = graph.nodes.last { node in
            places[node.outputs[0]]?.tokenGrid(graph.values[node.outputs[0]].shape ?? []) != nil
        }
        guard let value = last?.outputs[0], places[value]?.tokenPrefix ?? 0 > 0 else { return false }
        return graph.valuesReadBeforeTheGrid(places).contains(value)
    }

    /// The matrix of a node that is linear in a vector: a fully connected layer, or a 1×1 convolution of one pixel.
    private func linearWeights(_ node: Graph.Node) -> ClassifierHead.Weights? {
        guard let input = node.inputs[0], let shape = graph.values[input].shape else { return nil }
        return node.operation.matrix(over: shape).map { .linear(weights: $0.weights.floats, bias: $0.bias) }
    }

    /// Whether a layer is computed from another, or is it.
    public func layer(_ layer: Layer, dependsOn other: Layer) throws -> Bool {
        let (end, value) = try (self.value(of: layer), self.value(of: other))
        return end == value || graph(upTo: end).nodes.contains { $0.inputs.contains(value) }
    }

    /// The last layer before `target` that has a map and that everything the target knows of the image goes through; not a
    /// pooling, which only makes the map before it coarser. Where there is none, the last one with a map at all.
    public func lastMap(before target: Layer) throws -> Layer? {
        let graph = graph(upTo: try value(of: target))
        var lastUse = [Int](repeating: -1, count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            for case let id? in node.inputs where graph.values[id].constant == nil { lastUse[id] = index }
        }
        // A value is a cut where nothing made before it is read after it.
        var reach = lastUse[graph.input]
        // Of tokens of which the class token alone is read, no place of the map matters.
        let unread = graph.valuesReadBeforeTheGrid(graph.places())
        var result: (cut: Layer?, any: Layer?)
        for (index, node) in graph.nodes.enumerated() {
            if let layer = layer(of: node.outputs[0]), layer.name != target.name, layer.height * layer.width > 1,
                !node.operation.isPooling, !unread.contains(node.outputs[0])
            {
                result.any = layer
                // Tokens before the grid go beside its map to the node that puts them together again.
                if reach <= index + (node.operation.takesTokensApart ? 1 : 0) { result.cut = layer }
            }
            for output in node.outputs { reach = max(reach, lastUse[output]) }
        }
        return result.cut ?? result.any
    }
}
