import Foundation
import Images

/// The images to index, in the order in which they get their ids.
public struct Dataset: Equatable, Sendable {
    public struct Item: Equatable, Sendable {
        /// As it is kept in the store: as the user named it, or the folder it was found in.
        public var path: String
        public var label: String?
        public var split: String?

        public init(path: String, label: String? = nil, split: String? = nil) {
            self.path = path
            self.label = label
            self.split = split
        }
    }

    public var items: [Item]

    public init(items: [Item]) { self.items = items }

    /// Finds the images that `paths` name, in their order: files as they are, folders with all below them, sorted by the bytes
    /// of their paths. What is hidden, and what is no picture by its name or its first bytes, is passed by.
    ///
    /// - Throws: `DatasetError` for a path that is not there, and where no image is found at all.
    public init(paths: [String]) throws {
        var seen = Set<String>()
        items = []
        for path in paths {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw DatasetError.missing(path: path)
            }
            let found = isDirectory.boolValue ? try Self.files(below: path) : [Item(path: path)]
            items += found.filter { seen.insert($0.path).inserted }
        }
        guard !items.isEmpty else { throw DatasetError.noImages(paths: paths) }
    }

    private static func files(below folder: String) throws -> [Item] {
        guard let walk = FileManager.default.enumerator(atPath: folder) else {
            throw DatasetError.unreadableFolder(path: folder)
        }
        let root = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        var found: [String] = []
        while let relative = walk.nextObject() as? String {
            if relative.split(separator: "/").last?.hasPrefix(".") == true {
                if walk.fileAttributes?[.type] as? FileAttributeType == .typeDirectory { walk.skipDescendants() }
                continue
            }
            // The type as `stat` sees it, so that links to pictures count.
            var status = stat()
            guard stat(root + "/" + relative, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if isPicture(root + "/" + relative) { found.append(relative) }
        }
        found.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return found.map { relative in
            let (label, split) = labelAndSplit(ofRelative: relative)
            return Item(path: root == "." ? relative : root == "/" ? root + relative : root + "/" + relative, label: label, split: split)
        }
    }

    private static let extensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "pbm", "heic", "avif",
    ]

    /// By name, else by content: a photograph called `IMG_1` is one, a table called `labels.csv` is none.
    private static func isPicture(_ path: String) -> Bool {
        if extensions.contains(URL(fileURLWithPath: path).pathExtension.lowercased()) { return true }
        guard let file = FileHandle(forReadingAtPath: path), let start = try? file.read(upToCount: 64) else { return false }
        return start.withUnsafeBytes { ContentKind(of: $0).isImage }
    }

    private static let splits: Set<String> = ["train", "training", "val", "valid", "validation", "test", "testing"]

    /// `train/cat/1.jpg` → label `cat`, split `train`; the label is the innermost folder, the split the outermost, if its
    /// name is one that splits have.
    static func labelAndSplit(ofRelative path: String) -> (label: String?, split: String?) {
        var folders = path.split(separator: "/").dropLast().map(String.init)
        let split = folders.first.flatMap { splits.contains($0.lowercased()) ? $0 : nil }
        if split != nil { folders.removeFirst() }
        return (folders.last, split)
    }
}

/// What can be wrong with the images or labels that a user names: the facts; `description` makes the sentences.
public enum DatasetError: Error, Equatable, Sendable {
    case missing(path: String)
    case unreadableFolder(path: String)
    case noImages(paths: [String])
    case unreadableLabels(path: String, reason: String)
    case labelCount(path: String, labels: Int, images: Int)
    case labelColumns(path: String, found: [String])
    case noLabelMatches(path: String, example: String)
    case classCount(path: String, names: Int, classes: Int)
}

extension DatasetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path): "there is no file or folder '\(path)'"
        case .unreadableFolder(let path): "cannot read the folder '\(path)'; check its permissions"
        case .noImages(let paths):
            "there is no image in \(paths.map { "'\($0)'" }.joined(separator: ", ")); neurodex reads JPEG, PNG and WebP"
        case .unreadableLabels(let path, let reason): "cannot read the labels in '\(path)': \(reason)"
        case .labelCount(let path, let labels, let images):
            "'\(path)' has \(labels) labels for \(images) images; a label file has one line for each image, in the order of their paths"
        case .labelColumns(let path, let found):
            "'\(path)' has the columns \(found.joined(separator: ", ")); neurodex looks for one named file or path, and one named label"
        case .noLabelMatches(let path, let example):
            "no file that '\(path)' names is among the images; it names, for example, '\(example)'"
        case .classCount(let path, let names, let classes):
            "'\(path)' has \(names) class names, but the network has \(classes) outputs; a class file has one line for each, in their order"
        }
    }
}
