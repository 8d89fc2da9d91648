/// Why a picture could not be read or written: the facts. `description` makes the sentence.
public struct ImageError: Error, Sendable, Equatable {
    /// What went wrong.
    public enum Problem: Sendable, Equatable {
        /// The system could not open or read the file, with its reason ("No such file or directory").
        case unreadable(reason: String)
        /// The file has no bytes.
        case empty
        /// The content is of no kind that is decoded.
        case notDecoded(ContentKind)
        /// The header promises more pixels than `Image.largestPixelCount`.
        case tooLarge(ContentKind, width: Int, height: Int)
        /// The bytes end before the picture does.
        case truncated(ContentKind, bytes: Int)
        /// The decoder refuses the bytes, with what it said.
        case corrupt(ContentKind, detail: String)
        /// Of a kind that is decoded, one that is not, with what it is.
        case unsupported(ContentKind, detail: String)
        /// A NumPy file that is no array of numbers, with the reason.
        case noArray(reason: String)
        /// An array whose axes are no channels, rows and columns; with the channels that the network takes, where there is one.
        case shape([Int], channels: Int?)
        /// Of a kind whose library is not on this machine.
        case absent(ContentKind)
        /// Of a kind that this program was built without.
        case leftOut(ContentKind)
        /// A file of so many channels of numbers, for a network that takes others.
        case bands(ContentKind, Int, wanted: Int)
        /// A picture, for a network that takes so many channels as only arrays have.
        case channels(ContentKind, wanted: Int)
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
            return "is empty (0 bytes); neurodex reads \(ContentKind.decoded): get the file again"
        case .notDecoded(let kind):
            let next = kind.isImage ? "convert it first" : "remove it or get the picture again"
            return "is \(kind.name); neurodex reads \(ContentKind.decoded): \(next)"
        case .tooLarge(let kind, let width, let height):
            return "is \(kind.name) that promises \(height)×\(width) pixels; at most \(Image.largestPixelCount) are decoded: "
                + "make it smaller first"
        case .truncated(let kind, let bytes):
            return "is \(kind.name) that is truncated: its \(bytes) bytes end before the picture does; get the file again"
        case .corrupt(let kind, let detail):
            return "is \(kind.name) that cannot be decoded (\(detail)); get the file again"
        case .unsupported(let kind, let detail):
            return "is \(kind.name) of a kind that is not decoded (\(detail)); convert it first"
        case .noArray(let reason):
            return "is a NumPy file that cannot be used: \(reason)"
        case .shape(let shape, let channels):
            let (wanted, found) = (channels.map(String.init) ?? "channels", shape.map(String.init).joined(separator: "×"))
            let words = channels == 1 ? "rows×columns or 1×rows×columns" : "\(wanted)×rows×columns or rows×columns×\(wanted)"
            return "is a NumPy array of \(shape.isEmpty ? "no axes" : found), and here it takes one of \(words)"
        case .absent(let kind):
            let package = kind.library ?? "a library"
            return "is \(kind.name), which needs \(package), and that is not on this machine: apt install \(package)"
        case .leftOut(let kind):
            return "is \(kind.name), which this program was built without (\(kind.library ?? "a library")); convert it first"
        case .bands(let kind, let found, let wanted):
            return
                "is \(kind.name) of \(found) \(found == 1 ? "channel" : "channels") of numbers, and the network takes \(wanted)"
        case .channels(let kind, let wanted):
            return "is \(kind.name), of 3 channels at most, and the network takes \(wanted): give it arrays (.npy) of "
                + "\(wanted)×rows×columns"
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
