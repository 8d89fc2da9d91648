/// λ‖x‖²: keeps colours near the mean of the training pictures, which is zero to a network.
///
/// Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013, https://arxiv.org/abs/1312.6034.
package struct SquaredNorm {
    package var weight: Float

    package init(weight: Float) { self.weight = weight }

    package func value(_ tensor: [Float]) -> Double { Double(weight) * tensor.reduce(0.0) { $0 + Double($1) * Double($1) } }

    /// Takes the penalty's gradient from `gradient`.
    package func subtract(from gradient: inout [Float], at tensor: [Float]) {
        for index in tensor.indices { gradient[index] -= 2 * weight * tensor[index] }
    }
}

/// λ Σ √(|x[y+1] − x[y]|² + |x[x+1] − x[x]|² + ε²) − ε over pixels, colours together: the length of all edges.
///
/// Rudin, Osher and Fatemi 1992; for feature visualisation Mahendran and Vedaldi, 2015, https://arxiv.org/abs/1412.0035. ε makes it
/// smooth where nothing changes. Beyond the last row and column nothing changes.
package struct TotalVariation {
    package var weight: Float
    private let height: Int
    private let width: Int
    private let channels: Int
    private static let epsilon: Float = 0.03

    package init(weight: Float, height: Int, width: Int, channels: Int) {
        self.weight = weight
        self.height = height
        self.width = width
        self.channels = channels
    }

    package func value(_ tensor: [Float]) -> Double {
        var sum = 0.0
        forEachPixel(tensor) { _, _, _, length in sum += Double(length - Self.epsilon) }
        return Double(weight) * sum
    }

    /// Takes the penalty's gradient from `gradient`.
    package func subtract(from gradient: inout [Float], at tensor: [Float]) {
        forEachPixel(tensor) { pixel, below, right, length in
            let factor = weight / length
            for c in pixel..<pixel + channels {
                if below >= 0 {
                    let step = factor * (tensor[c - pixel + below] - tensor[c])
                    gradient[c] += step
                    gradient[c - pixel + below] -= step
                }
                if right >= 0 {
                    let step = factor * (tensor[c - pixel + right] - tensor[c])
                    gradient[c] += step
                    gradient[c - pixel + right] -= step
                }
            }
        }
    }

    /// Calls `body` with where a pixel, the one below and the one to its right begin (−1 outside), and the length of its edge.
    private func forEachPixel(_ tensor: [Float], _ body: (Int, Int, Int, Float) -> Void) {
        for y in 0..<height {
            for x in 0..<width {
                let pixel = (y * width + x) * channels
                let below = y + 1 < height ? pixel + width * channels : -1
                let right = x + 1 < width ? pixel + channels : -1
                var sum = Self.epsilon * Self.epsilon
                for c in 0..<channels {
                    if below >= 0 { sum += (tensor[below + c] - tensor[pixel + c]) * (tensor[below + c] - tensor[pixel + c]) }
                    if right >= 0 { sum += (tensor[right + c] - tensor[pixel + c]) * (tensor[right + c] - tensor[pixel + c]) }
                }
                body(pixel, below, right, sum.squareRoot())
            }
        }
    }
}

/// Sets the weakest pixels to zero, the mean colour, so that only what matters is left on an even ground.
///
/// Yosinski et al. 2015, https://arxiv.org/abs/1506.06579: by the norm of a pixel's colour, or by its contribution |Σ_c x ∘ ∂s/∂x|, to
/// first order what the score would lose.
package enum WeakPixels {
    private static func clip(_ tensor: inout [Float], channels: Int, percent: Float, measure: (Int) -> Float) {
        let pixels = tensor.count / channels
        let strengths = (0..<pixels).map { measure($0 * channels) }
        let threshold = strengths.sorted()[min(pixels - 1, Int(Float(pixels) * percent / 100))]
        for pixel in 0..<pixels where strengths[pixel] < threshold {
            for c in 0..<channels { tensor[pixel * channels + c] = 0 }
        }
    }

    /// Pixels of small norm; `percent` of all, 0…100.
    package static func clipSmallNorm(_ tensor: inout [Float], channels: Int, percent: Float) {
        let values = tensor
        clip(&tensor, channels: channels, percent: percent) { start in
            (0..<channels).reduce(Float.zero) { $0 + values[start + $1] * values[start + $1] }
        }
    }

    /// Pixels of small contribution; `percent` of all, 0…100.
    package static func clipSmallContribution(_ tensor: inout [Float], gradient: [Float], channels: Int, percent: Float) {
        let values = tensor
        clip(&tensor, channels: channels, percent: percent) { start in
            (0..<channels).reduce(Float.zero) { $0 + values[start + $1] * gradient[start + $1] }.magnitude
        }
    }
}
