import NeuralNetwork

/// A one-dimensional convolution and its transpose on given numbers, in every way there is to compute them.
///
/// y = W x, where row i of W holds the filter from column i · stride on and x is the signal with zeros put around it; x̂ = Wᵀ y, which
/// Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional Networks", 2010, call deconvolution; and the same x̂ by sub-pixel
/// convolution: zeros put between the samples of y, then a convolution of stride 1 with the filter turned round (Shi et al., "Is
/// the deconvolution layer the same as a convolutional layer?", 2016, https://arxiv.org/abs/1609.07009).
public struct DeconvolutionWalkthrough: Sendable {
    public let signal: [Double]
    public let filter: [Double]
    public let padding: Int
    public let stride: Int

    /// Numbers that fit on a page.
    public static let longest = 64

    /// - Throws: `WalkthroughError` where there is no such convolution.
    public init(signal: [Double], padding: Int, filter: [Double], stride: Int) throws {
        let most = Self.longest
        guard (0...most).contains(padding) else {
            throw WalkthroughError.count(name: "--padding", value: padding, least: 0, most: most)
        }
        guard (1...most).contains(stride) else {
            throw WalkthroughError.count(name: "--stride", value: stride, least: 1, most: most)
        }
        guard (1...most).contains(signal.count) else {
            throw WalkthroughError.tooMany(name: "the signal", count: signal.count, most: most)
        }
        guard !filter.isEmpty else { throw WalkthroughError.numbers(name: "--filter", text: "") }
        let padded = signal.count + 2 * padding
        guard filter.count <= padded else { throw WalkthroughError.filterTooLong(filter: filter.count, padded: padded) }
        self.signal = signal
        self.filter = filter
        self.padding = padding
        self.stride = stride
    }

    /// x: the signal with `padding` zeros on both sides.
    public var padded: [Double] {
        let zeros = [Double](repeating: 0, count: padding)
        return zeros + signal + zeros
    }

    /// W: (padded − filter) / stride + 1 rows (rounded down), a column for each number of the padded signal.
    public var matrix: Matrix {
        let columns = signal.count + 2 * padding
        return Matrix(rows: (columns - filter.count) / stride + 1, columns: columns) { row, column in
            let tap = column - row * stride
            return filter.indices.contains(tap) ? filter[tap] : 0
        }
    }

    /// y = W x.
    public var output: [Double] { matrix * padded }

    /// x̂ = Wᵀ y, over the padded signal.
    public var transposed: [Double] { matrix.transposed * output }

    /// y with stride − 1 zeros between its samples.
    public var spread: [Double] {
        output.enumerated().flatMap { $0.offset == 0 ? [$0.element] : [Double](repeating: 0, count: stride - 1) + [$0.element] }
    }

    /// `spread` with filter − 1 zeros on both sides, and behind it those that the stride left over.
    public var framed: [Double] {
        let rest = (signal.count + 2 * padding - filter.count) % stride
        let side = filter.count - 1
        return [Double](repeating: 0, count: side) + spread + [Double](repeating: 0, count: side + rest)
    }

    /// x̂ again: `framed` under the filter turned round, with stride 1.
    public var subpixel: [Double] {
        let (framed, flipped) = (framed, Array(filter.reversed()))
        return (0...framed.count - flipped.count).map { start in
            flipped.indices.reduce(0) { $0 + flipped[$1] * framed[start + $1] }
        }
    }

    /// x̂ without the padding, by the kernel with which neurodex goes back through networks.
    /// - Throws: `NetworkError.kernel`.
    public func engine() throws -> [Float] {
        try TransposedConvolution.run(
            output.map { Float($0) }, filter: filter.map { Float($0) }, length: signal.count, padding: padding, stride: stride)
    }

    /// x̂ without the padding.
    public var cropped: [Double] { Array(transposed[padding..<padding + signal.count]) }
}

extension DeconvolutionWalkthrough: Encodable {
    private enum Key: String, CodingKey {
        case signal, padding, filter, stride, padded
        case matrix = "W"
        case output = "y"
        case orthogonal
        case product = "W_times_W_transposed"
        case transposed = "x_hat"
        case spread, framed
        case flipped = "flipped_filter"
        case subpixel
        case cropped = "x_hat_without_padding"
        case engine
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(signal, forKey: .signal)
        try values.encode(padding, forKey: .padding)
        try values.encode(filter, forKey: .filter)
        try values.encode(stride, forKey: .stride)
        try values.encode(padded, forKey: .padded)
        try values.encode(matrix.nested, forKey: .matrix)
        try values.encode(output, forKey: .output)
        let product = matrix * matrix.transposed
        try values.encode((product.multipleOfIdentity ?? 0) > 0, forKey: .orthogonal)
        try values.encode(product.nested, forKey: .product)
        try values.encode(transposed, forKey: .transposed)
        try values.encode(spread, forKey: .spread)
        try values.encode(framed, forKey: .framed)
        try values.encode(Array(filter.reversed()), forKey: .flipped)
        try values.encode(subpixel, forKey: .subpixel)
        try values.encode(cropped, forKey: .cropped)
        try values.encode(engine(), forKey: .engine)
    }
}
