public import ActivationStore
public import Foundation
public import Images
public import Indexing
import NeuralNetwork
import Support

/// The image that is explained, as the network sees it.
public struct InputImage: Sendable {
    /// A path, as the store keeps it or the user wrote it.
    public var name: String
    /// Where the file is.
    public var file: String
    /// SHA-256 of the file, 32 bytes.
    public var digest: Data
    /// In the network's frame: resized and cropped.
    public var framed: FramedImage
    /// The network's input: height × width × channels.
    public var tensor: [Float]
    /// The class that the network answers, and the image's record, where the store has it.
    public var stored: StoredImage?

    /// Another input for the network where the picture is, `tensor` where there is padding, which no method is to change.
    func padded(_ other: [Float]) -> [Float] {
        let placement = framed.placement
        guard placement.isPadded else { return other }
        var result = tensor
        let channels = tensor.count / (placement.crop.width * placement.crop.height)
        for row in placement.shown.rows {
            let columns = placement.shown.columns
            let start = row * placement.crop.width
            let part = (start + columns.lowerBound) * channels..<(start + columns.upperBound) * channels
            result.replaceSubrange(part, with: other[part])
        }
        return result
    }

    /// Which of an array's numbers are drawn black and white; nil of a picture, and where it has no number.
    var shades: String? {
        guard let samples = framed.image.samples, let drawn = samples.drawn else { return nil }
        if case .levels = samples.kind { return nil }
        return "drawn from \(Figure.number(drawn.lowerBound)), black, to \(Figure.number(drawn.upperBound)), white"
    }

    /// An input for the network of one shade, 0 black to 255 white: of an array, from the smallest to the largest of its numbers.
    func filled(with shade: UInt8, by preprocessing: Preprocessing) -> [Float] {
        let values = preprocessing.values(ofShade: shade, in: framed.image)
        return tensor.indices.map { values[$0 % values.count] }
    }

    /// Where an image is, before it is read.
    public struct Place: Sendable {
        /// A path, as the store keeps it or the user wrote it.
        public var name: String
        var file: String
        /// The image's record, where the store has it.
        public var known: StoredImage?

        /// An image of the store, by path or id, or any file.
        ///
        /// - Parameter files: where the store's images are; nil for where they were.
        /// - Throws: `ExplanationError.image` where the file has gone; `StoreError`.
        public init(_ name: String, store: Store, files: ImageFiles? = nil) throws {
            do {
                known = try store.image(named: name)
            } catch {
                // Not in the store: a file of its own, or a wrong name, for which the store's error has suggestions.
                guard ImageFiles.exists(name) else { throw error }
                known = nil
            }
            self.name = known?.path ?? name
            guard let file = try known.map({ try (files ?? ImageFiles(store)).file(of: $0) }) ?? PathText.typed(name) else {
                throw ExplanationError.image(
                    name: self.name,
                    problem:
                        "is in the store, but the file has gone, and nothing else is exactly what the network saw, a thumbnail neither; put it back, say where images are now with --images FOLDER, or name another image"
                )
            }
            self.file = file
        }
    }

    /// An image of the store, by path or id, or any file.
    ///
    /// - Parameter files: where the store's images are; nil for where they were.
    /// - Throws: `ExplanationError.image` where the file has gone or is not what was indexed; `ImageError`, `StoreError`.
    public init(_ name: String, store: Store, preprocessing: Preprocessing, files: ImageFiles? = nil) throws {
        try self.init(at: Place(name, store: store, files: files), store: store, preprocessing: preprocessing)
    }

    /// Reads an image that was found. On any thread.
    /// - Throws: `ExplanationError.image` where the file is not what was indexed; `ImageError`, `StoreError`.
    public init(at place: Place, store: Store, preprocessing: Preprocessing) throws {
        let reader = ImageReader()
        (framed, digest) = try reader.withContents(of: place.file) { bytes throws(ImageError) in
            (try reader.read(bytes, framing: preprocessing.framing), Data(SHA256.hash(data: bytes)))
        }
        if let known = place.known, known.sha256 != digest {
            throw ExplanationError.image(
                name: place.name,
                problem:
                    "has changed since it was indexed, so the store's numbers are not about it; index it anew into a new store")
        }
        (name, file) = (place.name, place.file)
        // By another path the file may be in the store all the same.
        stored = try place.known ?? store.images(sha256: digest).first
        tensor = preprocessing.tensor(from: framed.image)
    }

    /// Any file, of no store.
    /// - Throws: `ImageError`; `ExplanationError.image` for a file that is not there.
    public init(file name: String, preprocessing: Preprocessing) throws {
        guard ImageFiles.exists(name) else {
            throw ExplanationError.image(name: name, problem: "is not there; name an image file, or a folder of images")
        }
        file = PathText.typed(name)
        let reader = ImageReader()
        (framed, digest) = try reader.withContents(of: file) { bytes throws(ImageError) in
            (try reader.read(bytes, framing: preprocessing.framing), Data(SHA256.hash(data: bytes)))
        }
        self.name = name
        stored = nil
        tensor = preprocessing.tensor(from: framed.image)
    }

    /// A picture that is in memory.
    /// - Parameters:
    ///   - name: what it is called.
    ///   - bytes: of its file.
    /// - Throws: `ImageError` with its name.
    public init(_ name: String, bytes: Data, preprocessing: Preprocessing) throws {
        (self.name, file, stored) = (name, name, nil)
        digest = Data(SHA256.hash(data: bytes))
        framed = try bytes.withUnsafeBytes { bytes throws(ImageError) in
            do throws(ImageError) {
                return try ImageReader().read(bytes, framing: preprocessing.framing)
            } catch {
                throw error.named(name)
            }
        }
        tensor = preprocessing.tensor(from: framed.image)
    }
}
