import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// An image that a question names but the store has not: the network is run on it once.
enum OutsideImage {
    /// The image's activations; nil if the store has it, by its name or by its contents.
    ///
    /// - Parameters:
    ///   - name: a path or an id, as the user wrote it. Becomes the path of the store's copy if there is one.
    ///   - model: where the network is now; nil for where it was when the store was made.
    /// - Throws: `StoreError` for what is neither in the store nor a file; `Failure`, `NetworkError`, `ImageError`.
    static func activations(_ name: inout String, store: Store, model: String?) throws -> GivenImage? {
        do {
            _ = try store.image(named: name)
            return nil
        } catch let error as StoreError {
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) || ImageFiles.exists(name)
            guard isThere, !isFolder.boolValue else { throw error }
        }
        let preprocessing = try store.preprocessing()
        let (framed, digest) = try ImageReader().withContents(of: name) { bytes throws(ImageError) in
            (try ImageReader().read(bytes, framing: preprocessing.framing), Data(SHA256.hash(data: bytes)))
        }
        if let copy = try store.images(sha256: digest).first {
            name = copy.path
            return nil
        }
        return try StoreNetwork(store, model: model).activations(on: framed.image, preprocessing)
    }
}
