/// The probabilities that a file computes of its class scores: the answer itself, behind softmax, sigmoid, clips and whatever else it ends in.
public struct ClassProbabilities: Sendable {
    /// Stands for the answer where a layer is asked for; it is none that can be recorded.
    public let layer: Layer
    /// Whether the answer is their logarithm.
    public let isLogarithm: Bool

    /// Nil where the answer is the scores, or has not a number for each of them.
    init?(_ graph: Graph, of logits: Layer?) {
        guard graph.head != nil || graph.isOfProbabilities, let logits, logits.height * logits.width == 1,
            let shape = graph.values[graph.output].shape, shape.product == logits.channels
        else { return nil }
        isLogarithm = graph.head?.isLogarithm ?? false
        layer = Layer(
            name: "the answer '\(graph.values[graph.output].name)'", tensor: graph.values[graph.output].name, operatorType: "",
            channels: logits.channels, height: 1, width: 1, receptiveField: logits.receptiveField, isLogits: false,
            keepsMeans: false, firstNeuron: 0)
    }
}
