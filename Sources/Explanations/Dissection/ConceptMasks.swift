public import ActivationStore
public import Foundation
import Images
import Indexing
import Support

/// What people outlined on a store's images: which of their pixels are of which concept.
///
/// A folder of PNG files with a table of colours, COCO annotations (`.json`), or a table of boxes; a mask is of the images
/// whose path ends in its name, and of their size.
public struct ConceptMasks: Sendable {
    public let path: String
    /// In the order in which the masks name them.
    public let concepts: [String]
    /// The store's images that have a mask, by id.
    public let images: [StoredImage]
    /// What was not taken, a sentence each.
    public let notes: [String]
    /// SHA-256 of all that says which pixels of which images are of which concept, 32 bytes.
    public let digest: Data
    private let sources: [Source]
    private let colors: [Color: Int?]

    /// What the pixels of an image are known from.
    enum Source: Sendable {
        case picture(file: String)
        case shapes([Shape])
    }

    struct Shape: Sendable {
        var concept: Int
        var outline: MaskOutline
    }

    /// Masks before it is known which images they are of.
    struct Draft {
        var concepts: [String]
        /// Of PNG files: the concept of a colour, nil for one that stands for nothing.
        var colors: [Color: Int?] = [:]
        /// Names of files, each once.
        var names: [String]
        /// Whether names are without their endings.
        var hasNoEndings = false
        var sources: [Source]
        /// In pixels, where it is known.
        var sizes: [Size?]
        /// Of each, or of all together in one.
        var digests: [Data]
        var notes: [String]
    }

    /// - Parameters:
    ///   - colors: the table of a folder's colours; nil for `colors.csv` in it.
    /// - Throws: `MaskError`, `BoxTableError`, `StoreError`.
    public init(_ path: String, colors: String? = nil, of store: Store) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw MaskError.missing(path: path) }
        let draft: Draft
        switch (path as NSString).pathExtension.lowercased() {
        case _ where isFolder.boolValue: draft = try Draft(folder: path, colors: colors)
        case "json": draft = try Draft(coco: path)
        case "csv", "tsv", "tab": draft = try Draft(boxes: path)
        default: throw MaskError.kind(path: path)
        }
        try self.init(draft, path: path, of: store)
    }

    private init(_ draft: Draft, path: String, of store: Store) throws {
        let all = try store.images()
        let places = try draft.places(of: all.map(\.path), in: ImagePlaces(store).folder, path: path)
        var (images, sources, used): ([StoredImage], [Source], [Int: Int]) = ([], [], [:])
        var hash = SHA256()
        hash.update(data: Data(draft.concepts.joined(separator: "\n").utf8))
        if draft.digests.count == 1 { hash.update(data: draft.digests[0]) }
        for (image, place) in zip(all, places) {
            guard let place else { continue }
            if let size = draft.sizes[place], size != Size(width: image.width, height: image.height) {
                throw MaskError.otherSize(
                    mask: draft.names[place], found: size, image: image.path,
                    expected: Size(width: image.width, height: image.height))
            }
            images.append(image)
            sources.append(draft.sources[place])
            used[place, default: 0] += 1
            hash.update(data: image.sha256)
            hash.update(data: draft.digests.count == 1 ? Data(draft.names[place].utf8) : draft.digests[place])
        }
        guard !images.isEmpty else {
            throw MaskError.noImages(path: path, example: draft.names.first ?? "nothing", image: all.first?.path ?? "nothing")
        }
        (self.path, self.images, self.sources, concepts, self.colors) = (path, images, sources, draft.concepts, draft.colors)
        digest = Data(hash.finalize())
        notes = draft.notes + Self.matchNotes(draft, used, all, places)
    }

    private static func matchNotes(_ draft: Draft, _ used: [Int: Int], _ images: [StoredImage], _ places: [Int?]) -> [String] {
        var notes: [String] = []
        let without = zip(images, places).filter { $1 == nil }.map(\.0.path)
        if let first = without.first {
            notes.append(
                "masks are of \(images.count - without.count) of \(images.count) images; the others take no part, such as '\(first)'"
            )
        }
        let idle = draft.names.indices.filter { used[$0] == nil }
        if let first = idle.first {
            notes.append(
                "\(idle.count) of \(draft.names.count) masks \(idle.count == 1 ? "is" : "are") of no image of the store, such as '\(draft.names[first])'"
            )
        }
        let shared = used.filter { $0.value > 1 }.keys.sorted()
        if let first = shared.first {
            notes.append(
                "\(shared.count) \(shared.count == 1 ? "mask is" : "masks are") of several images, such as '\(draft.names[first])' of \(used[first] ?? 0)"
            )
        }
        return notes
    }

    /// What the network's frame shows of the masks of image `index`, by the number of the concept; of none nothing.
    /// - Throws: `MaskError.notPicture`.
    func frame(of index: Int, in placement: Placement) throws -> MaskedFrame {
        var frame = MaskedFrame(placement)
        switch sources[index] {
        case .shapes(let shapes): for shape in shapes { frame.add(shape) }
        case .picture(let file):
            do {
                frame.add(try Image(contentsOf: file), colors, file: file)
            } catch {
                throw MaskError.notPicture(file: file, reason: error.description)
            }
        }
        return frame
    }
}

extension ConceptMasks.Draft {
    /// The number of each image's name.
    fileprivate func places(of paths: [String], in folder: String, path: String) throws -> [Int?] {
        func bare(_ path: String) -> String { hasNoEndings ? (path as NSString).deletingPathExtension : path }
        return NamedFiles.places(of: paths.map(bare), among: names, in: folder)
    }
}
