/// How a picture is stored relative to how it is seen, by the numbers of EXIF.
public enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case mirroredUpsideDown = 4
    /// Rows and columns exchanged.
    case transposed = 5
    /// To be turned a quarter clockwise, as most phones held upright write.
    case turnClockwise = 6
    case transversed = 7
    case turnCounterclockwise = 8

    /// Whether width and height change places.
    public var exchangesSides: Bool { rawValue >= 5 }

    /// The orientation that undoes this one.
    public var inverse: Orientation {
        switch self {
        case .turnClockwise: .turnCounterclockwise
        case .turnCounterclockwise: .turnClockwise
        default: self
        }
    }

    /// The orientation written in a block of EXIF (a TIFF header and its first directory), or `upright` when the block
    /// is damaged or does not say.
    public init(exif block: UnsafeRawBufferPointer) { self = OrientationTag(exif: block)?.orientation ?? .upright }

    /// Where the seen pixel (0, 0) is stored, and how far from a pixel the ones to its right and below it are, in pixels.
    func steps(width: Int, height: Int) -> (origin: Int, across: Int, down: Int) {
        let lastX = width - 1
        let lastY = (height - 1) * width
        return switch self {
        case .upright: (0, 1, width)
        case .mirrored: (lastX, -1, width)
        case .upsideDown: (lastY + lastX, -1, -width)
        case .mirroredUpsideDown: (lastY, 1, -width)
        case .transposed: (0, width, 1)
        case .turnClockwise: (lastY, -width, 1)
        case .transversed: (lastY + lastX, -width, -1)
        case .turnCounterclockwise: (lastX, width, -1)
        }
    }

    /// Copies `source` (3 bytes a pixel, `width`×`height` as stored) to `target`, turned upright.
    func apply(_ source: UnsafePointer<UInt8>, width: Int, height: Int, to target: UnsafeMutablePointer<UInt8>) {
        // The seen pixel (x, y) is the stored pixel origin + x·across + y·down.
        let (origin, across, down) = steps(width: width, height: height)
        let columns = exchangesSides ? height : width
        let rows = exchangesSides ? width : height
        var out = target
        for y in 0..<rows {
            var pixel = source + (origin + y * down) * 3
            for _ in 0..<columns {
                out[0] = pixel[0]
                out[1] = pixel[1]
                out[2] = pixel[2]
                out += 3
                pixel += across * 3
            }
        }
    }
}

extension Image {
    /// This picture, stored as `orientation` says, as it is meant to be seen.
    public func oriented(_ orientation: Orientation) -> Image {
        let (width, height) = orientation.exchangesSides ? (height, width) : (width, height)
        return Image(width: width, height: height) { target in
            pixels.withUnsafeBufferPointer { source in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                orientation.apply(source, width: self.width, height: self.height, to: target)
            }
        }
    }
}
