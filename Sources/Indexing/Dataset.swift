public import ActivationStore
import Foundation
import Images

/// The images to index, in the order in which they get their ids.
public struct Dataset: Equatable, Sendable {
    public struct Item: Equatable, Sendable {
        /// As it is kept in the store: as the user named it, or the folder it was found in.
        public var path: String
        public var label: String?
        public var split: String?
        /// What the source of the labels says of the image: what an image that is in a store already is given.
        public var said: LabelEdit

        public init(path: String, label: String? = nil, split: String? = nil) {
            self.path = path
            self.label = label
            self.split = split
            said = LabelEdit(label: .set(label), split: .set(split))
        }
    }

    public var items: [Item]

    public init(items: [Item]) { self.items = items }

    /// Finds the images that `paths` name, in their order: files as they are, folders with all below them, sorted by the bytes
    /// of their paths. Links are followed. What is hidden, and what is no picture by its name or its first bytes, is passed by.
    /// A path that comes twice counts once, however it is written (`photos`, `./photos/`).
    ///
    /// - Throws: `DatasetError` for a path that is not there or cannot be read, and where no image is found at all.
    public init(paths: [String]) throws {
        var seen = Set<String>()
        items = []
        for path in paths {
            guard let file = FileKind(path) else { throw DatasetError.missing(path: path) }
            let plain = Self.plain(path)
            switch file.type {
            case .folder: items += try Self.files(below: plain).filter { seen.insert($0.path).inserted }
            case .file:
                let (folder, name) = ((plain as NSString).deletingLastPathComponent, (plain as NSString).lastPathComponent)
                let (label, split) = FolderLabels.labelAndSplit(of: name, in: folder.isEmpty ? "." : folder)
                if seen.insert(plain).inserted { items.append(Item(path: plain, label: label, split: split)) }
            case .other: throw DatasetError.notAFile(path: path)
            }
        }
        guard !items.isEmpty else { throw DatasetError.noImages(paths: paths) }
    }

    /// The part of a shard: neighbours, so that the shards' stores joined in order are a single run's.
    public func part(_ shard: Shard) -> Dataset { Dataset(items: Array(items[shard.range(of: items.count)])) }

    /// Without `.`, empty components and slashes at the end.
    static func plain(_ path: String) -> String {
        let joined = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + joined : joined.isEmpty ? "." : joined
    }

    private static func files(below root: String) throws -> [Item] {
        var found: [String] = []
        try find(root, "", [], &found)
        found.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return found.map { relative in
            let (label, split) = FolderLabels.labelAndSplit(of: relative, in: root)
            return Item(
                path: root == "." ? relative : root == "/" ? root + relative : root + "/" + relative, label: label, split: split)
        }
    }

    /// - Parameter ancestors: the folders on the way here, so that links in a circle come to an end.
    private static func find(_ root: String, _ folder: String, _ ancestors: Set<FileKind>, _ found: inout [String]) throws {
        let path = folder.isEmpty ? root : root + "/" + folder
        guard let here = FileKind(path), let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw DatasetError.unreadableFolder(path: path)
        }
        for name in names where !name.hasPrefix(".") {
            let relative = folder.isEmpty ? name : folder + "/" + name
            let file = FileKind(root + "/" + relative)
            switch file?.type {
            case .folder:
                guard let file, file != here, !ancestors.contains(file) else { continue }
                try find(root, relative, ancestors.union([here]), &found)
            case .file: if isPicture(root + "/" + relative) { found.append(relative) }
            case .other: continue
            // A link to what has gone: if it was a picture, the run says so.
            case nil: if hasPictureName(relative) { found.append(relative) }
            }
        }
    }

    private static let extensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "pbm", "heic", "avif",
    ]

    /// By name, else by content: a photograph called `IMG_1` is one, a table called `labels.csv` is none.
    private static func isPicture(_ path: String) -> Bool {
        if hasPictureName(path) { return true }
        guard let file = FileHandle(forReadingAtPath: path), let start = try? file.read(upToCount: 64) else { return false }
        return start.withUnsafeBytes { ContentKind(of: $0).isImage }
    }

    private static func hasPictureName(_ path: String) -> Bool {
        extensions.contains((path as NSString).pathExtension.lowercased())
    }
}

/// What stands at a path, links followed: the same for two paths to the same thing.
struct FileKind: Hashable {
    enum Kind: Hashable { case file, folder, other }

    let type: Kind
    private let device: UInt64
    private let inode: UInt64

    /// Nil where there is nothing.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: type = .file
        case S_IFDIR: type = .folder
        default: type = .other
        }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
