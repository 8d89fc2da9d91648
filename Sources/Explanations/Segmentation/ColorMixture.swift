import Foundation

/// A mixture of Gaussians over colours, fitted to the pixels of a thing or of what is around it.
///
/// Begun by splitting the widest part along its longest axis until there are enough (Orchard and Bouman, "Color Quantization of Images", 1991, as
/// Rother, Kolmogorov and Blake, "GrabCut", 2004, do), then expectation-maximisation. The same pixels always give the same mixture.
package struct ColorMixture: Sendable {
    package typealias Color = SIMD3<Double>

    /// Variance that every part has at least, in levels² of 0...255: a plain colour is known to some levels, not exactly.
    private static let leastVariance = 9.0
    private static let rounds = 8
    /// Part of the colours that may be anything: a colour that neither model has seen then decides little.
    private static let anythingShare = 0.01

    private var parts: [ColorPart] = []

    /// - Parameters:
    ///   - colors: 0...255, at least one.
    ///   - count: parts; fewer where there are not so many colours.
    package init(_ colors: [Color], count: Int) {
        precondition(!colors.isEmpty && count > 0, "a mixture needs colours and parts")
        var groups = [colors]
        while groups.count < count {
            let axes = groups.map { Self.longestAxis($0) }
            guard let widest = axes.indices.max(by: { axes[$0].variance < axes[$1].variance }), axes[widest].variance > 1e-9
            else { break }
            let (axis, middle) = (axes[widest].axis, axes[widest].mean)
            let (low, high) = (
                groups[widest].filter { (($0 - middle) * axis).sum() <= 0 },
                groups[widest].filter { (($0 - middle) * axis).sum() > 0 }
            )
            guard !low.isEmpty, !high.isEmpty else { break }
            groups[widest] = low
            groups.append(high)
        }
        parts = groups.map { group in
            ColorPart(group, weights: nil, total: Double(colors.count), leastVariance: Self.leastVariance)
        }
        for _ in 0..<Self.rounds where parts.count > 1 { improve(colors) }
    }

    /// One round of expectation and maximisation.
    private mutating func improve(_ colors: [Color]) {
        var shares = parts.map { _ in [Double]() }
        for color in colors {
            let densities = parts.map { $0.density(of: color) }
            let total = densities.reduce(0, +)
            for (part, density) in densities.enumerated() {
                shares[part].append(total > 0 ? density / total : 1 / Double(parts.count))
            }
        }
        parts = shares.filter { $0.reduce(0, +) > 1e-6 }.map {
            ColorPart(colors, weights: $0, total: Double(colors.count), leastVariance: Self.leastVariance)
        }
    }

    /// −ln p(color), at most about 21.
    package func cost(of color: Color) -> Double {
        let density = parts.reduce(0) { $0 + $1.density(of: color) }
        return -log((1 - Self.anythingShare) * density + Self.anythingShare / (256 * 256 * 256))
    }

    /// By the power method.
    private static func longestAxis(_ colors: [Color]) -> (axis: Color, variance: Double, mean: Color) {
        let part = ColorPart(colors, weights: nil, total: 1, leastVariance: 0)
        var axis = Color(0.6, 0.64, 0.48)
        var length = 0.0
        for _ in 0..<30 {
            let turned = part.covariance.0 * axis.x + part.covariance.1 * axis.y + part.covariance.2 * axis.z
            length = (turned * turned).sum().squareRoot()
            guard length > 1e-12 else { return (axis, 0, part.mean) }
            axis = turned / length
        }
        return (axis, length * Double(colors.count), part.mean)
    }
}

/// One Gaussian with its share of the mixture.
private struct ColorPart: Sendable {
    typealias Color = ColorMixture.Color

    var mean: Color
    /// By columns.
    var covariance: (Color, Color, Color)
    private var inverse: (Color, Color, Color)
    private var factor: Double

    init(_ colors: [Color], weights: [Double]?, total: Double, leastVariance: Double) {
        func weight(_ index: Int) -> Double { weights?[index] ?? 1 }
        var (sum, mean) = (0.0, Color.zero)
        for index in colors.indices {
            sum += weight(index)
            mean += weight(index) * colors[index]
        }
        mean /= sum
        var columns = (Color.zero, Color.zero, Color.zero)
        for index in colors.indices {
            let away = colors[index] - mean
            let weighed = weight(index) / sum * away
            columns.0 += weighed * away.x
            columns.1 += weighed * away.y
            columns.2 += weighed * away.z
        }
        columns.0.x += leastVariance
        columns.1.y += leastVariance
        columns.2.z += leastVariance
        func cross(_ a: Color, _ b: Color) -> Color {
            Color(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
        }
        let determinant = (columns.0 * cross(columns.1, columns.2)).sum()
        self.mean = mean
        covariance = columns
        // Of a symmetric matrix, so rows are columns.
        inverse = (
            cross(columns.1, columns.2) / determinant, cross(columns.2, columns.0) / determinant,
            cross(columns.0, columns.1) / determinant
        )
        factor = sum / total / (pow(2 * Double.pi, 3) * determinant).squareRoot()
    }

    /// Times the part's share.
    func density(of color: Color) -> Double {
        let away = color - mean
        let turned = inverse.0 * away.x + inverse.1 * away.y + inverse.2 * away.z
        return factor * exp(-0.5 * (away * turned).sum())
    }
}
