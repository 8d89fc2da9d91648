/// What changed between two stores, A and B.
public struct Diff: Sendable, Encodable {
    public struct Images: Hashable, Sendable, Encodable {
        /// That both stores have.
        public var compared: Int
        public var onlyInA: Int
        public var onlyInB: Int

        enum CodingKeys: String, CodingKey {
            case compared
            case onlyInA = "only_a"
            case onlyInB = "only_b"
        }
    }

    /// A layer that was not compared.
    public struct LeftOut: Hashable, Sendable, Encodable {
        public var layer: String
        /// The one that has the layer: `a` or `b`.
        public var store: String
        public var reason: String
    }

    /// Numbers of neurons that are not ranked.
    public struct Apart: Hashable, Sendable, Encodable {
        public var died = 0
        public var woke = 0
        public var uncorrelated = 0
    }

    public var images: Images
    /// Whether both stores are of one model file.
    public var isSameModel: Bool
    /// A's and B's where they differ; else nil.
    public var preprocessing: [String]?
    /// In the order of A's network.
    public var layers: [LayerDiff]
    public var leftOut: [LeftOut]
    /// Neurons that live in both stores, the most changed first: by drift, ties by neuron.
    public var neurons: [NeuronDiff]
    /// Channels that are 0 on every image in B and not in A; the other way round; and other neurons that have no correlation,
    /// as they or their partners have one value on every image, or as there is no partner. Each by neuron, at most as many as
    /// `neurons`.
    public var died: [NeuronDiff]
    public var woke: [NeuronDiff]
    public var uncorrelated: [NeuronDiff]
    /// How many there are of these three in all.
    public var apart: Apart
    public var predictions: PredictionDiff

    enum CodingKeys: String, CodingKey {
        case images
        case isSameModel = "same_model"
        case preprocessing, layers
        case leftOut = "left_out"
        case neurons, predictions, died, woke, uncorrelated, apart
    }
}

/// A layer of A beside one of B.
public struct LayerDiff: Hashable, Sendable, Encodable {
    public var layer: String
    /// In B.
    public var other: String
    /// Of A.
    public var neurons: Int
    /// Neurons that have a correlation: neither they nor their partners are constant.
    public var correlated: Int
    /// Over these, −1 … 1.
    public var medianCorrelation: Double?
    /// Share of A's neurons, but constant ones, whose partner has their own channel; nil where partners were not looked for.
    public var kept: Double?
    /// Mean over the neurons of ``NeuronDiff/jaccard``.
    public var overlap: Double?
    /// Channels that are 0 on every image in B and not in A; and the other way round. Of layers with as many channels.
    public var died: Int
    public var woke: Int

    enum CodingKeys: String, CodingKey {
        case layer
        case other = "layer_b"
        case neurons, correlated
        case medianCorrelation = "median_correlation"
        case kept, overlap, died, woke
    }

    /// Every key is there for every layer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(other, forKey: .other)
        try container.encode(neurons, forKey: .neurons)
        try container.encode(correlated, forKey: .correlated)
        try container.encode(medianCorrelation, forKey: .medianCorrelation)
        try container.encode(kept, forKey: .kept)
        try container.encode(overlap, forKey: .overlap)
        try container.encode(died, forKey: .died)
        try container.encode(woke, forKey: .woke)
    }
}

/// A neuron of A beside its partner in B.
public struct NeuronDiff: Hashable, Sendable {
    public enum Fate: String, Hashable, Sendable, Encodable {
        /// The channel is 0 on every image in B, and is not in A.
        case died
        /// The other way round.
        case woke
    }

    public var layer: String
    public var channel: Int
    /// The partner's layer.
    public var other: String
    /// The partner's channel; nil if there was none left for it.
    public var partner: Int?
    /// Spearman's ρ of the two, −1 … 1; nil if one of them is constant.
    public var correlation: Double?
    /// 1 − ρ: 0 where both rank the images alike, 1 where they have nothing to do with each other, 2 where they rank them in the opposite order.
    /// Without ρ it is 0 if both are constant, else 1.
    public var drift = 1.0
    /// The partner's mean less the neuron's, in standard deviations of the neuron; both over the finite values.
    public var shift: Double?
    /// Images that are among the strongest of both.
    public var shared = 0
    /// Their share of the images that are among the strongest of either.
    public var jaccard: Double?
    public var fate: Fate?
    /// The strongest images of the neuron and of its partner, if they were asked for.
    public var strongestInA: [TopQuery.Hit] = []
    public var strongestInB: [TopQuery.Hit] = []
    /// The same by their places in the pair of stores. A's order settles ties in both.
    var placesInA: [UInt32] = []
    var placesInB: [UInt32] = []

    init(layer: String, channel: Int, other: String, partner: Int?) {
        self.layer = layer
        self.channel = channel
        self.other = other
        self.partner = partner
    }

    /// The images that are among the partner's strongest and not among the neuron's.
    public var came: [TopQuery.Hit] { Self.difference(strongestInB, placesInB, placesInA) }
    /// The images that are among the neuron's strongest and not among the partner's.
    public var went: [TopQuery.Hit] { Self.difference(strongestInA, placesInA, placesInB) }

    private static func difference(_ hits: [TopQuery.Hit], _ places: [UInt32], _ others: [UInt32]) -> [TopQuery.Hit] {
        let others = Set(others)
        return zip(hits, places).filter { !others.contains($1) }.map { $0.0 }
    }
}

extension NeuronDiff: Encodable {
    enum CodingKeys: String, CodingKey {
        case layer, channel
        case other = "layer_b"
        case partner = "channel_b"
        case correlation, drift, shift, shared, jaccard, fate
    }

    /// Every key is there for every neuron.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(channel, forKey: .channel)
        try container.encode(other, forKey: .other)
        try container.encode(partner, forKey: .partner)
        try container.encode(correlation, forKey: .correlation)
        try container.encode(drift, forKey: .drift)
        try container.encode(shift, forKey: .shift)
        try container.encode(shared, forKey: .shared)
        try container.encode(jaccard, forKey: .jaccard)
        try container.encode(fate, forKey: .fate)
    }
}
