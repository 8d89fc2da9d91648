/// What the neurons that tell a label best say of it, where neither the network nor a regression can judge: the mean of an
/// image's percentiles on them. It is no probability.
struct NeuronJudge {
    /// `own` and `other` are the means of what the neurons of the label and of another say, 0 … 1.
    static func judge(_ best: [[Int]], _ labels: ImageLabels, _ fold: BlockFold) throws -> Judgement {
        var own = [Double?](repeating: nil, count: labels.images.count)
        var other = [(score: Double, label: Int)](repeating: (-1, -1), count: labels.images.count)
        for (label, neurons) in best.enumerated() where !neurons.isEmpty {
            let testimony = try Testimony(neurons, labels.images, fold)
            for place in labels.images.indices {
                let score = testimony.mean(place)
                if labels.numbers[place] == UInt32(label) {
                    own[place] = score
                } else if score > other[place].score {
                    other[place] = (score, label)
                }
            }
        }
        return Judgement(
            names: labels.names,
            opinions: zip(own, other).map { own, other in
                own.flatMap { other.label >= 0 ? Judgement.Opinion(own: $0, suggested: other.label, other: other.score) : nil }
            })
    }
}
