/// A picture in memory: 8-bit red, green and blue, interleaved, rows from top to bottom without padding.
public struct Image: Sendable, Equatable {
    /// Columns; at least 1.
    public let width: Int
    /// Rows; at least 1.
    public let height: Int
    /// `width * height * 3` bytes; the pixel at (x, y) starts at `(y * width + x) * 3`.
    public var pixels: [UInt8]
    /// What the pixels were drawn from, and those pixels: they stay as they are, since whoever changes pixels changes a copy of them.
    private var source: (samples: Samples, pixels: [UInt8])?

    /// The numbers that it was drawn from, where it is an array's: what a network sees in place of the pixels. Nil once it was drawn on.
    public internal(set) var samples: Samples? {
        get { source.flatMap { Self.areSame($0.pixels, pixels) ? $0.samples : nil } }
        set { source = newValue.map { ($0, pixels) } }
    }

    /// The columns and rows that show the picture, where it was framed; all others are padding. Nil of a picture of another kind.
    public internal(set) var shown: PictureArea?

    public static func == (a: Image, b: Image) -> Bool {
        (a.width, a.height) == (b.width, b.height) && a.pixels == b.pixels && a.samples == b.samples
    }

    /// Whether two arrays are one and the same memory.
    private static func areSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { a.baseAddress == $0.baseAddress } }
    }

    /// A picture of the given pixels.
    ///
    /// - Precondition: the sizes are positive and `pixels` holds 3 bytes for each pixel.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "a picture has at least one pixel, not \(width)×\(height)")
        precondition(
            pixels.count == width * height * 3,
            "a picture of \(width)×\(height) has \(width * height * 3) bytes, not \(pixels.count)")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour.
    public init(width: Int, height: Int, fill color: Color = .black) {
        precondition(width > 0 && height > 0, "a picture has at least one pixel, not \(width)×\(height)")
        self.init(width: width, height: height, filling: { Image.fill($0, with: color) })
    }

    /// A picture whose bytes are written by `write`, which receives them uninitialised and must set them all.
    init<Failure: Error>(
        width: Int, height: Int, filling write: (UnsafeMutableBufferPointer<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let count = width * height * 3
        var failure: Failure?
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(Failure) {
                try write(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The colour of one pixel.
    ///
    /// - Precondition: (x, y) lies in the picture.
    public subscript(x: Int, y: Int) -> Color {
        get {
            precondition(x >= 0 && x < width && y >= 0 && y < height, "(\(x), \(y)) is outside \(width)×\(height)")
            let i = (y * width + x) * 3
            return Color(pixels[i], pixels[i + 1], pixels[i + 2])
        }
        set {
            precondition(x >= 0 && x < width && y >= 0 && y < height, "(\(x), \(y)) is outside \(width)×\(height)")
            let i = (y * width + x) * 3
            pixels[i] = newValue.red
            pixels[i + 1] = newValue.green
            pixels[i + 2] = newValue.blue
        }
    }

    static func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>, with color: Color) {
        if color.red == color.green && color.green == color.blue {
            buffer.initialize(repeating: color.red)
            return
        }
        for i in stride(from: 0, to: buffer.count, by: 3) {
            buffer[i] = color.red
            buffer[i + 1] = color.green
            buffer[i + 2] = color.blue
        }
    }
}

/// An 8-bit sRGB colour.
public struct Color: Sendable, Equatable, Hashable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// A colour from its usual notation, `0xRRGGBB`.
    public init(hex: UInt32) {
        self.init(UInt8(hex >> 16 & 255), UInt8(hex >> 8 & 255), UInt8(hex & 255))
    }

    /// Red, green and blue from text, `114` for a grey or `114,114,114`; nil where it is neither of 0 to 255.
    public init?(_ text: String) {
        let values = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt8($0) }
        guard let red = values[0], values.count == 1 || values.count == 3, let green = values[values.count / 2],
            let blue = values[values.count - 1]
        else { return nil }
        self.init(red, green, blue)
    }

    public static let black = Color(0, 0, 0)
    public static let white = Color(255, 255, 255)

    /// This colour with `share` (0...1) of `other` mixed in, rounded to the nearest 8-bit value.
    public func mixed(with other: Color, share: Float) -> Color {
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
            let value = Float(a) + (Float(b) - Float(a)) * share
            return UInt8(max(0, min(255, value.rounded())))
        }
        return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
    }
}

extension Color: LosslessStringConvertible {
    /// `114` for a grey, else `255,128,0`.
    public var description: String { red == green && green == blue ? "\(red)" : "\(red),\(green),\(blue)" }
}
