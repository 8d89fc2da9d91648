public import ActivationStore
import Support

/// A network's last layer trained anew on groups of equal size, so that it goes by what tells the classes in every group, and not by what
/// goes along with a class in most images.
///
/// Kirichenko et al., "Last Layer Re-Training is Sufficient for Robustness to Spurious Correlations", 2022,
/// https://arxiv.org/abs/2204.02937: multinomial logistic regression on the features that feed the scores; as many images of each group as the
/// smallest has, drawn ``draws`` times, and the weights averaged. The penalty (here on the squared weights) is the one whose worst group is
/// best among the images that choose.
public struct LastLayerRetraining: Sendable {
    /// Which images are for what, and what groups are made of.
    public struct Options: Sendable {
        /// Conditions on images, and neurons that are on or off, besides the labels.
        public var conditions: [String] = []
        public var neurons: [String] = []
        /// Conditions on the images that train, choose the penalty, and judge; nil: by split.
        public var train: String?
        public var choose: String?
        public var judge: String?
        /// Of the draws.
        public var seed: UInt64 = 0

        public init() {}
    }

    /// One group, and how many of its images the network tells rightly.
    public struct Group: Sendable {
        public var name: String
        public var trained: Int
        public var judged: Int
        /// By the weights of before, and by the new ones.
        public var rightBefore: Int
        public var rightAfter: Int
    }

    /// The features of a last layer: of which layer of the store, and what the network makes of them.
    public struct Features: Sendable {
        public var layer: String
        public var classes: Int
        public var count: Int
        /// classes × features, and one a class.
        public var weights: [Float]
        public var bias: [Float]

        public init(layer: String, classes: Int, count: Int, weights: [Float], bias: [Float]) {
            (self.layer, self.classes, self.count, self.weights, self.bias) = (layer, classes, count, weights, bias)
        }
    }

    public static let draws = 10
    /// Weights of the penalty that are tried, the strongest first, the features having been brought to deviation 1.
    public static let l2Candidates = [1, 0.1, 0.01, 1e-3, 1e-4]
    /// Training images that a group needs.
    public static let fewest = 5

    /// In the order of classes, then of attributes.
    public private(set) var groups: [Group]
    /// classes × features, and one a class.
    public let weights: [Float]
    public let bias: [Float]
    public let l2: Double
    /// Images of each group in one draw.
    public let drawn: Int
    /// Which images judged, as people read it.
    public let judgedOn: String
    /// What has to be said besides.
    public let remarks: [Remark]

    /// - Throws: ``RetrainingError``; ``QueryError`` for wrong conditions and neurons; ``StoreError``.
    public init(_ store: Store, _ features: Features, _ options: Options) throws {
        let images = try store.images()
        let values = try store.features(features, images)
        let parts = try RetrainingParts(store, images, options)
        let attributes = try store.attributes(options, parts)
        let groups = RetrainingGroups(
            classes: store.description.classes, classOfImage: parts.classOfImage, attributes: attributes, training: parts.train,
            fewest: Self.fewest)
        let trained = parts.counts(parts.train, groups)
        try Self.check(groups, trained, store)
        let scaling = FeatureScaling(values, count: features.count, training: parts.train)
        let fit = Fit(scaling: scaling, parts: parts, groups: groups, features: features)
        let size = trained.min() ?? 0
        var noise = SplitMix64(seed: options.seed)
        let draws = (0..<Self.draws).map { _ in parts.draw(size, groups, &noise) }
        (l2, weights, bias) = fit.solved(draws)
        (drawn, judgedOn) = (size, parts.judgedOn)
        let before = fit.right(features.weights, features.bias, values)
        let after = fit.right(weights, bias, values)
        let judged = parts.counts(parts.judge, groups)
        self.groups = groups.names.indices.map {
            Group(
                name: groups.names[$0], trained: trained[$0], judged: judged[$0], rightBefore: before[$0], rightAfter: after[$0])
        }
        remarks =
            parts.remarks
            + groups.joined.map {
                .plain(
                    "\($0.images) training images are too few for a group of their own and count with the rest of their label: \($0.name)"
                )
            }
    }

    private static func check(_ groups: RetrainingGroups, _ trained: [Int], _ store: Store) throws {
        let classes = store.description.classes
        let present = Set(groups.labels)
        let missing = classes.indices.filter { !present.contains($0) }
        if let first = missing.first {
            throw RetrainingError.noExample(store: store.path, label: classes[first], others: missing.count - 1)
        }
        guard trained.count > classes.count else { throw RetrainingError.nothingToBalance(store: store.path, fewest: fewest) }
    }
}

/// Why a last layer cannot be trained anew.
public enum RetrainingError: Error, Equatable {
    case noClasses(store: String)
    case noLayer(store: String, tensors: [String])
    case otherScores(store: String, layer: String, image: String, stored: Float, computed: Float)
    case noExample(store: String, label: String, others: Int)
    case nothingToBalance(store: String, fewest: Int)
    case inBoth(option: String, other: String, images: Int, example: String)
    case noImages(option: String, store: String)
    case constant(neuron: String)
}

extension RetrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noClasses(let store):
            "\(store) does not know the names of the network's classes, so that labels could be told right or wrong; give them with relabel --classes"
        case .noLayer(let store, let tensors):
            "\(store) does not hold the features that the last layer reads (\(tensors.joined(separator: ", "))); index the images with --layers '*'"
        case .otherScores(let store, let layer, let image, let stored, let computed):
            "the last layer makes \(computed) of the features that \(store) has of \(image) at layer \(layer), and its score there is \(stored): another network, or another precision, made the store"
        case .noExample(let store, let label, let others):
            "no image of \(store) to train with is of class '\(label)'\(others > 0 ? ", nor of \(others) others" : ""); add some, or choose others with --train"
        case .nothingToBalance(let store, let fewest):
            "no label of \(store) has two groups of \(fewest) training images, so there is nothing to balance; name another neuron or condition, or choose other images with --train"
        case .inBoth(let option, let other, let images, let example):
            "\(images) \(images == 1 ? "image is" : "images are") in both \(option) and \(other), such as \(example); an image can only be for one of them"
        case .noImages(let option, let store): "no labelled image of \(store) is left for \(option); say which with \(option)"
        case .constant(let neuron): "neuron \(neuron) has the same value on all training images, so it is neither on nor off"
        }
    }
}
