/// One thread's way forward to the class scores, on which neurons of some layers can be switched off: their maps hold one value everywhere.
///
/// What stands before the first of the layers is computed once an image, however many sets of neurons are then switched off.
///
/// ```swift
/// let pass = try AblationPass.passes(network, layers: [layer], count: 1)[0]
/// image.withUnsafeBufferPointer { _ = pass.input.update(fromContentsOf: $0) }
/// try pass.begin()
/// let whole = try pass.answer(replacing: [])
/// let without = try pass.answer(replacing: [.init(layer: 0, channel: 38, value: 0)])
/// ```
public final class AblationPass {
    /// A channel of a layer, and what its map holds instead of what was computed.
    public struct Replacement: Hashable, Sendable {
        /// Of the layers that the pass was made for.
        public var layer: Int
        public var channel: Int
        public var value: Float

        public init(layer: Int, channel: Int, value: Float) { (self.layer, self.channel, self.value) = (layer, channel, value) }
    }

    /// What the network answers on one image.
    public struct Answer: Equatable, Sendable {
        /// One a class, before softmax.
        public var scores: [Float]
        /// What the file makes of them; the scores again where it makes nothing.
        public var output: [Float]
    }

    fileprivate let compiled: Compiled
    private let memory: WorkerMemory
    private let before: [WorkerAction]
    private let after: [WorkerAction]

    /// What passes share.
    fileprivate struct Compiled {
        var program: Program
        var plan: MemoryPlan
        /// The first step behind the first of the layers. What stands before it is not written again, so that it can be read again and again.
        var split: Int
        var scores: Location
        var output: Location
    }

    /// Passes that share their kernels and packed weights, one a thread.
    ///
    /// - Parameter layers: in any order; each has to be read on the way to the class scores, and none may be those.
    /// - Throws: `NetworkError`; of a network without classes too.
    public static func passes(_ network: DifferentiableNetwork, layers: [Layer], count: Int) throws -> [AblationPass] {
        let compiled = try Compiled(network, layers)
        return try (0..<count).map { _ in try AblationPass(compiled) }
    }

    /// Another pass of the same, sharing kernels and packed weights.
    public func another() throws -> AblationPass { try AblationPass(compiled) }

    private init(_ compiled: Compiled) throws {
        self.compiled = compiled
        memory = WorkerMemory(compiled.program, plan: compiled.plan, neurons: 0, meanNeurons: 0)
        let actions = try compiled.program.bound(to: memory)
        (before, after) = (Array(actions[..<compiled.split]), Array(actions[compiled.split...]))
    }

    /// The tensor of the image, to be written before `begin`: height × width × channels.
    public var input: UnsafeMutableBufferPointer<Float> { buffer(compiled.program.input) }

    /// Computes what stands before the first of the layers, and that.
    /// - Throws: `NetworkError.kernel`.
    public func begin() throws { try compiled.program.run(before) }

    /// The answer on the image that was begun, with some channels replaced.
    /// - Throws: `NetworkError.kernel`.
    public func answer(replacing replacements: [Replacement]) throws -> Answer {
        memory.replacements = Dictionary(grouping: replacements, by: \.layer).mapValues {
            $0.map { (channel: $0.channel, value: $0.value) }
        }
        try compiled.program.run(after, from: compiled.split)
        return Answer(scores: Array(buffer(compiled.scores)), output: Array(buffer(compiled.output)))
    }

    private func buffer(_ location: Location) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: memory[location], count: location.count)
    }
}

extension AblationPass.Compiled {
    fileprivate init(_ network: DifferentiableNetwork, _ layers: [Layer]) throws {
        guard let logits = network.logits else { throw NetworkError.graph(problem: "it has no class scores") }
        let values = try layers.map { try network.value(of: $0) }
        let scoring = try network.value(of: logits)
        let answer = try network.probabilities.map { try network.value(of: $0.layer) } ?? scoring
        var graph = network.graph(upTo: answer)
        graph.fuse(recorded: Set(values + [scoring])) { _ in true }
        var builder = ProgramBuilder(graph: graph, batch: 1)
        var split: Int?
        try Team.compiling {
            try builder.lower(graph) { builder, node in
                for output in node.outputs {
                    guard let index = values.firstIndex(of: output) else { continue }
                    split = split ?? builder.program.steps.count
                    try builder.emitReplacement(of: output, layer: index, channels: layers[index].channels, graph)
                }
            }
        }
        guard let split else {
            throw NetworkError.graph(problem: "no class score is computed from layer \(layers.first?.name ?? "")")
        }
        // These may add steps that put them into the order in which they are read.
        let scores = try builder.location(scoring, in: graph.values[scoring].order)
        let output = try builder.location(answer, in: graph.values[answer].order)
        let program = builder.program
        let made = Self.buffers(program.steps[..<split].flatMap(\.writes) + [program.input])
        let read = Self.buffers(program.steps[split...].flatMap(\.reads))
        let kept = made.intersection(read).map { Location(place: .buffer($0), shape: [program.buffers[$0]], batch: 1) }
        let plan = MemoryPlan(program, kept: kept + [scores, output])
        self.init(program: program, plan: plan, split: split, scores: scores, output: output)
    }

    private static func buffers(_ locations: [Location]) -> Set<Int> {
        Set(
            locations.compactMap { location in
                if case .buffer(let index) = location.place { return index }
                return nil
            })
    }
}

extension ProgramBuilder {
    /// Emits what makes a copy of a layer's map with the replaced channels, and lets all that comes after read that.
    fileprivate mutating func emitReplacement(
        of value: Graph.ValueID, layer: Int, channels: Int, _ graph: Graph
    ) throws {
        let made = try location(value, in: nil)
        let map = temporary(made.shape, in: graph.values[value].order)
        copy(made, shape: made.shape, fromStrides: made.strides, to: map, toStrides: map.strides)
        let places = map.count / channels
        emit(reads: [map], writes: [map]) { memory in
            let target = memory[map]
            return {
                for (channel, value) in memory.replacements[layer] ?? [] {
                    for place in 0..<places { target[place * channels + channel] = value }
                }
            }
        }
        alias(value, of: map)
    }
}
