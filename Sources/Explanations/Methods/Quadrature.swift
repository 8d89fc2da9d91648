public import ArgumentParser
import Foundation

/// Where on the way from the baseline to the picture Integrated Gradients look, and what each look weighs, as Captum
/// (https://captum.ai, `IntegratedGradients(method:)`) has it.
public enum Quadrature: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Gauss and Legendre's, which is Captum's default: exact for polynomials of degree 2n − 1; the weights add up to 1, so that
    /// of a linear network the map adds up to the difference of the scores with any number of points.
    case gausslegendre
    /// n points from 0 to 1 of weight 1/n, the ends half of it: the weights add up to 1 − 1/n, and the map is as much too small.
    case riemannTrapezoid = "riemann_trapezoid"

    /// The fewest points that it can do with.
    var leastCount: Int { self == .gausslegendre ? 1 : 2 }

    /// Places in 0...1 in ascending order, and their weights.
    ///
    /// - Precondition: `count` is at least `leastCount`.
    package func points(_ count: Int) -> [(place: Double, weight: Double)] {
        precondition(count >= leastCount, "\(count) points of \(rawValue)")
        switch self {
        case .gausslegendre: return (0..<count).map { Self.gaussLegendre($0, of: count) }
        case .riemannTrapezoid:
            return (0..<count).map { step in
                (Double(step) / Double(count - 1), (step == 0 || step == count - 1 ? 0.5 : 1) / Double(count))
            }
        }
    }

    /// The root of number `index` of Legendre's polynomial of degree n, by Newton's method from Tricomi's estimate, brought from
    /// −1...1 to 0...1; its weight there is 1 / ((1 − x²) Pₙ′(x)²).
    private static func gaussLegendre(_ index: Int, of count: Int) -> (place: Double, weight: Double) {
        let n = Double(count)
        var x = -cos(.pi * (Double(index) + 0.75) / (n + 0.5)) * (1 - 1 / (8 * n * n) + 1 / (8 * n * n * n))
        var slope = 1.0
        for _ in 0..<100 {
            var (before, value) = (1.0, x)
            for degree in stride(from: 2.0, through: n, by: 1) {
                (before, value) = (value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree)
            }
            slope = n * (before - x * value) / (1 - x * x)
            let step = value / slope
            x -= step
            if abs(step) < 1e-15 { break }
        }
        return ((1 + x) / 2, 1 / ((1 - x * x) * slope * slope))
    }
}
