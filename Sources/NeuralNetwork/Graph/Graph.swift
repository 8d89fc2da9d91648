/// A network between reading and compiling: values joined by nodes, in an order in which they can be computed.
///
/// Shapes are those of one image: the batch axis stands first, with extent 1. A compiled network runs several images at
/// once by repeating every value along that axis.
struct Graph: Sendable {
    /// An index into `values`.
    typealias ValueID = Int

    struct Value: Sendable {
        /// The ONNX value's name.
        var name: String
        /// Nil until shape inference has reached it.
        var shape: [Int]?
        /// Known before any image is seen.
        var constant: HostTensor?
        /// Whether it has four axes of which the last, not the second, holds the channels.
        var channelsAreLast = false

        /// The memory order in which channels are innermost.
        var order: Location.Order { channelsAreLast ? .rowMajor : .channelsLast }

        /// Channels, height and width, of one with four axes.
        var map: (channels: Int, height: Int, width: Int)? {
            guard let shape, shape.count == 4 else { return nil }
            return channelsAreLast ? (shape[3], shape[1], shape[2]) : (shape[1], shape[2], shape[3])
        }
        /// Of the file; what is computed is computed in single precision.
        var type = ElementType.float
        /// The weight that a constant was made of when the file was read; its own name where that was none.
        var weight: String?
    }

    struct Node: Sendable {
        var name: String
        var operatorType: String
        /// The name its author would know the node by; see LayerNames.
        var layer: String
        var operation: any Operator
        /// Nil where an optional input is left out.
        var inputs: [ValueID?]
        /// Empty names are left-out optional outputs: they have a value that nobody reads.
        var outputs: [ValueID]

        var use: NetworkError.OperatorUse { .init(operatorType: operatorType, node: name, layer: layer) }
    }

    var values: [Value] = []
    var nodes: [Node] = []
    /// The image, [1, channels, height, width].
    var input: ValueID = 0
    /// Of the image, in the file.
    var inputType = ElementType.float
    /// What the network answers.
    var output: ValueID = 0
    /// What it answers besides: of several outputs those after the first, before softmax or sigmoid.
    var others: [ValueID] = []
    /// How the answer is made of scores, where it is probabilities.
    var head: AnswerHead?
    /// Whether it is made of probabilities in some other way, such as 1 − p, and is some itself.
    var isOfProbabilities = false
    /// Whether another output of the file has the probabilities, and this one has places of boxes.
    var isBesideProbabilities = false

    /// The shape of a detector's answer in the file, and which of its axes has the places, where the answer was made a map of them.
    var fileAnswer: (shape: [Int], places: Int)?

    /// The answer before softmax or sigmoid.
    var scores: ValueID { head?.scores ?? output }

    func operand(_ id: ValueID) -> Operand {
        Operand(name: values[id].name, shape: values[id].shape ?? [], constant: values[id].constant, type: values[id].type)
    }

    /// For every value, how many nodes read it; the network's outputs count as read once more.
    var readers: [Int] {
        var counts = [Int](repeating: 0, count: values.count)
        for node in nodes { for case let id? in node.inputs { counts[id] += 1 } }
        for id in [output] + others { counts[id] += 1 }
        return counts
    }

    /// For every value the index of the node that makes it, or nil for constants and the input.
    var producers: [Int?] {
        var result = [Int?](repeating: nil, count: values.count)
        for (index, node) in nodes.enumerated() { for id in node.outputs { result[id] = index } }
        return result
    }

    /// Whether some value holds several rows for one image, so that a batch of images cannot be told apart.
    var mixesImages: Bool { nodes.contains { $0.outputs.contains { values[$0].shape?.first ?? 1 != 1 } } }

    /// Drops every node whose results reach none of the outputs, and none of `kept`.
    mutating func removeDeadNodes(keeping wanted: [ValueID] = []) {
        var needed = Set([output] + others + wanted)
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: needed.contains) {
            needed.formUnion(node.inputs.compactMap { $0 })
            kept.append(node)
        }
        nodes = kept.reversed()
    }
}

/// What an operator knows of one of its inputs while a model is loaded.
struct Operand: Sendable {
    var name: String
    /// Of one image, with the batch axis first.
    var shape: [Int]
    var constant: HostTensor?
    var type = ElementType.float
}
