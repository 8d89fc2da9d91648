import ActivationStore
import NeuralNetwork

/// The layers whose weights a map is made of, to be replaced by noise from the last to the first.
///
/// The cascading randomisation of Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim, "Sanity Checks for Saliency Maps", 2018,
/// https://arxiv.org/abs/1810.03292. A layer's noise is the same at every stage of a draw.
public struct WeightCascade: Sendable {
    /// A part of the cascade that a map has to change at.
    public enum Part: String, Codable, Sendable, CaseIterable {
        /// The last layer alone: of a class its weights, of a neuron the neuron's own.
        case classLayer = "class layer"
        case upperHalf = "upper half"
        case all
    }

    package struct Step: Equatable, Sendable {
        /// How many layers hold noise, counted from the last.
        package var layers: Int
        /// What it is of the network, where it is judged.
        package var parts: [Part]
    }

    private let explainer: Explainer
    /// The layer that the map is of.
    private let end: Layer
    /// A fitted last layer that stands behind `end` instead of the network's own.
    private let head: CAMHead?
    /// Layers with weights, in the order in which they are computed.
    package let names: [String]

    /// - Throws: `NetworkError` for a layer that is not there.
    package init(of method: any ExplanationMethod, target: Target, by explainer: Explainer) throws {
        self.explainer = explainer
        let layer = try explainer.layer(of: target)
        head = (method as? ClassActivationMap)?.headInUse(for: target, explainer)
        end = try head.map { try explainer.network.layer(named: $0.layer) } ?? layer
        names = try explainer.network.weightedLayers(upTo: end) + (head == nil ? [] : ["fitted last layer"])
    }

    /// At most `stages` steps, evenly from one layer to all; the parts that are judged are always among them.
    package static func steps(layers: Int, stages: Int) -> [Step] {
        guard layers > 0 else { return [] }
        let parts: [(Part, Int)] = [(.classLayer, 1), (.upperHalf, (layers + 1) / 2), (.all, layers)]
        let between = max(0, min(layers, stages) - 3)
        let even = (0..<between).map { 1 + (2 * ($0 + 1) * (layers - 1) + between + 1) / (2 * (between + 1)) }
        return Set(even + parts.map(\.1)).sorted().map { count in
            Step(layers: count, parts: parts.filter { $0.1 == count }.map(\.0))
        }
    }

    /// An explainer of the network with noise in its last `count` layers.
    ///
    /// - Parameter draw: the number of a random network; each has noise of its own.
    /// - Precondition: `count` is in 1...names.count.
    package func randomised(last count: Int, draw: Int, seed: UInt64) throws -> Explainer {
        func source(_ index: Int) -> () -> Float {
            var noise = GaussianNoise(seed: seed, stream: UInt64(draw) << 32 | UInt64(index))
            return { noise.next() }
        }
        let network = try explainer.network.randomised(last: head == nil ? count : count - 1, upTo: end, noise: source)
        var random = Explainer(explainer, network: network)
        if var head {
            let next = source(names.count - 1)
            head.weights = DifferentiableNetwork.noise(like: head.weights, next)
            head.bias = DifferentiableNetwork.noise(like: head.bias, next)
            random = Explainer(random, network: network, camHead: head)
        }
        return random
    }
}
