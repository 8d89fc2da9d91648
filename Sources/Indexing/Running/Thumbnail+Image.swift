public import ActivationStore
import Foundation
public import Images
import Support

extension Thumbnail {
    /// A JPEG's. At 85, thumbnails of photographs are a sixth larger.
    static let quality = 80
    /// The longest side where nobody says another.
    public static let defaultSide = 160

    /// Of a picture in a network's frame. Frames that are small are kept as they are.
    ///
    /// - Parameter side: of the longer side, in pixels.
    /// - Throws: `ImageError` where there is no memory.
    public init(of frame: Image, side: Int) throws(ImageError) {
        let longest = max(frame.width, frame.height)
        func length(_ length: Int) -> Int { longest <= side ? length : max(1, (length * side + longest / 2) / longest) }
        let small = frame.resized(width: length(frame.width), height: length(frame.height))
        self.init(jpeg: Data(try small.jpegData(quality: Self.quality)))
    }

    /// Bytes of one, about: 0.22 a pixel and the JPEG's tables, as photographs take (ImageNet's 0.22, COCO's 0.22).
    public static func expectedBytes(frame: Size, side: Int) -> Int {
        let scale = min(1, Double(side) / Double(max(frame.width, frame.height)))
        return 620 + Int(0.22 * scale * scale * Double(frame.width * frame.height))
    }
}

extension StoreDescription {
    /// Bytes that an image takes in a store of this description, but for its thumbnail: activations, positions, means, its row.
    public var bytesOfImage: Int {
        200 + layers.reduce(0) { $0 + $1.channels * (4 + $1.positionBytes + ($1.hasMean ? 4 : 0)) }
    }

    /// The share of a store that its thumbnails would take.
    public func expectedThumbnailShare(frame: Size, side: Int) -> Double {
        let bytes = Thumbnail.expectedBytes(frame: frame, side: side)
        return Double(bytes) / Double(bytes + bytesOfImage)
    }
}

/// Makes thumbnails of images that a store has already, from their files: without the network.
public struct ThumbnailMaking {
    public struct Summary: Equatable, Sendable {
        public var made = 0
        /// Images whose files have gone, or are not what was indexed, and the first of them.
        public var missing = 0
        public var example: String?

        public init(made: Int = 0, missing: Int = 0, example: String? = nil) {
            (self.made, self.missing, self.example) = (made, missing, example)
        }
    }

    private let preprocessing: Preprocessing
    private let side: Int

    public init(preprocessing: Preprocessing, side: Int) { (self.preprocessing, self.side) = (preprocessing, side) }

    /// For all images without one.
    /// - Parameter isCancelled: asked between images; what was made is kept.
    /// - Throws: `StoreError`.
    public func run(
        into writer: StoreWriter, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Summary {
        let (places, reader) = (ImagePlaces(try writer.imageOrigin(), storeFolder: writer.folder), ImageReader())
        let wanted = try writer.imagesWithoutThumbnail()
        var (summary, made): (Summary, [(image: Int, thumbnail: Thumbnail)]) = (Summary(), [])
        for (index, (path, image)) in wanted.enumerated() where !isCancelled() {
            if let thumbnail = thumbnail(of: image, places.file(of: path, bytes: image.bytes), reader) {
                made.append((image.id, thumbnail))
                summary.made += 1
            } else {
                summary.missing += 1
                summary.example = summary.example ?? path
            }
            if made.count == 500 {
                try writer.keep(made)
                made = []
            }
            progress(index + 1, wanted.count)
        }
        try writer.keep(made)
        return summary
    }

    private func thumbnail(of image: KnownImage, _ file: String?, _ reader: ImageReader) -> Thumbnail? {
        guard let file else { return nil }
        let made = try? reader.withContents(of: file) { bytes throws(ImageError) -> Thumbnail? in
            guard Data(SHA256.hash(data: bytes)) == image.sha256 else { return nil }
            return try Thumbnail(of: reader.read(bytes, framing: preprocessing.framing).image, side: side)
        }
        return made ?? nil
    }
}
