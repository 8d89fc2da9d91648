public import ActivationStore
public import ArgumentParser
import CKernels

/// Pairs of neurons of a layer that rank the images alike: Spearman's rank correlation over all images, mid-ranks for ties, NaN below
/// everything. Exact: sums of whole numbers. A constant neuron has no correlation.
public struct DuplicatesQuery: Query {
    public static let name = "duplicates"
    public static let abstract = "Neurons of a layer that do the same."

    @Option(help: ArgumentHelp("Only this layer; may be repeated (default: all).", valueName: "layer"))
    public var layer: [String] = []

    @Option(help: "List pairs whose rank correlation is at least this.")
    public var threshold = 0.95

    @Option(name: .customShort("k"), help: "List only the first so many (default: all).")
    public var count: Int?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(layer: [String] = [], threshold: Double = 0.95, count: Int? = nil) {
        self.layer = layer
        self.threshold = threshold
        self.count = count
    }

    public struct Hit: Hashable, Sendable, Encodable {
        public var layer: String
        public var channel: Int
        /// The larger channel of the two.
        public var other: Int
        /// Spearman's ρ, −1 … 1.
        public var correlation: Double
    }

    /// Bytes of ranks that are held at once, in two bands of neurons.
    private static let memory = 512 << 20

    /// Pairs by correlation, the largest first, ties by neuron.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        if let count, count < 1 { throw QueryError.wrongCount(count) }
        guard (-1...1).contains(threshold) else {
            throw QueryError.outside(option: "--threshold", value: "\(threshold)", range: "-1 to 1")
        }
        let references = try layer.map { try NeuronReference($0, in: store.description).layer.name }
        var found: [(layer: Int, hit: Hit)] = []
        try store.read { database in
            let fold = try BlockFold(store, database)
            for (index, layer) in store.description.layers.enumerated()
            where references.isEmpty || references.contains(layer.name) {
                found += try pairs(of: layer, fold).map { (index, $0) }
            }
        }
        found.sort { a, b in
            guard a.hit.correlation == b.hit.correlation else { return a.hit.correlation > b.hit.correlation }
            return (a.layer, a.hit.channel, a.hit.other) < (b.layer, b.hit.channel, b.hit.other)
        }
        return found.prefix(count ?? .max).map { $0.hit }
    }

    private func pairs(of layer: LayerRecord, _ fold: BlockFold) throws -> [Hit] {
        let size = max(8, Self.memory / 2 / (max(fold.present, 1) * 4))
        let bands = stride(from: 0, to: layer.channels, by: size).map { $0..<min($0 + size, layer.channels) }
        var hits: [Hit] = []
        for (index, band) in bands.enumerated() {
            let left = try RankBand(layer, band, fold)
            hits += products(left, left, layer, fold.present)
            for other in bands[(index + 1)...] { hits += products(left, try RankBand(layer, other, fold), layer, fold.present) }
        }
        return hits
    }

    private func products(_ left: RankBand, _ right: RankBand, _ layer: LayerRecord, _ images: Int) -> [Hit] {
        // Rows of the left band for one task; the right band is gone through in pieces of as many.
        let rows = 32
        let tasks = (left.channels.count + rows - 1) / rows
        var results = [[Hit]](repeating: [], count: tasks)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            inParallel(tasks) {
            } work: { task, _ in
                let first = task * rows
                let count = min(rows, left.channels.count - first)
                for start in stride(from: left === right ? first : 0, to: right.channels.count, by: rows) {
                    let width = min(rows, right.channels.count - start)
                    var products = [Double](repeating: 0, count: count * width)
                    ndx_rank_products(
                        left.ranks + first * images, count, right.ranks + start * images, width, images, images, &products)
                    for a in 0..<count {
                        for b in 0..<width {
                            let (one, other) = (left.channels.lowerBound + first + a, right.channels.lowerBound + start + b)
                            let length = (left.squares[first + a] * right.squares[start + b]).squareRoot()
                            guard other > one, length > 0 else { continue }
                            let correlation = products[a * width + b] / length
                            guard correlation >= threshold else { continue }
                            results[task].append(Hit(layer: layer.name, channel: one, other: other, correlation: correlation))
                        }
                    }
                }
            }
        }
        return results.flatMap { $0 }
    }
}

/// The ranks of some neurons of a layer.
private final class RankBand {
    let channels: Range<Int>
    /// One row a channel: 2 · midrank − (n + 1) of every image that is there.
    let ranks: UnsafeMutablePointer<Float>
    /// Sums of their squares.
    private(set) var squares: [Double]

    init(_ layer: LayerRecord, _ channels: Range<Int>, _ fold: BlockFold) throws {
        self.channels = channels
        let images = fold.present
        ranks = .allocate(capacity: max(channels.count * images, 1))
        squares = [Double](repeating: 0, count: channels.count)
        let first = layer.firstNeuron + channels.lowerBound
        try fold.rows(NeuronSet([first..<first + channels.count])) { _, row in
            fold.gather(row, to: ranks + (row.neuron - first) * images)
        }
        let order = Array(0..<images)
        squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let (squares, ranks) = (squares, ranks)
            inParallel(channels.count) {
                Sorter(images: order)
            } work: { index, sorter in
                sorter.sort(ranks + index * images)
                squares[index] = sorter.centredRanks(to: ranks + index * images)
            }
        }
    }

    deinit { ranks.deallocate() }
}
