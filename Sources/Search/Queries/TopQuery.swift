public import ActivationStore
public import ArgumentParser
import GRDB

/// The images that excite neurons most, or least. Exact: equal to sorting all images, ties by image id, NaN left out.
///
/// One neuron's list comes from `top_list` if that covers all images and is long enough, else from a scan of the blocks
/// that passes over those whose maximum is too small.
public struct TopQuery: Query {
    public static let name = "top"
    public static let abstract = "The images that excite neurons most."

    @Argument(help: "LAYER:CHANNEL, LAYER for all its neurons, or class:NAME for a logit.")
    public var neurons: [String]

    @Option(name: .customShort("k"), help: "How many images for each neuron.")
    public var count = 5

    @Flag(help: "The images that excite them least.")
    public var lowest = false

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(neurons: [String], count: Int = 5, lowest: Bool = false, condition: String? = nil) {
        self.neurons = neurons
        self.count = count
        self.lowest = lowest
        self.condition = condition
    }

    /// One image in a neuron's list.
    public struct Hit: Hashable, Sendable {
        public let layer: String
        public let channel: Int
        /// From 1.
        public let rank: Int
        /// Path.
        public let image: String
        public let imageID: Int
        public let label: String?
        public let value: Float
        /// Cell of the layer's map.
        public let y: Int
        public let x: Int

        public init(
            layer: String, channel: Int, rank: Int, image: String, imageID: Int, label: String?, value: Float, y: Int, x: Int
        ) {
            self.layer = layer
            self.channel = channel
            self.rank = rank
            self.image = image
            self.imageID = imageID
            self.label = label
            self.value = value
            self.y = y
            self.x = x
        }
    }

    /// Hits by neuron in the order asked for, then by rank. A neuron asked for twice is answered twice.
    /// - Throws: ``StoreError`` and ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        guard !neurons.isEmpty else { throw QueryError.noNeuron }
        let references = try neurons.map { try NeuronReference($0, in: store.description) }
        return try store.read { database in
            let images = try store.blocks(database).reduce(0, +)
            let mask = try condition.map { try Predicate($0, in: store, images: images).mask } ?? store.presence(database)
            let description = store.description
            let isKept =
                try mask == nil && !lowest && images > 0 && min(count, images) <= description.topCount
                && store.isDerivedComplete(database)
            let names = try ImageNames(database)
            var hits: [Hit] = []
            let lists = try store.topLists(database)
            let scan = TopScan(store: store, count: count, lowest: lowest, mask: mask)
            for reference in references {
                let (layer, width) = (reference.layer, reference.layer.width)
                func add(_ neuron: Int, _ rank: Int, _ image: Int, _ value: Float, _ position: Int) throws {
                    let (path, label) = try names.of(image)
                    hits.append(
                        Hit(
                            layer: layer.name, channel: neuron - layer.firstNeuron, rank: rank, image: path, imageID: image,
                            label: label, value: value, y: position / width, x: position % width))
                }
                if isKept {
                    try lists.visit(neurons: reference.neurons, limit: count) { neuron, rank, entry in
                        try add(neuron, rank, entry.image, entry.value, entry.position)
                    }
                } else {
                    try scan.run(reference.neurons, database) { neuron, list in
                        for (index, entry) in list.enumerated() {
                            try add(neuron, index + 1, entry.image, entry.value, entry.position)
                        }
                    }
                }
            }
            return hits
        }
    }
}

extension TopQuery.Hit: Encodable {
    enum CodingKeys: String, CodingKey {
        case layer, channel, rank, image
        case imageID = "image_id"
        case label, value, y, x
    }

    /// Every key is there for every hit, `label` as null if the image has none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layer, forKey: .layer)
        try container.encode(channel, forKey: .channel)
        try container.encode(rank, forKey: .rank)
        try container.encode(image, forKey: .image)
        try container.encode(imageID, forKey: .imageID)
        try container.encode(label, forKey: .label)
        try container.encode(value, forKey: .value)
        try container.encode(y, forKey: .y)
        try container.encode(x, forKey: .x)
    }
}

/// Paths and labels of images, each asked for once.
private final class ImageNames {
    private let select: RawStatement
    private var known: [Int: (String, String?)] = [:]

    init(_ database: Database) throws {
        select = try RawStatement(
            database,
            "SELECT image.path, label.name FROM image LEFT JOIN label ON label.id = image.label_id WHERE image.id = ?")
    }

    func of(_ image: Int) throws -> (String, String?) {
        if let names = known[image] { return names }
        select.bind(1, image)
        defer { select.reset() }
        let names = try select.step() ? (select.text(0) ?? "", select.text(1)) : ("image \(image)", nil)
        known[image] = names
        return names
    }
}
