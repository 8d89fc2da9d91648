import CKernels
import Foundation

/// The two-dimensional discrete Hartley transform of a picture, height × width × channels: waves instead of pixels.
///
/// X[k, l] = (H W)^−½ Σ x[y, x] cas(2π k y / H) cas(2π l x / W), cas φ = cos φ + sin φ (Bracewell, "Discrete Hartley transform", 1983,
/// https://doi.org/10.1364/JOSA.73.001832). It is the real form of Fourier's: the four waves ±k, ±l of one frequency span the
/// same space. It is symmetric and orthogonal, so that it is its own inverse and its own adjoint, and as many numbers come out
/// as go in, none of them redundant; lucid's complex spectrum needs a rule for each. Any size, 2·(H + W)·H·W/2 multiplications a channel.
public struct HartleyTransform: Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    private let vertical: Axis
    private let horizontal: Axis

    public init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
        vertical = Axis(length: height)
        horizontal = Axis(length: width)
    }

    /// Height × width × channels in and out.
    public func callAsFunction(_ values: [Float]) -> [Float] {
        precondition(values.count == height * width * channels, "\(values.count) numbers for \(height)×\(width)×\(channels)")
        let columns = vertical.apply(values, columns: width * channels)
        let turned = transposed(columns, height, width)
        return transposed(horizontal.apply(turned, columns: height * channels), width, height)
    }

    /// Exchanges rows and columns; colours stay together.
    private func transposed(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { target, count in
            values.withUnsafeBufferPointer { source in
                for x in 0..<columns {
                    for y in 0..<rows {
                        for c in 0..<channels { target[(x * rows + y) * channels + c] = source[(y * columns + x) * channels + c] }
                    }
                }
            }
            count = values.count
        }
    }

    /// How many waves stand along the picture: for index (y, x) of a spectrum the frequency in waves a pixel, √(f_y² + f_x²).
    public func frequency(y: Int, x: Int) -> Float {
        let (down, across) = (Float(min(y, height - y)) / Float(height), Float(min(x, width - x)) / Float(width))
        return (down * down + across * across).squareRoot()
    }

    /// The transform along one axis: the cosine of the even part plus the sine of the odd part, each half as large a matrix.
    private struct Axis: Sendable {
        let length: Int
        let half: Int
        let cosines: [Float]
        let sines: [Float]

        init(length: Int) {
            self.length = length
            let half = length / 2 + 1
            self.half = half
            func matrix(_ wave: (Double) -> Double) -> [Float] {
                (0..<half * half).map { index in
                    // The product is reduced first: the angle of a large multiple of 2π would lose digits.
                    let product = (index / half) * (index % half) % length
                    return Float(wave(2 * Double.pi * Double(product) / Double(length)) / Double(length).squareRoot())
                }
            }
            cosines = matrix(cos)
            sines = matrix(sin)
        }

        func apply(_ values: [Float], columns: Int) -> [Float] {
            var even = [Float](repeating: 0, count: half * columns)
            var odd = even
            for n in 0..<half {
                let mirror = (length - n) % length
                let (first, second, row) = (n * columns, mirror * columns, n * columns)
                if mirror == n {
                    for c in 0..<columns { even[row + c] = values[first + c] }
                } else if mirror >= half || n < mirror {
                    for c in 0..<columns {
                        even[row + c] = values[first + c] + values[second + c]
                        odd[row + c] = values[first + c] - values[second + c]
                    }
                }
            }
            var cosine = [Float](repeating: 0, count: half * columns)
            var sine = cosine
            ndx_matrix_product(cosines, half, half, even, columns, &cosine)
            ndx_matrix_product(sines, half, half, odd, columns, &sine)
            return [Float](unsafeUninitializedCapacity: values.count) { target, count in
                for k in 0..<length {
                    let (row, sign): (Int, Float) = k < half ? (k, 1) : (length - k, -1)
                    for c in 0..<columns { target[k * columns + c] = cosine[row * columns + c] + sign * sine[row * columns + c] }
                }
                count = values.count
            }
        }
    }
}
