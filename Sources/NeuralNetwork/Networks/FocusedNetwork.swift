extension DifferentiableNetwork {
    /// Channels that a focused layer keeps: what kernels compute at once.
    static let focus = 16

    /// The same network with a last convolution that computes a few channels of `layer` only, `channel` among them; nil where `layer` is not made by a
    /// convolution over a map, or something else reads that.
    ///
    /// Where each class has a map of its own, as in SqueezeNet, that convolution is over a quarter of the network's arithmetic, and who asks
    /// for one class many times needs a thousandth of it. In the new network the layer has those channels alone.
    ///
    /// - Returns: the network, and the first of the channels that its layer still has.
    public func focused(on layer: Layer, channel: Int) throws -> (network: DifferentiableNetwork, first: Int)? {
        var graph = graph(upTo: try value(of: layer))
        let (producers, readers) = (graph.producers, graph.readers)
        // Back through what leaves channels apart, to the convolution that makes them.
        var way: [Int] = []
        var id = graph.output
        while let index = producers[id], readers[id] == 1 {
            let node = graph.nodes[index]
            way.append(index)
            switch node.operation {
            case let operation where operation.keepsChannelsApart:
                guard let next = node.inputs.first ?? nil else { return nil }
                id = next
                continue
            case let convolution as Convolution where convolution.groups == 1:
                guard let shape = graph.values[id].shape, shape.count == 4, shape[2] * shape[3] > 1,
                    shape[1] > 2 * Self.focus, shape[1] == layer.channels
                else { return nil }
                let first = min(channel / Self.focus * Self.focus, shape[1] - Self.focus)
                graph.nodes[index].operation = convolution.keeping(first..<first + Self.focus)
                guard graph.reshape(way.reversed()), graph.values[graph.output].shape?.product == layer.shape(Self.focus) else {
                    return nil
                }
                return (DifferentiableNetwork(self, graph: graph, layer: layer, channels: Self.focus), first)
            default: return nil
            }
        }
        return nil
    }
}

extension Layer {
    /// Elements of the map, had it so many channels.
    fileprivate func shape(_ channels: Int) -> Int { channels * height * width }
}

extension Convolution {
    /// The same with some of its output channels only.
    fileprivate func keeping(_ outputs: Range<Int>) -> Convolution {
        var result = self
        let size = weights.shape.dropFirst().reduce(1, *)
        let kept = Array(weights.floats[outputs.lowerBound * size..<outputs.upperBound * size])
        result.weights = HostTensor(kept, shape: [outputs.count] + weights.shape.dropFirst())
        result.bias = Array(bias[outputs])
        return result
    }
}

extension Graph {
    /// Infers the shapes of some nodes' outputs anew, in order; false where a node does not take what it now gets.
    fileprivate mutating func reshape(_ nodes: [Int]) -> Bool {
        for index in nodes {
            let node = self.nodes[index]
            guard let shapes = try? node.operation.shapes(node.inputs.map { $0.map { operand($0) } }) else { return false }
            for (output, shape) in zip(node.outputs, shapes) { values[output].shape = shape }
        }
        return true
    }
}
