public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// The neurons that separate two sets of images. For each: the effect as AUROC (the share of pairs of which the image of A has the larger
/// value, ties half, NaN lowest), the two-sided p-value of Mann and Whitney's rank test (normal approximation with tie and continuity
/// correction), and the false discovery rate at which the neuron would be called different (Benjamini and Hochberg 1995, over all neurons asked for).
public struct ContrastQuery: Query {
    public static let name = "contrast"
    public static let abstract = "Find the neurons that separate two sets of images."
    public static let usage = "--a <condition>"
    public static let discussion = """
        Examples:

          neurodex contrast shop.sqlite --a "label = 'cat'" --b "label = 'dog'"
          neurodex contrast shop.sqlite --a "split = 'test'" --rate 0.05

        What goes on in images that are answered wrongly: --a correct --b "NOT correct". AUROC is 1 where every image of A excites the neuron more than every image of B does, 0 where less, 0.5 where they do not \
        differ. p is that of Mann and Whitney's rank test; q is Benjamini and Hochberg's, over all neurons asked for: of the neurons with \
        q ≤ 0.05, 5 % are expected to differ by chance alone.
        """

    @Option(help: "Images of the first set: an SQL condition as --where of top takes it.")
    public var a: String

    @Option(help: "Images of the second set (default: all others).")
    public var b: String?

    @Option(
        help: ArgumentHelp("Only this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Option(name: .customShort("k"), help: "How many neurons.")
    public var count = 10

    @Option(help: ArgumentHelp("Only neurons at this false discovery rate, such as 0.05 (default: any).", valueName: "rate"))
    public var rate: Double?

    @Flag(help: "List neurons that say the same of the images in rows of their own, instead of once.")
    public var copies = false

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(a: String, b: String? = nil, layer: [String] = [], count: Int = 10, rate: Double? = nil, copies: Bool = false) {
        self.a = a
        self.b = b
        self.layer = layer
        self.count = count
        self.rate = rate
        self.copies = copies
    }

    public static func samples(_ ground: SampleGround) -> [ContrastQuery] {
        [
            ContrastQuery(a: "label = '\(ground.label)'", count: 6),
            ContrastQuery(a: "label = '\(ground.label)'", count: 6, copies: true),
            ContrastQuery(a: "split = 'val'", b: "split = 'train'", rate: 1),
        ]
    }

    public func check(isDrawn: Bool) throws { guard count >= 1 else { throw QueryError.wrongCount(count) } }

    public var options: [String] {
        Spelling.option("--a", a) + Spelling.option("--b", b) + Spelling.option("--layer", layer)
            + Spelling.option("-k", "\(count)") + Spelling.option("--rate", rate.map { "\($0)" })
            + Spelling.flag("--copies", copies)
    }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        /// From 1.
        public var rank: Int
        /// 1: every image of A is above every image of B; 0: below; 0.5: no difference.
        public var auroc: Double
        public var p: Double
        /// The smallest false discovery rate at which this neuron is found.
        public var q: Double
        /// Neurons that say the same of the images (``Copies``), and come after this one.
        public var copies: [NeuronName]

        public static let columns: [ListColumn<Hit>] = list {
            layerColumn
            channelColumn
            column("rank", \.rank)
            neuronColumn
            column("auroc", title: "AUROC", \.auroc)
            column("p", \.p)
            column("q", \.q)
            copiesColumn(\.copies)
        }
    }

    private struct Tested {
        var neuron: Int
        /// |2U − n·m|: a whole number, so that equal effects are ties.
        var effect: UInt64
        var auroc: Double
        var p: Double
        var q = 1.0
    }

    /// Hits by effect |AUROC − ½|, the largest first, ties by neuron. Of neurons that say the same of the images, the first
    /// stands for all, unless `copies` lists them.
    /// - Throws: ``StoreError``, ``QueryError`` where a condition is none, a set is empty, or an image is in both.
    public func run(in store: Store) throws -> Findings<Hit> {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        if let rate, !(0...1).contains(rate) { throw QueryError.outside(option: "--rate", value: "\(rate)", range: "0 to 1") }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let (images, classes, countA) = try sets(store, fold)
            var tested: [Tested] = []
            try RankPass(fold, images: images).visit(neurons, classes) { neuron, results, ties in
                tested.append(
                    Self.test(neuron, rankSum: results[0].rankSum, UInt64(countA), UInt64(images.count - countA), ties: ties))
            }
            for (index, rate) in falseDiscoveryRates(tested.map { $0.p }).enumerated() { tested[index].q = rate }
            let remarks = remarks(tested, countA, images.count - countA)
            tested = tested.filter { one in rate.map { one.q <= $0 } ?? true }
            tested.sort { $0.effect == $1.effect ? $0.neuron < $1.neuron : $0.effect > $1.effect }
            let effects = tested.map { abs($0.auroc - 0.5) }
            let groups = try Copies(images, fold).groups(
                tested.map { $0.neuron }, effects: effects, bound: Copies.bound(own: countA, of: images.count), count: count,
                apart: copies)
            return Findings(
                groups.enumerated().map { index, group in
                    let one = tested[group.leader]
                    let (layer, channel) = store.description.name(ofNeuron: one.neuron)
                    return Hit(
                        layer: layer, channel: channel, rank: index + 1, auroc: one.auroc, p: one.p, q: one.q,
                        copies: group.members.map { NeuronName(tested[$0].neuron, store.description) })
                }, remarks: remarks)
        }
    }

    /// The images of both sets, and in which of them each is: 0 is A.
    private func sets(_ store: Store, _ fold: BlockFold) throws -> (images: [Int], classes: RankPass.Classes, countA: Int) {
        let maskA = try Predicate(a, in: fold.snapshot, images: fold.images, option: "--a").mask
        let maskB =
            try b.map { try Predicate($0, in: fold.snapshot, images: fold.images, option: "--b").mask }
            ?? maskA.indices.map { maskA[$0] == 0 && fold.presence?[$0] != 0 ? 1 : 0 }
        for (option, condition, mask) in [("--a", Optional(a), maskA), ("--b", b, maskB)] where !mask.contains(1) {
            guard let condition else { throw QueryError.emptySet(option) }
            throw QueryError.emptySelection(try EmptySelection(condition, option, in: fold.snapshot))
        }
        let both = zip(maskA, maskB).count { $0 == 1 && $1 == 1 }
        guard both == 0 else { throw QueryError.overlap(images: both) }
        let images = maskA.indices.filter { maskA[$0] == 1 || maskB[$0] == 1 }
        let countA = maskA.count { $0 == 1 }
        return (images, RankPass.Classes(numbers: images.map { maskA[$0] == 1 ? 0 : 1 }, count: 2), countA)
    }

    /// Sets that are too small for any neuron to be found; and why nothing is.
    private func remarks(_ tested: [Tested], _ countA: Int, _ countB: Int) -> [Remark] {
        // That of a neuron without ties that has all of A above all of B.
        let least = Self.test(
            0, rankSum: UInt64(countA * (countA + 1) + 2 * countA * countB), UInt64(countA), UInt64(countB), ties: 0
        ).p
        let bounds = String(format: "p is %.2g or more, whatever a neuron does", least)
        var remarks: [Remark] = [("--a", countA), (b == nil ? "the rest" : "--b", countB)].filter { $0.1 < Self.fewest }.map {
            .smallSet(name: $0.0, images: $0.1, fewest: Self.fewest, consequence: bounds)
        }
        if let rate, let smallest = tested.map({ $0.q }).min(), smallest > rate {
            remarks.append(
                .nothing(
                    lookedAt: "\(tested.count) neurons",
                    because: String(format: "none is found at the false discovery rate %g; the smallest is %.2g", rate, smallest))
            )
        }
        return remarks
    }

    /// Images that a set needs to tell anything.
    private static let fewest = 5

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
