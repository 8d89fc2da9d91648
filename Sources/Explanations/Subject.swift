public import ActivationStore
public import Foundation
import Hashing
public import Images
public import NeuralNetwork

/// The image that is explained, as the network sees it.
public struct Subject: Sendable {
    /// A path.
    public var name: String
    /// SHA-256 of the file, 32 bytes.
    public var digest: Data
    /// In the network's frame: resized and cropped.
    public var framed: FramedImage
    /// The network's input: height × width × channels.
    public var tensor: [Float]
    /// The class that the network answers, and the image's record, where the store has it.
    public var stored: StoredImage?

    /// An image of the store, by path or id, or any file.
    ///
    /// - Throws: `ExplanationError.image` where the file has gone or is not what was indexed; `ImageError`, `StoreError`.
    public init(_ name: String, store: Store, preprocessing: Preprocessing) throws {
        let known: StoredImage?
        do {
            known = try store.image(named: name)
        } catch {
            // Not in the store: a file of its own, or a wrong name, for which the store's error has suggestions.
            guard FileManager.default.fileExists(atPath: name) else { throw error }
            known = nil
        }
        let path = known?.path ?? name
        guard FileManager.default.fileExists(atPath: path) else {
            throw ExplanationError.image(
                name: path, problem: "is in the store, but the file has gone; put it back, or name another image")
        }
        let reader = ImageReader()
        let preprocess = preprocessing
        let (framed, digest) = try reader.withContents(of: path) { bytes throws(ImageError) in
            (try reader.read(bytes, framing: preprocess.framing), Data(SHA256.hash(data: bytes)))
        }
        if let known, known.sha256 != digest {
            throw ExplanationError.image(
                name: path,
                problem:
                    "has changed since it was indexed, so the store's numbers are not about it; index it anew into a new store")
        }
        self.name = path
        self.digest = digest
        self.framed = framed
        stored = known
        tensor = preprocessing.tensor(from: framed.image)
    }
}
