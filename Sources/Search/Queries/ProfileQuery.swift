public import ActivationStore
public import ArgumentParser
import GRDB

/// The neurons that an image excites most, each measured by its own habits: ranked by the share of the store's images that excite it less
/// (ties count half; NaN is below everything), ties by neuron. A neuron that is NaN on the image is not listed.
///
/// Exact, without reading all activations: histograms bound each share, lists of the strongest settle most of what is left, and only
/// neurons that may still be among the first are counted in the blocks.
public struct ProfileQuery: Query {
    public static let name = "profile"
    public static let abstract = "The neurons that an image excites most, beside what other images do."

    @Argument(help: "A path or an id of the store, or any other file.")
    public var image: String

    @Option(
        help: ArgumentHelp("Only neurons of this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"))
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

    public struct Hit: Hashable, Sendable, Encodable {
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

        public init(layer: String, channel: Int, rank: Int, percentile: Double, value: Float, y: Int, x: Int) {
            self.layer = layer
            self.channel = channel
            self.rank = rank
            self.percentile = percentile
            self.value = value
            self.y = y
            self.x = x
        }
    }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> [Hit] {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        let subject = try SubjectImage(image, given: given, in: store)
        let description = store.description
        let references = layer.isEmpty ? description.layers.map { $0.name } : layer
        let neurons = try NeuronSet(references, in: description)
        return try store.read { database in
            let fold = try BlockFold(store, database)
            guard fold.present > 0 else { return [] }
            let (values, positions) = try subject.activations(neurons, fold)
            var standings = Standings(values: values, isStored: subject.id != nil, fold)
            try standings.bound(neurons, database)
            let best = try standings.best(count, database)
            return best.enumerated().map { index, standing in
                let layer = description.layer(ofNeuron: standing.neuron)
                let position = positions[standing.neuron]
                return Hit(
                    layer: layer.name, channel: standing.neuron - layer.firstNeuron, rank: index + 1,
                    percentile: Double(standing.low) / Double(2 * fold.present), value: values[standing.neuron] + 0,
                    y: position / layer.width, x: position % layer.width)
            }
        }
    }
}
