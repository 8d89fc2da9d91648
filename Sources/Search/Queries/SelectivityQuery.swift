public import ActivationStore
public import ArgumentParser
public import Support

/// How well a neuron tells the images of a label from all others: the area under the ROC curve (ties half, NaN lowest), average precision
/// (ties reached at once, as scikit-learn has it), and the difference of the means of the finite values. Exact, over all chosen images.
///
/// With a label, or a binary attribute: the neurons that tell it best. Without: every neuron with the labels it tells best.
public struct SelectivityQuery: Query {
    public static let name = "selectivity"
    public static let abstract = "Rank neurons by how well they tell a label's images from all others."

    @Option(help: "Rank the neurons by this label or binary attribute (default: the labels, for each neuron).")
    public var label: String?

    @Option(
        help: ArgumentHelp("Only this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Option(name: .customShort("k"), help: "How many neurons; without --label, how many labels for each neuron.")
    public var count = 10

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// Whether neurons that say the same of the images have rows of their own, where neurons are ranked.
    @Flag(help: "List neurons that say the same of the images in rows of their own, instead of once.")
    public var copies = false

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        label: String? = nil, layer: [String] = [], count: Int = 10, condition: String? = nil, copies: Bool = false
    ) {
        self.label = label
        self.layer = layer
        self.count = count
        self.condition = condition
        self.copies = copies
    }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        public var label: String
        /// Images with the label.
        public var images: Int
        /// 0 … 1: the share of pairs (an image of the label, another) of which the label's has the larger value, ties half.
        public var auroc: Double
        public var averagePrecision: Double
        /// Mean on the label's images less that on the others; nil where either has no finite value.
        public var gap: Double?
        /// Neurons that say the same of the images (``Copies``), and come after this one; none where labels are ranked.
        public var copies: [NeuronName] = []

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("label", \.label).shortened
            column("images", \.images)
            column("auroc", title: "AUROC", \.auroc)
            column("average_precision", title: "average precision", \.averagePrecision)
            column("gap", title: "mean gap", \.gap)
            copiesColumn(\.copies)
        }
    }

    /// Hits by AUROC, the largest first, ties by neuron, then by label. Of neurons that say the same of the images, the first
    /// stands for all, unless `copies` lists them.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        let references = layer.isEmpty ? store.description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let rated = try ratedLabels(fold)
            var hits: [Hit] = []
            try RankPass(fold, images: rated.images).visit(neurons, rated.classes) { neuron, results, _ in
                let aurocs = Self.aurocs(results, rated.sizes, of: rated.images.count)
                for index in largest(aurocs, mask: nil, count: label == nil ? count : 1) {
                    hits.append(hit(neuron, rated, index, aurocs[index], results, store.description))
                }
            }
            guard let label else {
                return Findings(hits, remarks: rated.labels.fewImages(Self.fewest, so: "chance alone may tell them"))
            }
            let remark = Remark.smallSet(
                name: "label \(rated.names.first ?? label)", images: rated.sizes[0], fewest: Self.fewest,
                consequence: "chance alone may tell it")
            return Findings(
                try withoutCopies(hits, neurons.neurons, rated, fold), remarks: rated.sizes[0] < Self.fewest ? [remark] : [])
        }
    }

    /// Labels that neurons are rated by: class `i` of `classes` is the one of `names[i]`, which `sizes[i]` images have.
    private struct RatedLabels {
        var labels: ImageLabels
        var names: [String]
        var sizes: [Int]
        var classes: RankPass.Classes
        var images: [Int] { labels.images }
    }

    /// All labels, or the one that is asked for, which may be a binary attribute.
    private func ratedLabels(_ fold: BlockFold) throws -> RatedLabels {
        let mask = try fold.snapshot.filledMask(where: condition)
        var labels = try ImageLabels(fold.snapshot, images: fold.images, mask: mask)
        if let label, let attribute = try labels.attribute(named: label, in: fold.snapshot) {
            labels = ImageLabels(attribute, images: fold.images, mask: mask)
        }
        guard !labels.names.isEmpty else { throw QueryError.noLabels }
        let counts = labels.counts
        guard let wanted = try label.map({ try labels.number(of: $0) }) else {
            return RatedLabels(
                labels: labels, names: labels.names, sizes: labels.names.indices.map { counts[$0] },
                classes: .init(numbers: labels.numbers, count: labels.names.count + 1))
        }
        guard counts[wanted] > 0, counts[wanted] < labels.images.count else {
            throw QueryError.nothingToTell(label: labels.names[wanted], images: counts[wanted], of: labels.images.count)
        }
        // For one label, its images and all others are classes enough.
        return RatedLabels(
            labels: labels, names: [labels.names[wanted]], sizes: [counts[wanted]],
            classes: .init(numbers: labels.numbers.map { $0 == UInt32(wanted) ? 0 : 1 }, count: 2))
    }

    private func hit(
        _ neuron: Int, _ rated: RatedLabels, _ index: Int, _ auroc: Double, _ results: [RankPass.Class],
        _ description: StoreDescription
    ) -> Hit {
        let (layer, channel) = description.name(ofNeuron: neuron)
        return Hit(
            layer: layer, channel: channel, label: rated.names[index], images: rated.sizes[index], auroc: auroc,
            averagePrecision: results[index].precision / Double(rated.sizes[index]), gap: Self.gap(index, results))
    }

    /// Hits of one label by AUROC, those of neurons that say the same of the images in one.
    /// - Parameter neurons: of the hits.
    private func withoutCopies(_ hits: [Hit], _ neurons: [Int], _ rated: RatedLabels, _ fold: BlockFold) throws -> [Hit] {
        let order = largest(hits.map { $0.auroc }, mask: nil, count: hits.count)
        let groups = try Copies(rated.images, fold).groups(
            order.map { neurons[$0] }, effects: order.map { hits[$0].auroc },
            bound: Copies.bound(own: rated.sizes[0], of: rated.images.count), count: count, apart: copies)
        return groups.map { group in
            var hit = hits[order[group.leader]]
            hit.copies = group.members.map { NeuronName(neurons[order[$0]], fold.description) }
            return hit
        }
    }

    /// Images that a label needs to be told from chance.
    private static let fewest = 5

    /// U = R − n(n + 1)/2 of n · m pairs (Mann and Whitney 1947), by class; NaN for a class without images, or with all.
    ///
    /// - Parameter sizes: images of the first classes, which are rated.
    static func aurocs(_ classes: [RankPass.Class], _ sizes: [Int], of all: Int) -> [Double] {
        zip(classes, sizes).map { one, images in
            guard images > 0, images < all else { return .nan }
            let pairs = Double(one.rankSum - UInt64(images) * UInt64(images + 1))  // 2U
            return pairs / (2 * Double(images) * Double(all - images))
        }
    }

    private static func gap(_ index: Int, _ classes: [RankPass.Class]) -> Double? {
        var (sum, finite) = (0.0, 0)
        for (other, one) in classes.enumerated() where other != index { (sum, finite) = (sum + one.sum, finite + one.finite) }
        let own = classes[index]
        return own.finite > 0 && finite > 0 ? own.sum / Double(own.finite) - sum / Double(finite) : nil
    }
}
