import ActivationStore
import Support

extension LastLayerRetraining {
    /// The regression on drawn images, and how well it does by group.
    struct Fit {
        let scaling: FeatureScaling
        let parts: RetrainingParts
        let groups: RetrainingGroups
        let features: Features

        /// The penalty that serves the worst group best, and the mean of the layers of all draws with it.
        func solved(_ draws: [[Int]]) -> (l2: Double, weights: [Float], bias: [Float]) {
            var best: (l2: Double, worst: Double, mean: Double)?
            var mean: (weights: [Double], bias: [Double]) = ([], [])
            Activity.run("fitting the last layer", parts: LastLayerRetraining.l2Candidates.count + draws.count) {
                var start: [Double]?
                for l2 in LastLayerRetraining.l2Candidates {
                    let parameters = solved(draws[0], l2, from: start)
                    start = parameters
                    let (worst, all) = judged(parameters)
                    if best.map({ (worst, all) > ($0.worst, $0.mean) }) ?? true { best = (l2, worst, all) }
                    Activity.step()
                }
                let l2 = best?.l2 ?? LastLayerRetraining.l2Candidates[0]
                let share = 1 / Double(draws.count)
                for draw in draws {
                    let (weights, bias) = scaling.unscaled(solved(draw, l2, from: start), classes: features.classes)
                    if mean.weights.isEmpty { mean = (weights.map { _ in 0 }, bias.map { _ in 0 }) }
                    for index in weights.indices { mean.weights[index] += share * weights[index] }
                    for index in bias.indices { mean.bias[index] += share * bias[index] }
                    Activity.step()
                }
            }
            return (best?.l2 ?? 0, mean.weights.map { Float($0) }, mean.bias.map { Float($0) })
        }

        private func solved(_ images: [Int], _ l2: Double, from start: [Double]?) -> [Double] {
            LogisticRegression(
                features: scaling.features(images), labels: images.map { parts.classOfImage[$0] ?? 0 },
                featureCount: features.count, classCount: features.classes, l2: l2
            ).solved(from: start, tolerance: 1e-6).parameters
        }

        /// The share of right answers of the worst group, and the mean over groups, of the images that choose the penalty.
        private func judged(_ parameters: [Double]) -> (worst: Double, mean: Double) {
            let shares = groups.names.indices.compactMap { group -> Double? in
                let own = parts.choose.filter { groups.ofImage[$0] == group }
                guard !own.isEmpty else { return nil }
                let (right, _) = LogisticRegression.evaluate(
                    parameters, features: scaling.features(own), labels: own.map { parts.classOfImage[$0] ?? 0 },
                    featureCount: features.count, classCount: features.classes)
                return Double(right) / Double(own.count)
            }
            return (shares.min() ?? 0, shares.reduce(0, +) / Double(max(shares.count, 1)))
        }

        /// How many of the images that judge a layer tells rightly, by group; of equal scores the first class counts.
        func right(_ weights: [Float], _ bias: [Float], _ values: [Float]) -> [Int] {
            parts.judge.reduce(into: [Int](repeating: 0, count: groups.names.count)) { counts, image in
                guard let group = groups.ofImage[image] else { return }
                let scores = (0..<features.classes).map { index in
                    (0..<features.count).reduce(Double(bias[index])) {
                        $0 + Double(weights[index * features.count + $1]) * Double(values[image * features.count + $1])
                    }
                }
                if scores.firstIndex(of: scores.max() ?? 0) == parts.classOfImage[image] { counts[group] += 1 }
            }
        }
    }
}
