/// One thread's forward and backward pass through a network up to one layer, or up to several.
///
/// Write images into `input`, call `forward`, write the gradient of the layer into `seed` (it is zero before), call `backward`, read
/// `inputGradient`. With several layers the gradients written into their seeds meet on the way: one pass gives the gradient of a
/// sum. A second `backward` needs a second `forward`. All maps are channels-last.
public final class GradientPass {
    public var network: DifferentiableNetwork { compiled.network }
    /// What the way back begins at; where there are several, the first.
    public var layer: Layer { compiled.layers[0] }
    public var batch: Int { compiled.program.batch }
    /// Threads that share out each step, 1 or 2; results do not depend on it. Two are for a pass that runs alone.
    package var threads = 1
    /// Lets a run have two threads where a core is idle when it begins.
    public var isAlone = false

    private let compiled: GradientProgram
    private let memory: WorkerMemory
    private let forwardActions: [WorkerAction]
    private let backwardActions: [WorkerAction]

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
    public convenience init(
        _ network: DifferentiableNetwork, layers: [Layer], batch: Int = 1, rule: BackwardRule = .gradient,
        keeping kept: [Layer] = []
    ) throws {
        let values = try kept.map { ($0.name, try network.value(of: $0)) }
        try self.init(GradientProgram(network, layers: layers, batch: batch, rule: rule, keeping: values))
    }

    /// - Parameters:
    ///   - layer: what to explain.
    ///   - attentions: softmaxes before it whose weights and gradients can be read afterwards.
    /// - Throws: `NetworkError`, as with layers.
    public convenience init(_ network: DifferentiableNetwork, layer: Layer, keeping attentions: [AttentionLayer]) throws {
        let values = attentions.map { (Self.key($0), $0.value) }
        try self.init(GradientProgram(network, layers: [layer], batch: 1, rule: .gradient, keeping: values))
    }

    /// Told apart from the names of layers.
    private static func key(_ attention: AttentionLayer) -> String { "attention of \(attention.name)" }

    /// Passes that share their kernels and packed weights, one a thread; else as one.
    public static func passes(
        _ network: DifferentiableNetwork, layers: [Layer], batch: Int = 1, rule: BackwardRule = .gradient,
        keeping kept: [Layer] = [], count: Int
    ) throws -> [GradientPass] {
        let values = try kept.map { ($0.name, try network.value(of: $0)) }
        let compiled = try GradientProgram(network, layers: layers, batch: batch, rule: rule, keeping: values)
        return try (0..<count).map { _ in try GradientPass(compiled) }
    }

    /// Another pass of the same, sharing kernels and packed weights.
    public func another() throws -> GradientPass { try GradientPass(compiled) }

    private init(_ compiled: GradientProgram) throws {
        self.compiled = compiled
        memory = WorkerMemory(compiled.program, plan: compiled.plan, neurons: 0, meanNeurons: 0)
        let actions = try compiled.program.bound(to: memory)
        forwardActions = Array(actions[..<compiled.forwardCount])
        backwardActions = Array(actions[compiled.forwardCount...])
    }

    /// The tensor of one image: height × width × channels.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(compiled.program.input, image) }

    public func forward() throws {
        try compiled.program.run(forwardActions, threads: isAlone && Team.hasIdleCore ? 2 : threads)
        for seed in compiled.seeds.values { memory[seed].update(repeating: 0, count: seed.count * batch) }
    }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(buffer(begin(compiled.values, layer), image))
    }

    /// The gradient of the layer, zero after `forward`: height × width × channels, to be written before `backward`.
    public func seed(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(begin(compiled.seeds, layer), image) }

    /// The activations of one of several layers, until `backward`.
    /// - Precondition: the way back begins at `layer`, among others.
    public func value(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(buffer(begin(compiled.values, layer), image))
    }

    /// The seed of one of several layers, as with one.
    /// - Precondition: the way back begins at `layer`, among others.
    public func seed(of layer: Layer, image: Int) -> UnsafeMutableBufferPointer<Float> {
        buffer(begin(compiled.seeds, layer), image)
    }

    private func begin(_ locations: [String: Location], _ layer: Layer) -> Location {
        guard let location = locations[layer.name] else { preconditionFailure("the pass does not begin at layer \(layer.name)") }
        return location
    }

    public func backward() throws {
        try compiled.program.run(backwardActions, from: forwardActions.count, threads: isAlone && Team.hasIdleCore ? 2 : threads)
    }

    /// As `forward`, `seed` and `backward`, with the seconds that each step took, under the name of its layer and its place in the program.
    package func runTimed(seed: () -> Void) throws -> [(step: String, isForward: Bool, seconds: Double)] {
        var results: [(step: String, isForward: Bool, seconds: Double)] = []
        for (index, step) in compiled.program.steps.enumerated() {
            let isForward = index < forwardActions.count
            if index == forwardActions.count {
                for seed in compiled.seeds.values { memory[seed].update(repeating: 0, count: seed.count * batch) }
                seed()
            }
            let start = ContinuousClock.now
            try Team.running(on: threads) {
                try isForward ? forwardActions[index]() : backwardActions[index - forwardActions.count]()
            }
            let place = step.reads.first.map { "\($0.shape)" } ?? ""
            let name = "\(index) \(step.layer) \(place) → \(step.writes.first?.shape ?? [])"
            results.append((name, isForward, (ContinuousClock.now - start) / .seconds(1)))
        }
        return results
    }

    /// The gradient of the image: height × width × channels.
    public func inputGradient(image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(buffer(compiled.imageGradient, image))
    }

    /// The activations of a kept layer: height × width × channels.
    public func activation(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float>? {
        compiled.keptValues[layer.name].map { UnsafeBufferPointer(buffer($0, image)) }
    }

    /// The gradient of a kept layer: height × width × channels.
    public func gradient(of layer: Layer, image: Int) -> UnsafeBufferPointer<Float>? {
        compiled.keptGradients[layer.name].map { UnsafeBufferPointer(buffer($0, image)) }
    }

    /// The weights of kept attention, and their gradients: heads × queries × keys.
    public func weights(of attention: AttentionLayer) -> (values: [Float], gradient: [Float])? {
        guard let values = compiled.keptValues[Self.key(attention)], let gradient = compiled.keptGradients[Self.key(attention)]
        else { return nil }
        return (
            attention.ordered(UnsafeBufferPointer(buffer(values, 0))),
            attention.ordered(UnsafeBufferPointer(buffer(gradient, 0)))
        )
    }

    private func buffer(_ location: Location, _ image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<batch).contains(image), "image \(image) of a batch of \(batch)")
        return UnsafeMutableBufferPointer(start: memory[location] + image * location.count, count: location.count)
    }
}

/// A network's way to some of its layers and back, compiled: what passes of all threads share.
private final class GradientProgram: Sendable {
    let network: DifferentiableNetwork
    let layers: [Layer]
    let program: Program
    let plan: MemoryPlan
    /// Steps of the way forward.
    let forwardCount: Int
    /// Of the layers that the way back begins at, by name.
    let values: [String: Location]
    let seeds: [String: Location]
    let imageGradient: Location
    let keptValues: [String: Location]
    let keptGradients: [String: Location]

    init(
        _ network: DifferentiableNetwork, layers: [Layer], batch: Int, rule: BackwardRule,
        keeping kept: [(name: String, value: Graph.ValueID)]
    ) throws {
        precondition(!layers.isEmpty, "a way back begins somewhere")
        self.network = network
        self.layers = layers
        let targets = try layers.map { try network.value(of: $0) }
        var graph = network.graph
        (graph.output, graph.others) = (targets[0], [])
        graph.removeDeadNodes(keeping: targets)
        var forward = ProgramBuilder(graph: graph, batch: graph.mixesImages ? 1 : batch)
        let names = layers.map(\.name)
        var (keptValues, keptGradients): ([String: Location], [String: Location]) = ([:], [:])
        var imageGradient: Location?
        let (program, forwardCount, values, seeds) = try Team.compiling {
            try forward.lower(graph)
            let values = try targets.map { try forward.location($0, in: graph.values[$0].order) }
            for (name, id) in kept where forward.program.locations[id] != nil {
                keptValues[name] = try forward.location(id, in: graph.values[id].order)
            }
            let count = forward.program.steps.count
            var backward = BackwardBuilder(forward, graph: graph, rule: rule)
            let seeds = try backward.seed(targets)
            try backward.run()
            imageGradient = backward.gradient(of: graph.input)
            for (name, id) in kept { keptGradients[name] = backward.gradient(of: id) }
            return (backward.forward.program, count, values, seeds)
        }
        guard let imageGradient else {
            throw NetworkError.graph(problem: "layer '\(layers[0].name)' does not depend on the image")
        }
        for (name, _) in kept where keptValues[name] == nil || keptGradients[name] == nil {
            throw NetworkError.graph(problem: "layer '\(layers[0].name)' does not depend on layer '\(name)'")
        }
        (self.program, self.forwardCount, self.imageGradient) = (program, forwardCount, imageGradient)
        (self.keptValues, self.keptGradients) = (keptValues, keptGradients)
        self.values = Dictionary(zip(names, values)) { first, _ in first }
        self.seeds = Dictionary(zip(names, seeds)) { first, _ in first }
        plan = MemoryPlan(program, kept: [imageGradient] + keptValues.values + keptGradients.values)
    }
}
