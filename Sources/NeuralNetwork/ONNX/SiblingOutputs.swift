/// The other outputs of a file that has several, as far as they tell what one of them is.
struct SiblingOutputs {
    private let proto: ONNXGraphProto

    init(_ proto: ONNXGraphProto) { self.proto = proto }

    /// Whether output `name`, of `count` numbers and no probabilities, has the places of boxes, four numbers each, whose classes another output
    /// has: that one ends in a softmax or sigmoid.
    func have(probabilitiesBesideBoxes name: String, count: Int) -> Bool {
        let others = proto.output.filter { $0.name != name && endsInProbabilities($0.name) }
        guard !others.isEmpty else { return false }
        let words = ["box", "loc", "offset", "delta", "coord", "reg"]
        if count == 4 || words.contains(where: name.lowercased().contains) { return true }
        let classes = others.map { $0.type.tensorType.shape.dim.reduce(1) { $0 * Int(max($1.dimValue, 1)) } }
        return classes.contains { count == 4 * $0 || count == 4 * ($0 - 1) }
    }

    /// Whether a softmax or sigmoid makes an output, behind whatever leaves its elements as they are.
    private func endsInProbabilities(_ name: String) -> Bool {
        var name = name
        // Each step is one node further back.
        for _ in proto.node {
            guard let node = proto.node.last(where: { $0.output.contains(name) }) else { return false }
            switch node.opType {
            case "Softmax", "LogSoftmax", "Sigmoid": return true
            case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Cast", "Clip":
                guard let input = node.input.first else { return false }
                name = input
            default: return false
            }
        }
        return false
    }
}
