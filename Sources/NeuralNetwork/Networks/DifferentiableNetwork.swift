package import Foundation

/// A network that can be run back: from any of its layers to the image and to any layer on the way.
///
/// Holds the graph; passes compile what they need of it.
public final class DifferentiableNetwork: Sendable {
    public let path: String
    public let sha256: String
    public let input: Network.Input
    /// What the file says of itself, by key.
    public let metadata: [String: String]
    /// Every layer that can be recorded, in the order in which they are computed.
    public let layers: [Layer]

    /// What the file's last nodes make of the class scores; nil where they are its answer, or it has no classes.
    public let probabilities: ClassProbabilities?

    /// The tensor that it answers with; nil where its elements do not stand in a layer one for one.
    public let answer: AnswerTensor?

    let graph: Graph
    private let values: [String: Graph.ValueID]

    /// - Throws: `NetworkError` as `Network` does.
    public convenience init(contentsOf path: String, options: Network.Options = Network.Options()) throws {
        try self.init(ModelFile(path: path), options: options)
    }

    /// From the bytes of a file that stands, or would stand, at `path`.
    package convenience init(bytes: Data, path: String, options: Network.Options = Network.Options()) throws {
        try self.init(ModelFile(bytes: FileBytes(bytes), path: path), options: options)
    }

    private init(_ file: ModelFile, options: Network.Options) throws {
        var graph = try Importer.graph(of: file, options)
        graph.fuse { $0.isKnownByItsOutput && !options.beforeActivation }
        let recording = try Recording(
            &graph, patterns: ["*"], everyMean: false, beforeActivation: options.beforeActivation, hasClasses: options.hasClasses,
            leavesOut: true)
        path = file.path
        (sha256, metadata) = (file.sha256, file.metadata)
        input = Network.Input(graph)
        layers = recording.entries.map(\.layer)
        var values = Dictionary(uniqueKeysWithValues: recording.entries.map { ($0.layer.name, $0.value) })
        probabilities = ClassProbabilities(graph, of: layers.last { $0.isLogits })
        if let answer = probabilities?.layer { values[answer.name] = graph.output }
        answer = AnswerTensor(graph, layers: layers)
        self.values = values
        self.graph = graph
    }

    /// The same layers over a graph of the same shape.
    init(_ network: DifferentiableNetwork, graph: Graph) {
        (path, sha256, input, layers, values) = (network.path, network.sha256, network.input, network.layers, network.values)
        metadata = network.metadata
        (probabilities, answer) = (network.probabilities, network.answer)
        self.graph = graph
    }

    /// The same over a graph in which `layer` has other channels.
    init(_ network: DifferentiableNetwork, graph: Graph, layer: Layer, channels: Int) {
        (path, sha256, input, values) = (network.path, network.sha256, network.input, network.values)
        metadata = network.metadata
        (probabilities, answer) = (nil, nil)
        var layers = network.layers
        for index in layers.indices where layers[index].name == layer.name { layers[index].channels = channels }
        self.layers = layers
        self.graph = graph
    }

    /// The class scores, before softmax; nil for networks without classes.
    public var logits: Layer? { layers.last { $0.isLogits } }

    /// - Throws: `NetworkError.noSuchName`.
    public func layer(named name: String) throws -> Layer {
        guard let layer = layers.first(where: { $0.name == name }) else {
            throw NetworkError.noSuchName(kind: "layer", name: name, known: layers.map(\.name))
        }
        return layer
    }

    /// Whether what makes a layer runs flat towards the ends of its range, as a sigmoid does, so that its gradient vanishes where it answers most
    /// surely.
    public func saturates(_ layer: Layer) -> Bool {
        guard let value = values[layer.name], let index = graph.producers[value] else { return false }
        return graph.nodes[index].operation.saturates
    }

    /// A neuron, where rectifiers have not yet cut it off.
    public struct NeuronBeforeRectifier: Sendable {
        public var layer: Layer
        public var channel: Int
        /// Whether a pooling lies between it and the neuron that was asked for, so that the maps differ in size.
        public var isPooled: Bool
    }

    /// What a neuron is before the rectifier (ReLU or Clip) that made it, through poolings and concatenations; nil where no rectifier did.
    ///
    /// A silent neuron has no gradient, what stands before its rectifier has. Needs a network of `Options.beforeActivation`.
    public func neuronBeforeRectifier(_ layer: Layer, channel: Int) throws -> NeuronBeforeRectifier? {
        let producers = graph.producers
        var (value, channel, isPooled) = (try value(of: layer), channel, false)
        while let producer = producers[value] {
            let node = graph.nodes[producer]
            guard var next = node.inputs[0] else { return nil }
            if let function = node.operation.function {
                guard function.rectifies, let name = values.first(where: { $0.value == next })?.key else { return nil }
                return NeuronBeforeRectifier(layer: try self.layer(named: name), channel: channel, isPooled: isPooled)
            }
            let shapes = (from: graph.values[next].shape ?? [], to: graph.values[value].shape ?? [])
            if node.operation.isPooling {
                isPooled = true
            } else if node.operation.joins(axis: graph.values[value].channelsAreLast ? 3 : 1, rank: shapes.to.count) {
                for case let part? in node.inputs {
                    next = part
                    let channels = graph.values[part].map?.channels ?? graph.values[part].shape?[1] ?? 0
                    if channel < channels { break }
                    channel -= channels
                }
            } else {
                // A change of shape that only drops axes of extent 1, as after global pooling.
                let isSame = node.operation.passage == .reshaped && shapes.from.filter { $0 != 1 } == shapes.to.filter { $0 != 1 }
                guard isSame || node.operation.passage == .unchanged else { return nil }
            }
            value = next
        }
        return nil
    }

    func value(of layer: Layer) throws -> Graph.ValueID {
        guard let value = values[layer.name] else {
            throw NetworkError.noSuchName(kind: "layer", name: layer.name, known: layers.map(\.name))
        }
        return value
    }

    /// The layer that stands for a value of the graph, if one does.
    func layer(of value: Graph.ValueID) -> Layer? { layers.first { values[$0.name] == value } }

    /// The graph without what `value` does not need.
    func graph(upTo value: Graph.ValueID) -> Graph { graph(upTo: [value]) }

    /// The graph without what none of some values needs.
    func graph(upTo values: [Graph.ValueID]) -> Graph {
        var graph = graph
        if let first = values.first { graph.output = first }
        graph.others = []
        graph.removeDeadNodes(keeping: values)
        return graph
    }
}
