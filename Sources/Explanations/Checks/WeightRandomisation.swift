import NeuralNetwork

/// Whether a map changes when the network forgets what it has learnt, layer by layer from the last to the first.
///
/// The cascading randomisation of Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, "Sanity Checks for Saliency Maps", 2018,
/// https://arxiv.org/abs/1810.03292: the weights of the last layers are noise of their own mean and deviation, the map is made anew, and its
/// magnitudes are compared with the original's by Spearman's rank correlation. A map that stays the same does not show what the network
/// has learnt. A layer's noise is the same at every stage.
public struct WeightRandomisation: Codable, Equatable, Sendable {
    public enum Outcome: String, Codable, Sendable {
        case map
        /// The target has no gradient any more, or the map is the same everywhere.
        case flat
        /// Noise went through the network until it overflowed.
        case notFinite
    }

    public struct Stage: Codable, Equatable, Sendable {
        /// How many layers hold noise, counted from the last.
        public var layers: Int
        /// The first of them in the network.
        public var layer: String
        /// Of the map's magnitudes with the original's, −1...1: the mean over the random networks that were tried, 0 where there is no map
        /// to compare.
        public var correlation: Double
        /// Of each network.
        public var correlations: [Double]
        /// `map` where all networks gave one.
        public var outcome: Outcome
    }

    public var seed: UInt64
    /// From only the last layer to all of them.
    public var stages: [Stage]

    /// With all weights random; nil of a network without weights.
    public var finalCorrelation: Double? { stages.last?.correlation }

    /// How many layers are random at each of at most `stages` stages, evenly from 1 to all.
    package static func steps(layers: Int, stages: Int) -> [Int] {
        guard layers > 1, stages > 1 else { return layers > 0 ? [layers] : [] }
        let count = min(layers, stages)
        return (0..<count).map { 1 + ($0 * (layers - 1) + (count - 1) / 2) / (count - 1) }
    }

    /// - Parameters:
    ///   - map: the method's on the network as it is.
    ///   - stages: at most; of a network of more layers, evenly spread.
    ///   - networks: random networks of the last stage, which is what is judged: with one alone the gradient's correlation was 0.15 on the
    ///     average of 19 pictures of the pet shop, but 0.52 on one of them. The stages before it have one.
    /// - Throws: `ExplanationError.notFinite` of the original map; what the method throws, but for a flat target.
    public init(
        of method: any ExplanationMethod, map: ExplanationMap, subject: Subject, target: Target, by explainer: Explainer,
        stages: Int = 8, networks: Int = 3, seed: UInt64 = 0
    ) throws {
        precondition(stages >= 1 && networks >= 1, "a cascade has a stage, and a stage a network")
        let original = try map.finiteMagnitudes(of: "the map to check")
        let layer = try explainer.layer(of: target)
        let names = try explainer.network.weightedLayers(upTo: layer)
        self.seed = seed
        self.stages = try Self.steps(layers: names.count, stages: stages).map { count in
            let results = try (0..<(count == names.count ? networks : 1)).map { draw in
                let network = try explainer.network.randomised(last: count, upTo: layer) { index in
                    var noise = GaussianNoise(seed: seed, stream: UInt64(draw) << 32 | UInt64(index))
                    return { noise.next() }
                }
                return try Self.compare(original) {
                    try method.map(of: subject, target: target, by: Explainer(explainer, network: network))
                }
            }
            let correlations = results.map(\.0)
            return Stage(
                layers: count, layer: names[names.count - count],
                correlation: correlations.reduce(0, +) / Double(correlations.count), correlations: correlations,
                outcome: results.map(\.1).first { $0 != .map } ?? .map)
        }
    }

    private static func compare(_ original: [Float], _ make: () throws -> ExplanationMap) throws -> (Double, Outcome) {
        do {
            let magnitudes = try make().finiteMagnitudes(of: "the map of a random network")
            guard let correlation = RankCorrelation.spearman(original, magnitudes) else { return (0, .flat) }
            return (correlation, .map)
        } catch ExplanationError.flat {
            return (0, .flat)
        } catch ExplanationError.notFinite {
            return (0, .notFinite)
        }
    }
}

extension ExplanationMap {
    /// The plane's, whatever its sign.
    func finiteMagnitudes(of what: String) throws -> [Float] {
        guard values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: what) }
        return plane.map { abs($0) }
    }
}
