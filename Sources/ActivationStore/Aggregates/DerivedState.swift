import CKernels
import Foundation
import GRDB

/// Statistics, histograms and lists of the strongest, kept while images come, as a fold over lanes in id order.
///
/// The result depends on the lanes alone, not on how they were cut into calls: counts, extremes and lists by their nature; the
/// moments because they are joined block by block, whole blocks only, and the last block's are added at the end
/// (``NeuronStatistics``). Memory: 12 bytes × top count a neuron, and 4 bytes for each bucket of the histogram that any neuron
/// near it counts in: some 40 of the 256 behind a ReLU.
final class DerivedState {
    let description: StoreDescription
    private let neurons: Int
    private let topCount: Int
    private let statistics: UnsafeMutablePointer<ndx_statistics>
    /// Bucket by bucket, so that the system gives no memory for those that nothing falls in.
    private let histograms: UnsafeMutablePointer<UInt32>
    private let histogram: UnsafeMutableBufferPointer<UInt32>
    private let tops: UnsafeMutablePointer<ndx_top>
    private let topSizes: UnsafeMutablePointer<Int>
    private let tail: UnsafeMutablePointer<ndx_moments>
    private static let buckets = Int(NDX_BUCKETS)
    /// Bytes of lists that are written out at a time.
    private static let textAtOnce = 2 << 20

    /// - Parameter images: at most so many are folded in.
    init(_ description: StoreDescription, images: Int = .max) {
        self.description = description
        neurons = description.neuronCount
        topCount = min(description.topCount, max(images, 1))
        statistics = .allocate(capacity: neurons)
        statistics.initialize(repeating: ndx_statistics_empty(), count: neurons)
        guard let zeros = calloc(max(neurons, 1) * Self.buckets, MemoryLayout<UInt32>.size) else {
            fatalError("no memory for the histograms of \(neurons) neurons")
        }
        histograms = zeros.bindMemory(to: UInt32.self, capacity: neurons * Self.buckets)
        histogram = .allocate(capacity: Self.buckets)
        let entries = neurons * topCount
        tops = ndx_allocate_large(entries * MemoryLayout<ndx_top>.stride).bindMemory(to: ndx_top.self, capacity: entries)
        topSizes = .allocate(capacity: neurons)
        topSizes.initialize(repeating: 0, count: neurons)
        tail = .allocate(capacity: neurons)
        tail.initialize(repeating: ndx_moments(), count: neurons)
    }

    deinit {
        statistics.deallocate()
        free(histograms)
        histogram.deallocate()
        free(tops)
        topSizes.deallocate()
        tail.deallocate()
    }

    /// Folds in the lanes `from ..< to` of a block's column. `to` is the number of lanes the block has now. Of different neurons it may be
    /// called at the same time.
    func fold(
        neuron: Int, values: UnsafeRawPointer, positions: UnsafeRawPointer, width: Int, lanes from: Int, _ to: Int, block: Int
    ) {
        let capacity = description.blockImages
        if from < to {
            let start = values + from * MemoryLayout<Float>.size
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.buckets) { counts in
                counts.initialize(repeating: 0)
                ndx_column_fold(start, to - from, statistics + neuron, counts.baseAddress)
                add(counts, toNeuron: neuron)
            }
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

    private func add(_ counts: some Collection<UInt32>, toNeuron neuron: Int) {
        for (bucket, count) in counts.enumerated() where count > 0 { histograms[bucket * neurons + neuron] += count }
    }

    /// The histogram of a neuron; valid until the next call.
    private func gatheredHistogram(neuron: Int) -> UnsafeBufferPointer<UInt32> {
        for bucket in histogram.indices { histogram[bucket] = histograms[bucket * neurons + neuron] }
        return UnsafeBufferPointer(histogram)
    }

    private func moments(neuron: Int) -> ndx_moments { ndx_moments_join(statistics[neuron].settled, tail[neuron]) }

    /// The statistics of a neuron over everything folded in.
    func result(neuron: Int) -> NeuronStatistics {
        NeuronStatistics(
            neuron: neuron, raw: statistics[neuron], moments: moments(neuron: neuron),
            histogram: Array(gatheredHistogram(neuron: neuron)))
    }

    /// The list of a neuron, strongest first.
    func strongest(neuron: Int) -> [TopEntry] { withSortedTops(neuron: neuron) { $0.map(TopEntry.init) } }

    /// Gives `body` a copy of a neuron's heap, strongest first.
    private func withSortedTops<T>(neuron: Int, _ body: (UnsafeBufferPointer<ndx_top>) -> T) -> T {
        let count = topSizes[neuron]
        return withUnsafeTemporaryAllocation(of: ndx_top.self, capacity: count) { sorted in
            _ = sorted.initialize(fromContentsOf: UnsafeBufferPointer(start: tops + neuron * topCount, count: count))
            ndx_top_sort(sorted.baseAddress, count)
            return body(UnsafeBufferPointer(sorted))
        }
    }

    /// Reads what an earlier run left of some neurons. Of different neurons it may be called at the same time.
    /// - Throws: ``StoreError/damaged(path:detail:)``.
    func load(_ neurons: Range<Int>, from rows: StatisticsRows, _ lists: TopLists) throws {
        try rows.visit(neurons) { row in
            let stored = NeuronStatistics(row: row)
            statistics[stored.neuron] = stored.raw
            add(stored.histogram, toNeuron: stored.neuron)
        }
        try lists.lists(of: neurons) { neuron, list in
            // Weakest first is a heap.
            for (index, entry) in list.reversed().enumerated() { tops[neuron * topCount + index] = entry }
            topSizes[neuron] = list.count
        }
    }

    /// Writes everything as rows, over all images below `through`, in the caller's transaction.
    func save(_ database: Database, through: Int) throws {
        try database.execute(sql: "DELETE FROM neuron_statistics; DELETE FROM top_list")
        try database.execute(sql: "UPDATE meta SET value = ? WHERE key = 'derived_through'", arguments: [through])
        let statistics = try RawStatement(database, NeuronStatistics.insertSQL)
        for neuron in 0..<neurons {
            try NeuronStatistics.insert(
                statistics, neuron: neuron, raw: self.statistics[neuron], moments: moments(neuron: neuron),
                histogram: gatheredHistogram(neuron: neuron))
        }
        try saveLists(database, through: through)
    }

    /// Some lists at a time are sorted and written out by all cores, then inserted by this one.
    private func saveLists(_ database: Database, through: Int) throws {
        let insert = try RawStatement(database, "INSERT INTO top_list VALUES (?, ?, ?)")
        let room = topCount * Int(NDX_LIST_ENTRY) + 2
        let many = max(1, min(neurons, Self.textAtOnce / room))
        typealias ListRow = (text: UnsafeRawBufferPointer, checksum: Int)
        nonisolated(unsafe) let texts = UnsafeMutablePointer<CChar>.allocate(capacity: many * room)
        nonisolated(unsafe) let rows = UnsafeMutablePointer<ListRow>.allocate(capacity: many)
        defer {
            texts.deallocate()
            rows.deallocate()
        }
        nonisolated(unsafe) let state = self
        for first in stride(from: 0, to: neurons, by: many) {
            let count = min(many, neurons - first)
            DispatchQueue.concurrentPerform(iterations: count) { index in
                let start = texts + index * room
                let length = state.withSortedTops(neuron: first + index) { ndx_list_write($0.baseAddress, $0.count, start) }
                let text = UnsafeRawBufferPointer(start: start, count: length)
                rows[index] = (text, TopLists.checksum(text, neuron: first + index, through: through))
            }
            for index in 0..<count {
                insert.bind(1, first + index)
                insert.bind(2, text: rows[index].text)
                insert.bind(3, rows[index].checksum)
                try insert.run()
            }
        }
    }
}
