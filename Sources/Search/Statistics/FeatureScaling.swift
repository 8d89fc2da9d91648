/// Features brought to average 0 and deviation 1 over training examples, so that one penalty fits all of them.
package struct FeatureScaling {
    private let values: [Float]
    private let count: Int
    private let average: [Double]
    private let deviation: [Double]

    /// - Parameters:
    ///   - values: rows × `count`.
    ///   - training: the rows that average and deviation are of.
    package init(_ values: [Float], count: Int, training: [Int]) {
        (self.values, self.count) = (values, count)
        var (average, squares) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        let share = 1 / Double(training.count)
        values.withUnsafeBufferPointer { values in
            for row in training {
                for feature in 0..<count { average[feature] += share * Double(values[row * count + feature]) }
            }
            for row in training {
                for feature in 0..<count {
                    let difference = Double(values[row * count + feature]) - average[feature]
                    squares[feature] += share * difference * difference
                }
            }
        }
        // A feature that never changes tells nothing, and stays 0.
        (self.average, deviation) = (average, squares.map { $0 > 0 ? $0.squareRoot() : .infinity })
    }

    /// Of some rows: rows × features.
    package func features(_ rows: [Int]) -> [Double] {
        [Double](unsafeUninitializedCapacity: rows.count * count) { scaled, initialized in
            initialized = rows.count * count
            values.withUnsafeBufferPointer { values in
                for (place, row) in rows.enumerated() {
                    for feature in 0..<count {
                        scaled[place * count + feature] =
                            (Double(values[row * count + feature]) - average[feature]) / deviation[feature]
                    }
                }
            }
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
