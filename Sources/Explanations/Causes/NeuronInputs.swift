import ActivationStore
public import NeuralNetwork

/// What the neurons of an earlier layer add to a neuron on images: for each the sum over its map of activation × gradient of the neuron's
/// value at its maximum.
///
/// Where the way between is linear on an image, as through one convolution and a rectifier that lets the value pass, these are exact: with
/// the biases they add up to the value. Elsewhere they are its first-order share (Shrikumar, Greenside and Kundaje, "Learning Important
/// Features Through Propagating Activation Differences", 2017, https://arxiv.org/abs/1704.02685, who call it gradient × input).
public struct NeuronInputs: Sendable {
    public struct Outcome: Sendable {
        /// The neuron's.
        public var value: Float
        /// One a channel of the earlier layer: summed over its map.
        public var contributions: [Double]
        /// Summed over channels instead: height × width of the earlier layer.
        public var map: [Double]
    }

    private let explainer: Explainer
    private let target: Target
    private let end: Layer
    public let layer: Layer

    /// - Parameter layer: a layer that the target is computed from; nil for the last such of the store.
    /// - Throws: `ExplanationError.parameter` for a layer that the target does not depend on.
    public init(of target: Target, from layer: String? = nil, in explainer: Explainer) throws {
        let end = try explainer.layer(of: target)
        (self.explainer, self.target, self.end) = (explainer, target, end)
        func isBefore(_ layer: Layer) throws -> Bool { try layer != end && explainer.network.layer(end, dependsOn: layer) }
        let names = explainer.description.layers.map(\.name)
        let known = try names.prefix { $0 != target.layer }.map {
            try explainer.layer(of: Target("\($0):0", in: explainer.description))
        }
        if let layer {
            let chosen = try explainer.layer(of: Target("\(layer):0", in: explainer.description))
            guard try isBefore(chosen) else {
                throw ExplanationError.parameter(
                    name: "--layer", value: layer, expected: "a layer that \(target.text) depends on")
            }
            self.layer = chosen
            return
        }
        guard let last = try known.last(where: isBefore) else {
            throw ExplanationError.target(
                target.text, problem: "is of the first layer of the store, so that no neuron stands before it")
        }
        self.layer = last
    }

    private init(explainer: Explainer, target: Target, end: Layer, layer: Layer) {
        (self.explainer, self.target, self.end, self.layer) = (explainer, target, end, layer)
    }

    /// From a layer whose neurons have places.
    ///
    /// - Parameter layer: nil for the last map that the target is made of, whether the store has it or not.
    /// - Throws: `ExplanationError.noMap` for a layer without places, or where there is none; as `init(of:from:in:)`.
    public init(ofMapsBefore target: Target, layer: String? = nil, in explainer: Explainer) throws {
        let end = try explainer.layer(of: target)
        if let layer {
            try self.init(of: target, from: layer, in: explainer)
        } else {
            guard let last = try explainer.network.lastMap(before: end) else { throw ExplanationError.noMap(layer: end.name) }
            self.init(explainer: explainer, target: target, end: end, layer: last)
        }
        guard self.layer.height * self.layer.width > 1 else { throw ExplanationError.noMap(layer: self.layer.name) }
    }

    /// - Parameters:
    ///   - count: of images.
    ///   - read: image `index`; called on several threads.
    ///   - body: called in order, on the calling thread; with the error of an image that could not be read.
    /// - Throws: `NetworkError`, and what `body` throws.
    public func run(
        on count: Int, read: @escaping @Sendable (Int) throws -> InputImage,
        body: (Int, Result<Outcome, any Error>) throws -> Void
    ) throws {
        let passes = try GradientPass.passes(
            explainer.network, layers: [end], keeping: [layer], count: max(1, min(explainer.jobs, count)))
        let (explainer, target, end, layer) = (explainer, target, end, layer)
        try explainer.parallel(chunks: count, workers: passes) { pass, index in
            Result {
                let subject = try read(index)
                let target = try explainer.placed(target, on: subject)
                _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
                try pass.forward()
                let map = pass.activation(image: 0)
                target.seed(pass.seed(image: 0), map: map, channels: end.channels, width: end.width)
                let value = target.value(of: map, channels: end.channels, width: end.width)
                try pass.backward()
                var sums = [Double](repeating: 0, count: layer.channels)
                guard let activation = pass.activation(of: layer, image: 0), let gradient = pass.gradient(of: layer, image: 0)
                else {
                    throw ExplanationError.noMap(layer: layer.name)
                }
                var places = [Double](repeating: 0, count: layer.height * layer.width)
                for place in places.indices {
                    for channel in 0..<layer.channels {
                        let index = place * layer.channels + channel
                        let own = Double(activation[index]) * Double(gradient[index])
                        sums[channel] += own
                        places[place] += own
                    }
                }
                return Outcome(value: value, contributions: sums, map: places)
            }
        } body: { index, outcome in
            try body(index, outcome)
        }
    }
}
