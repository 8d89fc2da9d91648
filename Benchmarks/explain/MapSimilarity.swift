import Explanations
import Images
import NeuralNetwork

/// How alike two maps of one picture are, by several statistics, so that they can be compared.
struct MapSimilarity {
    /// Spearman's correlation of magnitudes, and of signed values (the sum over the colours).
    var magnitudes: Double?
    var signed: Double?
    /// Structural similarity of the magnitudes (Wang, Bovik, Sheikh and Simoncelli 2004), each map brought to 0...1 by its 99 %
    /// quantile.
    var structure: Double?

    init(_ a: ExplanationMap, _ b: ExplanationMap) {
        let (x, y) = (a.plane.map(abs), b.plane.map(abs))
        magnitudes = RankCorrelation.spearmanWhereEither(x, y)
        signed = RankCorrelation.spearmanWhereEither(a.colorSum, b.colorSum)
        structure = Self.structure(Self.normalised(x), Self.normalised(y), width: a.width)
    }

    private static func normalised(_ values: [Float]) -> [Float]? {
        let scale = values.sorted()[min(values.count - 1, values.count * 99 / 100)]
        return scale > 0 ? values.map { min($0 / scale, 1) } : nil
    }

    /// The mean over windows of 7×7, or of the whole where that is smaller.
    private static func structure(_ a: [Float]?, _ b: [Float]?, width: Int) -> Double? {
        guard let a, let b, !a.isEmpty else { return nil }
        let height = a.count / width
        let side = min(7, height, width)
        let count = Double(side * side)
        let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
        var total = 0.0
        for top in 0...height - side {
            for left in 0...width - side {
                var (sumA, sumB, aa, bb, ab) = (0.0, 0.0, 0.0, 0.0, 0.0)
                for row in top..<top + side {
                    for index in row * width + left..<row * width + left + side {
                        let (x, y) = (Double(a[index]), Double(b[index]))
                        sumA += x
                        sumB += y
                        aa += x * x
                        bb += y * y
                        ab += x * y
                    }
                }
                let (meanA, meanB) = (sumA / count, sumB / count)
                let (varianceA, varianceB) = (aa / count - meanA * meanA, bb / count - meanB * meanB)
                let covariance = ab / count - meanA * meanB
                total +=
                    (2 * meanA * meanB + c1) * (2 * covariance + c2)
                    / ((meanA * meanA + meanB * meanB + c1) * (varianceA + varianceB + c2))
            }
        }
        return total / Double((height - side + 1) * (width - side + 1))
    }
}

/// Where the picture has edges (Sobel 1968): as sharp as any saliency map, and nothing of the network in it. A map that has to
/// fail.
enum Edges {
    static func map(of subject: InputImage, input: Network.Input) -> ExplanationMap {
        let (height, width, channels) = (input.height, input.width, input.channels)
        func grey(_ y: Int, _ x: Int) -> Float {
            let pixel = (min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)) * channels
            return (0..<channels).reduce(0) { $0 + subject.tensor[pixel + $1] }
        }
        let values = (0..<height * width).map { pixel -> Float in
            let (y, x) = (pixel / width, pixel % width)
            let across = (-1...1).reduce(Float(0)) { $0 + Float(2 - abs($1)) * (grey(y + $1, x + 1) - grey(y + $1, x - 1)) }
            let down = (-1...1).reduce(Float(0)) { $0 + Float(2 - abs($1)) * (grey(y + 1, x + $1) - grey(y - 1, x + $1)) }
            return (across * across + down * down).squareRoot()
        }
        return ExplanationMap(channels: 1, height: height, width: width, values: values, isSigned: false)
    }
}
