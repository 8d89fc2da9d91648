import COneDNN

/// Where a value of the graph stands while a network runs, for a whole batch.
///
/// Values with four axes are channels-last, element (n, c, y, x) at ((n * height + y) * width + x) * channels + c, but for those that
/// operators make row-major because their last axis holds the channels already. All others are row-major.
struct Location: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        /// Memory of each worker.
        case buffer(Int)
        /// Memory shared by all workers, one image's worth, never written.
        case constant(Int)
    }

    /// Of a value with four axes; all others have one order only.
    enum Order: Hashable, Sendable { case channelsLast, rowMajor }

    var place: Place
    /// Of one image.
    var shape: [Int]
    var batch: Int
    var order = Order.channelsLast

    /// Elements of one image.
    var count: Int { shape.product }

    /// The step along every axis of `shape`, in elements; the batch axis has that of one image.
    var strides: [Int] { Self.strides(of: shape, in: order) }

    static func strides(of shape: [Int], in order: Order) -> [Int] {
        guard shape.count == 4, order == .channelsLast else { return shape.rowMajorStrides }
        let (channels, height, width) = (shape[1], shape[2], shape[3])
        return [channels * height * width, 1, width * channels, channels]
    }

    /// Whether memory order is row-major order.
    var isRowMajor: Bool { order == .rowMajor || shape.count != 4 || shape[1] == 1 || shape[2] * shape[3] == 1 }

    /// As oneDNN sees it. A tensor that is no map, or is row-major, has its last axis as channels.
    var map: nd_map {
        let extents = shape.map(Int64.init)
        let (channels, height, width): (Int64, Int64, Int64)
        switch shape.count {
        case 4 where order == .rowMajor: (channels, height, width) = (extents[3], extents[1], extents[2])
        case 4: (channels, height, width) = (extents[1], extents[2], extents[3])
        case 3: (channels, height, width) = (extents[2], 1, extents[1])
        case 2: (channels, height, width) = (extents[1], 1, 1)
        default: (channels, height, width) = (extents.dropFirst().reduce(1, *), 1, 1)
        }
        let images = Int64(batch) * (extents.first ?? 1)
        return nd_map(batch: images, channels: channels, height: height, width: width, pixel_stride: channels)
    }
}

/// What a worker does for one step.
typealias WorkerAction = () throws -> Void

/// One step of a program: what it touches, and how it becomes an action on one worker's memory.
struct Step: Sendable {
    /// The layer it belongs to, for messages.
    var layer: String
    var reads: [Location]
    var writes: [Location]
    /// Bytes of scratch memory.
    var scratch: Int
    var bind: @Sendable (WorkerMemory) throws -> WorkerAction
}

/// A graph made into steps for a batch of a given size.
struct Program: Sendable {
    var batch: Int
    /// Elements of each buffer, for the whole batch.
    var buffers: [Int]
    var constants: [[Float]]
    var steps: [Step]
    var input: Location
    /// Where every value that is computed stands; aliases share a place.
    var locations: [Graph.ValueID: Location]

    /// The steps as actions on one worker's memory.
    func bound(to memory: WorkerMemory) throws -> [WorkerAction] {
        try steps.map { step in try named(step) { try step.bind(memory) } }
    }

    /// Runs actions that were bound from the steps `first` on, on 1 thread or on 2 where they were compiled for a team.
    func run(_ actions: [WorkerAction], from first: Int = 0, threads: Int = 1) throws {
        try Team.running(on: threads) {
            for (index, action) in actions.enumerated() { try named(steps[first + index], action) }
        }
    }

    /// What goes wrong in a step is said of its layer.
    private func named<T>(_ step: Step, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let refusal as Refusal {
            throw NetworkError.kernel(layer: step.layer, problem: refusal.problem)
        }
    }
}
