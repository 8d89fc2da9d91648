public import ActivationStore
public import ArgumentParser
import Foundation

/// The neurons that separate two sets of images. For each: the effect as AUROC (the share of pairs of which the image of A has the larger
/// value, ties half, NaN lowest), the two-sided p-value of Mann and Whitney's rank test (normal approximation with tie and continuity
/// correction), and the false discovery rate at which the neuron would be called different (Benjamini and Hochberg 1995, over all neurons asked for).
public struct ContrastQuery: Query {
    public static let name = "contrast"
    public static let abstract = "The neurons that separate two sets of images."

    @Option(help: "Images of the first set: an SQL condition as --where of top takes it.")
    public var a: String

    @Option(help: "Images of the second set (default: all others).")
    public var b: String?

    @Option(help: ArgumentHelp("Only this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"))
    public var layer: [String] = []

    @Option(name: .customShort("k"), help: "How many neurons.")
    public var count = 10

    @Option(help: ArgumentHelp("Only neurons at this false discovery rate, such as 0.05 (default: any).", valueName: "rate"))
    public var rate: Double?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(a: String, b: String? = nil, layer: [String] = [], count: Int = 10, rate: Double? = nil) {
        self.a = a
        self.b = b
        self.layer = layer
        self.count = count
        self.rate = rate
    }

    public struct Hit: Hashable, Sendable, Encodable {
        public var layer: String
        public var channel: Int
        /// From 1.
        public var rank: Int
        /// 1: every image of A is above every image of B; 0: below; 0.5: no difference.
        public var auroc: Double
        public var p: Double
        /// The smallest false discovery rate at which this neuron is found.
        public var q: Double
    }

    private struct Tested {
        var neuron: Int
        /// |2U − n·m|: a whole number, so that equal effects are ties.
        var effect: UInt64
        var auroc: Double
        var p: Double
        var q = 1.0
    }

    /// Hits by effect |AUROC − ½|, the largest first, ties by neuron.
    /// - Throws: ``StoreError``, ``QueryError`` where a condition is none, a set is empty, or an image is in both.
    public func run(in store: Store) throws -> [Hit] {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        if let rate, !(0...1).contains(rate) { throw QueryError.outside(option: "--rate", value: "\(rate)", range: "0 to 1") }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description)
        var tested = try store.read { database in
            let fold = try BlockFold(store, database)
            let maskA = try Predicate(a, in: store, database, images: fold.images, option: "--a").mask
            let maskB =
                try b.map { try Predicate($0, in: store, database, images: fold.images, option: "--b").mask }
                ?? maskA.indices.map { maskA[$0] == 0 && fold.presence?[$0] != 0 ? 1 : 0 }
            let both = zip(maskA, maskB).count { $0 == 1 && $1 == 1 }
            guard both == 0 else { throw QueryError.overlap(images: both) }
            let images = maskA.indices.filter { maskA[$0] == 1 || maskB[$0] == 1 }
            let countA = maskA.count { $0 == 1 }
            guard countA > 0, countA < images.count else { throw QueryError.emptySet(countA == 0 ? "--a" : "--b") }
            let classes = RankPass.Classes(numbers: images.map { maskA[$0] == 1 ? 0 : 1 }, count: 2)
            var tested: [Tested] = []
            try RankPass(fold, images: images).visit(neurons, classes) { neuron, results, ties in
                tested.append(
                    Self.test(neuron, rankSum: results[0].rankSum, UInt64(countA), UInt64(images.count - countA), ties: ties))
            }
            return tested
        }
        for (index, rate) in falseDiscoveryRates(tested.map { $0.p }).enumerated() { tested[index].q = rate }
        tested = tested.filter { one in rate.map { one.q <= $0 } ?? true }
        tested.sort { $0.effect == $1.effect ? $0.neuron < $1.neuron : $0.effect > $1.effect }
        return tested.prefix(count).enumerated().map { index, one in
            let (layer, channel) = store.description.name(ofNeuron: one.neuron)
            return Hit(layer: layer, channel: channel, rank: index + 1, auroc: one.auroc, p: one.p, q: one.q)
        }
    }

    /// - Parameters:
    ///   - rankSum: twice that of A.
    ///   - ties: the sum of t³ − t.
    private static func test(_ neuron: Int, rankSum: UInt64, _ countA: UInt64, _ countB: UInt64, ties: Double) -> Tested {
        let (n, m) = (Double(countA), Double(countB))
        let all = n + m
        let pairs = rankSum - countA * (countA + 1)  // 2U
        let effect = pairs > countA * countB ? pairs - countA * countB : countA * countB - pairs
        let variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)))
        let deviation = max(0, Double(effect) / 2 - 0.5)
        let p = variance > 0 ? min(1, erfc(deviation / variance.squareRoot() / 2.0.squareRoot())) : 1
        return Tested(neuron: neuron, effect: effect, auroc: Double(pairs) / (2 * n * m), p: p)
    }
}
