/// Whether the channels of what a network answers are scores of classes, as far as its graph tells.
///
/// A map is an answer of its own (a segmentation, another picture), and so are features: what global pooling makes of a map that is no
/// class's, a flattened map, or what a rectifier has cut. Scores come from a fully connected layer, or are the averages of maps that each
/// class has to itself, made by a convolution that is linear or sees one position.
enum ClassScores {
    static func areAnswer(_ value: Graph.ValueID, of graph: Graph) -> Bool {
        guard let shape = graph.values[value].shape, shape.filter({ $0 != 1 }).count <= 1 else { return false }
        guard !graph.isBesideProbabilities else { return false }
        // What a softmax or sigmoid makes probabilities of.
        guard value == graph.output else { return true }
        let producers = graph.producers
        guard let (node, activation) = maker(of: value, graph, producers) else { return false }
        guard !node.operation.isPooling else {
            guard let map = node.inputs[0], let size = graph.values[map].shape, size.count == 4,
                node.operation.averagesWhole([size[2], size[3]]), activation == nil
            else { return false }
            return isOfClasses(map: map, graph, producers)
        }
        // A flattened map is no vector where it is made.
        let made = graph.values[node.outputs[0]].shape ?? []
        guard node.operation.mayMakeScores, made.filter({ $0 != 1 }).count <= 1 else { return false }
        return activation.map { $0.probability != nil } ?? true
    }

    private static func isOfClasses(map: Graph.ValueID, _ graph: Graph, _ producers: [Int?]) -> Bool {
        guard let (node, activation) = maker(of: map, graph, producers), let convolution = node.operation as? Convolution else {
            return false
        }
        return activation == nil || activation?.isRectifiedLinear == true && convolution.window.kernel == [1, 1]
    }

    /// The node that computes a value, behind whatever leaves its elements as they are, and the activation function after it.
    private static func maker(
        of value: Graph.ValueID, _ graph: Graph, _ producers: [Int?]
    ) -> (node: Graph.Node, activation: Activation?)? {
        var (value, activation) = (value, Activation?.none)
        while let index = producers[value] {
            let node = graph.nodes[index]
            if activation == nil, let function = node.operation.function {
                activation = function
            } else if !node.operation.passage.keepsElements {
                return (node, activation ?? node.operation.activation)
            }
            guard let input = node.inputs[0] else { return nil }
            value = input
        }
        return nil
    }
}
