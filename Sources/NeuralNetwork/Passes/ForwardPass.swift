/// One thread's way forward through a network up to one layer, and no further.
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
    private let value: Location

    /// Passes that share their kernels and packed weights, one a thread.
    ///
    /// - Parameter batch: images that each runs at once; 1 whatever is asked where the file mixes the images of a batch.
    /// - Throws: `NetworkError`.
    public static func passes(
        _ network: DifferentiableNetwork, layer: Layer, batch: Int = 1, count: Int
    ) throws -> [ForwardPass] {
        try passes(network, value: network.value(of: layer), batch: batch, count: count)
    }

    /// Passes to the map that a network's classifier reads.
    public static func passes(_ network: DifferentiableNetwork, to head: ClassifierHead, count: Int) throws -> [ForwardPass] {
        try passes(network, value: head.value, batch: 1, count: count)
    }

    private static func passes(
        _ network: DifferentiableNetwork, value: Graph.ValueID, batch: Int, count: Int
    ) throws -> [ForwardPass] {
        var graph = network.graph(upTo: value)
        // There is no way back that would need what stands before an activation.
        graph.fuse { _ in true }
        var builder = ProgramBuilder(graph: graph, batch: graph.mixesImages ? 1 : batch)
        try Team.compiling { try builder.lower(graph) }
        let location = try builder.location(value, in: graph.values[value].order)
        let program = builder.program
        let plan = MemoryPlan(program, kept: [location])
        return try (0..<count).map { _ in try ForwardPass(program, plan, value: location) }
    }

    /// Another pass of the same, sharing kernels and packed weights.
    public func another() throws -> ForwardPass { try ForwardPass(program, plan, value: value) }

    private init(_ program: Program, _ plan: MemoryPlan, value: Location) throws {
        (self.program, self.plan) = (program, plan)
        self.value = value
        batch = program.batch
        memory = WorkerMemory(program, plan: plan, neurons: 0, meanNeurons: 0)
        actions = try program.bound(to: memory)
    }

    /// The tensor of one image, to be written before `run`: height × width × channels.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(program.input, image) }

    /// - Throws: `NetworkError.kernel`.
    public func run() throws { try program.run(actions, threads: isAlone && Team.hasIdleCore ? 2 : threads) }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer(value, image)) }

    private func buffer(_ location: Location, _ image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<batch).contains(image), "image \(image) of a batch of \(batch)")
        return UnsafeMutableBufferPointer(start: memory[location] + image * location.count, count: location.count)
    }
}
