/// A network that can be run back: from any of its layers to the image and to any layer on the way.
///
/// Holds the graph; each `GradientPass` compiles what it needs of it.
public final class DifferentiableNetwork: Sendable {
    public let path: String
    public let sha256: String
    public let input: Network.Input
    /// Every layer that can be recorded, in the order in which they are computed.
    public let layers: [Layer]

    let graph: Graph
    private let values: [String: Graph.ValueID]

    /// - Throws: `NetworkError` as `Network` does.
    public init(contentsOf path: String, options: Network.Options = Network.Options()) throws {
        let file = try ModelFile(path: path)
        var graph = try Importer.graph(of: file, output: options.output, inputSize: options.inputSize)
        graph.fuse { $0.isKnownByItsOutput && !options.beforeActivation }
        let recording = try Recording(graph, patterns: ["*"], everyMean: false)
        self.path = path
        sha256 = file.sha256
        let shape = graph.values[graph.input].shape ?? []
        input = Network.Input(channels: shape[1], height: shape[2], width: shape[3])
        layers = recording.entries.map(\.layer)
        values = Dictionary(uniqueKeysWithValues: recording.entries.map { ($0.layer.name, $0.value) })
        self.graph = graph
    }

    /// The same layers over a graph of the same shape.
    init(_ network: DifferentiableNetwork, graph: Graph) {
        (path, sha256, input, layers, values) = (network.path, network.sha256, network.input, network.layers, network.values)
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
            switch node.operation {
            case let activation as Activation:
                guard activation.rectifies, let name = values.first(where: { $0.value == next })?.key else { return nil }
                return NeuronBeforeRectifier(layer: try self.layer(named: name), channel: channel, isPooled: isPooled)
            case is Pooling: isPooled = true
            case is Identity, is Cast: break
            case is any Reshaping:
                // One that only drops axes of extent 1, as after global pooling.
                guard let from = graph.values[next].shape, let to = graph.values[value].shape,
                    from.filter({ $0 != 1 }) == to.filter({ $0 != 1 })
                else { return nil }
            case let concatenation as Concatenation:
                guard concatenation.joinsChannels(rank: graph.values[value].shape?.count ?? 4) else { return nil }
                for case let part? in node.inputs {
                    next = part
                    let channels = graph.values[part].shape?[1] ?? 0
                    if channel < channels { break }
                    channel -= channels
                }
            default: return nil
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
    func graph(upTo value: Graph.ValueID) -> Graph {
        var graph = graph
        graph.output = value
        graph.removeDeadNodes()
        return graph
    }
}

/// One thread's forward and backward pass through a network up to one layer, or up to several.
///
/// Write images into `input`, call `forward`, write the gradient of the layer into `seed` (it is zero before), call `backward`, read
/// `inputGradient`. With several layers the gradients written into their seeds meet on the way: one pass gives the gradient of a
/// sum. A second `backward` needs a second `forward`. All maps are channels-last.
public final class GradientPass {
    public let network: DifferentiableNetwork
    /// What the way back begins at; where there are several, the first.
    public let layer: Layer
    public let batch: Int

    private let memory: WorkerMemory
    private let program: Program
    private let forwardActions: [WorkerAction]
    private let backwardActions: [WorkerAction]
    /// Of the layers that the way back begins at, by name.
    private let values: [String: Location]
    private let seeds: [String: Location]
    private let imageGradient: Location
    private var keptValues: [String: Location] = [:]
    private var keptGradients: [String: Location] = [:]

    /// - Parameters:
    ///   - layer: what to explain; the steps after it are not run.
    ///   - kept: layers before it whose activations and gradients can be read afterwards.
    /// - Throws: `NetworkError`: an operator on the way that has no way back, or a layer that is not there.
    public convenience init(
        _ network: DifferentiableNetwork, layer: Layer, batch: Int = 1, rule: BackwardRule = .gradient, keeping kept: [Layer] = []
    ) throws {
        try self.init(network, layers: [layer], batch: batch, rule: rule, keeping: kept)
    }

    /// - Parameters:
    ///   - layers: what to explain together, in any order, each once; the steps that none of them needs are not run.
    ///   - kept: layers before them whose activations and gradients can be read afterwards.
    /// - Precondition: there is a layer.
    /// - Throws: `NetworkError`, as with one layer.
    public init(
        _ network: DifferentiableNetwork, layers: [Layer], batch: Int = 1, rule: BackwardRule = .gradient,
        keeping kept: [Layer] = []
    ) throws {
        precondition(!layers.isEmpty, "a way back begins somewhere")
        self.network = network
        layer = layers[0]
        let targets = try layers.map { try network.value(of: $0) }
        var graph = network.graph
        graph.output = targets[0]
        graph.removeDeadNodes(keeping: targets)
        self.batch = graph.mixesImages ? 1 : batch
        var forward = ProgramBuilder(graph: graph, batch: self.batch)
        try forward.lower(graph)
        let forwardCount = forward.program.steps.count
        var backward = BackwardBuilder(forward, graph: graph, rule: rule)
        let names = layers.map(\.name)
        seeds = Dictionary(zip(names, try backward.seed(targets))) { first, _ in first }
        try backward.run()
        program = backward.forward.program
        guard let gradient = backward.gradient(of: graph.input) else {
            throw NetworkError.graph(problem: "layer '\(layer.name)' does not depend on the image")
        }
        imageGradient = gradient
        values = Dictionary(zip(names, try targets.map { try backward.location($0) })) { first, _ in first }
        for layer in kept {
            let id = try network.value(of: layer)
            guard let location = program.locations[id], let gradient = backward.gradient(of: id) else {
                throw NetworkError.graph(problem: "layer '\(self.layer.name)' does not depend on layer '\(layer.name)'")
            }
            keptValues[layer.name] = location
            keptGradients[layer.name] = gradient
        }
        let plan = MemoryPlan(program, kept: [gradient] + keptValues.values + keptGradients.values)
        let memory = WorkerMemory(program, plan: plan, neurons: 0, meanNeurons: 0)
        self.memory = memory
        let actions = try program.bound(to: memory)
        forwardActions = Array(actions[..<forwardCount])
        backwardActions = Array(actions[forwardCount...])
    }

    /// The tensor of one image: height × width × channels.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(program.input, image) }

    public func forward() throws {
        try program.run(forwardActions)
        for seed in seeds.values { memory[seed].update(repeating: 0, count: seed.count * batch) }
    }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer(begin(values, layer), image)) }

    /// The gradient of the layer, zero after `forward`: height × width × channels, to be written before `backward`.
    public func seed(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(begin(seeds, layer), image) }

    /// The activations of one of several layers, until `backward`.
    /// - Precondition: the way back begins at `layer`, among others.
    public func value(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(buffer(begin(values, layer), image))
    }

    /// The seed of one of several layers, as with one.
    /// - Precondition: the way back begins at `layer`, among others.
    public func seed(of layer: Layer, image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(begin(seeds, layer), image) }

    private func begin(_ locations: [String: Location], _ layer: Layer) -> Location {
        guard let location = locations[layer.name] else { preconditionFailure("the pass does not begin at layer \(layer.name)") }
        return location
    }

    public func backward() throws { try program.run(backwardActions, from: forwardActions.count) }

    /// The gradient of the image: height × width × channels.
    public func inputGradient(image: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer(imageGradient, image)) }

    /// The activations of a kept layer: height × width × channels.
    public func activation(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float>? {
        keptValues[layer.name].map { UnsafeBufferPointer(buffer($0, image)) }
    }

    /// The gradient of a kept layer: height × width × channels.
    public func gradient(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float>? {
        keptGradients[layer.name].map { UnsafeBufferPointer(buffer($0, image)) }
    }

    private func buffer(_ location: Location, _ image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<batch).contains(image), "image \(image) of a batch of \(batch)")
        return UnsafeMutableBufferPointer(start: memory[location] + image * location.count, count: location.count)
    }
}
