import NeuralNetwork

/// Whether a map changes when the network forgets what it has learnt, layer by layer from the last to the first.
///
/// The cascading randomisation of Adebayo et al. 2018 (`WeightCascade`): the weights of the last layers become noise of their own
/// mean and deviation, the map is made anew, and is compared with the original by Spearman's rank correlation of the signed
/// values, summed over the colours, at the places where one of both is not zero. What is judged are the class's layer, the upper
/// half of the layers, and all of them; between these the cascade has stages to look at.
///
/// A neuron's maximum is held at the place where the original network has it: a random network has it elsewhere, and a map of
/// another place would be another map whatever it shows.
public struct WeightRandomisation: Codable, Equatable, Sendable {
    public typealias Part = WeightCascade.Part

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
        /// What it is of the network, where it is judged.
        public var parts: [Part]
        /// Of the map with the original, −1...1: the mean over the random networks that gave a map; nil, and not judged, where
        /// none did.
        public var correlation: Double?
        /// Of each network that gave a map; up to three times as many are tried.
        public var correlations: [Double]
        /// `map` where as many networks as wanted gave one.
        public var outcome: Outcome
    }

    public var seed: UInt64
    /// A correlation above it at a part that is judged is a failure.
    public var limit: Double
    /// From only the last layer to all of them.
    public var stages: [Stage]

    /// At a part that is judged; nil where it could not be.
    public func correlation(at part: Part) -> Double? { stages.first { $0.parts.contains(part) }?.correlation }

    /// Why a map that survives nothing has not passed all the same: what it had to change at could not be judged; nil where it could.
    var obstacle: String? {
        if stages.isEmpty { return "the target has no layer with weights before it" }
        let missing = [Part.classLayer, .upperHalf].filter { correlation(at: $0) == nil }
        guard !missing.isEmpty else { return nil }
        let isFinite = !stages.contains { $0.outcome == .notFinite }
        return "with noise in the " + missing.map(\.rawValue).joined(separator: " and the ")
            + (isFinite ? " the map is flat" : " values are not finite")
    }

    /// - Parameters:
    ///   - map: the method's on the network as it is.
    ///   - stages: at most; never fewer than those that are judged.
    ///   - networks: random networks of a stage that is judged, as one alone may be like the original by chance. The others have
    ///     one.
    /// - Throws: `ExplanationError.notFinite` or `.constant` of the original map; what the method throws, but for a flat target.
    public init(
        of method: any ExplanationMethod, map: ExplanationMap, subject: InputImage, target: Target, by explainer: Explainer,
        stages: Int = 8, networks: Int = 3, seed: UInt64 = 0
    ) throws {
        precondition(stages >= 1 && networks >= 1, "a cascade has a stage, and a stage a network")
        guard map.values.allSatisfy(\.isFinite) else { throw ExplanationError.notFinite(what: "the map to check") }
        guard !map.isConstant else { throw ExplanationError.constant(what: "the map to check") }
        let target = try explainer.inPlace(target, on: subject)
        let cascade = try WeightCascade(of: method, target: target, by: explainer)
        let steps = WeightCascade.steps(layers: cascade.names.count, stages: stages)
        self.seed = seed
        limit = MapChecks.largestCorrelation(of: method.grain)
        self.stages = try steps.enumerated().map { index, step in
            try ExplanationProgress.inPart("random weights \(index + 1) of \(steps.count)") {
                let (count, tries) = step.parts.isEmpty ? (1, 1) : (networks, 3)
                let (correlations, outcome) = try Self.draws(count, tries: tries) {
                    let random = try cascade.randomised(last: step.layers, draw: $0, seed: seed)
                    return try Self.compare(map) { try method.pictureMap(of: subject, target: target, by: random) }
                }
                return Stage(
                    layers: step.layers, layer: cascade.names[cascade.names.count - step.layers], parts: step.parts,
                    correlation: correlations.isEmpty ? nil : correlations.reduce(0, +) / Double(correlations.count),
                    correlations: correlations, outcome: outcome)
            }
        }
    }

    /// The correlations of `count` random networks that give a map, of at most `tries` times as many.
    private static func draws(
        _ count: Int, tries: Int, _ compare: (Int) throws -> (Double?, Outcome)
    ) throws -> ([Double], Outcome) {
        var correlations: [Double] = []
        var outcome = Outcome.map
        for draw in 0..<count * tries where correlations.count < count {
            let (correlation, its) = try compare(draw)
            if let correlation { correlations.append(correlation) } else { outcome = its }
        }
        return (correlations, correlations.count == count ? .map : outcome)
    }

    private static func compare(
        _ original: ExplanationMap, _ make: () throws -> ExplanationMap
    ) throws -> (Double?, Outcome) {
        do {
            let map = try make()
            guard map.values.allSatisfy(\.isFinite) else { return (nil, .notFinite) }
            let correlation = map.isConstant ? nil : RankCorrelation.spearmanWhereEither(original.colorSum, map.colorSum)
            return (correlation, correlation == nil ? .flat : .map)
        } catch ExplanationError.flat {
            return (nil, .flat)
        } catch ExplanationError.notFinite {
            return (nil, .notFinite)
        }
    }
}

extension Explainer {
    /// The target with its maxima held at the places where they are on an image.
    func inPlace(_ target: Target, on subject: InputImage) throws -> Target {
        let layer = try layer(of: target)
        guard target.terms.contains(where: { $0.reduction == .maximum }), layer.height * layer.width > 1 else { return target }
        return try target.mapTerms { term in
            guard term.reduction == .maximum else { return term.reduction }
            var neuron = target
            neuron.channel = term.channel
            let place = try place(of: neuron, on: subject)
            return .position(y: place.y, x: place.x)
        }
    }
}
