public import ActivationStore
public import ArgumentParser
public import Support

/// Pairs of neurons of a layer that rank the images alike: Spearman's rank correlation over all images, mid-ranks for ties, NaN below
/// everything. Exact: sums of whole numbers. A constant neuron has no correlation.
public struct DuplicatesQuery: Query {
    public static let name = "duplicates"
    public static let abstract = "Find neurons of a layer that do the same."

    @Option(
        help: ArgumentHelp("Only this layer, or pairs with LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
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

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        /// The larger channel of the two.
        public var other: Int
        /// Spearman's ρ, −1 … 1.
        public var correlation: Double

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("other", \.other).shortened.shown { .text("\($0.layer):\($0.other)") }
            column("correlation", \.correlation)
        }
    }

    /// Pairs by correlation, the largest first, ties by neuron.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        if let count, count < 1 { throw QueryError.wrongCount(count) }
        guard (-1...1).contains(threshold) else {
            throw QueryError.outside(option: "--threshold", value: "\(threshold)", range: "-1 to 1")
        }
        let references = try layer.map { try NeuronReference($0, in: store.description) }
        var found: [(layer: Int, hit: Hit)] = []
        try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            for (index, layer) in store.description.layers.enumerated()
            where references.isEmpty || references.contains(where: { $0.layer.name == layer.name }) {
                let asked = references.filter { $0.layer.name == layer.name }.map(\.neurons)
                // Pairs of all, or those with the neurons that are named.
                let isWhole = asked.isEmpty || asked.contains(layer.neurons)
                let hits =
                    try isWhole ? pairs(of: layer, fold) : Array(Set(asked.flatMap { try pairs(with: $0, of: layer, fold) }))
                found += hits.map { (index, $0) }
            }
        }
        found.sort { a, b in
            guard a.hit.correlation == b.hit.correlation else { return a.hit.correlation > b.hit.correlation }
            return (a.layer, a.hit.channel, a.hit.other) < (b.layer, b.hit.channel, b.hit.other)
        }
        return found.prefix(count ?? .max).map { $0.hit }
    }

    private func pairs(of layer: LayerRecord, _ fold: BlockFold) throws -> [Hit] {
        let bands = RankBand.bands(of: layer.neurons, images: fold.present)
        var hits: [Hit] = []
        for (index, band) in bands.enumerated() {
            let left = try RankBand(band, fold)
            hits += alike(left, left, layer)
            for other in bands[(index + 1)...] { hits += alike(left, try RankBand(other, fold), layer) }
        }
        return hits
    }

    private func pairs(with neurons: Range<Int>, of layer: LayerRecord, _ fold: BlockFold) throws -> [Hit] {
        let left = try RankBand(neurons, fold)
        return try RankBand.bands(of: layer.neurons, images: fold.present).flatMap { band in
            alike(left, try RankBand(band, fold), layer, isOrdered: false)
        }
    }

    /// - Parameter isOrdered: whether a pair is only taken with its larger channel from `right`.
    private func alike(_ left: RankBand, _ right: RankBand, _ layer: LayerRecord, isOrdered: Bool = true) -> [Hit] {
        var results = [[Hit]](repeating: [], count: left.tasks)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            left.correlate(with: right) { task, one, other, correlation in
                guard other > one || !isOrdered && other != one, correlation >= threshold else { return }
                results[task].append(
                    Hit(
                        layer: layer.name, channel: min(one, other) - layer.firstNeuron,
                        other: max(one, other) - layer.firstNeuron,
                        correlation: correlation))
            }
        }
        return results.flatMap { $0 }
    }
}

extension DuplicatesQuery: ReasonedQuery {
    public func reasonForNothing(in store: Store) throws -> Remark {
        if let empty = try store.emptiness(where: nil) { return empty }
        let chosen = try layer.map { try NeuronReference($0, in: store.description).layer.name }
        let layers = store.description.layers.filter { chosen.isEmpty || chosen.contains($0.name) }
        let pairs = layers.reduce(0) { $0 + $1.channels * ($1.channels - 1) / 2 }
        let constant = try layers.reduce(0) { sum, layer in
            try sum + store.statistics(neurons: layer.neurons).count(where: NeuronsQuery.isConstant)
        }
        return .nothing(
            lookedAt: "\(pairs) pairs of neurons",
            because: "none has a rank correlation of \(threshold) or more"
                + (constant > 0 ? "; \(constant) neurons have one value on every image, and no correlation" : ""))
    }
}
