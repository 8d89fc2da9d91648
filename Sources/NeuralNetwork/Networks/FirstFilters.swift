/// The weights of the convolution that reads the network's input: the only filters whose numbers stand for colours.
public struct FirstFilters: Sendable {
    /// The layer's name.
    public let layer: String
    public let count: Int
    /// 3, or 1 of a network for grey pictures.
    public let channels: Int
    public let height: Int
    public let width: Int
    /// count × channels × height × width; what the network multiplies the normalised picture by, batch normalisation folded in.
    public let weights: [Float]
}

extension DifferentiableNetwork {
    /// Nil where no convolution reads the input's own channels.
    public var firstFilters: FirstFilters? {
        for node in graph.nodes {
            guard let convolution = node.operation as? Convolution else { continue }
            let shape = convolution.weights.shape
            guard convolution.groups == 1, shape[1] == input.channels, [1, 3].contains(shape[1]) else { return nil }
            return FirstFilters(
                layer: node.layer, count: shape[0], channels: shape[1], height: shape[2], width: shape[3],
                weights: convolution.weights.floats)
        }
        return nil
    }
}
