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

    /// The class scores, before softmax; nil for networks without classes.
    public var logits: Layer? { layers.last { $0.isLogits } }

    /// - Throws: `NetworkError.noSuchName`.
    public func layer(named name: String) throws -> Layer {
        guard let layer = layers.first(where: { $0.name == name }) else {
            throw NetworkError.noSuchName(kind: "layer", name: name, known: layers.map(\.name))
        }
        return layer
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

/// One thread's forward and backward pass through a network up to one layer.
///
/// Write images into `input`, call `forward`, write the gradient of the layer into `seed` (it is zero before), call `backward`, read
/// `inputGradient`. A second `backward` needs a second `forward`. All maps are channels-last.
public final class GradientPass {
    public let network: DifferentiableNetwork
    /// What the way back begins at.
    public let layer: Layer
    public let batch: Int

    private let memory: WorkerMemory
    private let program: Program
    private let forwardActions: [WorkerAction]
    private let backwardActions: [WorkerAction]
    private let value: Location
    private let seedLocation: Location
    private let imageGradient: Location
    private var keptValues: [String: Location] = [:]
    private var keptGradients: [String: Location] = [:]

    /// - Parameters:
    ///   - layer: what to explain; the steps after it are not run.
    ///   - kept: layers before it whose activations and gradients can be read afterwards.
    /// - Throws: `NetworkError`: an operator on the way that has no way back, or a layer that is not there.
    public init(
        _ network: DifferentiableNetwork, layer: Layer, batch: Int = 1, rule: BackwardRule = .gradient, keeping kept: [Layer] = []
    ) throws {
        self.network = network
        self.layer = layer
        let target = try network.value(of: layer)
        let graph = network.graph(upTo: target)
        self.batch = graph.mixesImages ? 1 : batch
        var forward = ProgramBuilder(graph: graph, batch: self.batch)
        try forward.lower(graph)
        let forwardCount = forward.program.steps.count
        var backward = BackwardBuilder(forward, graph: graph, rule: rule)
        seedLocation = try backward.seed(target)
        try backward.run()
        guard let gradient = backward.gradient(of: graph.input), let value = backward.forward.program.locations[target] else {
            throw NetworkError.graph(problem: "layer '\(layer.name)' does not depend on the image")
        }
        imageGradient = gradient
        self.value = value
        program = backward.forward.program
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
        memory[seedLocation].update(repeating: 0, count: seedLocation.count * batch)
    }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer(value, image)) }

    /// The gradient of the layer, zero after `forward`: height × width × channels, to be written before `backward`.
    public func seed(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(seedLocation, image) }

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
