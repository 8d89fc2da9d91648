public import ActivationStore
import Foundation

/// How sure the network was of its answer to a labelled image.
public struct AnswerProbability: Hashable, Sendable {
    /// The image's.
    public var id: Int
    /// Of the class with the largest score, the first of equal ones; 0 … 1.
    public var confidence: Double
    /// Of the label: of several classes of its name a softmax's are added up, and the largest of a sigmoid's counts.
    public var ofLabel: Double
    public var isRight: Bool
}

extension Store {
    /// How sure the network was of its answers to the images whose label is a class, by id.
    /// - Throws: ``QueryError/noScores(reason:)`` where its answers are no scores of classes that have names; ``StoreError``.
    public func answerProbabilities() throws -> [AnswerProbability] {
        try read { try AnswerProbabilities($0, where: nil).images }
    }
}

/// How sure the network was of its answers to labelled images, from the scores of all classes that the store keeps.
struct AnswerProbabilities {
    /// In the order of ids: those whose label is a class, and whose scores are numbers.
    let images: [AnswerProbability]
    /// Chosen images that are not among them, and one of these.
    let leftOut: Int
    let example: Int?

    /// What has been seen of one image's scores so far.
    private struct Tally {
        var answer = -1
        var largest = -Double.infinity
        /// Of the exponentials of scores less the largest.
        var sum = 0.0
        var own = -Double.infinity
        var ownSum = 0.0
        var isNumber = true
        var isShare = true

        mutating func add(_ score: Double, channel: Int, isOwn: Bool) {
            isNumber = isNumber && score.isFinite
            isShare = isShare && (0...1).contains(score)
            guard isNumber else { return }
            if answer < 0 { answer = channel }
            Self.add(score, to: &sum, largest: &largest) { answer = channel }
            if isOwn { Self.add(score, to: &ownSum, largest: &own) {} }
        }

        private static func add(_ score: Double, to sum: inout Double, largest: inout Double, isLarger: () -> Void) {
            guard score > largest else {
                sum += exp(score - largest)
                return
            }
            sum = sum * exp(largest - score) + 1
            largest = score
            isLarger()
        }

        func probabilities(_ form: ScoreForm) -> (answer: Double, label: Double) {
            switch form {
            case .softmax: (1 / sum, min(exp(own - largest) * ownSum / sum, 1))
            case .sigmoid: (1 / (1 + exp(-largest)), 1 / (1 + exp(-own)))
            case .share: (largest, own)
            }
        }
    }

    /// - Throws: ``QueryError/noScores(reason:)`` where the network's answers are no scores of classes that have names.
    init(_ snapshot: Snapshot, where condition: String?) throws {
        let description = snapshot.description
        let fold = try BlockFold(snapshot)
        let labels = try ImageLabels(snapshot, images: fold.images, mask: try snapshot.filledMask(where: condition))
        if let problem = NetworkJudge.problem(description, labels: labels) { throw QueryError.noScores(reason: problem) }
        guard let layer = description.layers.last(where: \.isLogits) else {
            throw QueryError.noScores(reason: "the network answers with no scores of classes")
        }
        let classes = description.classes
        let numbers = Dictionary(labels.names.enumerated().map { ($1, $0) }) { first, _ in first }
        // By channel, the label of its class's name.
        let labelOfChannel = (0..<layer.channels).map { $0 < classes.count ? numbers[classes[$0]] ?? -1 : -1 }
        let isClass = Set(labelOfChannel)
        let tallies = try fold.tallies(of: labels, layer, from: Tally()) { tally, value, channel, label in
            tally.add(Double(value), channel: channel, isOwn: labelOfChannel[channel] == label)
        }
        let form = ScoreForm(description.model, areShares: tallies.allSatisfy(\.isShare))
        images = zip(labels.images.indices, tallies).compactMap { place, tally in
            let label = Int(labels.numbers[place])
            guard tally.isNumber, tally.answer >= 0, isClass.contains(label) else { return nil }
            let (answer, own) = tally.probabilities(form)
            return AnswerProbability(
                id: labels.images[place], confidence: answer, ofLabel: own, isRight: labelOfChannel[tally.answer] == label)
        }
        leftOut = labels.images.count - images.count
        let counted = Set(images.map(\.id))
        example = leftOut == 0 ? nil : labels.images.first { !counted.contains($0) }
    }
}
