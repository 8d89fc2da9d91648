/// An operator with learnt weights.
protocol Weighted: Operator {
    /// Each tensor's elements; bias and weights apart.
    var weightTensors: [[Float]] { get set }
}

extension Convolution: Weighted {
    var weightTensors: [[Float]] {
        get { [weights.floats, bias] }
        set { (weights, bias) = (HostTensor(newValue[0], shape: weights.shape), newValue[1]) }
    }
}

extension Linear: Weighted {
    var weightTensors: [[Float]] {
        get { [weights.floats, bias] }
        set { (weights, bias) = (HostTensor(newValue[0], shape: weights.shape), newValue[1]) }
    }
}

extension ChannelAffine: Weighted {
    var weightTensors: [[Float]] {
        get { [scale, shift] }
        set { (scale, shift) = (newValue[0], newValue[1]) }
    }
}

extension DifferentiableNetwork {
    /// The layers with weights of their own that a layer is computed from, itself among them, in the order in which they are computed.
    ///
    /// Convolutions, fully connected layers, and batch normalisation that no layer before it has absorbed.
    public func weightedLayers(upTo layer: Layer) throws -> [String] {
        let graph = graph(upTo: try value(of: layer))
        return graph.nodes.filter { $0.operation is any Weighted }.map(\.layer)
    }

    /// The same network with noise for weights in the last `count` layers before `layer`: each tensor's elements are drawn from the normal
    /// distribution of its own mean and deviation, as the cascade of Adebayo et al., "Sanity Checks for Saliency Maps", 2018,
    /// https://arxiv.org/abs/1810.03292, needs.
    ///
    /// Weights are those of the loaded network, batch normalisation folded in; a bias of zeros stays one. A factor that stands on its own
    /// (`Mul` by a constant that no layer absorbed) stays as it is.
    ///
    /// - Parameters:
    ///   - count: of `weightedLayers(upTo:)`, from its end.
    ///   - noise: for the number of a layer in `weightedLayers(upTo:)`, a source of normally distributed numbers of mean 0, deviation 1.
    /// - Precondition: `count` is at most the number of weighted layers.
    public func randomised(last count: Int, upTo layer: Layer, noise: (Int) -> () -> Float) throws -> DifferentiableNetwork {
        let needed = Set(self.graph(upTo: try value(of: layer)).nodes.flatMap(\.outputs))
        var graph = graph
        let weighted = graph.nodes.indices.filter {
            graph.nodes[$0].operation is any Weighted && !needed.isDisjoint(with: graph.nodes[$0].outputs)
        }
        precondition((0...weighted.count).contains(count), "\(count) of \(weighted.count) layers with weights")
        for (number, index) in weighted.enumerated().suffix(count) {
            guard var operation = graph.nodes[index].operation as? any Weighted else { continue }
            let next = noise(number)
            operation.weightTensors = operation.weightTensors.map { Self.noise(like: $0, next) }
            graph.nodes[index].operation = operation
        }
        return DifferentiableNetwork(self, graph: graph)
    }

    /// As many normally distributed numbers of the values' mean and deviation.
    package static func noise(like values: [Float], _ next: () -> Float) -> [Float] {
        let count = Double(max(values.count, 1))
        let mean = values.reduce(0.0) { $0 + Double($1) } / count
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        return values.map { _ in Float(mean + variance.squareRoot() * Double(next())) }
    }
}
