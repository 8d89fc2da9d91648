/// What a network answers with, as its file has it: where each of its elements is among the neurons.
public struct AnswerTensor: Sendable {
    /// The layer that has its elements; of an output that is a softmax or sigmoid of another tensor, that one's.
    public let layer: Layer
    /// In the file, without the batch's axis; [] of one number.
    public let shape: [Int]
    /// Of a detector, the axis of `shape` that has its places: one for each box.
    public let places: Int?
    private let channelsAreLast: Bool

    /// Nil where elements are turned around after what the layer has.
    init?(_ graph: Graph, layers: [Layer]) {
        let scores = graph.values[graph.scores]
        guard var file = graph.fileAnswer?.shape ?? graph.values[graph.output].shape else { return nil }
        // The batch's axis of a sequence is the second where its steps are the first.
        if file.count == 3, file[0] > 1, file[1] == 1 { file.swapAt(0, 1) }
        guard file.first == 1,
            let layer = layers.last(where: { $0.tensor == scores.name }), !Self.isTurned(graph),
            layer.channels * layer.height * layer.width == file.product
        else { return nil }
        self.layer = layer
        shape = Array(file.dropFirst())
        places = graph.fileAnswer.map { $0.places - 1 }
        channelsAreLast = scores.channelsAreLast || scores.shape?.count == 3 && layer.height * layer.width > 1
    }

    /// Whether elements move between the scores and the answer.
    private static func isTurned(_ graph: Graph) -> Bool {
        var (value, producers) = (graph.output, graph.producers)
        while value != graph.scores, let index = producers[value] {
            if graph.nodes[index].operation.passage == .transposed { return true }
            producers[value] = nil
            // The number beside it in a sum or product is constant.
            guard let input = graph.nodes[index].inputs.compactMap({ $0 }).first(where: { graph.values[$0].constant == nil })
            else { return false }
            value = input
        }
        return false
    }

    /// The neuron of an element, and its place on the layer's map.
    /// - Parameter index: along each axis of `shape`.
    /// - Returns: nil for no element.
    public func neuron(at index: [Int]) -> (channel: Int, y: Int, x: Int)? {
        guard index.count == shape.count, zip(index, shape).allSatisfy({ (0..<$1).contains($0) }) else { return nil }
        if let places { return (index[1 - places], 0, index[places]) }
        let flat = zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
        let (channels, height, width) = (layer.channels, layer.height, layer.width)
        return channelsAreLast
            ? (flat % channels, flat / channels / width, flat / channels % width)
            : (flat / (height * width), flat / width % height, flat % width)
    }
}

/// An output of a network's file.
public struct FileOutput: Equatable, Sendable {
    public var name: String
    /// Without the batch's axis; nil where it cannot be computed.
    public var shape: [Int]?

    init(name: String, shape: [Int]?) { (self.name, self.shape) = (name, shape) }

    /// More are not looked at.
    private static let most = 32

    /// An output of the file at `path`, or any other tensor of it.
    /// - Throws: `NetworkError`, as where there is none of that name, or it cannot be computed.
    public init(named name: String, of path: String, options: Network.Options = Network.Options()) throws {
        try self.init(named: name, of: ModelFile(path: path), options: options)
    }

    init(named name: String, of file: ModelFile, options: Network.Options) throws {
        let graph = try Importer.graph(of: file, options, answer: AnswerReading(output: name), leavesWeightsInFile: true)
        self.name = name
        shape = (graph.fileAnswer?.shape ?? graph.values[graph.output].shape).map { Array($0.dropFirst()) }
    }

    /// The outputs of the file at `path`, in its order.
    /// - Throws: `NetworkError` for what is no network.
    public static func all(of path: String, options: Network.Options = Network.Options()) throws -> [FileOutput] {
        let file = try ModelFile(path: path)
        return file.proto.graph.output.prefix(most).map { output in
            (try? FileOutput(named: output.name, of: file, options: options)) ?? FileOutput(name: output.name, shape: nil)
        }
    }
}
