public import ActivationStore
import Foundation
public import Images
import Indexing
public import Search
import Support

/// The pictures of a store's images, wherever their files are now. Used by one thread at a time.
public struct StoredPictures {
    private let store: Store
    private let files: ImageFiles
    private let reader = ImageReader()
    private let preprocessing: Preprocessing?

    /// - Parameter images: the folder that images have moved to, if they have.
    public init(_ store: Store, images: String?) throws {
        self.store = store
        files = try ImageFiles(store, folder: images)
        preprocessing = try? store.preprocessing()
    }

    /// Whether there is no file where the image was; what is in the file is not looked at.
    public func isGone(_ image: StoredImage) -> Bool { files.file(of: image) == nil }

    /// Nil where the file has gone, or is not what was indexed.
    public func picture(of image: StoredImage) -> Image? {
        let levels = preprocessing?.levels ?? Levels()
        return read(image) { bytes throws(ImageError) in
            try reader.decode(bytes, channels: preprocessing?.channelCount, levels: levels)
        }
    }

    /// A picture to be looked at: the file's, or else the store's thumbnail of it. Nil where there is neither.
    ///
    /// - Parameter side: of the longer side, in pixels, at least; a JPEG is then decoded smaller than it is. Nil: as it is, for pictures
    ///   that are to be made again exactly.
    public func shown(_ image: StoredImage, atLeast side: Int?) -> ShownPicture? {
        let whole = Size(width: image.width, height: image.height)
        let picture = read(image) { bytes throws(ImageError) in
            let (channels, levels) = (preprocessing?.channelCount, preprocessing?.levels ?? Levels())
            return if let side {
                try reader.decode(bytes, atLeast: side, channels: channels, levels: levels).picture
            } else {
                try reader.decode(bytes, channels: channels, levels: levels)
            }
        }
        if let picture { return ShownPicture(picture: picture, whole: whole, isThumbnail: false) }
        guard let preprocessing, let thumbnail = try? store.thumbnail(image: image.id),
            let small = try? Image(decoding: Array(thumbnail.jpeg))
        else { return nil }
        return ShownPicture(frame: small, whole: whole, preparedBy: preprocessing)
    }

    /// For questions that look at pictures.
    public var given: GivenPictures { GivenPictures { small($0) } }

    /// What the network saw of an image, without padding, from its file or else from its thumbnail. Nil where there is neither.
    private func small(_ image: StoredImage) -> SmallPicture? {
        guard let preprocessing else { return nil }
        let placement = preprocessing.framing.placement(sourceWidth: image.width, sourceHeight: image.height)
        let file = read(image) { bytes throws(ImageError) in
            try reader.read(bytes, framing: preprocessing.framing).image
        }
        let thumbnail = file == nil ? try? store.thumbnail(image: image.id) : nil
        guard let frame = file ?? thumbnail.flatMap({ try? Image(decoding: Array($0.jpeg)) }) else { return nil }
        return SmallPicture(frame: frame, placement: placement)
    }

    private func read(_ image: StoredImage, _ decode: (UnsafeRawBufferPointer) throws(ImageError) -> Image) -> Image? {
        guard let file = files.file(of: image) else { return nil }
        let picture = try? reader.withContents(of: file) { bytes throws(ImageError) -> Image? in
            guard Data(SHA256.hash(data: bytes)) == image.sha256 else { return nil }
            return try decode(bytes)
        }
        return picture ?? nil
    }
}

/// A picture that may be smaller than its file says, with what is needed to find a part of it.
public struct ShownPicture: Sendable {
    public let picture: Image
    /// The size of the upright picture in its file.
    public let whole: Size
    /// Whether the file is not there: then it is what the network saw, in its place in the picture, on grey.
    public let isThumbnail: Bool

    /// Where a thumbnail shows nothing.
    public static let ground = Color(128, 128, 128)

    init(picture: Image, whole: Size, isThumbnail: Bool) {
        (self.picture, self.whole, self.isThumbnail) = (picture, whole, isThumbnail)
    }

    /// Puts what a network saw back into its place in the picture.
    /// - Parameter frame: the network's frame, whole and at any scale.
    init(frame: Image, whole: Size, preparedBy preprocessing: Preprocessing) {
        let placement = preprocessing.framing.placement(sourceWidth: whole.width, sourceHeight: whole.height)
        let crop = placement.crop
        let seen = placement.sourceRectangle(
            ofInput: Rectangle(x: 0, y: 0, width: Double(crop.width), height: Double(crop.height)))
        // As many pixels as the thumbnail has, along the side that it has more of.
        let scale = min(1, max(Double(frame.width) / seen.width, Double(frame.height) / seen.height))
        func pixels(_ length: Double) -> Int { max(1, Int((length * scale).rounded())) }
        var picture = Image(width: pixels(Double(whole.width)), height: pixels(Double(whole.height)), fill: Self.ground)
        picture.blit(
            frame.resized(width: pixels(seen.width), height: pixels(seen.height)), x: Int((seen.x * scale).rounded()),
            y: Int((seen.y * scale).rounded()))
        self.init(picture: picture, whole: whole, isThumbnail: true)
    }

    /// A rectangle of the upright picture in its file, in the pixels of this one.
    public func rectangle(_ area: Rectangle) -> Rectangle {
        let across = Double(picture.width) / Double(whole.width)
        let down = Double(picture.height) / Double(whole.height)
        return Rectangle(x: area.x * across, y: area.y * down, width: area.width * across, height: area.height * down)
    }

    /// A part of it.
    /// - Parameter area: in pixels of the upright picture in its file; not empty.
    public func cropped(to area: Rectangle) -> Image {
        let part = rectangle(area).pixels(in: Size(width: picture.width, height: picture.height))
        return picture.cropped(columns: part.columns, rows: part.rows)
    }
}

extension SmallPicture {
    /// - Parameter frame: the network's frame, whole and at any scale.
    fileprivate init?(frame: Image, placement: Placement) {
        let (across, down) = (
            Double(frame.width) / Double(placement.crop.width), Double(frame.height) / Double(placement.crop.height)
        )
        let shown = placement.shownRectangle
        let part = Rectangle(
            x: shown.x * across, y: shown.y * down, width: shown.width * across, height: shown.height * down
        ).pixels(in: Size(width: frame.width, height: frame.height))
        guard !part.columns.isEmpty, !part.rows.isEmpty else { return nil }
        let whole = frame.cropped(columns: part.columns, rows: part.rows)
        let scale = min(1, Double(Self.longestSide) / Double(max(whole.width, whole.height)))
        func length(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
        let small = scale < 1 ? whole.resized(width: length(whole.width), height: length(whole.height)) : whole
        self.init(
            pixels: small.pixels, width: small.width, height: small.height,
            area: Area(
                x: Double(part.columns.lowerBound) / across, y: Double(part.rows.lowerBound) / down,
                width: Double(part.columns.count) / across, height: Double(part.rows.count) / down))
    }
}
