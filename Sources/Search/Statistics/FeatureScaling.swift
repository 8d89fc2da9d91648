/// Features brought to average 0 and deviation 1 over training examples, so that one penalty fits all of them.
package struct FeatureScaling {
    private let values: [Float]
    private let count: Int
    private var average: [Double]
    private var deviation: [Double]

    /// - Parameters:
    ///   - values: rows × `count`.
    ///   - training: the rows that average and deviation are of.
    package init(_ values: [Float], count: Int, training: [Int]) {
        (self.values, self.count) = (values, count)
        average = [Double](repeating: 0, count: count)
        deviation = average
        let share = 1 / Double(training.count)
        for row in training {
            for feature in 0..<count { average[feature] += share * Double(values[row * count + feature]) }
        }
        for row in training {
            for feature in 0..<count {
                let difference = Double(values[row * count + feature]) - average[feature]
                deviation[feature] += share * difference * difference
            }
        }
        // A feature that never changes tells nothing, and stays 0.
        deviation = deviation.map { $0 > 0 ? $0.squareRoot() : 1 }
    }

    /// Of some rows: rows × features.
    package func features(_ rows: [Int]) -> [Double] {
        rows.flatMap { row in
            (0..<count).map { (Double(values[row * count + $0]) - average[$0]) / deviation[$0] }
        }
    }

    /// The same linear layer for the features as they are: classes × features, and the bias.
    ///
    /// - Parameter parameters: of ``LogisticRegression``, for scaled features.
    package func unscaled(_ parameters: [Double], classes: Int) -> (weights: [Double], bias: [Double]) {
        var (weights, bias): ([Double], [Double]) = ([], [])
        for index in 0..<classes {
            let own = (0..<count).map { parameters[$0 * classes + index] / deviation[$0] }
            weights += own
            bias.append(parameters[count * classes + index] - zip(own, average).reduce(0) { $0 + $1.0 * $1.1 })
        }
        return (weights, bias)
    }
}
