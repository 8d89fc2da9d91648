public import ActivationStore
public import ArgumentParser
import CKernels
public import Support

/// Which neurons go along with a number that is known of images, such as an age: Spearman's ρ over the images of which it is
/// known (mid-ranks for ties; a neuron's NaN below everything). Exact: sums of whole numbers. Part of `neurons --selective`.
public struct CorrelationQuery: Query {
    public static let name = "correlation"
    public static let abstract = "Rank neurons by how well they go along with a numeric attribute."

    @Option(help: "The attribute.")
    public var attribute: String

    @Option(help: ArgumentHelp("Only this layer, or LAYER:CHANNEL; may be repeated.", valueName: "layer"), completion: .neurons)
    public var layer: [String] = []

    @Option(name: .customShort("k"), help: "How many neurons.")
    public var count = 10

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(attribute: String, layer: [String] = [], count: Int = 10, condition: String? = nil) {
        (self.attribute, self.layer, self.count, self.condition) = (attribute, layer, count, condition)
    }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        public var attribute: String
        /// Images of which the number is known.
        public var images: Int
        /// −1 … 1.
        public var correlation: Double

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("attribute", \.attribute).shortened
            column("images", \.images)
            column("rank_correlation", title: "rank correlation", \.correlation)
        }
    }

    /// Hits by |ρ|, the largest first, ties by neuron; neurons that are constant have none, and are not listed.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let mask = try snapshot.filledMask(where: condition)
            guard let known = try snapshot.attributes(named: [attribute]).first else {
                throw QueryError.unknownAttribute(name: attribute, known: try snapshot.attributeNames().map(\.name))
            }
            let images = (0..<fold.images).filter { (mask == nil || mask?[$0] == 1) && known[image: $0] != nil }
            let wanted = Self.centredRanks(images.map { known.values[$0] })
            var hits: [Hit] = []
            try RankPass(fold, images: images).visit(neurons) { sorter, _ in
                sorter.correlation(with: wanted)
            } body: { neuron, correlation in
                guard let correlation else { return }
                let (layer, channel) = store.description.name(ofNeuron: neuron)
                hits.append(
                    Hit(
                        layer: layer, channel: channel, attribute: attribute, images: images.count, correlation: correlation))
            }
            let order = largest(hits.map { abs($0.correlation) }, mask: nil, count: count)
            let reason =
                wanted.squares == 0 ? "\(attribute) is the same on all images of which it is known" : "every neuron is constant"
            return Findings(
                order.map { hits[$0] },
                remarks: order.isEmpty ? [.nothing(lookedAt: "\(images.count) images", because: reason)] : [])
        }
    }

    /// 2 · midrank − (n + 1) of every number, and the sum of their squares.
    static func centredRanks(_ numbers: [Double]) -> (ranks: [Float], squares: Double) {
        let order = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
        var ranks = [Float](repeating: 0, count: numbers.count)
        var (squares, start) = (0.0, 0)
        while start < order.count {
            var end = start + 1
            while end < order.count, numbers[order[end]] == numbers[order[start]] { end += 1 }
            let rank = Double(start + 1 + end - (numbers.count + 1))
            for index in start..<end { ranks[order[index]] = Float(rank) }
            squares += rank * rank * Double(end - start)
            start = end
        }
        return (ranks, squares)
    }
}

extension Sorter {
    /// The rank correlation of the column sorted last with numbers; nil where either is constant.
    fileprivate func correlation(with numbers: (ranks: [Float], squares: Double)) -> Double? {
        var ranks = [Float](repeating: 0, count: numbers.ranks.count)
        let squares = ranks.withUnsafeMutableBufferPointer { ranks in ranks.baseAddress.map { centredRanks(to: $0) } ?? 0 }
        let length = (squares * numbers.squares).squareRoot()
        guard length > 0 else { return nil }
        var product = 0.0
        ndx_rank_products(ranks, 1, numbers.ranks, 1, ranks.count, ranks.count, &product)
        return product / length
    }
}
