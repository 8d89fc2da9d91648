import Foundation

/// A Gaussian blur of a picture, height × width × channels.
///
/// Separable; the window reaches 3 deviations and its weights add up to 1; edges are mirrored, which makes the blur symmetric: it
/// is its own adjoint. Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015, https://arxiv.org/abs/1506.06579,
/// blur the picture every few steps, since gradients have more of the high frequencies than pictures have.
public struct GaussianBlur: Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    private let weights: [Float]

    /// - Parameter deviation: in pixels, 0 or more.
    public init(height: Int, width: Int, channels: Int, deviation: Float) {
        precondition(deviation >= 0 && deviation.isFinite, "a blur has a deviation of 0 or more, not \(deviation)")
        self.height = height
        self.width = width
        self.channels = channels
        let reach = Int((3 * deviation).rounded(.up))
        let raw = (-reach...reach).map {
            deviation == 0 ? 1 : exp(-Double($0 * $0) / (2 * Double(deviation) * Double(deviation)))
        }
        let sum = raw.reduce(0, +)
        weights = raw.map { Float($0 / sum) }
    }

    public func apply(_ picture: [Float]) -> [Float] {
        let vertical = blurred(picture, count: height) { line, index in index * width + line }
        return blurred(vertical, count: width) { line, index in line * width + index }
    }

    /// - Parameter place: the pixel at a place of a line, of which there are as many as the other axis has.
    private func blurred(_ picture: [Float], count: Int, place: (Int, Int) -> Int) -> [Float] {
        let reach = weights.count / 2
        var result = [Float](repeating: 0, count: picture.count)
        for line in 0..<height * width / count {
            for index in 0..<count {
                let target = place(line, index) * channels
                for (tap, weight) in weights.enumerated() {
                    let source = place(line, View.mirrored(index + tap - reach, count)) * channels
                    for c in 0..<channels { result[target + c] += weight * picture[source + c] }
                }
            }
        }
        return result
    }
}
