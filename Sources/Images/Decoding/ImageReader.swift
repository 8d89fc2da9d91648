/// A picture in a network's frame, with where it came from.
public struct FramedImage: Sendable, Equatable {
    /// Resized and cropped; of the framing's crop size.
    public let image: Image
    /// Where the frame lies in the upright picture, and the picture's size.
    public let placement: Placement

    /// Without padding, where the frame has any.
    public var picture: Image {
        placement.isPadded ? image.cropped(columns: placement.shown.columns, rows: placement.shown.rows) : image
    }
}

/// Reads pictures, one after the other, with decoders and buffers that are kept: one reader for each worker.
///
/// ```swift
/// let reader = ImageReader()
/// let framed = try reader.read(contentsOf: "cat.jpg", framing: framing)
/// ```
///
/// The pixels are those of Pillow 13's `convert("RGB")` after `exif_transpose`, with torchvision's `Resize` and `CenterCrop`,
/// bit for bit; but grey of 16 bits is scaled to 8, where Pillow clips it, or kept as numbers: see `Levels`. By `Interpolation.opencv` they are
/// resized as OpenCV's.
public final class ImageReader {
    private let file = FileBuffer()
    private let jpeg = JPEGDecoder()
    private let resampler = Resampler()
    private var stored = Scratch()
    private var turned = Scratch()

    public init() {}

    /// Reads a file and hands its bytes to `body`, to hash them before they are decoded. The bytes live as long as the call.
    ///
    /// - Throws: `ImageError`, with `path` as its name, when the file cannot be read or is of no kind that is decoded.
    public func withContents<Result>(
        of path: String, _ body: (UnsafeRawBufferPointer) throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        do throws(ImageError) {
            try file.read(path)
            return try body(file.bytes)
        } catch {
            throw error.named(path)
        }
    }

    /// A file's picture, resized and cropped.
    ///
    /// - Throws: `ImageError` with `path` as its name.
    public func read(contentsOf path: String, framing: Framing) throws(ImageError) -> FramedImage {
        try withContents(of: path) { bytes throws(ImageError) in try read(bytes, framing: framing) }
    }

    /// The picture that `bytes` hold, resized and cropped. Only the pixels that the crop needs are decoded and resized.
    ///
    /// - Throws: `ImageError` without a name.
    public func read(_ bytes: UnsafeRawBufferPointer, framing: Framing) throws(ImageError) -> FramedImage {
        if let array = try array(bytes, channels: framing.channels, framing.levels) { return try array.framed(framing) }
        let header = try header(bytes)
        if let wanted = framing.channels, wanted != 1, wanted != 3 { throw ImageError(.channels(header.kind, wanted: wanted)) }
        let upright = header.upright
        let placement = framing.placement(sourceWidth: upright.width, sourceHeight: upright.height)
        _ = try Header(
            kind: header.kind, width: placement.crop.width, height: placement.crop.height, orientation: .upright
        ).checked()

        // The crop's columns and rows that lie in the resized picture, and the source pixels they are made of.
        let columns = max(placement.x, 0)..<min(placement.x + placement.crop.width, placement.resized.width)
        let rows = max(placement.y, 0)..<min(placement.y + placement.crop.height, placement.resized.height)
        let neededColumns = ImageReader.needed(columns, upright.width, placement.resized.width, framing.interpolation)
        let neededRows = ImageReader.needed(rows, upright.height, placement.resized.height, framing.interpolation)
        let pixels = try decode(header, bytes, columns: neededColumns, rows: neededRows, window: framing.levels.window)

        let (width, height) = (placement.crop.width, placement.crop.height)
        var image = Image(width: width, height: height) { target in
            guard let start = target.baseAddress else { return }
            if columns.count < width || rows.count < height { Image.fill(target, with: framing.padding) }
            let first = (rows.lowerBound - placement.y) * width + columns.lowerBound - placement.x
            resampler.resize(
                pixels, sourceWidth: upright.width, sourceHeight: upright.height,
                width: placement.resized.width, height: placement.resized.height,
                columns: columns, rows: rows, interpolation: framing.interpolation, passOrder: framing.passOrder,
                target: start + first * 3, targetStride: width * 3)
        }
        image.shown = placement.shown
        return FramedImage(image: image, placement: placement)
    }

    /// A file's whole picture, upright.
    ///
    /// - Throws: `ImageError` with `path` as its name.
    public func decode(contentsOf path: String) throws(ImageError) -> Image {
        try withContents(of: path) { bytes throws(ImageError) in try decode(bytes) }
    }

    /// The whole picture that `bytes` hold, upright.
    ///
    /// - Parameters:
    ///   - channels: that the network takes, by which an array's axes are told from each other; nil for any.
    ///   - levels: what becomes of levels of more than 8 bits.
    /// - Throws: `ImageError` without a name.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, channels: Int? = nil, levels: Levels = Levels()
    ) throws(ImageError) -> Image {
        if let array = try array(bytes, channels: channels, levels) { return array.whole() }
        let header = try header(bytes)
        let upright = header.upright
        let pixels = try decode(
            header, bytes, columns: 0..<upright.width, rows: 0..<upright.height, window: levels.window)
        return Image(width: upright.width, height: upright.height) { target in
            target.baseAddress?.update(from: pixels, count: target.count)
        }
    }

    /// The whole picture that `bytes` hold, upright and perhaps smaller, for a look at it: a JPEG is decoded to as few eighths of its size as
    /// leave the longer side at `side` pixels or more. What a network sees is never read so.
    ///
    /// - Returns: the picture, and the size of the whole one.
    /// - Throws: `ImageError` without a name.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, atLeast side: Int, channels: Int? = nil, levels: Levels = Levels()
    ) throws(ImageError) -> (picture: Image, whole: Size) {
        if ContentKind(of: bytes) != .jpeg {
            let picture = try decode(bytes, channels: channels, levels: levels)
            return (picture, Size(width: picture.width, height: picture.height))
        }
        let whole = try header(bytes)
        let size = Size(width: whole.upright.width, height: whole.upright.height)
        let longest = max(size.width, size.height)
        let eighths = min(8, max(1, (8 * side + longest - 1) / longest))
        guard eighths < 8 else { return (try decode(bytes), size) }
        let header = try jpeg.shrink(whole, eighths: eighths)
        let upright = header.upright
        let pixels = try decode(header, bytes, columns: 0..<upright.width, rows: 0..<upright.height)
        let picture = Image(width: upright.width, height: upright.height) { target in
            target.baseAddress?.update(from: pixels, count: target.count)
        }
        return (picture, size)
    }

    /// What is numbers rather than colours of 8 bits; nil for pictures.
    private func array(
        _ bytes: UnsafeRawBufferPointer, channels: Int?, _ levels: Levels
    ) throws(ImageError) -> ArrayPicture? {
        switch ContentKind(of: bytes) {
        case .npy: return try ArrayPicture(bytes, channels: channels)
        case .tiff:
            let tiff = try TIFF(bytes)
            let isArray = tiff.isArray(for: channels) || levels.areNumbers && tiff.isDeep(for: channels)
            return isArray ? try tiff.array(bytes, channels: channels) : nil
        case .png:
            guard levels.areNumbers, channels ?? 1 == 1 || channels == 3, let samples = PNG.deepSamples(bytes) else { return nil }
            return try PNG.numbers(bytes, samples: samples, channels: channels)
        case .dicom:
            guard levels.areNumbers, channels ?? 1 == 1 || channels == 3 else { return nil }
            let dicom = try DICOM(bytes)
            return dicom.isGrey ? try dicom.numbers(channels: channels) : nil
        default: return nil
        }
    }

    private func header(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Header {
        if bytes.isEmpty { throw ImageError(.empty) }
        switch ContentKind(of: bytes) {
        case .jpeg: return try jpeg.header(bytes).checked(bytes: bytes.count)
        case .png: return try PNG.header(bytes).checked(bytes: bytes.count)
        case .webp: return try WebP.header(bytes).checked(bytes: bytes.count)
        case .tiff: return try TIFF(bytes).header.checked(bytes: bytes.count)
        case .heif, .avif, .jpegXL: return try HEIF(bytes, kind: ContentKind(of: bytes)).header.checked()
        case .dicom: return try DICOMReading(bytes).attributes.header
        case .gif:
            let gif = try GIF(bytes)
            return try Header(kind: .gif, width: gif.width, height: gif.height, orientation: .upright).checked()
        case .bmp:
            let bmp = try BMP(bytes)
            return try Header(kind: .bmp, width: bmp.width, height: bmp.height, orientation: .upright).checked()
        case let kind: throw ImageError(.notDecoded(kind))
        }
    }

    /// The upright pixels, in memory that is valid until the next picture; only `columns` and `rows` are promised.
    private func decode(
        _ header: Header, _ bytes: UnsafeRawBufferPointer, columns: Range<Int>, rows: Range<Int>, window: Window? = nil
    ) throws(ImageError) -> UnsafeMutablePointer<UInt8> {
        let count = header.width * header.height * 3
        let pixels = stored.pointer(bytes: count)
        let isUpright = header.orientation == .upright
        switch header.kind {
        case .png: try PNG.decode(header, bytes, to: pixels)
        case .webp: try WebP.decode(header, bytes, to: pixels)
        case .tiff: try TIFF(bytes).decode(bytes, to: pixels)
        case .heif, .avif, .jpegXL: try HEIF(bytes, kind: header.kind).decode(bytes, to: pixels)
        case .dicom: try DICOM(bytes).decode(to: pixels, window: window)
        case .gif: try GIF(bytes).decode(bytes, to: pixels)
        case .bmp: try BMP(bytes).decode(bytes, to: pixels)
        default:
            try jpeg.decode(
                header, bytes: bytes.count, to: pixels, columns: isUpright ? columns : 0..<header.width,
                bottom: isUpright ? rows.upperBound : header.height)
        }
        if isUpright { return pixels }
        let upright = turned.pointer(bytes: count)
        header.orientation.apply(pixels, width: header.width, height: header.height, to: upright)
        return upright
    }

    /// The source pixels that a window of a resized axis is made of, generously: a pixel more on either side.
    private static func needed(_ window: Range<Int>, _ source: Int, _ target: Int, _ interpolation: Interpolation) -> Range<Int> {
        let scale = Double(source) / Double(target)
        let reach = interpolation.support * max(scale, 1) + 2
        let lower = max(Int(Double(window.lowerBound) * scale - reach), 0)
        let upper = min(Int(Double(window.upperBound) * scale + reach) + 1, source)
        return lower..<max(upper, lower + 1)
    }
}

extension Image {
    /// The picture that a file of these bytes holds, upright.
    ///
    /// - Throws: `ImageError` without a name.
    public init(decoding bytes: [UInt8]) throws(ImageError) {
        let result: Result<Image, ImageError> = bytes.withUnsafeBytes { bytes in
            Result { () throws(ImageError) in try ImageReader().decode(bytes) }
        }
        self = try result.get()
    }

    /// A file's picture, upright.
    ///
    /// - Throws: `ImageError` with `path` as its name.
    public init(contentsOf path: String) throws(ImageError) {
        self = try ImageReader().decode(contentsOf: path)
    }
}
