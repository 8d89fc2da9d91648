import ActivationStore
import CKernels

/// Where one image stands among all on each neuron: twice the number of images below plus the number as strong. Bounds first, and
/// exact for those that matter.
struct PercentileRanking {
    struct RankBounds {
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
    private var candidates: [RankBounds] = []

    /// - Parameters:
    ///   - values: the image's, by neuron id.
    ///   - isStored: whether the image is one of the store's.
    init(values: [Float], isStored: Bool, _ fold: BlockFold) {
        self.values = values
        self.isStored = isStored
        self.fold = fold
    }

    /// Bounds the candidates of some neurons by their histograms; without these, by nothing.
    mutating func bound(_ neurons: NeuronSet) throws {
        guard try fold.snapshot.isDerivedComplete() else {
            let unknown = (isStored ? 1 : 0, 2 * fold.present - (isStored ? 1 : 0))
            for neuron in neurons.neurons where !values[neuron].isNaN {
                candidates.append(RankBounds(neuron: neuron, value: values[neuron], low: unknown.0, high: unknown.1))
            }
            return
        }
        let (values, isStored) = (values, isStored)
        let parts = neurons.parts(of: 512)
        let found: [[RankBounds]] = try fold.snapshot.readers.map(parts, rows: neurons.count) { snapshot, parts in
            let rows = try snapshot.statisticsRows()
            try parts.take { neurons in
                var candidates: [RankBounds] = []
                candidates.reserveCapacity(neurons.count)
                try rows.visit(neurons) { row in
                    let neuron = row.int(0)
                    let value = values[neuron]
                    guard !value.isNaN else { return }
                    let (low, high) = Self.bounds(
                        value, nans: row.int(2), zeros: row.int(4), first: row.int(9), histogram: row.bytes(10),
                        isStored: isStored)
                    candidates.append(RankBounds(neuron: neuron, value: value, low: low, high: high))
                }
                return candidates
            }
        }
        candidates += found.joined()
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

    /// The `count` largest candidates, exact, largest first, ties by neuron; and all others that are as large as the last of them.
    mutating func best(_ count: Int) throws -> [RankBounds] {
        // What `count` neurons reach for certain, no other can do without.
        var bound = candidates.count > count ? candidates.map { $0.low }.sorted(by: >)[count - 1] : 0
        candidates = candidates.filter { $0.high >= bound }.sorted { ($0.high, $1.neuron) > ($1.high, $0.neuron) }
        bound = max(bound, try makeExactByLists(count))
        try makeExactByBlocks(candidates.filter { $0.high >= bound && !$0.isExact }.map { $0.neuron })
        candidates = candidates.filter { $0.high >= bound }.sorted { ($0.low, $1.neuron) > ($1.low, $0.neuron) }
        guard candidates.count > count else { return candidates }
        let last = candidates[count - 1].low
        return Array(candidates.prefix { $0.low >= last })
    }

    /// Makes exact the neurons whose list of the strongest reaches down to the image's value, the most promising first. Returns what `count` of them
    /// reach, or 0.
    private mutating func makeExactByLists(_ count: Int) throws -> Int {
        guard try fold.snapshot.isDerivedComplete() else { return 0 }
        let lists = try fold.snapshot.topLists()
        var reached: [Int] = []
        var bound = 0
        for index in candidates.indices {
            guard candidates[index].high >= bound else { break }
            let standing = candidates[index]
            if !standing.isExact {
                let list = try lists.list(neuron: standing.neuron)
                guard list.count < fold.description.topCount || (list.last.map { standing.value > $0.value } ?? true) else {
                    continue
                }
                let above = list.count { $0.value > standing.value }
                let equal = list.count { $0.value == standing.value }
                candidates[index].low = 2 * (fold.present - above) - equal
                candidates[index].high = candidates[index].low
            }
            let own = candidates[index].low
            guard reached.count < count || own > bound else { continue }
            let place = reached.firstIndex { $0 < own } ?? reached.count
            reached.insert(own, at: place)
            if reached.count > count { reached.removeLast() }
            if reached.count == count { bound = reached[count - 1] }
        }
        return bound
    }

    /// Counts in the blocks, in one pass.
    private mutating func makeExactByBlocks(_ neurons: [Int]) throws {
        guard !neurons.isEmpty else { return }
        let (fold, values) = (fold, values)
        let chosen = NeuronSet(neurons.map { $0..<$0 + 1 })
        var (below, equal) = ([UInt64](repeating: 0, count: values.count), [UInt64](repeating: 0, count: values.count))
        let parts = chosen.parts(of: 16)
        try below.withUnsafeMutableBufferPointer { below in
            try equal.withUnsafeMutableBufferPointer { equal in
                let (below, equal) = (below, equal)
                try fold.snapshot.readers.forEach(parts, rows: chosen.count * fold.blocks.count) { snapshot, parts in
                    let counter = try Counter(fold, snapshot)
                    try parts.take { neurons in try counter.count(neurons, values, below, equal) }
                }
            }
        }
        let counted = Set(neurons)
        for index in candidates.indices where counted.contains(candidates[index].neuron) {
            let neuron = candidates[index].neuron
            candidates[index].low = Int(2 * below[neuron] + equal[neuron])
            candidates[index].high = candidates[index].low
        }
    }

    /// Counts the images below an image's values and as strong, on one connection.
    private final class Counter {
        private let fold: BlockFold
        private let scan: BlockScan
        private var column: [Float]

        init(_ fold: BlockFold, _ snapshot: Snapshot) throws {
            self.fold = fold
            scan = try snapshot.scan()
            column = [Float](repeating: 0, count: fold.presence == nil ? 0 : fold.present)
        }

        func count(
            _ neurons: Range<Int>, _ values: [Float], _ below: UnsafeMutableBufferPointer<UInt64>,
            _ equal: UnsafeMutableBufferPointer<UInt64>
        ) throws {
            for (block, lanes) in fold.blocks.enumerated() {
                let present = fold.present(inBlock: block)
                try scan.rows(block: block, lanes: lanes, neurons: neurons) { row in
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
    }
}
