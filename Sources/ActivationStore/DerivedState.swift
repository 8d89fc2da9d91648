import CKernels
import Foundation
import GRDB

/// Statistics, histograms and lists of the strongest, kept while images come, as a fold over lanes in id order.
///
/// The result depends on the lanes alone, not on how they were cut into calls: counts, extremes and lists by their nature; the
/// moments because they are joined block by block, whole blocks only, and the last block's are added at the end
/// (``NeuronStatistics``). Memory: 1 KB + 12 bytes × top count a neuron.
final class DerivedState {
    let description: StoreDescription
    private let neurons: Int
    private let topCount: Int
    private let statistics: UnsafeMutablePointer<ndx_statistics>
    private let histograms: UnsafeMutablePointer<UInt32>
    private let tops: UnsafeMutablePointer<ndx_top>
    private let topSizes: UnsafeMutablePointer<Int>
    private let tail: UnsafeMutablePointer<ndx_moments>
    private static let buckets = Int(NDX_BUCKETS)

    init(_ description: StoreDescription) {
        self.description = description
        neurons = description.neuronCount
        topCount = description.topCount
        statistics = .allocate(capacity: neurons)
        statistics.initialize(repeating: ndx_statistics_empty(), count: neurons)
        histograms = .allocate(capacity: neurons * Self.buckets)
        histograms.initialize(repeating: 0, count: neurons * Self.buckets)
        tops = .allocate(capacity: neurons * topCount)
        topSizes = .allocate(capacity: neurons)
        topSizes.initialize(repeating: 0, count: neurons)
        tail = .allocate(capacity: neurons)
        tail.initialize(repeating: ndx_moments(), count: neurons)
    }

    deinit {
        statistics.deallocate()
        histograms.deallocate()
        tops.deallocate()
        topSizes.deallocate()
        tail.deallocate()
    }

    /// Folds in the lanes `from ..< to` of a block's column. `to` is the number of lanes the block has now.
    func fold(
        neuron: Int, values: UnsafeRawPointer, positions: UnsafeRawPointer, width: Int, lanes from: Int, _ to: Int, block: Int
    ) {
        let capacity = description.blockImages
        if from < to {
            let start = values + from * MemoryLayout<Float>.size
            ndx_column_fold(start, to - from, statistics + neuron, histograms + neuron * Self.buckets)
            topSizes[neuron] = ndx_top_fold(
                tops + neuron * topCount, topSizes[neuron], topCount, 1, start, positions + from * width, width, to - from,
                UInt32(block * capacity + from), nil)
        }
        let moments = ndx_column_moments(values, to)
        if to == capacity {
            statistics[neuron].settled = ndx_moments_join(statistics[neuron].settled, moments)
            tail[neuron] = ndx_moments()
        } else {
            tail[neuron] = moments
        }
    }

    /// The statistics of a neuron over everything folded in.
    func result(neuron: Int) -> NeuronStatistics {
        let histogram = UnsafeBufferPointer(start: histograms + neuron * Self.buckets, count: Self.buckets)
        return NeuronStatistics(
            neuron: neuron, raw: statistics[neuron], moments: ndx_moments_join(statistics[neuron].settled, tail[neuron]),
            histogram: Array(histogram))
    }

    /// The list of a neuron, strongest first.
    func strongest(neuron: Int) -> [TopEntry] {
        let heap = UnsafeBufferPointer(start: tops + neuron * topCount, count: topSizes[neuron])
        var sorted = Array(heap)
        sorted.withUnsafeMutableBufferPointer { ndx_top_sort($0.baseAddress, $0.count) }
        return sorted.map { TopEntry(image: Int($0.image), value: $0.key, position: Int($0.position)) }
    }

    /// Reads what an earlier run left.
    func load(_ database: Database) throws {
        let rows = try Row.fetchCursor(database, sql: NeuronStatistics.selectSQL)
        while let row = try rows.next() {
            let stored = NeuronStatistics(row: row)
            guard stored.neuron >= 0, stored.neuron < neurons else { continue }
            statistics[stored.neuron] = stored.raw
            for (bucket, count) in stored.histogram.enumerated() { histograms[stored.neuron * Self.buckets + bucket] = count }
        }
        let lists = try RawStatement(
            database, "SELECT neuron_id, rank, image_id, value, y, x FROM top_activation ORDER BY neuron_id, rank DESC")
        // Weakest first is a heap.
        while try lists.step() {
            let neuron = lists.int(0)
            guard neuron >= 0, neuron < neurons, topSizes[neuron] < topCount else { continue }
            let width = description.layer(ofNeuron: neuron).width
            tops[neuron * topCount + topSizes[neuron]] = ndx_top(
                key: Float(lists.double(3)), image: UInt32(lists.int(2)), position: UInt32(lists.int(4) * width + lists.int(5)))
            topSizes[neuron] += 1
        }
    }

    /// Writes everything as rows, in the caller's transaction.
    func save(_ database: Database) throws {
        try database.execute(sql: "DELETE FROM neuron_statistics")
        for neuron in 0..<neurons { try result(neuron: neuron).insert(database) }

        // Filling the table first and making its index afterwards took a third of the time (2.7 million rows).
        let index = try String.fetchOne(database, sql: "SELECT sql FROM sqlite_schema WHERE name = 'top_by_image'")
        try database.execute(sql: "DROP INDEX IF EXISTS top_by_image; DELETE FROM top_activation")
        let insert = try RawStatement(database, "INSERT INTO top_activation VALUES (?, ?, ?, ?, ?, ?)")
        for layer in description.layers {
            for neuron in layer.neurons {
                for (rank, entry) in strongest(neuron: neuron).enumerated() {
                    insert.bind(1, neuron)
                    insert.bind(2, rank + 1)
                    insert.bind(3, entry.image)
                    insert.bind(4, Double(entry.value))
                    insert.bind(5, entry.position / layer.width)
                    insert.bind(6, entry.position % layer.width)
                    try insert.run()
                }
            }
        }
        if let index { try database.execute(sql: index) }
    }
}

/// One entry of a list of the strongest.
package struct TopEntry: Hashable, Sendable {
    package let image: Int
    package let value: Float
    /// y · width + x.
    package let position: Int
}
