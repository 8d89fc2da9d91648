public import ActivationStore
public import ArgumentParser
public import Support

/// The neurons that an image excites most, each measured by its own habits: ranked by the share of the store's images that
/// excite it less (ties count half; NaN is below everything). Of neurons of one share, that comes first of which the image is
/// further above the rest, in standard deviations from the mean; then ties go by neuron. A neuron that is NaN on the image is
/// not listed.
///
/// Exact, without reading all activations: histograms bound each share, lists of the strongest settle most of what is left, and
/// only neurons that may still be among the first are counted in the blocks.
public struct ProfileQuery: ImageQuery {
    public static let name = "profile"
    public static let abstract = "Find the neurons that respond most unusually to one image, by percentile."
    public static let usage = "<image>"
    public static let discussion = """
        Examples:

          neurodex profile shop.sqlite cat-43.jpg
          neurodex profile shop.sqlite 12 --layer conv4 -k 20 --format json

        Neurons are ranked by the share of the store's images that excite them less than this one, so that loud neurons do not drown \
        the others; of neurons of one share the one comes first of which the image is further above the mean, in standard deviations. IMAGE is a path or an id of the store, or any other file, on which the network is then run once.
        """

    @Argument(help: "A path or an id of the store, or any other file.", completion: .images)
    public var image: String

    @Option(
        help: ArgumentHelp("Only neurons of this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Option(name: .customShort("k"), help: "How many neurons.")
    public var count = 10

    /// The image's activations if it is not in the store; set by the program that runs the network.
    public var given: GivenImage?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(image: String, layer: [String] = [], count: Int = 10, given: GivenImage? = nil) {
        self.image = image
        self.layer = layer
        self.count = count
        self.given = given
    }

    public static func samples(_ ground: SampleGround) -> [ProfileQuery] {
        [ProfileQuery(image: ground.image, count: 8)]
    }

    public func check(isDrawn: Bool) throws { guard count >= 1 else { throw QueryError.wrongCount(count) } }

    public var options: [String] { Spelling.option("--layer", layer) + Spelling.option("-k", "\(count)") }
    public var operands: [String] { [image] }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        /// From 1.
        public var rank: Int
        /// The share of images below, 0 … 1; images as strong as this one (itself among them) count half.
        public var percentile: Double
        public var value: Float
        /// Cell of the layer's map.
        public var y: Int
        public var x: Int
        /// How far the value is above the mean of all images (below: negative), in standard deviations, to a millionth; both
        /// over the finite values. Of a neuron that has one value on all images: 0, or infinite for another value.
        public var deviations: Double
        /// The class whose score the neuron is; nil for other neurons, or where its name is not known.
        public var className: String?

        public static let columns: [ListColumn<Hit>] = list {
            layerColumn
            channelColumn
            column("rank", \.rank)
            neuronColumn.shown { .text($0.className.map { "class:\($0)" } ?? $0.neuron.description) }
            column("percentile", \.percentile).shown { .value($0.percentile * 100) }
            column("value", \.value)
            column("y", \.y)
            column("x", \.x)
            column("deviations", \.deviations)
            column("class", \.className).forPrograms
        }

        public init(
            layer: String, channel: Int, rank: Int, percentile: Double, value: Float, y: Int, x: Int, deviations: Double,
            className: String? = nil
        ) {
            self.layer = layer
            self.channel = channel
            self.rank = rank
            self.percentile = percentile
            self.value = value
            self.y = y
            self.x = x
            self.deviations = deviations
            self.className = className
        }
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        let subject = try QueryImage(image, given: given, in: store)
        let description = store.description
        let references = layer.isEmpty ? description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            guard fold.present > 0 else { return [] }
            let (values, positions) = try subject.activations(neurons, fold)
            var candidates = PercentileRanking(values: values, isStored: subject.id != nil, fold)
            try candidates.bound(neurons)
            let tied = try candidates.best(count)
            let deviations = try deviations(of: tied.map(\.neuron), values, snapshot)
            let order = tied.indices.sorted { a, b in
                (tied[a].low, deviations[a], tied[b].neuron) > (tied[b].low, deviations[b], tied[a].neuron)
            }
            return order.prefix(count).enumerated().map { index, place in
                let standing = tied[place]
                let layer = description.layer(ofNeuron: standing.neuron)
                let position = positions[standing.neuron]
                return Hit(
                    layer: layer.name, channel: standing.neuron - layer.firstNeuron, rank: index + 1,
                    percentile: Double(standing.low) / Double(2 * fold.present), value: values[standing.neuron] + 0,
                    y: position / layer.width, x: position % layer.width, deviations: deviations[place],
                    className: description.className(ofNeuron: standing.neuron))
            }
        }
    }

    /// By neuron: how far the image is above the mean.
    private func deviations(of neurons: [Int], _ values: [Float], _ snapshot: Snapshot) throws -> [Double] {
        var found: [Int: Double] = [:]
        for range in NeuronSet(neurons.map { $0..<$0 + 1 }).ranges {
            for one in try snapshot.statistics(neurons: range) {
                guard let mean = one.mean, let deviation = one.deviation else { continue }
                let distance = Double(values[one.neuron]) - mean
                let ratio = distance == 0 ? 0 : distance / deviation
                // The same whichever way the moments were added up.
                found[one.neuron] = ratio.isFinite ? (ratio * 1e6).rounded() / 1e6 + 0 : ratio
            }
        }
        return neurons.map { found[$0] ?? 0 }
    }
}

extension ProfileQuery: ReasonedQuery {
    public func reasonForNothing(in store: Store) throws -> Remark {
        try store.emptiness(where: nil)
            ?? .nothing(
                lookedAt: "\(store.description.neuronCount) neurons", because: "all that were asked for are NaN on this image")
    }
}
