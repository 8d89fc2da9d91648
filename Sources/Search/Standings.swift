import ActivationStore
import CKernels
import GRDB

/// Where one image stands among all on each neuron: twice the number of images below plus the number as strong. Bounds first, and
/// exact for those that matter.
struct Standings {
    struct Standing {
        let neuron: Int
        let value: Float
        /// Bounds of 2 · below + equal, both included.
        var low: Int
        var high: Int
        var isExact: Bool { low == high }
    }

    private let values: [Float]
    private let isStored: Bool
    private let fold: BlockFold
    private var standings: [Standing] = []

    /// - Parameters:
    ///   - values: the image's, by neuron id.
    ///   - isStored: whether the image is one of the store's.
    init(values: [Float], isStored: Bool, _ fold: BlockFold) {
        self.values = values
        self.isStored = isStored
        self.fold = fold
    }

    /// Bounds the standings of some neurons by their histograms; without these, by nothing.
    mutating func bound(_ neurons: NeuronSet, _ database: Database) throws {
        let isComplete = try fold.store.isDerivedComplete(database)
        let select = try RawStatement(
            database,
            """
            SELECT neuron_id, nan_count, zero_count, histogram_first, histogram FROM neuron_statistics
            WHERE neuron_id BETWEEN ? AND ? ORDER BY neuron_id
            """)
        let unknown = (isStored ? 1 : 0, 2 * fold.present - (isStored ? 1 : 0))
        for range in neurons.ranges {
            if isComplete {
                select.bind(1, range.lowerBound)
                select.bind(2, range.upperBound - 1)
                while try select.step() {
                    let neuron = select.int(0)
                    let value = values[neuron]
                    guard !value.isNaN else { continue }
                    let (low, high) = Self.bounds(
                        value, nans: select.int(1), zeros: select.int(2), first: select.int(3), histogram: select.bytes(4),
                        isStored: isStored)
                    standings.append(Standing(neuron: neuron, value: value, low: low, high: high))
                }
                select.reset()
            } else {
                for neuron in range where !values[neuron].isNaN {
                    standings.append(Standing(neuron: neuron, value: values[neuron], low: unknown.0, high: unknown.1))
                }
            }
        }
    }

    private static func bounds(
        _ value: Float, nans: Int, zeros: Int, first: Int, histogram: UnsafeRawBufferPointer, isStored: Bool
    ) -> (Int, Int) {
        let own = bucket(of: value) - first
        var below = nans
        for index in 0..<max(0, min(own, histogram.count / 4)) {
            below += Int(histogram.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        }
        // Zero is the smallest value of its bucket, and its images are counted.
        if value == 0 { return (2 * below + zeros, 2 * below + zeros) }
        let isListed = own >= 0 && own < histogram.count / 4
        let beside = isListed ? Int(histogram.loadUnaligned(fromByteOffset: own * 4, as: UInt32.self)) : 0
        return isStored ? (2 * below + 1, 2 * (below + beside) - 1) : (2 * below, 2 * (below + beside))
    }

    /// The histogram's bucket, as schema.sql defines it.
    private static func bucket(of value: Float) -> Int {
        let bits = value.bitPattern
        let place = min(max(Int((bits & 0x7fff_ffff) >> 21) - 444, 0), 127)
        return bits > 0x8000_0000 ? 127 - place : 128 + place
    }

    /// The `count` largest standings, exact, largest first, ties by neuron.
    mutating func best(_ count: Int, _ database: Database) throws -> [Standing] {
        // What `count` neurons reach for certain, no other can do without.
        var bound = standings.count > count ? standings.map { $0.low }.sorted(by: >)[count - 1] : 0
        standings = standings.filter { $0.high >= bound }.sorted { ($0.high, $1.neuron) > ($1.high, $0.neuron) }
        bound = max(bound, try settleByLists(count, database))
        try settleByBlocks(standings.filter { $0.high >= bound && !$0.isExact }.map { $0.neuron })
        standings = standings.filter { $0.high >= bound }.sorted { ($0.low, $1.neuron) > ($1.low, $0.neuron) }
        return Array(standings.prefix(count))
    }

    /// Settles neurons whose list of the strongest reaches down to the image's value, the most promising first. Returns what `count` of them
    /// reach, or 0.
    private mutating func settleByLists(_ count: Int, _ database: Database) throws -> Int {
        guard try fold.store.isDerivedComplete(database) else { return 0 }
        let lists = try fold.store.topLists(database)
        var reached: [Int] = []
        var bound = 0
        for index in standings.indices {
            guard standings[index].high >= bound else { break }
            let standing = standings[index]
            if !standing.isExact {
                let list = try lists.list(neuron: standing.neuron)
                guard list.count < fold.store.description.topCount || (list.last.map { standing.value > $0.value } ?? true) else {
                    continue
                }
                let above = list.count { $0.value > standing.value }
                let equal = list.count { $0.value == standing.value }
                standings[index].low = 2 * (fold.present - above) - equal
                standings[index].high = standings[index].low
            }
            let own = standings[index].low
            guard reached.count < count || own > bound else { continue }
            let place = reached.firstIndex { $0 < own } ?? reached.count
            reached.insert(own, at: place)
            if reached.count > count { reached.removeLast() }
            if reached.count == count { bound = reached[count - 1] }
        }
        return bound
    }

    /// Counts in the blocks, in one pass.
    private mutating func settleByBlocks(_ neurons: [Int]) throws {
        guard !neurons.isEmpty else { return }
        var column = [Float](repeating: 0, count: fold.present)
        var below = [UInt64](repeating: 0, count: values.count)
        var equal = [UInt64](repeating: 0, count: values.count)
        for range in NeuronSet(neurons.map { $0..<$0 + 1 }).ranges {
            for (block, lanes) in fold.blocks.enumerated() {
                let present = fold.present(inBlock: block)
                func isWanted(_ neuron: Int, _ maximum: Float?) -> Bool {
                    if let maximum, maximum >= values[neuron] { return true }
                    below[neuron] += UInt64(present)
                    return false
                }
                try fold.scan.rows(block: block, lanes: lanes, neurons: range, where: isWanted) { row in
                    guard fold.presence != nil else {
                        return ndx_count_around(row.values, lanes, values[row.neuron], &below[row.neuron], &equal[row.neuron])
                    }
                    column.withUnsafeMutableBufferPointer { column in
                        guard let base = column.baseAddress else { return }
                        fold.gather(row, to: base)
                        let own = base + fold.presentBefore(block: block)
                        ndx_count_around(own, present, values[row.neuron], &below[row.neuron], &equal[row.neuron])
                    }
                }
            }
        }
        let counted = Set(neurons)
        for index in standings.indices where counted.contains(standings[index].neuron) {
            let neuron = standings[index].neuron
            standings[index].low = Int(2 * below[neuron] + equal[neuron])
            standings[index].high = standings[index].low
        }
    }
}
