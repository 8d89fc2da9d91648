import CKernels

/// The activations of one image that windows are laid over: whole maps, channels-last. Written once, then only read.
final class BaseMaps: @unchecked Sendable {  // Written before any pass runs.
    private var maps: [Graph.ValueID: UnsafeMutableBufferPointer<Float>] = [:]

    /// - Parameter program: lowered from the whole graph; `values`: what to keep.
    init(_ program: Program, values: Set<Graph.ValueID>, tensor: [Float]) throws {
        let locations = values.compactMap { program.locations[$0] }
        let memory = WorkerMemory(program, plan: MemoryPlan(program, kept: locations), neurons: 0, meanNeurons: 0)
        memory[program.input].update(from: tensor, count: tensor.count)
        try program.run(program.bound(to: memory))
        for id in values {
            guard let location = program.locations[id] else { continue }
            let map = UnsafeMutableBufferPointer<Float>.allocate(capacity: location.count)
            _ = map.update(fromContentsOf: UnsafeBufferPointer(start: memory[location], count: location.count))
            maps[id] = map
        }
    }

    deinit { for map in maps.values { map.deallocate() } }

    subscript(_ id: Graph.ValueID) -> UnsafePointer<Float>? { maps[id].flatMap { UnsafePointer($0.baseAddress) } }
}

/// One thread's runs of a network with windows laid over one image, computing again only what they touch.
///
/// Choose a window with `place`, write what stands in the patch around it into `input`, call `run`, read `activation`.
public final class IncrementalPass {
    /// Images that it runs at once.
    public let batch: Int
    /// The size of the part of the image that is written: height and width.
    public let patch: (height: Int, width: Int)

    private let memory: WorkerMemory
    private let program: Program
    private let actions: [WorkerAction]
    private let value: Location
    private let starts: [[Int]]

    /// Passes that share their kernels, one a thread; nil where they would compute more than `share` of what whole passes do.
    ///
    /// - Parameters:
    ///   - rows: of each row of windows, `columns` of each column.
    ///   - tensor: the image.
    /// - Throws: `NetworkError`.
    public static func passes(
        _ network: DifferentiableNetwork, layer: Layer, rows: [Range<Int>], columns: [Range<Int>], over tensor: [Float],
        batch: Int, count: Int, ifLessThan share: Double
    ) throws -> [IncrementalPass]? {
        var graph = network.graph(upTo: try network.value(of: layer))
        graph.fuse { _ in true }
        guard !graph.mixesImages else { return nil }
        let plan = IncrementalPlan(graph, rows: rows, columns: columns)
        guard plan.share < share, let input = plan.patches[graph.input] else { return nil }
        var whole = ProgramBuilder(graph: graph, batch: 1)
        try whole.lower(graph)
        let gathers = plan.steps.compactMap { if case .gather(let gather) = $0 { gather } else { nil } }
        let computed = Set(gathers.map(\.source)).filter { plan.graph.values[$0].constant == nil }
        let base = try BaseMaps(whole.program, values: computed, tensor: tensor)
        var builder = ProgramBuilder(graph: plan.graph, batch: batch)
        for step in plan.steps {
            switch step {
            case .node(let node): try builder.lower(node)
            case .gather(let gather):
                builder.layer = gather.layer
                try builder.emit(gather, plan, from: base, whole: graph)
                if builder.notNumbers.contains(gather.source) { builder.notNumbers.insert(gather.target) }
            }
        }
        let location = try builder.location(plan.output, in: graph.values[graph.output].order)
        let program = builder.program
        let memoryPlan = MemoryPlan(program, kept: [location])
        return try (0..<count).map { _ in try IncrementalPass(program, memoryPlan, value: location, input) }
    }

    private init(_ program: Program, _ plan: MemoryPlan, value: Location, _ input: Patch) throws {
        self.program = program
        self.value = value
        batch = program.batch
        patch = (input.size[0], input.size[1])
        starts = input.starts
        memory = WorkerMemory(program, plan: plan, neurons: 0, meanNeurons: 0)
        memory.places = [[Int]](repeating: [0, 0], count: program.batch)
        actions = try program.bound(to: memory)
    }

    /// Says which window image `image` of the batch has, by its row and column of windows; where its patch begins in the image.
    public func place(image: Int, row: Int, column: Int) -> (y: Int, x: Int) {
        memory.places[image] = [row, column]
        return (starts[0][row], starts[1][column])
    }

    /// The patch of the image with the window on it, to be written before `run`: height × width × channels.
    public func input(image: Int) -> UnsafeMutableBufferPointer<Float> { buffer(program.input, image) }

    /// - Throws: `NetworkError.kernel`.
    public func run() throws { try program.run(actions) }

    /// The layer's activations: height × width × channels.
    public func activation(image: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer(value, image)) }

    private func buffer(_ location: Location, _ image: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<batch).contains(image), "image \(image) of a batch of \(batch)")
        return UnsafeMutableBufferPointer(start: memory[location] + image * location.count, count: location.count)
    }
}

extension ProgramBuilder {
    /// Emits what puts a part of a map together for each image of the batch: the whole image's, and over it the window's patch.
    fileprivate mutating func emit(
        _ gather: IncrementalPlan.Gather, _ plan: IncrementalPlan, from base: BaseMaps, whole: Graph
    ) throws {
        let id = gather.source
        if plan.graph.values[id].constant != nil { return try emitConstant(gather, plan.graph) }
        guard let patch = plan.patches[id], base[id] != nil, let shape = whole.values[id].shape else {
            throw NetworkError.graph(problem: "a map that windows change is not there")
        }
        let source = try location(gather.source)
        let target = allocate(gather.target)
        let channels = shape[1]
        let (height, width) = (target.shape[2], target.shape[3])
        let (batch, filler, starts) = (batch, gather.filler, gather.starts)
        emit(reads: [source], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return {
                guard let map = base[id] else { return }
                withExtendedLifetime(base) {
                    for image in 0..<batch {
                        let (row, column) = (memory.places[image][0], memory.places[image][1])
                        let (top, left) = (starts[0][row], starts[1][column])
                        let inside = Self.range(from: -left, count: shape[3], within: width)
                        let (patchTop, patchLeft) = (patch.starts[0][row] - top, patch.starts[1][column] - left)
                        let covered = Self.range(from: patchLeft, count: patch.size[1], within: width)
                        let patched = patchTop..<patchTop + patch.size[0]
                        let own = from + image * source.count
                        for y in 0..<height {
                            let line = to + (image * height + y) * width * channels
                            guard (0..<shape[2]).contains(top + y), !inside.isEmpty else {
                                line.update(repeating: filler, count: width * channels)
                                continue
                            }
                            let whole = map + ((top + y) * shape[3] + left + inside.lowerBound) * channels
                            Self.fill(line, width * channels, from: whole, at: inside, channels, filler)
                            guard patched.contains(y), !covered.isEmpty else { continue }
                            (line + covered.lowerBound * channels).update(
                                from: own + ((y - patchTop) * patch.size[1] + covered.lowerBound - patchLeft) * channels,
                                count: covered.count * channels)
                        }
                    }
                }
            }
        }
    }

    /// Copies what a line has of a map, and the filler beside it.
    private static func fill(
        _ line: UnsafeMutablePointer<Float>, _ count: Int, from map: UnsafePointer<Float>, at inside: Range<Int>,
        _ channels: Int, _ filler: Float
    ) {
        line.update(repeating: filler, count: inside.lowerBound * channels)
        (line + inside.upperBound * channels).update(repeating: filler, count: count - inside.upperBound * channels)
        (line + inside.lowerBound * channels).update(from: map, count: inside.count * channels)
    }

    /// Emits what cuts a part out of a constant map for each image of the batch.
    private mutating func emitConstant(_ gather: IncrementalPlan.Gather, _ graph: Graph) throws {
        let (source, target) = (try location(gather.source), allocate(gather.target))
        let (channels, height, width, line) = (target.shape[1], target.shape[2], target.shape[3], source.shape[3])
        let (batch, starts) = (batch, gather.starts)
        emit(reads: [source], writes: [target]) { memory in
            let (from, to) = (memory[source], memory[target])
            return {
                for image in 0..<batch {
                    let (top, left) = (starts[0][memory.places[image][0]], starts[1][memory.places[image][1]])
                    for y in 0..<height {
                        (to + (image * height + y) * width * channels).update(
                            from: from + ((top + y) * line + left) * channels, count: width * channels)
                    }
                }
            }
        }
    }

    /// `start ..< start + count`, cut to `0 ..< extent`.
    private static func range(from start: Int, count: Int, within extent: Int) -> Range<Int> {
        let lower = min(max(0, start), extent)
        return lower..<max(lower, min(extent, start + count))
    }
}
