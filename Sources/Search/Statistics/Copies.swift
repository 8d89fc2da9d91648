import ActivationStore
import CKernels

/// Neurons that say the same of the images: copies of each other, such as a convolution, the concatenation that it goes into
/// and the pooling after it.
///
/// Two neurons are copies if their rank correlation over the images (Spearman's ρ, mid-ranks for ties, NaN lowest) is at least
/// ``alike``. Of fewer than ``fewest`` images, by chance alone many rank alike: there, copies have the same value on every
/// image. Constant neurons are no copies.
struct Copies {
    static let alike = 0.99
    static let fewest = 20

    /// A neuron and its copies, which come after it.
    struct Group {
        var leader: Int
        var members: [Int] = []
    }

    /// What is known of a neuron that leads a group.
    private struct Known {
        var ranks: [Float]
        var square: Double
        var values: [Float]
    }

    /// Neurons among which copies of the first groups are looked for.
    private static let mostSearched = 2048
    /// Bytes of columns and ranks that are held at once, beside those of the leaders.
    private static let memory = 64 << 20

    private let images: [Int]
    private let fold: BlockFold

    init(_ images: [Int], _ fold: BlockFold) { (self.images, self.fold) = (images, fold) }

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
        var leaders: [Known] = []
        let most = max(4, min(128, Self.memory / (8 * max(fold.images, 1))))
        var start = 0
        while start < neurons.count, groups.count < count || start < Self.mostSearched {
            let part = start..<min(start + (start == 0 ? min(2 * count, most) : most), neurons.count)
            for (index, own) in zip(part, try known(Array(neurons[part]))) {
                let isFull = groups.count == count
                // Only a neuron about as good as one of the leaders can be its copy.
                let near = groups.indices.filter { abs(effects[groups[$0].leader] - effects[index]) <= bound }
                if isFull, near.isEmpty { return groups }
                if let group = near.first(where: { areCopies(leaders[$0], own) }) {
                    groups[group].members.append(index)
                } else if !isFull {
                    groups.append(Group(leader: index))
                    leaders.append(own)
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

    private func known(_ neurons: [Int]) throws -> [Known] {
        let length = max(fold.images, 1)
        let columns = UnsafeMutablePointer<Float>.allocate(capacity: neurons.count * length)
        defer { columns.deallocate() }
        let slots = Dictionary(uniqueKeysWithValues: neurons.enumerated().map { ($1, $0) })
        try fold.sharedRows(NeuronSet(neurons.map { $0..<$0 + 1 })) { first, row in
            guard let slot = slots[row.neuron] else { return }
            UnsafeMutableRawPointer(columns + slot * length + first).copyMemory(from: row.values, byteCount: row.count * 4)
        }
        let found = Slots(neurons.count, Known(ranks: [], square: 0, values: []))
        let keepsValues = images.count < Self.fewest
        nonisolated(unsafe) let base = columns
        inParallel(neurons.count) {
            Sorter(images: images)
        } work: { index, sorter in
            let column = base + index * length
            sorter.sort(column)
            var own = Known(ranks: [Float](repeating: 0, count: images.count), square: 0, values: [])
            own.square = own.ranks.withUnsafeMutableBufferPointer { ranks in
                ranks.baseAddress.map { sorter.centredRanks(to: $0) } ?? 0
            }
            if keepsValues { own.values = images.map { column[$0] } }
            found[index] = own
        }
        return found.array
    }

    private func areCopies(_ a: Known, _ b: Known) -> Bool {
        guard a.square > 0, b.square > 0 else { return false }
        guard images.count >= Self.fewest else {
            return zip(a.values, b.values).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        }
        var product = 0.0
        ndx_rank_products(a.ranks, 1, b.ranks, 1, images.count, images.count, &product)
        return product / (a.square * b.square).squareRoot() >= Self.alike
    }
}
