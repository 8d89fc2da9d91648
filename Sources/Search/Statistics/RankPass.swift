import ActivationStore
import CKernels
import Foundation
import Support

/// Sorts the values of every neuron once, over chosen images, and gives what is counted along the order. Neurons are read in
/// groups that keep within a fixed memory, the file once; both the sorting and the counting run on all cores.
struct RankPass {
    /// The classes that images are divided into: numbers from 0 to `count - 1`, by place in `images`.
    struct Classes {
        var numbers: [UInt32]
        var count: Int
    }

    /// One class of images on one neuron.
    struct Class {
        /// 2 · the sum of mid-ranks from 1, NaN lowest.
        var rankSum: UInt64
        /// Sum over the images of the precision at their places from the top.
        var precision: Double
        /// Sum and number of the finite values.
        var sum: Double
        var finite: Int
    }

    /// Bytes of columns that are held at once.
    private static let memory = 128 << 20

    private let fold: BlockFold
    /// Ids of the chosen images, ascending.
    private let images: [Int]

    init(_ fold: BlockFold, images: [Int]) {
        self.fold = fold
        self.images = images
    }

    /// Gives `body` the neurons in order, each with its classes and the sum of t³ − t over its ties.
    func visit(_ neurons: NeuronSet, _ classes: Classes, _ body: (Int, [Class], Double) throws -> Void) throws {
        precondition(classes.numbers.count == images.count, "every chosen image has one class")
        try visit(neurons) { sorter, _ in
            sorter.count(classes)
        } body: { neuron, result in
            try body(neuron, result.0, result.1)
        }
    }

    /// Sorts the values of every neuron, and gives `body` the neurons in order, each with what `work` made of the order.
    /// `work` is called on several threads, with the sorted column and the values of all images of the store.
    func visit<Result>(
        _ neurons: NeuronSet, _ work: (Sorter, UnsafePointer<Float>) -> Result, body: (Int, Result) throws -> Void
    ) throws {
        try columns(neurons) { group, columns in
            var results = [Result?](repeating: nil, count: group.count)
            results.withUnsafeMutableBufferPointer { results in
                nonisolated(unsafe) let (results, columns) = (results, columns)
                inParallel(group.count) {
                    Sorter(images: images)
                } work: { index, sorter in
                    let column = columns + index * fold.images
                    sorter.sort(column)
                    results[index] = work(sorter, column)
                }
            }
            for (neuron, result) in zip(group, results) {
                guard let result else { continue }
                try body(neuron, result)
            }
        }
    }

    /// Reads the columns of a group of neurons after the other: `images` values a neuron.
    private func columns(_ neurons: NeuronSet, _ body: (Range<Int>, UnsafePointer<Float>) throws -> Void) throws {
        let length = max(fold.images, 1)
        let size = max(1, Self.memory / (length * 4))
        let columns = UnsafeMutablePointer<Float>.allocate(capacity: min(size, max(neurons.count, 1)) * length)
        defer { columns.deallocate() }
        let groups = neurons.parts(of: size)
        try Activity.run("ranking neurons", parts: groups.count) {
            for group in groups {
                try fold.sharedRows(NeuronSet([group])) { image, row in
                    UnsafeMutableRawPointer(columns + (row.neuron - group.lowerBound) * length + image)
                        .copyMemory(from: row.values, byteCount: row.count * 4)
                }
                try body(group, columns)
                Activity.step()
            }
        }
    }
}

/// Sorts one column after the other; one for each thread.
final class Sorter {
    private let images: [Int]
    private let isEverything: Bool
    private let values: UnsafeMutablePointer<Float>
    private let entries: UnsafeMutablePointer<UInt64>
    private let spare: UnsafeMutablePointer<UInt64>

    /// - Parameter images: the chosen ones, ascending.
    init(images: [Int]) {
        self.images = images
        isEverything = images.last.map { $0 == images.count - 1 } ?? true
        values = .allocate(capacity: max(images.count, 1))
        entries = .allocate(capacity: max(images.count, 1))
        spare = .allocate(capacity: max(images.count, 1))
    }

    deinit {
        values.deallocate()
        entries.deallocate()
        spare.deallocate()
    }

    /// - Parameter column: the values of all images of the store.
    func sort(_ column: UnsafePointer<Float>) {
        if isEverything {
            values.update(from: column, count: images.count)
        } else {
            for (index, image) in images.enumerated() { values[index] = column[image] }
        }
        ndx_sort_column(values, images.count, entries, spare)
    }

    /// What is counted of each class along the column sorted last, and the sum of t³ − t over its ties.
    func count(_ classes: RankPass.Classes) -> ([RankPass.Class], Double) {
        var sums = [ndx_class_ranks](repeating: ndx_class_ranks(), count: classes.count)
        var counters = [UInt32](repeating: 0, count: classes.count)
        let ties = ndx_rank_classes(entries, images.count, classes.numbers, classes.count, &sums, &counters)
        var result = sums.map { RankPass.Class(rankSum: $0.rank_sum, precision: $0.precision, sum: 0, finite: 0) }
        result.withUnsafeMutableBufferPointer { result in
            classes.numbers.withUnsafeBufferPointer { numbers in
                for index in 0..<images.count where values[index].isFinite {
                    result[Int(numbers[index])].sum += Double(values[index])
                    result[Int(numbers[index])].finite += 1
                }
            }
        }
        return (result, ties)
    }

    /// The places of the largest values of the column sorted last, the largest first, ties by place; NaN left out.
    func strongest(_ count: Int) -> [UInt32] {
        var found: [UInt32] = []
        var end = images.count
        // NaN has the key 0, and nothing else has.
        while end > 0, found.count < count, entries[end - 1] >> 32 != 0 {
            var start = end - 1
            while start > 0, entries[start - 1] >> 32 == entries[end - 1] >> 32 { start -= 1 }
            for index in start..<min(end, start + count - found.count) {
                found.append(UInt32(truncatingIfNeeded: entries[index]))
            }
            end = start
        }
        return found
    }

    /// Writes 2 · midrank − (n + 1) of every image; returns the sum of their squares.
    func centredRanks(to ranks: UnsafeMutablePointer<Float>) -> Double {
        ndx_centred_ranks(entries, images.count, ranks)
    }
}

/// Runs `work` for 0 ..< `count` on all cores, each with a helper of its own.
func inParallel<Helper>(_ count: Int, helper: () -> Helper, work: (Int, Helper) -> Void) {
    let threads = max(1, min(ProcessInfo.processInfo.activeProcessorCount, count))
    nonisolated(unsafe) let helpers = (0..<threads).map { _ in helper() }
    nonisolated(unsafe) let work = work
    Activity.run(parts: count) {
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for index in stride(from: thread, to: count, by: threads) {
                work(index, helpers[thread])
                Activity.step()
            }
        }
    }
}
