internal import Images

/// What can be wrong with the images or labels that a user names: the facts; `description` makes the sentences.
public enum DatasetError: Error, Equatable, Sendable {
    case missing(path: String)
    case unreadableFolder(path: String)
    case notAFile(path: String)
    case noImages(paths: [String])
    /// Archives in which nothing can be read; the first that is not.
    case onlyRefused(count: Int, path: String, reason: String)
    case unreadableLabels(path: String, reason: String)
    case unreadableTable(path: String, reason: String)
    case unreadableClasses(path: String, reason: String)
    case labelCount(path: String, labels: Int, images: Int)
    /// A text whose lines name images too.
    case labelPairs(path: String, line: String)
    case labelColumns(path: String, found: [String])
    case noLabelMatches(path: String, example: String)
    /// A table of facts about images without a column that names them, or without any other.
    case fileColumn(path: String, found: [String])
    /// A file that says nothing of attributes that could be kept.
    case noAttributes(path: String, reason: String)
    case classCount(path: String, names: Int, classes: Int)
    /// A file of names of numbers that the network answers with.
    case outputNames(path: String, problem: String)
    /// The network at `path` is not the one that the store was made with; SHA-256 of both.
    case otherModel(path: String, found: String, expected: String)
    case modelMissing(path: String)
    /// Files of images that a store has, and a command needs, are not found: their paths, of so many that are needed.
    case imagesMissing(paths: [String], of: Int)
}

extension DatasetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path): "there is no file or folder '\(path)'"
        case .unreadableFolder(let path): "cannot read the folder '\(path)'; check its permissions"
        case .notAFile(let path): "'\(path)' is no file but a pipe, socket or device; name pictures, or folders with pictures"
        case .noImages(let paths):
            "there is no image in \(paths.map { "'\($0)'" }.joined(separator: ", ")); neurodex reads \(ContentKind.decoded)"
        case .onlyRefused(let count, let path, let reason):
            "no image can be read: \(count) \(count == 1 ? "file is" : "files are") refused, such as '\(path)', which \(reason)"
        case .unreadableLabels(let path, let reason): "cannot read the labels in '\(path)': \(reason)"
        case .unreadableTable(let path, let reason): "cannot read the table '\(path)': \(reason)"
        case .unreadableClasses(let path, let reason): "cannot read the names of classes in '\(path)': \(reason)"
        case .labelCount(let path, let labels, let images):
            "'\(path)' has \(labels) labels for \(images) images; a label file has one line for each image, in the order of their paths"
        case .labelPairs(let path, let line):
            "'\(path)' has a file and a label in each line, such as '\(line)'; make it a table (.csv) with the columns file and label"
        case .labelColumns(let path, let found):
            "'\(path)' has the columns \(found.joined(separator: ", ")); neurodex looks for one named file or path, and one named label"
        case .fileColumn(let path, let found):
            "'\(path)' has the columns \(found.joined(separator: ", ")); neurodex looks for one named file, path or image, and others such as camera"
        case .noLabelMatches(let path, let example):
            "no file that '\(path)' names is among the images; it names, for example, '\(example)'"
        case .noAttributes(let path, let reason): "'\(path)' gives images no attributes: \(reason)"
        case .classCount(let path, let names, let classes):
            "'\(path)' has \(names) class names, but the network has \(classes) outputs; a class file has one line for each, in their order"
        case .outputNames(let path, let problem): "'\(path)' \(problem)"
        case .otherModel(let path, let found, let expected):
            "'\(path)' is not the network that the store was made with: its SHA-256 is \(found.prefix(12))…, the store's \(expected.prefix(12))…"
        case .modelMissing(let path):
            "the network is not at '\(path)' any more: say where it is with --model (verify can do without it: --sample 0)"
        case .imagesMissing(let paths, let count):
            "\(paths.count) of \(count) images are not there any more, such as \(paths.prefix(3).joined(separator: ", ")); put them back, or say where they are now with --images FOLDER"
        }
    }
}
