public import Images

/// What can be wrong with masks: the facts; `description` makes the sentences.
public enum MaskError: Error, Equatable, Sendable {
    case missing(path: String)
    /// Neither a folder, nor COCO JSON, nor a table.
    case kind(path: String)
    case unreadable(path: String, reason: String)
    /// A folder without PNG files.
    case noPictures(folder: String)
    /// No table of colours: it was looked for at `path`.
    case noColors(folder: String, path: String)
    case colorColumns(path: String, found: [String])
    case color(path: String, line: Int, text: String)
    case colorTwice(path: String, line: Int, color: String, first: String, second: String)
    case noConcepts(path: String)
    /// No image of the store has a mask.
    case noImages(path: String, example: String, image: String)
    case otherSize(mask: String, found: Size, image: String, expected: Size)
    case notPicture(file: String, reason: String)
}

extension MaskError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path): "there is no file or folder '\(path)'"
        case .kind(let path):
            "'\(path)' is none of the masks that are read: a folder of PNG files, COCO annotations (.json), or a table of boxes (.csv)"
        case .unreadable(let path, let reason): "cannot read the masks in '\(path)': \(reason)"
        case .noPictures(let folder): "the folder '\(folder)' has no PNG files, which masks are to be"
        case .noColors(let folder, let path):
            "what the colours of the masks in '\(folder)' stand for is not said: there is no '\(path)'; write one with the columns color,concept, or name it with --colors"
        case .colorColumns(let path, let found):
            "'\(path)' has not the columns color and concept; its columns are \(found.joined(separator: ", "))"
        case .color(let path, let line, let text):
            "'\(path)', line \(line): expected a colour such as #e6194b, 230,25,75 or 7, found \(text.isEmpty ? "nothing" : "'\(text)'")"
        case .colorTwice(let path, let line, let color, let first, let second):
            "'\(path)', line \(line): \(color) stands for \(second) here, and for \(first) before; a colour has one concept"
        case .noConcepts(let path): "'\(path)' names no concept"
        case .noImages(let path, let example, let image):
            "'\(path)' has no mask of an image of the store: it has '\(example)', for example, and the store '\(image)'; a name is of the images whose path ends in it"
        case .otherSize(let mask, let found, let image, let expected):
            "the mask '\(mask)' is \(found.width)×\(found.height) pixels, and its image '\(image)' \(expected.width)×\(expected.height); masks are of their image's size"
        case .notPicture(let file, let reason): "'\(file)' is no mask that can be read: \(reason)"
        }
    }
}
