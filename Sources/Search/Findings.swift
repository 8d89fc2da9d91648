/// What a question found, and what has to be said beside it: how it was found, and what could not be looked at. It is a list,
/// and as JSON its hits alone.
public struct Findings<Hit: Sendable & Encodable>: Sendable {
    public var hits: [Hit]
    /// For standard error, a line each.
    public var remarks: [Remark]

    public init(_ hits: [Hit], remarks: [Remark] = []) {
        self.hits = hits
        self.remarks = remarks
    }
}

/// An answer that says what has to be said beside it.
protocol RemarkedAnswer {
    var remarks: [Remark] { get }
}

extension Findings: RemarkedAnswer {}

extension Findings: RandomAccessCollection {
    public var startIndex: Int { hits.startIndex }
    public var endIndex: Int { hits.endIndex }
    public subscript(position: Int) -> Hit { hits[position] }
}

extension Findings: Equatable where Hit: Equatable {}

extension Findings: Encodable {
    public func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }
}

/// What is said beside an answer.
public enum Remark: Hashable, Sendable {
    /// `few` of the labels have fewer than `fewest` images; `example` is one of them, and `consequence` what that leads to.
    case fewImages(few: Int, of: Int, fewest: Int, example: String, images: Int, consequence: String)
    /// One set of images, or one label, is too small.
    case smallSet(name: String, images: Int, fewest: Int, consequence: String)
    /// How images were ranked; `others` says what the other ways would have come to, or why there were none.
    case rankedBy(SuspectsQuery.Judge, layer: String?, others: [String])
    /// Images that could not be judged.
    case notJudged(images: Int, of: Int, example: String, reason: String)
    /// Pictures that were to be looked at, and are not there.
    case notSeen(images: Int, of: Int, example: String, consequence: String)
    /// Nothing was found among what was looked at.
    case nothing(lookedAt: String, because: String)
    /// No image meets the condition.
    case emptySelection(EmptySelection)
    case plain(String)
}

extension Remark: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fewImages(let few, let all, let fewest, let example, let images, let consequence):
            "\(few) of \(all) labels have fewer than \(fewest) images, such as \(example) with \(images): \(consequence)"
        case .smallSet(let name, let images, let fewest, let consequence):
            "\(name) has \(images) \(images == 1 ? "image" : "images"), fewer than \(fewest): \(consequence)"
        case .rankedBy(let judge, let layer, let others):
            "ranked by: \(judge.name(layer: layer))" + (others.isEmpty ? "" : " (" + others.joined(separator: "; ") + ")")
        case .notJudged(let images, let all, let example, let reason):
            "\(images) of \(all) images are not judged, such as \(example): \(reason)"
        case .notSeen(let images, let all, let example, let consequence):
            "\(images) of \(all) pictures that were to be looked at are not there, neither file nor thumbnail, "
                + "such as \(example): \(consequence)"
        case .nothing(let lookedAt, let reason):
            "looked at \(lookedAt): \(reason)"
        case .emptySelection(let empty): "\(empty)"
        case .plain(let text): text
        }
    }
}
