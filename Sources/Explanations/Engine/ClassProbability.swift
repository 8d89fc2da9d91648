import Foundation
import NeuralNetwork

/// The probability of a class: what the network's file makes of its scores, where it makes probabilities of them; else their softmax, or, of
/// a single score, its sigmoid.
struct ClassProbability: Sendable {
    /// What the network is run up to.
    let layer: Layer
    private let channel: Int
    private let form: Form

    private enum Form { case answer, logarithm, softmax, sigmoid }

    /// Nil for a target that is no class, or a sum of several.
    init?(of target: Target, by explainer: Explainer) throws {
        let scores = try explainer.layer(of: target)
        guard target.isOneNeuron, scores.isLogits, scores.height * scores.width == 1 else { return nil }
        channel = target.channel
        if let file = explainer.network.probabilities, scores == explainer.network.logits {
            layer = file.layer
            form = file.isLogarithm ? .logarithm : .answer
        } else {
            layer = scores
            form = scores.channels == 1 ? .sigmoid : .softmax
        }
    }

    /// Of all classes, of the numbers of `layer`.
    func all(of numbers: [Float]) -> [Double] {
        switch form {
        case .answer: return numbers.map { Double($0) }
        case .logarithm: return numbers.map { exp(Double($0)) }
        case .sigmoid: return numbers.map { 1 / (1 + exp(-Double($0))) }
        case .softmax:
            let largest = numbers.reduce(-Float.infinity, max)
            let powers = numbers.map { exp(Double($0 - largest)) }
            let total = powers.reduce(0, +)
            return powers.map { $0 / total }
        }
    }

    /// 0 to 1, of the numbers of `layer`.
    func value(of numbers: UnsafeBufferPointer<Float>) -> Double {
        switch form {
        case .answer: return Double(numbers[channel])
        case .logarithm: return exp(Double(numbers[channel]))
        case .sigmoid: return 1 / (1 + exp(-Double(numbers[channel])))
        case .softmax:
            let largest = numbers.reduce(-Float.infinity, max)
            let total = numbers.reduce(0.0) { $0 + exp(Double($1 - largest)) }
            return exp(Double(numbers[channel] - largest)) / total
        }
    }
}
