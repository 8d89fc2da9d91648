/// What cannot be walked through: the facts; `description` makes the sentences.
public enum WalkthroughError: Error, Equatable, Sendable {
    case count(name: String, value: Int, least: Int, most: Int)
    case numbers(name: String, text: String)
    case filterTooLong(filter: Int, padded: Int)
    case windowTooLarge(size: Int, height: Int, width: Int)
    case signalLength(given: Int, length: Int)
    case ragged
    case pictureSize(rows: Int, columns: Int, most: Int)
    case tooMany(name: String, count: Int, most: Int)
}

extension WalkthroughError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .count(let name, let value, let least, let most): "\(name) takes a count from \(least) to \(most), not \(value)"
        case .numbers(let name, let text): "\(name) takes numbers with commas between them, such as 1,0,0,-1, not '\(text)'"
        case .filterTooLong(let filter, let padded):
            "a filter of \(filter) does not fit into a padded signal of \(padded); shorten it, or raise --length or --padding"
        case .windowTooLarge(let size, let height, let width):
            "a window of \(size) does not fit into an input of \(height)×\(width); give a smaller --size or a larger --input"
        case .signalLength(let given, let length):
            "--signal has \(given) numbers, but --length says \(length); leave one of them out"
        case .ragged: "the rows of --input have different lengths; write rows of one length, such as '1,2;3,4'"
        case .pictureSize(let rows, let columns, let most):
            "--input takes a picture of 2×2 to \(most)×\(most) numbers, not \(rows)×\(columns)"
        case .tooMany(let name, let count, let most): "\(name) has \(count) numbers; more than \(most) do not fit on a page"
        }
    }
}
