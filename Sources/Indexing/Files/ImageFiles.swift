public import ActivationStore
import Foundation
package import Support

/// Finds the files of a store's images, also in a folder that they were moved to. Used by one thread at a time.
public final class ImageFiles {
    private let places: ImagePlaces
    /// Where the user says that images are now.
    private let folder: String?
    private lazy var byName = Dictionary(grouping: folder.map { Self.files(below: $0) } ?? [], by: \.name)

    /// - Parameter folder: where images that are not where they were are now: by the end of their path, else by name and content.
    /// - Throws: `DatasetError.missing` for a folder that is not there; `StoreError`.
    public init(_ store: Store, folder: String? = nil) throws {
        places = try ImagePlaces(store)
        self.folder = folder.map { PathText.typed($0) }
        if let folder = self.folder, FileKind(folder)?.type != .folder { throw DatasetError.missing(path: folder) }
    }

    /// Whether anything is at a path that a user typed.
    public static func exists(_ path: String) -> Bool { FileKind(PathText.typed(path)) != nil }

    /// The path of an image's file; nil where it has gone.
    public func file(of image: StoredImage) -> String? {
        if let folder {
            let parts = image.path.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual("..".utf8) }
            for start in parts.indices.dropLast() {
                let path = folder + "/" + parts[start...].map { String(Substring($0)) }.joined(separator: "/")
                if FileFacts(path)?.bytes == image.bytes { return path }
            }
            if let name = parts.last.map({ String(Substring($0)) }), let path = file(named: name, of: image) { return path }
        }
        return places.file(of: image.path, bytes: image.bytes)
    }

    /// The image that a user names: as ``Store/image(named:)`` does, or by any path that leads to its file, or did.
    /// - Throws: ``StoreError/unknownImage(name:suggestions:)``.
    public func image(named name: String, in store: Store) throws -> StoredImage {
        do {
            return try store.image(named: name)
        } catch let error as StoreError {
            guard name.utf8.contains(UInt8(ascii: "/")) || Self.exists(name) else { throw error }
            let reals = RealPaths()
            let wanted = reals.real(PathText.typed(name))
            let named = try store.images().first { image in
                reals.real(places.file(of: image.path, bytes: image.bytes) ?? places.absolute(image.path)) == wanted
            }
            guard let named else { throw error }
            return named
        }
    }

    private func file(named name: String, of image: StoredImage) -> String? {
        byName[ExactString(name)]?.map(\.path).first {
            FileFacts($0)?.bytes == image.bytes && FileFacts.sha256($0) == image.sha256
        }
    }

    /// All files of a folder and the folders in it; links are followed, and no folder is looked into twice.
    package static func files(below root: String) -> [(name: ExactString, path: String)] {
        var (found, folders, seen) = ([(name: ExactString, path: String)](), [root], Set<FileKind>())
        while let folder = folders.popLast() {
            guard let kind = FileKind(folder), seen.insert(kind).inserted else { continue }
            for name in (FolderListing.names(folder) ?? []).sorted() {
                let path = RealPaths.joined(folder, name.text)
                switch FileKind(path)?.type {
                case .file: found.append((name, path))
                case .folder: folders.append(path)
                default: continue
                }
            }
        }
        return found
    }
}
