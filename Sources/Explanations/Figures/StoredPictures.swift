public import ActivationStore
import Foundation
public import Images
import Indexing
import Support

/// The pictures of a store's images, wherever their files are now.
public struct StoredPictures {
    private let files: ImageFiles
    private let reader = ImageReader()

    /// - Parameter images: the folder that images have moved to, if they have.
    public init(_ store: Store, images: String?) throws { files = try ImageFiles(store, folder: images) }

    /// Nil where the file has gone, or is not what was indexed.
    public func picture(of image: StoredImage) -> Image? {
        guard let file = files.file(of: image) else { return nil }
        let picture = try? reader.withContents(of: file) { bytes throws(ImageError) -> Image? in
            guard Data(SHA256.hash(data: bytes)) == image.sha256 else { return nil }
            return try reader.decode(bytes)
        }
        return picture ?? nil
    }
}
