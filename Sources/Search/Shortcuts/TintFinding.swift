import Foundation

/// Whether the pictures of a label are tinted: whether the mean colour of whichever part of the picture tells the label.
///
/// An object, its surroundings or a mark change the colour of the parts where they are; a tint changes all. In each of 4 × 4
/// parts, Fisher's linear discriminant ("The use of multiple measurements in taxonomic problems", 1936) of the mean red, green,
/// blue and saturation is made of one half of the pictures, and says of every picture of the other half which side it is on;
/// then the halves change places. A picture is tinted if three quarters of its parts are on the label's side.
struct TintFinding {
    /// Rows and columns of parts.
    static let parts = 4
    /// Parts that have to agree.
    private static let agreeing = 12
    /// More of the other labels' pictures than this are not tinted like the label's.
    static let mostOthers = 0.2
    /// What is added to the covariance: of its mean variance, and the variance of noise of a quarter of a level of 256.
    private static let ridge = (share: 1e-3, least: 1e-6)

    /// Of the label's pictures that are tinted.
    let share: Double
    /// Of the others.
    let expected: Double
    let p: Double

    /// - Parameters:
    ///   - own: the colours of the parts of each picture of the label (``SmallPicture/colours(parts:)``).
    ///   - others: those of other labels.
    /// - Returns: nil where there are too few of either.
    init?(own: [[Double]], others: [[Double]]) {
        guard own.count >= LabelledPictures.fewest, others.count >= LabelledPictures.fewest else { return nil }
        var (tinted, tintedOthers) = (0, 0)
        for turn in 0...1 {
            func half(_ list: [[Double]], _ wanted: Int) -> [[Double]] {
                list.indices.filter { $0 % 2 == wanted }.map { list[$0] }
            }
            let sides = (0..<Self.parts * Self.parts).map { part in
                Discriminant(half(own, turn), half(others, turn), part: part)
            }
            func isTinted(_ picture: [Double]) -> Bool { sides.count { $0.isOnSide(picture) } >= Self.agreeing }
            tinted += half(own, 1 - turn).count(where: isTinted)
            tintedOthers += half(others, 1 - turn).count(where: isTinted)
        }
        share = Double(tinted) / Double(own.count)
        expected = Double(tintedOthers) / Double(others.count)
        p = hypergeometricTail(tinted, of: own.count, and: tintedOthers, of: others.count)
    }

    /// Values a part.
    private static let values = 4

    /// Tells two sets of pictures by the colour of one part: w = S⁻¹ (a − b), where S is the mean of both sets' covariances; a
    /// picture is on the side of the first where w · (x − (a + b) / 2) is above 0.
    private struct Discriminant {
        private let part: Int
        private let weights: [Double]
        private let middle: [Double]

        init(_ first: [[Double]], _ second: [[Double]], part: Int) {
            self.part = part
            let (a, b) = (Moments(first, part: part), Moments(second, part: part))
            var matrix = zip(a.covariance, b.covariance).map { zip($0, $1).map { ($0 + $1) / 2 } }
            let trace = matrix.indices.reduce(0) { $0 + matrix[$1][$1] }
            let extra = TintFinding.ridge.share * trace / Double(values) + TintFinding.ridge.least
            for index in matrix.indices { matrix[index][index] += extra }
            weights = TintFinding.solved(matrix, zip(a.mean, b.mean).map { $0 - $1 })
            middle = zip(a.mean, b.mean).map { ($0 + $1) / 2 }
        }

        func isOnSide(_ picture: [Double]) -> Bool {
            (0..<values).reduce(0) { $0 + weights[$1] * (picture[values * part + $1] - middle[$1]) } > 0
        }
    }

    /// The mean of a part's values over pictures, and their covariance.
    private struct Moments {
        var mean = [Double](repeating: 0, count: values)
        var covariance = [[Double]](repeating: [Double](repeating: 0, count: values), count: values)

        init(_ pictures: [[Double]], part: Int) {
            let own = pictures.map { Array($0[values * part..<values * (part + 1)]) }
            mean = mean.indices.map { i in own.reduce(0) { $0 + $1[i] } / Double(own.count) }
            for value in own {
                for i in mean.indices {
                    for j in mean.indices {
                        covariance[i][j] += (value[i] - mean[i]) * (value[j] - mean[j]) / Double(max(1, own.count - 1))
                    }
                }
            }
        }
    }

    /// Gauss's elimination for a symmetric matrix that the ridge makes positive definite, so that no row need be exchanged.
    private static func solved(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var rows = zip(matrix, right).map { $0 + [$1] }
        for pivot in rows.indices {
            for row in rows.indices where row != pivot {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                for column in pivot...rows.count { rows[row][column] -= factor * rows[pivot][column] }
            }
        }
        return rows.indices.map { rows[$0][rows.count] / rows[$0][$0] }
    }
}

/// Fisher's exact test: the chance that at least `count` of the first `trials` are among those that succeed, if as many succeed
/// of both together.
package func hypergeometricTail(_ count: Int, of trials: Int, and others: Int, of rest: Int) -> Double {
    let successes = count + others
    let all = logWays(trials + rest, successes)
    let most = min(trials, successes)
    guard count <= most else { return 0 }
    return min(
        1, (count...most).reduce(0) { $0 + exp(logWays(trials, $1) + logWays(rest, successes - $1) - all) })
}
