import Foundation

/// What one way of judging says of the labels of some images.
struct Judgement {
    struct Opinion: Hashable {
        /// Natural logarithm of the probability of the image's label.
        var own: Double
        /// The likeliest other label, as an index into ``Judgement/names``, and the logarithm of its probability.
        var suggested: Int
        var other: Double

        var disagrees: Bool { other > own }
    }

    /// What may be suggested.
    let names: [String]
    /// By place among the images; nil where this way cannot judge.
    var opinions: [Opinion?]

    var judged: Int { opinions.count { $0 != nil } }

    /// How far it agrees with the labels of the images at `places`, all of which it judges.
    func agreement(_ places: [Int]) -> Agreement {
        Agreement(images: places.count, right: places.count { opinions[$0]?.disagrees == false })
    }
}

/// How far a judge agrees with the labels that the images were given.
///
/// Judges are compared by nothing else. Their likelihoods would tell more of most images, but a label that is wrong costs the
/// judge most that is surest of it.
struct Agreement {
    let images: Int
    /// Images of which no other label is likelier.
    let right: Int

    /// "93.1 %".
    var share: String { "\((Double(right) / Double(max(images, 1)) * 1000).rounded() / 10) %" }
}

/// log(eᵃ + eᵇ).
func logSum(_ a: Double, _ b: Double) -> Double {
    let (low, high) = (min(a, b), max(a, b))
    return low == -.infinity ? high : high + log1p(exp(low - high))
}
