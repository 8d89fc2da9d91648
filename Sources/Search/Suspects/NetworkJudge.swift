import ActivationStore
import Foundation

/// The network's own probability of a label: confident learning's self-confidence (Northcutt, Jiang and Chuang, "Confident
/// learning: estimating uncertainty in dataset labels", 2021, https://arxiv.org/abs/1911.00068), from the scores of the classes
/// that the store keeps.
///
/// It is what the network's file makes of them, a softmax or a sigmoid of each; where the store does not say, the softmax, or, where
/// all scores are in 0 … 1, as those that a sigmoid has made are, the score itself. Of several classes of one name the
/// probabilities of a softmax are added up; of a sigmoid's the largest counts.
struct NetworkJudge {
    /// Why there is none; nil where there is.
    static func problem(_ description: StoreDescription, labels: ImageLabels) -> String? {
        guard description.layers.contains(where: \.isLogits) else { return "the network answers with no scores of classes" }
        guard !description.classes.isEmpty else { return "the names of the network's classes are not known" }
        let classes = Set(description.classes)
        return labels.names.contains(where: classes.contains) ? nil : "no label is a class of the network"
    }

    /// What has been seen of one image's scores so far.
    private struct Tally {
        /// Of the label's class.
        var own = -Double.infinity
        var other = -Double.infinity
        var suggested = -1
        /// The logarithm of the sum of all scores' exponentials.
        var total = -Double.infinity
        /// The largest of the label's classes.
        var ownLargest = -Double.infinity
        var isNumber = true
        var isShare = true

        mutating func add(_ score: Float, channel: Int, isOwn: Bool) {
            let score = Double(score)
            total = logSum(total, score)
            isNumber = isNumber && !score.isNaN
            isShare = isShare && (0...1).contains(score)
            if isOwn {
                own = logSum(own, score)
                ownLargest = max(ownLargest, score)
            } else if score > other {
                (other, suggested) = (score, channel)
            }
        }
    }

    /// - Precondition: ``problem(_:labels:)`` is nil.
    static func judge(_ labels: ImageLabels, _ fold: BlockFold) throws -> Judgement {
        let description = fold.description
        guard let layer = description.layers.last(where: \.isLogits) else {
            return Judgement(names: [], opinions: labels.images.map { _ in nil })
        }
        let names = (0..<layer.channels).map { channel in
            channel < description.classes.count ? description.classes[channel] : "\(layer.name):\(channel)"
        }
        let classes = Dictionary(grouping: names.indices) { names[$0] }
        // By place, the channels of the image's label; none where it is no class.
        let own = labels.names.map { classes[$0] ?? [] }
        let tallies = try fold.tallies(of: labels, layer, from: Tally()) { tally, value, channel, label in
            tally.add(value, channel: channel, isOwn: label < own.count && own[label].contains(channel))
        }
        let form = ScoreForm(description.model, areShares: tallies.allSatisfy(\.isShare))
        return Judgement(
            names: names,
            opinions: zip(tallies, labels.numbers).map { tally, label in
                guard Int(label) < own.count, !own[Int(label)].isEmpty else { return nil }
                return opinion(tally, form)
            })
    }

    private static func opinion(_ tally: Tally, _ form: ScoreForm) -> Judgement.Opinion? {
        guard tally.isNumber, tally.total.isFinite, tally.suggested >= 0 else { return nil }
        func opinion(_ own: Double, _ other: Double) -> Judgement.Opinion {
            Judgement.Opinion(own: own, suggested: tally.suggested, other: other)
        }
        return switch form {
        case .softmax: opinion(tally.own - tally.total, tally.other - tally.total)
        // log σ(x) = −log(e⁰ + e⁻ˣ)
        case .sigmoid: opinion(-logSum(0, -tally.ownLargest), -logSum(0, -tally.other))
        case .share: opinion(log(tally.ownLargest), log(tally.other))
        }
    }
}
