public import ActivationStore
public import ArgumentParser
import CKernels

/// What several neurons' activations on an image come to. Computed in double precision, in the order of the neurons' ids.
public enum Combination: String, Sendable, CaseIterable, ExpressibleByArgument {
    case sum, mean, min, max, l2
}

/// The images on which several neurons together are strongest. Exact, ties by image id; an image on which one of them is NaN, or
/// whose sum is (+∞ and −∞), is never listed.
public struct GroupQuery: Query {
    public static let name = "group"
    public static let abstract = "The images that excite a group of neurons most."

    @Option(help: "How the neurons' activations on an image are combined.")
    public var by: Combination

    @OptionGroup public var options: TopQuery

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(by combination: Combination, options: TopQuery) {
        by = combination
        self.options = options
    }

    /// One image of the list.
    public struct Hit: Hashable, Sendable {
        /// From 1; with `--from decile`, within the tenth.
        public var rank: Int
        /// Path.
        public var image: String
        public var imageID: Int
        public var label: String?
        public var value: Double
        /// With `--from decile`: 1 … 10, 10 being the strongest tenth.
        public var decile: Int?

        public init(rank: Int, image: String, imageID: Int, label: String?, value: Double, decile: Int? = nil) {
            self.rank = rank
            self.image = image
            self.imageID = imageID
            self.label = label
            self.value = value
            self.decile = decile
        }
    }

    /// - Throws: ``StoreError`` and ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        let choice = try options.checkedChoice()
        let neurons = try NeuronSet(options.neurons, in: store.description)
        return try store.read { database in
            let fold = try BlockFold(store, database)
            let mask = try store.mask(where: options.condition, database)
            let scores = try combined(neurons, fold, mask)
            let chooser = Chooser(
                choice: choice, count: options.count, seed: options.seed, mask: mask,
                distinct: options.distinct ? Distinct(fold) : nil)
            let names = try ImageNames(store, database)
            return try chooser.parts(of: scores).flatMap { part in
                try part.images.enumerated().map { index, image in
                    let (path, label) = try names.of(image)
                    return Hit(
                        rank: index + 1, image: path, imageID: image, label: label, value: scores[image], decile: part.decile)
                }
            }
        }
    }

    private func combined(_ neurons: NeuronSet, _ fold: BlockFold, _ mask: [UInt8]?) throws -> [Double] {
        switch by {
        case .sum: return try fold.scores(NDX_SUM, neurons, mask: mask)
        case .mean: return try fold.scores(NDX_SUM, neurons, mask: mask).map { $0 / Double(neurons.count) }
        case .min: return try fold.scores(NDX_SMALLEST, neurons, initial: .infinity, mask: mask).map { $0 + 0 }
        case .max: return try fold.scores(NDX_LARGEST, neurons, initial: -.infinity, mask: mask).map { $0 + 0 }
        case .l2: return try fold.scores(NDX_SQUARES, neurons, mask: mask).map { $0.squareRoot() }
        }
    }
}

extension GroupQuery.Hit: Encodable {
    enum CodingKeys: String, CodingKey {
        case rank, image
        case imageID = "image_id"
        case label, value, decile
    }

    /// `label` is null if the image has none; `decile` is there with `--from decile` only.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rank, forKey: .rank)
        try container.encode(image, forKey: .image)
        try container.encode(imageID, forKey: .imageID)
        try container.encode(label, forKey: .label)
        try container.encode(value, forKey: .value)
        try container.encodeIfPresent(decile, forKey: .decile)
    }
}
