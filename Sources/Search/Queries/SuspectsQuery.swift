public import ActivationStore
public import ArgumentParser
import CKernels

/// Images whose label is likely wrong, with the neurons that say so.
///
/// For every label, the neurons of a layer that tell it best (AUROC, ties by neuron) are its witnesses. What they say of an image is the mean of
/// its percentiles among all labelled images (ties half, NaN lowest). An image is suspect by as much as the witnesses of another label speak for
/// it more than those of its own.
public struct SuspectsQuery: DrawnQuery {
    public static let name = "suspects"
    public static let abstract = "Images whose label is likely wrong, and the neurons that say so."

    @Option(help: ArgumentHelp("The layer to ask (default: the last one before the class scores).", valueName: "layer"))
    public var layer: String?

    @Option(help: "How many neurons speak for each label.")
    public var witnesses = 5

    @Option(name: .customShort("k"), help: "How many images.")
    public var count = 10

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(layer: String? = nil, witnesses: Int = 5, count: Int = 10, condition: String? = nil) {
        self.layer = layer
        self.witnesses = witnesses
        self.count = count
        self.condition = condition
    }

    public var options: [String] {
        option("--layer", layer) + option("--witnesses", "\(witnesses)") + option("-k", "\(count)") + option("--where", condition)
    }

    public struct Witness: Hashable, Sendable, Encodable {
        public var layer: String
        public var channel: Int
        /// Of this image on this neuron, 0 … 1.
        public var percentile: Double
    }

    public struct Hit: Hashable, Sendable, Encodable {
        /// From 1.
        public var rank: Int
        /// Path.
        public var image: String
        public var imageID: Int
        public var label: String
        /// The label that other neurons speak for.
        public var suggested: String
        /// What those of `suggested` say less what those of `label` say, 0 … 1.
        public var score: Double
        /// The neurons of `suggested`, the loudest on this image first.
        public var witnesses: [Witness]

        enum CodingKeys: String, CodingKey {
            case rank, image
            case imageID = "image_id"
            case label, suggested, score, witnesses
        }
    }

    /// What one label's witnesses say.
    private struct Testimony {
        var neurons: [Int]
        /// By witness, then place among the images: 2 · mid-rank − 1 of 2n.
        var standings: [[Float]]
        var scores: [Double]
    }

    /// Hits by score, the largest first, ties by image; only those above 0.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        guard witnesses >= 1 else { throw QueryError.outside(option: "--witnesses", value: "\(witnesses)", range: "1 and more") }
        let neurons = try NeuronSet([layer ?? store.description.descriptiveLayer.name], in: store.description)
        return try store.read { database in
            let fold = try BlockFold(store, database)
            var mask =
                try store.mask(where: condition, database)
                ?? Array(repeating: 1, count: fold.images)
            let everything = try ImageLabels(store, database, images: fold.images, mask: nil)
            for (image, label) in everything.numbers.enumerated() where label == UInt32(everything.names.count) {
                mask[image] = 0
            }
            let labels = try ImageLabels(store, database, images: fold.images, mask: mask)
            guard labels.counts.count(where: { $0 > 0 }) > 1 else { throw QueryError.noLabels }

            let best = try bestNeurons(labels, neurons, fold)
            var own = [Double](repeating: 0, count: labels.images.count)
            var other = [(score: Double, label: Int)](repeating: (-1, 0), count: labels.images.count)
            for (label, chosen) in best.enumerated() where !chosen.isEmpty {
                let scores = try testimony(chosen, labels, fold).scores
                for (place, score) in scores.enumerated() {
                    if labels.numbers[place] == UInt32(label) {
                        own[place] = score
                    } else if score > other[place].score {
                        other[place] = (score, label)
                    }
                }
            }
            let excess = zip(own, other).map { $1.score - $0 }
            let suspects = largest(excess, mask: nil, count: count).filter { excess[$0] > 0 }
            return try hits(suspects, excess, other.map { $0.label }, best, labels, fold, ImageNames(store, database))
        }
    }

    /// The neurons that tell each label best.
    private func bestNeurons(_ labels: ImageLabels, _ neurons: NeuronSet, _ fold: BlockFold) throws -> [[Int]] {
        var best = [[(neuron: Int, auroc: Double)]](repeating: [], count: labels.names.count)
        let counts = labels.counts
        let classes = RankPass.Classes(numbers: labels.numbers, count: labels.names.count + 1)
        try RankPass(fold, images: labels.images).visit(neurons, classes) { neuron, results, _ in
            for (label, auroc) in SelectivityQuery.aurocs(results, counts, of: labels.images.count).enumerated() {
                guard label < labels.names.count, !auroc.isNaN else { continue }
                guard best[label].count < witnesses || best[label].last.map({ $0.auroc < auroc }) ?? true else { continue }
                let place = best[label].firstIndex { $0.auroc < auroc } ?? best[label].count
                best[label].insert((neuron, auroc), at: place)
                if best[label].count > witnesses { best[label].removeLast() }
            }
        }
        return best.map { $0.map { $0.neuron } }
    }

    private func testimony(_ neurons: [Int], _ labels: ImageLabels, _ fold: BlockFold) throws -> Testimony {
        let count = labels.images.count
        let sorter = Sorter(images: labels.images)
        var testimony = Testimony(neurons: neurons, standings: [], scores: [Double](repeating: 0, count: count))
        for neuron in neurons {
            sorter.sort(try fold.column(neuron))
            var ranks = [Float](repeating: 0, count: count)
            _ = ranks.withUnsafeMutableBufferPointer { ranks in ranks.baseAddress.map { sorter.centredRanks(to: $0) } }
            testimony.standings.append(ranks)
            for place in 0..<count { testimony.scores[place] += Self.percentile(ranks[place], of: count) }
        }
        testimony.scores = testimony.scores.map { $0 / Double(neurons.count) }
        return testimony
    }

    /// The share of images below, ties half, from 2 · midrank − (n + 1).
    private static func percentile(_ centred: Float, of count: Int) -> Double {
        (Double(centred) + Double(count)) / Double(2 * count)
    }

    private func hits(
        _ places: [Int], _ excess: [Double], _ suggested: [Int], _ best: [[Int]], _ labels: ImageLabels, _ fold: BlockFold,
        _ names: ImageNames
    ) throws -> [Hit] {
        var heard: [Int: Testimony] = [:]
        return try places.enumerated().map { index, place in
            let label = suggested[place]
            let said = try heard[label] ?? testimony(best[label], labels, fold)
            heard[label] = said
            let speakers = said.neurons.indices.map { which in
                let (layer, channel) = fold.store.description.name(ofNeuron: said.neurons[which])
                return Witness(
                    layer: layer, channel: channel,
                    percentile: Self.percentile(said.standings[which][place], of: labels.images.count))
            }
            let image = labels.images[place]
            return Hit(
                rank: index + 1, image: try names.of(image).path, imageID: image,
                label: labels.names[Int(labels.numbers[place])], suggested: labels.names[label], score: excess[place],
                witnesses: speakers.indices.sorted {
                    speakers[$0].percentile == speakers[$1].percentile
                        ? $0 < $1 : speakers[$0].percentile > speakers[$1].percentile
                }.map { speakers[$0] })
        }
    }
}
