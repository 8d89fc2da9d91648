/// What is known of a picture before its pixels are decoded.
struct Header {
    let kind: ContentKind
    /// As stored, before orientation.
    let width: Int
    let height: Int
    let orientation: Orientation
    var isAnimated = false

    /// The size as seen.
    var upright: Size {
        orientation.exchangesSides ? Size(width: height, height: width) : Size(width: width, height: height)
    }

    /// Refuses sizes that no memory should be asked for.
    /// - Parameter bytes: of the file; nil for a size that comes from no file.
    func checked(bytes: Int? = nil) throws(ImageError) -> Header {
        guard width > 0 && height > 0 else { throw ImageError(.corrupt(kind, detail: "its size is \(height)×\(width)")) }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        if overflow || count > Image.largestPixelCount { throw ImageError(.tooLarge(kind, width: width, height: height)) }
        // An animation is put together on canvases of its own, of four bytes a pixel.
        if isAnimated, count > Image.largestPixelCount / 4 {
            throw ImageError(.unsupported(kind, detail: "an animation of \(height)×\(width) pixels"))
        }
        if let bytes, count > 1 << 24, let most = mostPixels(inBytes: bytes), count > most {
            throw ImageError(.corrupt(kind, detail: "its \(bytes) bytes cannot hold \(height)×\(width) pixels"))
        }
        return self
    }

    /// More pixels than so many bytes can be; nil where one colour takes no bytes at all.
    private func mostPixels(inBytes bytes: Int) -> Int? {
        switch kind {
        // A bit at least for each block of 64 pixels; colours may be sampled at every fourth row and column.
        case .jpeg: bytes * 8 * 64 * 4
        // Deflate makes at most 1032 bytes of one, and a byte holds at most 8 pixels.
        case .png: bytes * 8 * 1032
        default: nil
        }
    }
}

extension Image {
    /// The most pixels that are decoded: 2²⁸, a square of 16384.
    public static let largestPixelCount = 1 << 28
}

/// Numbers at any place of some bytes, checked.
extension UnsafeRawBufferPointer {
    /// The unsigned big-endian number of `count` bytes at `offset`; nil beyond the end.
    func bigEndian(at offset: Int, count length: Int) -> Int? {
        guard offset >= 0, length <= count, offset <= count - length else { return nil }
        return (0..<length).reduce(0) { $0 << 8 | Int(self[offset + $1]) }
    }

    /// The unsigned little-endian number of `count` bytes at `offset`; nil beyond the end.
    func littleEndian(at offset: Int, count length: Int) -> Int? {
        guard offset >= 0, length <= count, offset <= count - length else { return nil }
        return (0..<length).reduce(0) { $0 | Int(self[offset + $1]) << (8 * $1) }
    }

    /// The bytes from `offset`, as many as there are up to `length`.
    func part(at offset: Int, count length: Int) -> UnsafeRawBufferPointer {
        let start = Swift.min(Swift.max(offset, 0), count)
        return UnsafeRawBufferPointer(rebasing: self[start..<start + Swift.max(0, Swift.min(length, count - start))])
    }
}
