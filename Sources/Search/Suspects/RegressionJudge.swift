import ActivationStore
import CKernels
import Foundation

/// The probability of a label by a multinomial logistic regression on the maxima of a layer, which never saw the image:
/// cross-validated in five parts. As cleanlab does it with features of a network (Northcutt, Jiang and Chuang 2021,
/// https://arxiv.org/abs/1911.00068).
///
/// Only labels with at least five images are told apart, one in each part. Of a large store the work is bounded: neurons ×
/// images × labels of one pass over the images to train with are at most ``work``, few labels counting as 16. Of more neurons
/// those are taken that tell the labels best (Kruskal and Wallis's H), at most ``mostNeurons``; of more images an even sample
/// trains, in which every label keeps its share. Every image is judged.
struct RegressionJudge {
    static let parts = 5
    static let mostNeurons = 512
    /// Multiplications of one pass.
    static let work = 30_000_000
    /// Examples a label that it takes to be worth while.
    private static let fewestExamples = 20
    private static let fewestNeurons = 64
    /// Bytes of features that are held.
    private static let memory = 256 << 20
    /// Weights of the penalty that are tried on the first part; features have deviation 1.
    private static let penalties = [0.1, 0.01, 1e-3]

    /// What is taken of a store.
    struct Plan: Hashable {
        var neurons: Int
        /// To train with, for each part.
        var examples: Int

        /// Nil where there would be too few examples of a label.
        init?(neurons: Int, images: Int, labels: Int) {
            let most = min(neurons, RegressionJudge.mostNeurons, max(1, RegressionJudge.memory / (4 * max(images, 1))))
            let all = images - images / RegressionJudge.parts
            let wanted = min(all, RegressionJudge.fewestExamples * labels)
            // Few labels make it no larger in memory than 16.
            func examples(_ neurons: Int) -> Int { RegressionJudge.work / (max(neurons, 1) * max(labels, 16)) }
            var chosen = most
            while chosen > RegressionJudge.fewestNeurons, examples(chosen) < wanted { chosen /= 2 }
            (self.neurons, self.examples) = (chosen, min(all, examples(chosen)))
            if self.examples < wanted { return nil }
        }
    }

    private let labels: ImageLabels
    /// Places of the images that are judged, and the class of each: numbers of labels with enough images, from 0.
    private let places: [Int]
    private let classes: [Int]
    /// The labels told apart, by class.
    private let told: [Int]
    private let plan: Plan
    /// Images × neurons.
    private var features: [Float]

    /// What was taken of how much, for people.
    let extent: String?

    /// Why there is none; nil where there is.
    static func problem(_ counts: [Int], neurons: Int) -> String? {
        let told = counts.filter { $0 >= parts }
        guard told.count > 1 else { return "fewer than two labels have \(parts) images" }
        guard Plan(neurons: neurons, images: told.reduce(0, +), labels: told.count) != nil else {
            return "\(told.count) labels are more than a logistic regression is fitted to here"
        }
        return nil
    }

    /// - Parameters:
    ///   - separation: how well each neuron of `neurons` tells the labels.
    /// - Returns: nil where ``problem(_:neurons:)`` is not.
    init?(_ labels: ImageLabels, _ neurons: NeuronSet, separation: [Double], _ fold: BlockFold) throws {
        let counts = labels.counts.dropLast()
        told = counts.indices.filter { counts[$0] >= Self.parts }
        var classOf = [Int](repeating: -1, count: labels.names.count + 1)
        for (index, label) in told.enumerated() { classOf[label] = index }
        places = labels.images.indices.filter { classOf[Int(labels.numbers[$0])] >= 0 }
        classes = places.map { classOf[Int(labels.numbers[$0])] }
        guard told.count > 1, let plan = Plan(neurons: neurons.count, images: places.count, labels: told.count) else {
            return nil
        }
        (self.labels, self.plan) = (labels, plan)
        let all = neurons.neurons
        let chosen =
            plan.neurons == all.count
            ? all
            : separation.indices.sorted { separation[$0] == separation[$1] ? $0 < $1 : separation[$0] > separation[$1] }
                .prefix(plan.neurons).map { all[$0] }.sorted()
        features = [Float](repeating: 0, count: places.count * chosen.count)
        let training = places.count - places.count / Self.parts
        extent =
            plan.neurons == all.count && plan.examples == training
            ? nil : "\(plan.neurons) of \(all.count) neurons, \(plan.examples) of \(training) images for each part"
        try read(chosen, fold)
    }

    /// Copies the maxima; what is not finite stays 0.
    private mutating func read(_ neurons: [Int], _ fold: BlockFold) throws {
        var row = [Int](repeating: -1, count: fold.images)
        for (index, place) in places.enumerated() { row[labels.images[place]] = index }
        let column = Dictionary(uniqueKeysWithValues: neurons.enumerated().map { ($1, $0) })
        let width = neurons.count
        try features.withUnsafeMutableBufferPointer { features in
            nonisolated(unsafe) let features = features
            try fold.sharedRows(NeuronSet(neurons.map { $0..<$0 + 1 })) { first, block in
                guard let channel = column[block.neuron] else { return }
                for lane in 0..<block.count where row[first + lane] >= 0 {
                    let value = block.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                    features[row[first + lane] * width + channel] = value.isFinite ? value : 0
                }
            }
        }
    }

    func judge() -> Judgement {
        // Within each label the images take turns, in the order of their ids.
        var turn = [Int](repeating: 0, count: told.count)
        let part = classes.map { label in
            turn[label] += 1
            return (turn[label] - 1) % Self.parts
        }
        let first = trained(without: 0, part, l2: nil)
        var results = [[(index: Int, opinion: Judgement.Opinion)]](repeating: [], count: Self.parts)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results
            inParallel(Self.parts) {
            } work: { held, _ in
                let model = held == 0 ? first : trained(without: held, part, l2: first.l2)
                let own = part.indices.filter { part[$0] == held }
                results[held] = zip(own, self.opinions(of: own, by: model)).map { ($0, $1) }
            }
        }
        var opinions = [Judgement.Opinion?](repeating: nil, count: labels.images.count)
        for (index, opinion) in results.joined() { opinions[places[index]] = opinion }
        return Judgement(names: told.map { labels.names[$0] }, opinions: opinions)
    }

    /// A regression and what its features were brought to.
    private struct Model {
        let scaling: FeatureScaling
        /// (neurons + 1) × classes.
        var parameters: [Double] = []
        var l2 = 0.0
    }

    /// - Parameter l2: nil to try all, and take the one by which the part that was held out is the likeliest.
    private func trained(without held: Int, _ part: [Int], l2: Double?) -> Model {
        let examples = sample(part.indices.filter { part[$0] != held })
        var model = Model(scaling: FeatureScaling(features, count: plan.neurons, training: examples))
        let own = examples.map { classes[$0] }
        let scaled = model.scaling.features(examples)
        let judges = part.indices.filter { part[$0] == held }
        var best = -Double.infinity
        var start: [Double]?
        var result = model
        for candidate in l2.map({ [$0] }) ?? Self.penalties {
            let problem = LogisticRegression(
                features: scaled, labels: own, featureCount: plan.neurons, classCount: told.count, l2: candidate)
            model.parameters = problem.solved(from: start, tolerance: 1e-4, limit: 200).parameters
            model.l2 = candidate
            start = model.parameters
            let likelihood = l2 == nil ? opinions(of: judges, by: model).reduce(0) { $0 + $1.own } : 0
            if likelihood > best || result.parameters.isEmpty { (best, result) = (likelihood, model) }
        }
        return result
    }

    /// Of each label as much as of all, and at least one.
    private func sample(_ examples: [Int]) -> [Int] {
        guard examples.count > plan.examples else { return examples }
        let own = Dictionary(grouping: examples) { classes[$0] }
        return own.keys.sorted().flatMap { label -> [Int] in
            let all = own[label] ?? []
            let kept = max(1, all.count * plan.examples / examples.count)
            return (0..<kept).map { all[$0 * all.count / kept] }
        }
    }

    private func opinions(of examples: [Int], by model: Model) -> [Judgement.Opinion] {
        // Some at once, whose features take little memory.
        stride(from: 0, to: examples.count, by: 256).flatMap { start in
            let some = Array(examples[start..<min(start + 256, examples.count)])
            let scores = LogisticRegression.scores(
                model.parameters, features: model.scaling.features(some), featureCount: plan.neurons, classCount: told.count)
            return some.indices.map { place in
                opinion(of: some[place], Array(scores[place * told.count..<(place + 1) * told.count]))
            }
        }
    }

    private func opinion(of example: Int, _ scores: [Double]) -> Judgement.Opinion {
        let total = scores.reduce(-Double.infinity, logSum)
        let own = classes[example]
        var other = own == 0 ? 1 : 0
        for label in scores.indices where label != own && scores[label] > scores[other] { other = label }
        return Judgement.Opinion(own: scores[own] - total, suggested: other, other: scores[other] - total)
    }
}
