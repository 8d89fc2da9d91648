/// One thread's way forward through a network up to one layer, or several, and no further.
///
/// Write images into `input`, call `run`, read `activation`. All maps are channels-last.
public final class ForwardPass {
    /// Images that it runs at once.
    public let batch: Int
    /// Threads that share out each step, 1 or 2; results do not depend on it. Two are for a pass that runs alone.
    package var threads = 1
    /// Lets a run have two threads where a core is idle when it begins.
    public var isAlone = false

    private let memory: WorkerMemory
    private let program: Program
    private let plan: MemoryPlan
    private let actions: [WorkerAction]
    /// Of the layers that it was made for.
    private let values: [Location]

    /// Passes that share their kernels and packed weights, one a thread.
    ///
    /// - Parameter batch: images that each runs at once; 1 whatever is asked where the file mixes the images of a batch.
    /// - Throws: `NetworkError`.
    public static func passes(
        _ network: DifferentiableNetwork, layer: Layer, batch: Int = 1, count: Int
    ) throws -> [ForwardPass] {
        try passes(network, values: [network.value(of: layer)], batch: batch, count: count)
    }

    /// Passes to several layers at once, of one image each.
    ///
    /// - Throws: `NetworkError`.
    /// - Precondition: there is a layer.
    public static func passes(_ network: DifferentiableNetwork, layers: [Layer], count: Int) throws -> [ForwardPass] {
        precondition(!layers.isEmpty, "a pass to no layer")
        return try passes(network, values: layers.map { try network.value(of: $0) }, batch: 1, count: count)
    }

    /// Passes to the map that a network's classifier reads.
    public static func passes(_ network: DifferentiableNetwork, to head: ClassifierHead, count: Int) throws -> [ForwardPass] {
        try passes(network, values: [head.value], batch: 1, count: count)
    }

    /// A pass to the softmaxes of attention, of one image.
    ///
    /// - Throws: `NetworkError`.
    /// - Precondition: there is one.
    public static func pass(_ network: DifferentiableNetwork, attentions: [AttentionLayer]) throws -> ForwardPass {
        try passes(network, values: attentions.map(\.value), batch: 1, count: 1)[0]
    }

    private static func passes(
        _ network: DifferentiableNetwork, values: [Graph.ValueID], batch: Int, count: Int
    ) throws -> [ForwardPass] {
        var graph = network.graph(upTo: values)
        // There is no way back that would need what stands before an activation.
        graph.fuse(recorded: values.count > 1 ? Set(values) : nil) { _ in true }
        var builder = ProgramBuilder(graph: graph, batch: graph.mixesImages ? 1 : batch)
        try Team.compiling { try builder.lower(graph) }
        let locations = try values.map { try builder.location($0, in: graph.values[$0].order) }
        let program = builder.program
        let plan = MemoryPlan(program, kept: locations)
        return try (0..<count).map { _ in try ForwardPass(program, plan, values: locations) }
    }

    /// Another pass of the same, sharing kernels and packed weights.
    public func another() throws -> ForwardPass { try ForwardPass(program, plan, values: values) }

    private init(_ program: Program, _ plan: MemoryPlan, values: [Location]) throws {
        (self.program, self.plan) = (program, plan)
        self.values = values
        batch = program.batch
        memory = WorkerMemory(program, plan: plan, neurons: 0, meanNeurons: 0)
        actions = try program.bound(to: memory)
    }

    /// The tensor of one image, to be written before `run`: height × width × channels.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(program.input, image) }

    /// - Throws: `NetworkError.kernel`.
    public func run() throws { try program.run(actions, threads: isAlone && Team.hasIdleCore ? 2 : threads) }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> { activation(of: 0, image: image) }

    /// The same of layer `index` of those that the pass was made for.
    public func activation(of index: Int, image: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(buffer(values[index], image))
    }

    /// The weights of attention `index` of those that the pass was made for: heads × queries × keys.
    public func weights(of attentions: [AttentionLayer], index: Int) -> [Float] {
        attentions[index].ordered(activation(of: index, image: 0))
    }

    private func buffer(_ location: Location, _ image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<batch).contains(image), "image \(image) of a batch of \(batch)")
        return UnsafeMutableBufferPointer(start: memory[location] + image * location.count, count: location.count)
    }
}
