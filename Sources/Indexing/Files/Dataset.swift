public import ActivationStore
import Foundation
import Images
import Support

/// The images to index, in the order in which they get their ids.
public struct Dataset: Equatable, Sendable {
    public struct Item: Equatable, Sendable {
        /// As it is kept in the store: as the user named it, or the folder it was found in.
        public var path: String
        /// Where it is read: the path that it was found by.
        public var file: String
        public var label: String?
        public var split: String?
        /// Whether the label is the number of a class, as WebDataset has it.
        var isClassNumber = false
        /// What the source of the labels says of the image: what an image that is in a store already is given.
        public var said: LabelEdit

        public init(path: String, label: String? = nil, split: String? = nil) {
            self.path = path
            file = path
            self.label = label
            self.split = split
            said = LabelEdit(label: .set(label), split: .set(split))
        }
    }

    /// An archive that was compressed as a whole.
    public struct Unpacked: Equatable, Sendable {
        public var path: String
        public var bytes: Int
    }

    public var items: [Item]
    /// Files that were found by more than one path, and count once.
    public private(set) var repeated: Repetition?
    /// What in archives is not read, with the reasons.
    public internal(set) var refused: [SkippedRecord] = []
    /// Archives that are compressed as a whole and were unpacked, and how many bytes that made.
    public internal(set) var unpacked: [Unpacked] = []

    public init(items: [Item]) { self.items = items }

    /// Finds the images that `paths` name, in their order: files as they are, folders with all below them, sorted by the bytes
    /// of their paths. Links are followed. What is hidden, and what is no picture by its name or its first bytes, is passed by.
    /// A file counts once, by the first path that leads to it: relative or absolute, through `..` or links.
    ///
    /// - Throws: `DatasetError` for a path that is not there or cannot be read, and where no image is found at all.
    public init(paths: [String]) throws {
        items = []
        var places: [ExactString: Int] = [:]
        let reals = RealPaths()
        for path in paths.map({ PathText.typed($0) }) {
            guard let file = FileKind(path) else { throw DatasetError.missing(path: path) }
            let plain = Self.plain(path)
            switch file.type {
            case .folder: for item in try files(below: plain) { add(item, reals, &places) }
            case .file where Archive.isNamed(plain):
                for item in archived(plain, root: RealPaths.split(plain).folder) { add(item, reals, &places) }
            case .file:
                let (folder, name) = RealPaths.split(plain)
                let (label, split) = FolderLabels.labelAndSplit(of: name, in: folder)
                add(Item(path: plain, label: label, split: split), reals, &places)
            case .other: throw DatasetError.notAFile(path: path)
            }
        }
        if items.isEmpty, let first = refused.first {
            throw DatasetError.onlyRefused(count: refused.count, path: first.path, reason: first.reason)
        }
        guard !items.isEmpty else { throw DatasetError.noImages(paths: paths) }
    }

    /// Adds a file, unless it is there already.
    /// - Parameter places: of the items, by their real paths.
    private mutating func add(_ item: Item, _ reals: RealPaths, _ places: inout [ExactString: Int]) {
        let real = reals.real(item.path)
        guard let first = places[real] else {
            places[real] = items.count
            items.append(item)
            return
        }
        let other = items[first].path
        if ExactString(other) != ExactString(item.path) { Repetition.adding(other, item.path, to: &repeated) }
    }

    /// Whether all are NumPy arrays, by their names.
    public var isOfArrays: Bool { !items.isEmpty && items.allSatisfy { $0.path.lowercased().hasSuffix(".npy") } }

    /// The part of a shard: neighbours, so that the shards' stores joined in order are a single run's.
    public func part(_ shard: Shard) -> Dataset { with(Array(items[shard.range(of: items.count)])) }

    /// Other items of the same files.
    func with(_ items: [Item]) -> Dataset {
        var other = self
        other.items = items
        return other
    }

    /// Without `.`, empty components and slashes at the end.
    static func plain(_ path: String) -> String {
        let joined = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + joined : joined.isEmpty ? "." : joined
    }

    private mutating func files(below root: String) throws -> [Item] {
        var found: [String] = []
        try Self.find(root, "", [], &found)
        found.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return found.flatMap { relative -> [Item] in
            let path = root == "." ? relative : root == "/" ? root + relative : root + "/" + relative
            if Archive.isNamed(relative), FileKind(path)?.type == .file { return archived(path, root: root) }
            let (label, split) = FolderLabels.labelAndSplit(of: relative, in: root)
            return [Item(path: path, label: label, split: split)]
        }
    }

    /// - Parameter ancestors: the folders on the way here, so that links in a circle come to an end.
    private static func find(_ root: String, _ folder: String, _ ancestors: Set<FileKind>, _ found: inout [String]) throws {
        let path = folder.isEmpty ? root : root + "/" + folder
        guard let here = FileKind(path), let names = FolderListing.names(path) else {
            throw DatasetError.unreadableFolder(path: path)
        }
        for name in names.map(\.text) where name.utf8.first != UInt8(ascii: ".") {
            let relative = folder.isEmpty ? name : folder + "/" + name
            let file = FileKind(root + "/" + relative)
            switch file?.type {
            case .folder:
                guard let file, file != here, !ancestors.contains(file) else { continue }
                try find(root, relative, ancestors.union([here]), &found)
            case .file:
                if Archive.isNamed(relative) || isPicture(root + "/" + relative) { found.append(relative) }
            case .other: continue
            // A link to what has gone: if it was a picture, the run says so.
            case nil: if hasPictureName(relative) { found.append(relative) }
            }
        }
    }

    private static let extensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "pbm", "heic", "heif", "avif",
        "jxl", "npy", "dcm", "dicom",
    ]

    /// By name, else by content: a photograph called `IMG_1` is one, a table called `labels.csv` is none.
    private static func isPicture(_ path: String) -> Bool {
        if hasPictureName(path) { return true }
        guard let start = FileFacts.contents(path, upToCount: 132) else { return false }
        return start.withUnsafeBytes { ContentKind(of: $0).isImage }
    }

    static func hasPictureName(_ path: String) -> Bool {
        let name = RealPaths.split(path).name.utf8
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return false }
        return extensions.contains(String(decoding: name[name.index(after: dot)...], as: UTF8.self).lowercased())
    }
}
