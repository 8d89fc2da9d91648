import CKernels
import Foundation

/// Everything one worker writes: an arena in which buffers that never live at the same time share memory.
final class WorkerMemory: @unchecked Sendable {  // Used by one worker's thread at a time.
    /// Bytes that oneDNN's vectors like to start on.
    static let alignment = 64

    let scratch: UnsafeMutableRawPointer
    /// The maximum of every recorded neuron on every image of the batch: batch × neurons.
    let values: UnsafeMutablePointer<Float>
    /// Where each stands: y * width + x.
    let positions: UnsafeMutablePointer<UInt32>
    /// The mean of every neuron of the layers that keep it: batch × their number.
    let means: UnsafeMutablePointer<Float>

    /// Which row and column of windows each image of the batch has, where windows are laid over one image.
    var places: [[Int]] = []

    /// What channels of a layer's map hold instead of what is computed, where neurons are switched off.
    var replacements: [Int: [(channel: Int, value: Float)]] = [:]

    private let arena: UnsafeMutableRawPointer
    private let offsets: [Int]
    private let constants: [UnsafeMutablePointer<Float>]

    init(_ program: Program, plan: MemoryPlan, neurons: Int, meanNeurons: Int) {
        func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
            let bytes = max(bytes, Self.alignment)
            let memory: UnsafeMutableRawPointer = ndx_allocate_large(bytes)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            return memory
        }
        arena = allocate(plan.size)
        offsets = plan.offsets
        scratch = allocate(program.steps.map(\.scratch).max() ?? 0)
        let floats = MemoryLayout<Float>.size
        values = allocate(program.batch * neurons * floats).bindMemory(to: Float.self, capacity: program.batch * neurons)
        positions = allocate(program.batch * neurons * 4).bindMemory(to: UInt32.self, capacity: program.batch * neurons)
        means = allocate(program.batch * meanNeurons * floats).bindMemory(to: Float.self, capacity: program.batch * meanNeurons)
        constants = program.constants.map { values in
            let memory = allocate(values.count * floats).bindMemory(to: Float.self, capacity: values.count)
            memory.update(from: values, count: values.count)
            return memory
        }
    }

    deinit {
        for memory in [arena, scratch] { free(memory) }
        free(positions)
        for memory in [values, means] + constants { free(memory) }
    }

    subscript(_ location: Location) -> UnsafeMutablePointer<Float> {
        switch location.place {
        case .buffer(let index): (arena + offsets[index]).assumingMemoryBound(to: Float.self)
        case .constant(let index): constants[index]
        }
    }
}

/// Where in the arena every buffer of a program stands: buffers whose lives overlap do not.
package struct MemoryPlan: Sendable {
    /// Bytes.
    package private(set) var offsets: [Int]
    /// Bytes of the whole arena.
    package private(set) var size: Int

    /// - Parameter kept: locations that must still hold their values when the program has ended.
    init(_ program: Program, kept: [Location]) {
        var lives = [ClosedRange<Int>?](repeating: nil, count: program.buffers.count)
        func touch(_ location: Location, at step: Int) {
            guard case .buffer(let index) = location.place else { return }
            let life = lives[index] ?? step...step
            lives[index] = min(life.lowerBound, step)...max(life.upperBound, step)
        }
        touch(program.input, at: -1)
        for (index, step) in program.steps.enumerated() {
            for location in step.reads + step.writes { touch(location, at: index) }
        }
        for location in kept { touch(location, at: program.steps.count) }
        self.init(elements: program.buffers, lives: lives)
    }

    /// - Parameters:
    ///   - elements: of each buffer, floats.
    ///   - lives: the first and last step that touches each; nil for one that none touches.
    package init(elements: [Int], lives: [ClosedRange<Int>?]) {
        offsets = [Int](repeating: 0, count: elements.count)
        size = 0
        var placed = PlacedBuffers(
            from: lives.compactMap { $0?.lowerBound }.min() ?? 0, to: lives.compactMap { $0?.upperBound }.max() ?? 0)
        let bytes = elements.map {
            ($0 * MemoryLayout<Float>.size + WorkerMemory.alignment - 1) & ~(WorkerMemory.alignment - 1)
        }
        // The largest first, each as low as those that live at the same time allow.
        for index in bytes.indices.sorted(by: { (bytes[$0], $1) > (bytes[$1], $0) }) {
            guard let life = lives[index] else { continue }
            var start = 0
            for other in placed.overlapping(life) {
                if start + bytes[index] <= other.lowerBound { break }
                start = max(start, other.upperBound)
            }
            offsets[index] = start
            placed.add(start..<start + bytes[index], living: life)
            size = max(size, start + bytes[index])
        }
    }
}

/// The buffers that have their place, by the steps that they live through: each stands in the smallest of the ranges of 1, 2, 4, … steps that
/// holds its life, so that those which live at a time are found without looking at all of a long network.
private struct PlacedBuffers {
    private typealias Buffer = (life: ClosedRange<Int>, bytes: Range<Int>)
    private let first: Int
    /// By the logarithm of the range's length, then the range.
    private var levels: [[[Buffer]]]

    init(from first: Int, to last: Int) {
        self.first = first
        let steps = last - first + 1
        let count = Int.bitWidth - steps.leadingZeroBitCount + 1
        levels = (0..<count).map { level in [[Buffer]](repeating: [], count: (steps - 1) >> level + 1) }
    }

    mutating func add(_ bytes: Range<Int>, living life: ClosedRange<Int>) {
        let (start, end) = (life.lowerBound - first, life.upperBound - first)
        let level = Int.bitWidth - (start ^ end).leadingZeroBitCount
        levels[level][start >> level].append((life, bytes))
    }

    /// The bytes of those that live at some time of `life`, from the lowest up.
    func overlapping(_ life: ClosedRange<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        for (level, ranges) in levels.enumerated() {
            for range in (life.lowerBound - first) >> level...(life.upperBound - first) >> level {
                for buffer in ranges[range] where buffer.life.overlaps(life) { found.append(buffer.bytes) }
            }
        }
        return found.sorted { $0.lowerBound < $1.lowerBound }
    }
}
