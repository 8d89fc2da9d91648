import ActivationStore
public import ArgumentParser
public import NeuralNetwork

/// Neurons to be switched off, one set at a time, and what their maps hold instead of what the network computes.
///
/// What a neuron does to the answers is what they lose without it: a neuron that goes along with a class need not be used for it.
///
/// ```swift
/// let ablation = try Ablation(of: [[try Target("conv4:38", in: store.description)]], in: explainer)
/// try ablation.run(on: images.count) { try archive.subject(images[$0]) } body: { index, outcome in … }
/// ```
public struct Ablation: Sendable {
    /// What the maps of neurons that are off hold everywhere.
    public enum Substitute: String, CaseIterable, ExpressibleByArgument, Sendable {
        case zero
        /// The neuron's mean over all places of the images that are looked at.
        case mean
    }

    let explainer: Explainer
    /// Those of all sets, each once.
    let layers: [Layer]
    /// For each set, the neurons by the number of their layer.
    let sets: [[(layer: Int, channel: Int)]]

    /// - Parameter sets: each of neurons that are off together; of all of them the whole map is meant.
    /// - Throws: `ExplanationError.noScores` for a network without classes; `ExplanationError.target` for a class score, and for a neuron
    ///   that no class score is computed from.
    public init(of sets: [[Target]], in explainer: Explainer) throws {
        guard let logits = explainer.network.logits else { throw ExplanationError.noScores }
        guard logits.height * logits.width == 1 else {
            throw ExplanationError.target(
                logits.name,
                problem:
                    "has scores of classes at \(logits.height)×\(logits.width) places, and ablate compares one answer a picture")
        }
        var layers: [Layer] = []
        var known: [String: Int] = [:]
        self.explainer = explainer
        self.sets = try sets.map { set in
            try set.map { target in
                if let index = known[target.layer] { return (index, target.channel) }
                let layer = try explainer.layer(of: target)
                guard target.reduction == .maximum else {
                    throw ExplanationError.target(
                        target.text, problem: "names a place of a map; a neuron is switched off as a whole: \(target.neuron)")
                }
                guard layer != logits else {
                    throw ExplanationError.target(
                        target.text, problem: "is a class score, which is the answer itself, so there is nothing to switch off")
                }
                guard try explainer.network.layer(logits, dependsOn: layer) else {
                    throw ExplanationError.target(
                        target.text, problem: "is not on the way to the class scores, so switching it off changes nothing")
                }
                known[target.layer] = layers.count
                layers.append(layer)
                return (layers.count - 1, target.channel)
            }
        }
        self.layers = layers
    }

    /// The network's neuron that a target names.
    public func neuron(_ target: Target) throws -> SilencedNetwork.Neuron {
        SilencedNetwork.Neuron(layer: try explainer.layer(of: target), channel: target.channel)
    }

    /// What the network answers on an image, with all its neurons and without each set of them.
    public struct Outcome: Sendable {
        public var subject: InputImage
        /// The class that scores and probabilities are of: the image's label, of several of its name the one with the largest score; without a
        /// label that is a class, the whole network's answer.
        public var classIndex: Int
        /// Whether `classIndex` is the image's label.
        public var isLabelled: Bool
        public var whole: Answer
        /// One a set.
        public var without: [Answer]

        /// Whether an answer is the label; nil where the image has none that is a class.
        public func isRight(_ answer: Answer, among classes: [String]) -> Bool? {
            guard isLabelled else { return nil }
            return answer.classIndex == classIndex
                || classes.indices.contains(answer.classIndex) && classes[answer.classIndex] == subject.stored?.label
        }
    }

    /// One answer of the network.
    public struct Answer: Equatable, Sendable {
        /// Of all classes, before softmax.
        public var scores: [Float]
        /// The class with the largest score, the first of equal ones.
        public var classIndex: Int
        /// Of the outcome's class.
        public var score: Float
        /// Of the outcome's class, 0 … 1.
        public var probability: Double
    }

    /// Runs the network over images: for each once up to the first of the layers, and from there once for each set and once whole.
    ///
    /// - Parameters:
    ///   - substitute: what neurons that are off hold. The mean takes a run over the images of its own.
    ///   - count: of images.
    ///   - read: image `index`; called on several threads.
    ///   - body: called in order, on the calling thread; with the error of an image that could not be read.
    /// - Throws: `NetworkError`, and what `body` throws.
    public func run(
        to substitute: Substitute = .zero, on count: Int, read: @escaping @Sendable (Int) throws -> InputImage,
        body: (Int, Result<Outcome, any Error>) throws -> Void
    ) throws {
        let values = substitute == .mean ? try layers.map { try means(of: $0, on: count, read) } : nil
        let replacements = sets.map { set in
            set.map { AblationPass.Replacement(layer: $0.layer, channel: $0.channel, value: values?[$0.layer][$0.channel] ?? 0) }
        }
        let passes = try AblationPass.passes(explainer.network, layers: layers, count: max(1, min(explainer.jobs, count)))
        guard let target = Target(classIndex: 0, in: explainer.description),
            let probability = try ClassProbability(of: target, by: explainer)
        else { throw ExplanationError.noScores }
        let classes = explainer.description.classes
        try explainer.parallel(chunks: count, workers: passes) { pass, index in
            Result {
                let subject = try read(index)
                _ = pass.input.update(fromContentsOf: subject.tensor)
                try pass.begin()
                let whole = try pass.answer(replacing: [])
                let answer = whole.scores.firstOfLargest
                let own = subject.stored?.label.map { label in classes.indices.filter { classes[$0] == label } } ?? []
                let chosen = own.max { (whole.scores[$0], $1) < (whole.scores[$1], $0) } ?? answer
                func judged(_ answer: AblationPass.Answer) -> Answer {
                    Answer(
                        scores: answer.scores, classIndex: answer.scores.firstOfLargest, score: answer.scores[chosen],
                        probability: probability.all(of: answer.output)[chosen])
                }
                return Outcome(
                    subject: subject, classIndex: chosen, isLabelled: !own.isEmpty, whole: judged(whole),
                    without: try replacements.map { judged(try pass.answer(replacing: $0)) })
            }
        } body: { index, outcome in
            try body(index, outcome)
        }
    }

    /// The mean of each channel over the places and images, of those that can be read.
    private func means(of layer: Layer, on count: Int, _ read: @escaping @Sendable (Int) throws -> InputImage) throws -> [Float] {
        let passes = try ForwardPass.passes(explainer.network, layer: layer, count: max(1, min(explainer.jobs, count)))
        var (sums, images) = ([Double](repeating: 0, count: layer.channels), 0)
        try explainer.parallel(chunks: count, workers: passes) { pass, index -> [Double]? in
            guard let subject = try? read(index) else { return nil }
            _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
            try pass.run()
            let map = pass.activation(image: 0)
            return (0..<layer.channels).map { channel in
                stride(from: channel, to: map.count, by: layer.channels).reduce(0.0) { $0 + Double(map[$1]) }
            }
        } body: { _, own in
            guard let own else { return }
            images += 1
            for channel in own.indices { sums[channel] += own[channel] }
        }
        let places = Double(max(images, 1) * layer.height * layer.width)
        return sums.map { Float($0 / places) }
    }
}
