import Foundation
public import Images
import NeuralNetwork

/// What gradient ascent really moves, and how a network's input is made of it. Every picture stays one that can be shown.
public protocol Parametrisation: Sendable {
    /// The network's input, height × width × channels, of the parameters.
    func tensor(_ parameters: [Float]) -> [Float]
    /// The gradient by the parameters, from that by the tensor.
    func gradient(_ tensorGradient: [Float], at parameters: [Float]) -> [Float]
    /// Parameters that make a tensor, or the nearest that can be made.
    func parameters(of tensor: [Float]) -> [Float]
    /// What every step of the optimiser ends with.
    func project(_ parameters: inout [Float])
}

/// The parameters are the tensor's own values, clipped to those of 8-bit pictures.
public struct PixelParametrisation: Parametrisation {
    private let lowest: [Float]
    private let highest: [Float]

    public init(_ preprocessing: Preprocessing) {
        let table = preprocessing.table
        let ends = (0..<preprocessing.channelCount).map { (table[$0 * 256], table[$0 * 256 + 255]) }
        lowest = ends.map { min($0.0, $0.1) }
        highest = ends.map { max($0.0, $0.1) }
    }

    public func tensor(_ parameters: [Float]) -> [Float] { parameters }
    public func gradient(_ tensorGradient: [Float], at parameters: [Float]) -> [Float] { tensorGradient }

    public func parameters(of tensor: [Float]) -> [Float] {
        var parameters = tensor
        project(&parameters)
        return parameters
    }

    public func project(_ parameters: inout [Float]) {
        let channels = lowest.count
        for index in parameters.indices {
            let channel = index % channels
            parameters[index] = min(max(parameters[index], lowest[channel]), highest[channel])
        }
    }
}

/// The parameters are waves in colours that natural pictures do not mix.
///
/// p = σ(C · H(s ⊙ θ)): θ the parameters, s = 1 / max(frequency, 1/longest side) / 4 the amplitude of a wave in natural pictures, H the Hartley
/// transform, C the square root of the colours' correlation, σ the logistic function; then the preprocessing. Olah, Mordvintsev
/// and Schubert, "Feature Visualization", 2017, https://distill.pub/2017/feature-visualization. Where we differ from lucid: real waves in
/// place of a complex spectrum (see `HartleyTransform`), and the colours of ImageNet are taken only for networks whose preprocessing is
/// ImageNet's; for others each channel is scaled by its own deviation. Tensors are height × width × channels; p in 0…1.
public struct FourierParametrisation: Parametrisation {
    /// Channels × channels, row-major.
    package let colors: [Float]
    private let inverseColors: [Float]
    private let transform: HartleyTransform
    private let amplitudes: [Float]
    /// Of the tensor by p, and the tensor at p = 0, a channel each.
    private let slopes: [Float]
    private let offsets: [Float]

    /// lucid's `color_correlation_svd_sqrt` (https://github.com/tensorflow/lucid, optvis/param/color.py): of ImageNet's pictures, RGB.
    private static let imageNet: [Double] = [0.26, 0.09, 0.02, 0.27, 0.00, -0.05, 0.27, -0.09, 0.03]

    public init(_ preprocessing: Preprocessing) {
        let channels = preprocessing.channelCount
        let (height, width) = (preprocessing.crop.height, preprocessing.crop.width)
        transform = HartleyTransform(height: height, width: width, channels: channels)
        let transform = transform
        amplitudes = (0..<height * width).map { index in
            0.25 / max(transform.frequency(y: index / width, x: index % width), 1 / Float(max(height, width)))
        }
        slopes = preprocessing.deviation.map { Float(255 / preprocessing.divisor / $0) }
        offsets = zip(preprocessing.mean, preprocessing.deviation).map { Float(-$0 / $1) }
        let matrix = Self.colors(preprocessing)
        colors = matrix.map { Float($0) }
        inverseColors = Self.inverse(matrix, channels).map { Float($0) }
    }

    /// Normalised so that the longest column is 1 long, as lucid's.
    private static func colors(_ preprocessing: Preprocessing) -> [Double] {
        let scaled = preprocessing.mean.map { $0 * preprocessing.divisor / 255 }
        let means = preprocessing.channels == .bgr ? scaled.reversed() : scaled
        let channels = means.count
        let isImageNet = channels == 3 && zip(means, [0.485, 0.456, 0.406]).allSatisfy { ($0 - $1).magnitude < 0.03 }
        var matrix = [Double](repeating: 0, count: channels * channels)
        if isImageNet {
            let rows = preprocessing.channels == .bgr ? [2, 1, 0] : [0, 1, 2]
            for row in 0..<3 { for column in 0..<3 { matrix[row * 3 + column] = imageNet[rows[row] * 3 + column] } }
        } else {
            for channel in 0..<channels { matrix[channel * (channels + 1)] = preprocessing.deviation[channel].magnitude }
        }
        var longest = 0.0
        for column in 0..<channels {
            var square = 0.0
            for row in 0..<channels { square += matrix[row * channels + column] * matrix[row * channels + column] }
            longest = max(longest, square.squareRoot())
        }
        return matrix.map { $0 / longest }
    }

    /// By Gauss and Jordan; the matrices here are far from singular.
    private static func inverse(_ matrix: [Double], _ n: Int) -> [Double] {
        var (left, right) = (matrix, (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0 })
        for column in 0..<n {
            let pivot = (column..<n).max { left[$0 * n + column].magnitude < left[$1 * n + column].magnitude } ?? column
            for k in 0..<n {
                left.swapAt(column * n + k, pivot * n + k)
                right.swapAt(column * n + k, pivot * n + k)
            }
            let scale = left[column * n + column]
            for k in 0..<n {
                left[column * n + k] /= scale
                right[column * n + k] /= scale
            }
            for row in 0..<n where row != column {
                let factor = left[row * n + column]
                for k in 0..<n {
                    left[row * n + k] -= factor * left[column * n + k]
                    right[row * n + k] -= factor * right[column * n + k]
                }
            }
        }
        return right
    }

    /// H(s ⊙ θ): linear.
    package func waves(_ parameters: [Float]) -> [Float] {
        let channels = slopes.count
        return transform(parameters.indices.map { parameters[$0] * amplitudes[$0 / channels] })
    }

    /// The adjoint of `waves`.
    package func wavesAdjoint(_ picture: [Float]) -> [Float] {
        let channels = slopes.count
        var spectrum = transform(picture)
        for index in spectrum.indices { spectrum[index] *= amplitudes[index / channels] }
        return spectrum
    }

    /// Every pixel's colours through a matrix: C x, or with `isTransposed` its adjoint Cᵀ x.
    package func mix(_ picture: [Float], by matrix: [Float], isTransposed: Bool = false) -> [Float] {
        let n = slopes.count
        return [Float](unsafeUninitializedCapacity: picture.count) { target, count in
            for pixel in stride(from: 0, to: picture.count, by: n) {
                for row in 0..<n {
                    var sum: Float = 0
                    for k in 0..<n { sum += matrix[isTransposed ? k * n + row : row * n + k] * picture[pixel + k] }
                    target[pixel + row] = sum
                }
            }
            count = picture.count
        }
    }

    public func tensor(_ parameters: [Float]) -> [Float] {
        var values = mix(waves(parameters), by: colors)
        let n = slopes.count
        for index in values.indices { values[index] = offsets[index % n] + slopes[index % n] / (1 + exp(-values[index])) }
        return values
    }

    public func gradient(_ tensorGradient: [Float], at parameters: [Float]) -> [Float] {
        var values = mix(waves(parameters), by: colors)
        let n = slopes.count
        for index in values.indices {
            let share = 1 / (1 + exp(-values[index]))
            values[index] = tensorGradient[index] * slopes[index % n] * share * (1 - share)
        }
        return wavesAdjoint(mix(values, by: colors, isTransposed: true))
    }

    /// Black and white lie infinitely far away: shares are clipped to 1 … 99 %.
    public func parameters(of tensor: [Float]) -> [Float] {
        let n = slopes.count
        let logits = tensor.indices.map { index in
            let share = min(max((tensor[index] - offsets[index % n]) / slopes[index % n], 0.01), 0.99)
            return log(share / (1 - share))
        }
        var spectrum = transform(mix(logits, by: inverseColors))
        for index in spectrum.indices { spectrum[index] /= amplitudes[index / n] }
        return spectrum
    }

    public func project(_ parameters: inout [Float]) {}
}
