public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// Every neuron over all images: extremes, mean, deviation, zeros; or only those that tell nothing.
public struct NeuronsQuery: Query {
    public static let name = "neurons"
    public static let abstract = "List statistics of neurons; find dead, constant and duplicate ones."

    /// What neurons are sorted by.
    public enum Key: String, Sendable, CaseIterable, ExpressibleByArgument {
        case neuron, minimum, maximum, mean, deviation, zeros
    }

    @Option(
        help: ArgumentHelp("Only this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Flag(help: "Neurons that are zero on every image.")
    public var dead = false

    @Flag(help: "Neurons that have one value on every image.")
    public var constant = false

    @Flag(help: "Neurons that are not constant but have exactly their largest value on at least half of the images.")
    public var saturated = false

    @Option(help: "Sort by this column, the largest first; by neuron from the first.")
    public var sort: Key = .neuron

    @Flag(help: "Turn the order round.")
    public var reverse = false

    @Option(name: .customShort("k"), help: "List only the first so many (default: all; 10 where they are ranked by label).")
    public var count: Int?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        layer: [String] = [], dead: Bool = false, constant: Bool = false, saturated: Bool = false, sort: Key = .neuron,
        reverse: Bool = false, count: Int? = nil
    ) {
        self.layer = layer
        self.dead = dead
        self.constant = constant
        self.saturated = saturated
        self.sort = sort
        self.reverse = reverse
        self.count = count
    }

    public var options: [String] {
        Spelling.option("--layer", layer) + Spelling.flag("--dead", dead) + Spelling.flag("--constant", constant)
            + Spelling.flag("--saturated", saturated) + Spelling.option("--sort", sort.rawValue)
            + Spelling.flag("--reverse", reverse) + Spelling.option("-k", count.map { "\($0)" })
    }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        public var images: Int
        /// Images on which it is NaN.
        public var nans: Int
        /// Of values that are not NaN; nil if there is none.
        public var minimum: Float?
        public var maximum: Float?
        /// Of the finite values; nil if there is none.
        public var mean: Double?
        public var deviation: Double?
        /// The share of images with zero, 0 … 1.
        public var zeroShare: Double

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("images", \.images).forPrograms
            column("nans", title: "NaN", \.nans).hidden { $0.nans > 0 }.after("zero_share")
            column("minimum", \.minimum)
            column("maximum", \.maximum)
            column("mean", \.mean)
            column("deviation", \.deviation)
            column("zero_share", title: "zero %", \.zeroShare).shown { .value($0.zeroShare * 100) }
        }
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        if let count, count < 1 { throw QueryError.wrongCount(count) }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description)
        var all = try neurons.ranges.flatMap { try store.statistics(neurons: $0) }
        if dead || constant || saturated {
            let full = try saturated ? saturatedNeurons(all, store) : []
            all = all.filter { dead && $0.isDead || constant && Self.isConstant($0) || full.contains($0.neuron) }
        }
        return sorted(all).prefix(count ?? .max).map { one in
            let (layer, channel) = store.description.name(ofNeuron: one.neuron)
            return Hit(
                layer: layer, channel: channel, images: one.count, nans: one.nanCount, minimum: one.minimum, maximum: one.maximum,
                mean: one.mean, deviation: one.deviation, zeroShare: one.zeroShare)
        }
    }

    static func isConstant(_ one: NeuronStatistics) -> Bool {
        one.count > 0 && one.nanCount == 0 && one.minimum == one.maximum
    }

    private func sorted(_ all: [NeuronStatistics]) -> [NeuronStatistics] {
        guard sort != .neuron else { return reverse ? all.reversed() : all }
        func key(_ one: NeuronStatistics) -> Double? {
            switch sort {
            case .neuron: nil
            case .minimum: one.minimum.map { Double($0) }
            case .maximum: one.maximum.map { Double($0) }
            case .mean: one.mean
            case .deviation: one.deviation
            case .zeros: one.zeroShare
            }
        }
        // Neurons without a value come last either way.
        let keys = all.map { key($0).map { reverse ? -$0 : $0 } ?? -.infinity }
        let order = all.indices.sorted { a, b in
            let (isA, isB) = (key(all[a]) != nil, key(all[b]) != nil)
            return isA != isB ? isA : keys[a] == keys[b] ? a < b : keys[a] > keys[b]
        }
        return order.map { all[$0] }
    }

    /// Those with their maximum on half of the images. Most are settled by their histograms; the rest are counted.
    private func saturatedNeurons(_ all: [NeuronStatistics], _ store: Store) throws -> Set<Int> {
        let candidates = all.filter { one in
            let strongest = one.histogram.last { $0 > 0 } ?? 0
            return !Self.isConstant(one) && 2 * Int(strongest) >= one.count && one.count > 0
        }
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            var found: Set<Int> = []
            for one in candidates {
                guard let maximum = one.maximum else { continue }
                let column = try fold.column(one.neuron)
                let equal = column.indices.count { column[$0] == maximum && fold.presence?[$0] != 0 }
                if 2 * equal >= one.count { found.insert(one.neuron) }
            }
            return found
        }
    }
}

extension NeuronsQuery: ReasonedQuery {
    public func reasonForNothing(in store: Store) throws -> Remark {
        if let empty = try store.emptiness(where: nil) { return empty }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description).count
        let wanted = [
            dead ? "zero on every image" : nil, constant ? "constant" : nil,
            saturated ? "at its largest value on half of the images" : nil,
        ].compactMap { $0 }
        return .nothing(
            lookedAt: "\(neurons) neurons over \(try store.imageCount()) images",
            because: "none is \(wanted.joined(separator: ", or "))")
    }
}
