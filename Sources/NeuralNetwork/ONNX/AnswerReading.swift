/// Which tensor of a file is its network's answer, where that is more than one of its outputs as it stands.
struct AnswerReading: Sendable {
    /// The output, or another tensor; the first output if nil.
    var output: String?
    /// Outputs, or other tensors, that are computed as well.
    var others: [String] = []
    /// A second output of as many places, put behind the first: of a detector that has boxes in one and scores in another.
    var joined: Network.JoinedOutput?
    /// Whether elements that a sigmoid or softmax makes are those before it.
    var isBeforeProbabilities = false

    init(output: String? = nil) { self.output = output }

    init(_ options: Network.Options) {
        (output, others) = (options.output, options.others)
        (joined, isBeforeProbabilities) = (options.joined, options.beforeProbabilities)
    }
}

extension ONNXGraphProto {
    /// Nodes of this kind move elements, or leave them as they are.
    private static let moving: Set<String> = [
        "Concat", "Split", "Slice", "Reshape", "Flatten", "Transpose", "Unsqueeze", "Squeeze", "Identity",
    ]
    /// Nodes between an element and the sigmoid that made it, no more.
    private static let mostMoves = 64

    /// The tensor `name` with the elements that sigmoids and softmaxes make as they are before these; others stay what they are. Nodes for it are
    /// added; `name` itself where there is nothing to leave out.
    mutating func beforeProbabilities(_ name: String) -> String {
        var known: [String: String] = [:]
        return scores(of: name, depth: 0, &known)
    }

    private mutating func scores(of name: String, depth: Int, _ known: inout [String: String]) -> String {
        if let found = known[name] { return found }
        // Where a file goes in circles, this stays; that it does is said when its nodes are put in order.
        known[name] = name
        guard depth < Self.mostMoves, let maker = node.first(where: { $0.output.contains(name) }), let data = maker.input.first
        else {
            return name
        }
        if ["Sigmoid", "HardSigmoid", "Softmax"].contains(maker.opType) {
            known[name] = data
            return data
        }
        guard Self.moving.contains(maker.opType) else { return name }
        let count = maker.opType == "Concat" ? maker.input.count : 1
        var changed = maker
        for index in 0..<count { changed.input[index] = scores(of: maker.input[index], depth: depth + 1, &known) }
        guard changed.input != maker.input else { return name }
        for index in changed.output.indices where !changed.output[index].isEmpty {
            let output = "\(maker.output[index]), before probabilities"
            known[maker.output[index]] = output
            changed.output[index] = output
        }
        node.append(changed)
        return known[name] ?? name
    }

    /// The tensors `first` and `second` as one.
    /// - Parameters:
    ///   - axis: along which they are put together, the batch's being 0.
    ///   - isTurned: whether axes 1 and 2 of the second change places before.
    mutating func join(_ first: String, _ second: String, axis: Int, isTurned: Bool = false) -> String {
        var second = second
        if isTurned {
            node.append(.transposing([0, 2, 1], second, to: "\(second), turned"))
            second += ", turned"
        }
        var (join, attribute) = (ONNXNodeProto(), ONNXAttributeProto())
        // From the last axis on, so that it is right without the batch's too.
        (attribute.name, attribute.i) = ("axis", Int64(axis - 3))
        let name = "\(first) and \(second)"
        (join.opType, join.name, join.input, join.output, join.attribute) = (
            "Concat", name, [first, second], [name], [attribute]
        )
        node.append(join)
        return name
    }
}

extension ONNXNodeProto {
    /// A Transpose that no file has.
    static func transposing(_ axes: [Int64], _ input: String, to output: String) -> ONNXNodeProto {
        var (node, attribute) = (ONNXNodeProto(), ONNXAttributeProto())
        attribute.name = "perm"
        attribute.ints = axes
        (node.opType, node.input, node.output, node.attribute) = ("Transpose", [input], [output], [attribute])
        return node
    }

    /// A Reshape that no file has, to the shape that the constant `shape` holds.
    static func reshaping(_ input: String, _ shape: String, to output: String) -> ONNXNodeProto {
        var node = ONNXNodeProto()
        (node.opType, node.input, node.output) = ("Reshape", [input, shape], [output])
        return node
    }
}

/// Where the places of a detector stand on the picture: on the grids of a pyramid, one after the other.
enum PyramidPlaces {
    private static let strides = [[8, 16, 32], [8, 16, 32, 64], [8, 16, 32, 64, 128], [16, 32]]
    /// Places of one cell, for boxes of several shapes.
    private static let shapes = 1...9
    /// Fewer may be anything.
    private static let fewest = 64

    /// The axis of `shape`, [1, a, b], that has a place for every cell of a pyramid over a picture; nil where none has.
    static func axis(of shape: [Int], height: Int, width: Int) -> Int? {
        guard shape.count == 3, shape[0] == 1 else { return nil }
        let counts = Set(
            strides.flatMap { strides in
                let cells = strides.reduce(0) { $0 + ((height + $1 - 1) / $1) * ((width + $1 - 1) / $1) }
                return shapes.map { $0 * cells }
            })
        return [2, 1].first { shape[$0] >= fewest && shape[$0] > shape[3 - $0] && counts.contains(shape[$0]) }
    }
}
