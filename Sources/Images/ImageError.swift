/// Why a picture could not be read or written: the facts. `description` makes the sentence.
public struct ImageError: Error, Sendable, Equatable {
    /// What went wrong.
    public enum Problem: Sendable, Equatable {
        /// The system could not open or read the file, with its reason ("No such file or directory").
        case unreadable(reason: String)
        /// The file has no bytes.
        case empty
        /// The content is not a JPEG, PNG or WebP; with the size its header states, where that is known.
        case notDecoded(ContentKind, width: Int?, height: Int?)
        /// The header promises more pixels than `Image.largestPixelCount`.
        case tooLarge(ContentKind, width: Int, height: Int)
        /// The bytes end before the picture does.
        case truncated(ContentKind, bytes: Int)
        /// The decoder refuses the bytes, with what it said.
        case corrupt(ContentKind, detail: String)
        /// A kind of JPEG, PNG or WebP that is not decoded, with what it is.
        case unsupported(ContentKind, detail: String)
        /// There was no memory for a picture of this size.
        case noMemory(width: Int, height: Int)
        /// The encoder failed, with what it said.
        case notEncoded(detail: String)
        /// A picture cannot carry this text.
        case badText(keyword: String)
    }

    /// The picture's path or other name, when it has one.
    public var name: String?
    public var problem: Problem

    public init(_ problem: Problem, name: String? = nil) {
        self.name = name
        self.problem = problem
    }

    /// The same error about a picture of the given name, unless it has one already.
    public func named(_ name: String?) -> ImageError {
        ImageError(problem, name: self.name ?? name)
    }
}

extension ImageError: CustomStringConvertible {
    /// One sentence: what, what was expected and found, what to do.
    public var description: String { "\(name ?? "the picture"): \(reason)" }

    /// The sentence without the name, for a table that has the name in another column.
    public var reason: String {
        switch problem {
        case .unreadable(let reason):
            return "cannot be read: \(reason)"
        case .empty:
            return "is empty (0 bytes); neurodex reads JPEG, PNG and WebP: get the file again"
        case .notDecoded(let kind, let width, let height):
            var found = kind.name
            if let width, let height { found += " of \(height)×\(width) pixels" }
            let next = kind.isImage ? "convert it first" : "remove it or get the picture again"
            return "is \(found); neurodex reads JPEG, PNG and WebP: \(next)"
        case .tooLarge(let kind, let width, let height):
            return "is \(kind.name) that promises \(height)×\(width) pixels; at most \(Image.largestPixelCount) are decoded: "
                + "make it smaller first"
        case .truncated(let kind, let bytes):
            return "is \(kind.name) that is truncated: its \(bytes) bytes end before the picture does; get the file again"
        case .corrupt(let kind, let detail):
            return "is \(kind.name) that cannot be decoded (\(detail)); get the file again"
        case .unsupported(let kind, let detail):
            return "is \(kind.name) of a kind that is not decoded (\(detail)); convert it first"
        case .noMemory(let width, let height):
            return "needs more memory than there is for its \(height)×\(width) pixels; make it smaller or use fewer workers"
        case .notEncoded(let detail):
            return "cannot be written as PNG (\(detail))"
        case .badText(let keyword):
            return "cannot carry text under the keyword “\(keyword)”: a PNG keyword has 1 to 79 Latin-1 characters "
                + "and the text no zero character"
        }
    }
}
