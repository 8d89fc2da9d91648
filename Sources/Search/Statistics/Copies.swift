import ActivationStore
import CKernels

/// Neurons that say the same of the images: copies of each other, such as a convolution, the concatenation that it goes into
/// and the pooling after it.
///
/// Two neurons are copies if their rank correlation over the images (Spearman's ρ, mid-ranks for ties, NaN lowest) is at least
/// ``alike``. Of fewer than ``fewest`` images, by chance alone many rank alike: there, copies have the same value on every
/// image. Constant neurons are no copies.
///
/// To sort all images of every neuron would take longer than the question, so that neurons are compared on ``sketched`` images
/// first, spread evenly: with ρ = 0.99 over all, less than ``alikeSketched`` over those does not happen, unless nearly all
/// values are ties.
struct Copies {
    static let alike = 0.99
    static let fewest = 20

    /// A neuron and its copies, which come after it.
    struct Group {
        var leader: Int
        var members: [Int] = []
    }

    /// Images of a sketch, and the least correlation over them that is looked into.
    private static let (sketched, alikeSketched) = (512, 0.9)

    /// Ranks that are centred, and the sum of their squares.
    private struct Ranks {
        var values: [Float]
        var square = 0.0

        init(_ sorter: Sorter, _ column: UnsafePointer<Float>, count: Int) {
            sorter.sort(column)
            values = [Float](repeating: 0, count: count)
            square = values.withUnsafeMutableBufferPointer { ranks in
                ranks.baseAddress.map { sorter.centredRanks(to: $0) } ?? 0
            }
        }

        /// Spearman's ρ; nil where one is constant.
        func correlation(with other: Ranks) -> Double? {
            guard square > 0, other.square > 0 else { return nil }
            var product = 0.0
            ndx_rank_products(values, 1, other.values, 1, values.count, values.count, &product)
            return product / (square * other.square).squareRoot()
        }
    }

    /// What is known of a neuron that leads a group: its values on all images of the store, until its ranks are asked for.
    private struct Leader {
        let sketch: Ranks
        var column: [Float]
        var ranks: Ranks?
    }

    /// Neurons among which copies of the first groups are looked for.
    private static let mostSearched = 2048
    /// Bytes of columns and ranks that are held at once, beside those of the leaders.
    private static let memory = 64 << 20

    private let images: [Int]
    private let fold: BlockFold
    /// Some of `images`.
    private let sample: [Int]
    private let sorter: Sorter

    init(_ images: [Int], _ fold: BlockFold) {
        (self.images, self.fold) = (images, fold)
        let count = min(images.count, Self.sketched)
        sample = (0..<count).map { images[$0 * images.count / count] }
        sorter = Sorter(images: images)
    }

    /// The first `count` groups of neurons in their order. A neuron belongs to the first group whose leader it is a copy of.
    ///
    /// - Parameters:
    ///   - effects: of each neuron, ascending or descending along the order: AUROC.
    ///   - bound: neurons whose effects differ by more are no copies; see ``bound(own:of:)``.
    ///   - apart: every neuron is a group of its own.
    /// - Returns: places in `neurons`.
    func groups(_ neurons: [Int], effects: [Double], bound: Double = .infinity, count: Int, apart: Bool = false) throws -> [Group]
    {
        guard !apart else { return neurons.indices.prefix(count).map { Group(leader: $0) } }
        var groups: [Group] = []
        var leaders: [Leader] = []
        let length = max(fold.images, 1)
        let most = max(4, min(128, Self.memory / (8 * length)))
        var (start, isDone) = (0, false)
        while !isDone, start < neurons.count, groups.count < count || start < Self.mostSearched {
            let part = start..<min(start + (start == 0 ? min(2 * count, most) : most), neurons.count)
            try read(Array(neurons[part])) { columns, sketches in
                for (index, sketch) in zip(part, sketches) {
                    let column = columns + (index - part.lowerBound) * length
                    let isFull = groups.count == count
                    // Only a neuron about as good as one of the leaders can be its copy.
                    let near = groups.indices.filter { abs(effects[groups[$0].leader] - effects[index]) <= bound }
                    isDone = isFull && near.isEmpty
                    if isDone { return }
                    if let group = copied(near, of: &leaders, column, sketch) {
                        groups[group].members.append(index)
                    } else if !isFull {
                        groups.append(Group(leader: index))
                        leaders.append(Leader(sketch: sketch, column: Array(UnsafeBufferPointer(start: column, count: length))))
                    }
                }
            }
            start = part.upperBound
        }
        return groups
    }

    /// How far the AUROCs of two copies may be from each other: of n of N images, N / √(n(N − n)) · √((1 − ρ) / 6), by Cauchy
    /// and Schwarz from the sum of squared differences of ranks, (1 − ρ) N(N² − 1) / 6; a tenth more, as ties may make the
    /// ranks of one a little shorter.
    static func bound(own: Int, of all: Int) -> Double {
        guard own > 0, own < all else { return 1 }
        return 1.1 * Double(all) / (Double(own) * Double(all - own)).squareRoot() * ((1 - alike) / 6).squareRoot()
    }

    /// Reads neurons, and gives `body` their values, all images of one after those of another, and their sketches.
    private func read(_ neurons: [Int], _ body: (UnsafePointer<Float>, [Ranks]) throws -> Void) throws {
        let length = max(fold.images, 1)
        let columns = UnsafeMutablePointer<Float>.allocate(capacity: neurons.count * length)
        defer { columns.deallocate() }
        let slots = Dictionary(uniqueKeysWithValues: neurons.enumerated().map { ($1, $0) })
        try fold.sharedRows(NeuronSet(neurons.map { $0..<$0 + 1 })) { first, row in
            guard let slot = slots[row.neuron] else { return }
            UnsafeMutableRawPointer(columns + slot * length + first).copyMemory(from: row.values, byteCount: row.count * 4)
        }
        let sketches = Slots(neurons.count, Ranks?.none)
        nonisolated(unsafe) let base = columns
        inParallel(neurons.count) {
            Sorter(images: sample)
        } work: { index, sorter in
            sketches[index] = Ranks(sorter, base + index * length, count: sample.count)
        }
        try body(columns, sketches.array.compactMap { $0 })
    }

    /// The first of `near` that a neuron is a copy of.
    private func copied(
        _ near: [Int], of leaders: inout [Leader], _ column: UnsafePointer<Float>, _ sketch: Ranks
    ) -> Int? {
        var own: Ranks?
        return near.first { place in
            if images.count < Self.fewest { return areEqual(leaders[place].column, column) }
            // A neuron that is constant on the sample may not be so elsewhere.
            if let correlation = leaders[place].sketch.correlation(with: sketch), correlation < Self.alikeSketched {
                return false
            }
            let theirs = leaders[place].ranks ?? Ranks(sorter, leaders[place].column, count: images.count)
            (leaders[place].ranks, leaders[place].column) = (theirs, [])
            let ranks = own ?? Ranks(sorter, column, count: images.count)
            own = ranks
            return theirs.correlation(with: ranks).map { $0 >= Self.alike } ?? false
        }
    }

    /// Whether two neurons have the same values, and not all one.
    private func areEqual(_ a: [Float], _ b: UnsafePointer<Float>) -> Bool {
        guard let first = images.first, images.contains(where: { a[$0] != a[first] && !(a[$0].isNaN && a[first].isNaN) }) else {
            return false
        }
        return images.allSatisfy { a[$0] == b[$0] || a[$0].isNaN && b[$0].isNaN }
    }
}
