public import ActivationStore
public import ArgumentParser
import Support

/// How the neurons of a layer find their partners in the other store.
public enum Partnering: String, CaseIterable, Sendable, ExpressibleByArgument, Encodable {
    /// Each takes the one that ranks the images most alike; several may take the same.
    case correlation
    /// One to one, so that the sum of all correlations is the largest there is.
    case assignment
    /// Channel c and channel c.
    case index
}

/// What changed between two stores of two networks over the same images, A and B: two checkpoints of a training, or two
/// trainings.
///
/// It is a question to a pair of stores, and like a ``Query`` it is its own arguments. Neurons are compared over the images
/// that both stores have (see ``StorePair``), by their rankings of them: Spearman's ρ, mid-ranks for ties, NaN below
/// everything. Exact, sums of whole numbers. Neurons that live in both are ranked; the dead, the revived and those without ρ
/// stand apart.
public struct DiffQuery: ParsableArguments {
    public static let name = "diff"
    public static let abstract = "Compare two networks that saw the same images."

    @Option(
        help: ArgumentHelp("Only this layer; may be repeated (default: all that both stores have).", valueName: "layer"),
        completion: .layers)
    public var layer: [String] = []

    @Option(
        help: ArgumentHelp(
            "Compare a layer of A with one of another name in B; may be repeated.", valueName: "layer=layer"))
    public var match: [String] = []

    @Option(
        help: ArgumentHelp(
            "How a neuron finds its partner: the most alike, the best one to one, or the same channel.",
            valueName: "correlation|assignment|index"))
    public var by: Partnering = .correlation

    @Option(help: "How many of each neuron's strongest images are compared.")
    public var strongest = 10

    @Option(name: .customShort("k"), help: "List so many neurons (with --predictions: images).")
    public var count = 10

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        layer: [String] = [], match: [String] = [], by: Partnering = .correlation, strongest: Int = 10, count: Int = 10
    ) {
        self.layer = layer
        self.match = match
        self.by = by
        self.strongest = strongest
        self.count = count
    }

    /// As arguments, defaults spelt out.
    public var options: [String] {
        Spelling.option("--layer", layer) + Spelling.option("--match", match) + Spelling.option("--by", by.rawValue)
            + Spelling.option("--strongest", "\(strongest)") + Spelling.option("-k", "\(count)")
    }

    /// - Throws: ``QueryError`` for what cannot be asked of any pair.
    public func check() throws {
        if count < 1 { throw QueryError.wrongCount(count) }
        guard (1...1000).contains(strongest) else {
            throw QueryError.outside(option: "--strongest", value: "\(strongest)", range: "1 to 1000")
        }
    }

    /// - Parameter withImages: whether the neurons listed come with their strongest images.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(from a: Store, to b: Store, withImages: Bool = false) throws -> Diff {
        try check()
        let chosen = try LayerPairs(a.description, b.description, layers: layer, matches: match, by: by)
        return try StorePair.read(a, b) { pair in
            guard pair.count > 0 else { throw QueryError.noCommonImage(a.path, b.path) }
            var layers: [LayerDiff] = []
            var changes = NeuronChanges(count: count)
            try Activity.run("comparing layers", parts: chosen.pairs.count) {
                for (one, other) in chosen.pairs {
                    let comparison = LayerComparison(pair, one, other, by: by, strongest: strongest)
                    let (layer, neurons) = try comparison.run()
                    layers.append(layer)
                    changes.add(neurons)
                    Activity.step()
                }
            }
            if withImages { try changes.add(StrongestImages(pair)) }
            return Diff(
                images: Diff.Images(compared: pair.count, onlyInA: pair.a.unmatched, onlyInB: pair.b.unmatched),
                isSameModel: a.description.model.sha256 == b.description.model.sha256,
                preprocessing: a.description.preprocessingHash == b.description.preprocessingHash
                    ? nil : [a.description.preprocessing, b.description.preprocessing],
                layers: layers, leftOut: chosen.leftOut, neurons: changes.living, died: changes.died, woke: changes.woke,
                uncorrelated: changes.uncorrelated, apart: changes.apart, predictions: try PredictionDiff(pair, listing: count))
        }
    }
}
