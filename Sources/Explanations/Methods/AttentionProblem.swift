/// Why a network's attention cannot be shown: the facts; `description` makes the sentences.
public enum AttentionProblem: Equatable, Sendable {
    /// No softmax over the picture's tokens, or none that the target's layer is computed from.
    case none(target: String?)
    /// Within windows, or over what is no grid of the picture's.
    case windows(String, isRollout: Bool)
    /// Tokens that are not those of the block before.
    case otherTokens(String, queries: Int, keys: Int, first: Int)
    case noHead(Int, of: Int, layer: String)
    case noQuery(String, layer: String, reason: String)
}

extension AttentionProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .none(nil):
            "the network has no attention over a picture's tokens; saliency, occlusion and cam explain any network"
        case .none(let target?):
            "\(target) is computed from no attention over the picture's tokens; name a target behind one, or take saliency, occlusion or cam"
        case .windows(let layer, let isRollout):
            "\(layer) attends within windows, or to what cannot be told to be tokens of the whole picture, so \(isRollout ? "attention does not go through it from place to place" : "its weights are no map of the picture"); saliency, occlusion and cam explain such networks"
        case .otherTokens(let layer, let queries, let keys, let first):
            "the attention of \(layer) is of \(queries) queries and \(keys) keys, and that of the first block of \(first) tokens, so their product is none of places; --method attention shows one layer's"
        case .noHead(let head, let count, let layer): "--head takes 0 to \(count - 1), mean or all at \(layer), not \(head)"
        case .noQuery(let query, let layer, let reason): "--query \(query) is not at \(layer): \(reason)"
        }
    }
}
