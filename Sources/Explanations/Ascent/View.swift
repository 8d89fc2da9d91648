import Foundation

/// A picture as seen after a small shift, turn and change of size: bilinear sampling, and its exact adjoint.
///
/// (A x)[p] = Σ_q w(p, q) x[q], where p looks at the place M (p − centre) + centre + shift of the picture, and w are the four bilinear weights around
/// it; beyond the edges the picture is mirrored. The adjoint scatters with the same weights. Asking for what excites a neuron in
/// *every* such view keeps patterns away that work on one alignment of pixels only (Mordvintsev et al. 2015; Olah et al. 2017).
/// Where we differ from lucid: one sampling for all three, so that it blurs once, and mirrored edges in place of a grey frame.
public struct View: Equatable, Sendable {
    public var height: Int
    public var width: Int
    public var channels: Int
    /// In pixels.
    public var shiftY: Float = 0
    public var shiftX: Float = 0
    /// How much of the picture is seen: above 1 things look smaller.
    public var scale: Float = 1
    /// In degrees.
    public var rotation: Float = 0

    public init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// A random view: whole pixels of shift up to `jitter` each way, scales within 1 ± `scale`, rotations within ± `rotation` degrees.
    public init(
        height: Int, width: Int, channels: Int, jitter: Int, scale: Float, rotation: Float, random: inout GaussianNoise
    ) {
        self.init(height: height, width: width, channels: channels)
        func shift() -> Float { Float(Int(random.uniform() * Double(2 * jitter + 1)) - jitter) }
        (shiftY, shiftX) = (shift(), shift())
        self.scale = 1 + scale * Float(2 * random.uniform() - 1)
        self.rotation = rotation * Float(2 * random.uniform() - 1)
    }

    /// Height × width × channels in and out.
    public func apply(_ picture: [Float]) -> [Float] {
        var seen = [Float](repeating: 0, count: picture.count)
        forEachTap { pixel, source, weight in
            for c in 0..<channels { seen[pixel * channels + c] += weight * picture[source * channels + c] }
        }
        return seen
    }

    /// The transpose of `apply`.
    public func adjoint(_ seen: [Float]) -> [Float] {
        var picture = [Float](repeating: 0, count: seen.count)
        forEachTap { pixel, source, weight in
            for c in 0..<channels { picture[source * channels + c] += weight * seen[pixel * channels + c] }
        }
        return picture
    }

    /// Calls `body` with every pixel seen, each of the pixels it is made of, and the weight.
    @inline(__always)
    private func forEachTap(_ body: (Int, Int, Float) -> Void) {
        let angle = Double(rotation) * Double.pi / 180
        let (cosine, sine) = (Float(cos(angle)) * scale, Float(sin(angle)) * scale)
        let (centerY, centerX) = (Float(height - 1) / 2, Float(width - 1) / 2)
        for y in 0..<height {
            for x in 0..<width {
                let (dy, dx) = (Float(y) - centerY, Float(x) - centerX)
                let (atY, atX) = (cosine * dy + sine * dx + centerY + shiftY, cosine * dx - sine * dy + centerX + shiftX)
                let (top, left) = (atY.rounded(.down), atX.rounded(.down))
                let (shareY, shareX) = (atY - top, atX - left)
                let (y0, y1) = (Self.mirrored(Int(top), height), Self.mirrored(Int(top) + 1, height))
                let (x0, x1) = (Self.mirrored(Int(left), width), Self.mirrored(Int(left) + 1, width))
                let pixel = y * width + x
                body(pixel, y0 * width + x0, (1 - shareY) * (1 - shareX))
                if shareX > 0 { body(pixel, y0 * width + x1, (1 - shareY) * shareX) }
                if shareY > 0 {
                    body(pixel, y1 * width + x0, shareY * (1 - shareX))
                    if shareX > 0 { body(pixel, y1 * width + x1, shareY * shareX) }
                }
            }
        }
    }

    /// …2 1 0 | 0 1 2 … n−1 | n−1 n−2 …
    static func mirrored(_ index: Int, _ count: Int) -> Int {
        if index >= 0 && index < count { return index }
        let period = 2 * count
        let wrapped = ((index % period) + period) % period
        return wrapped < count ? wrapped : period - 1 - wrapped
    }
}
