import ActivationStore

/// How probabilities are made of the scores that a store has: as the network's file does, by a softmax or a sigmoid of each; where the
/// store does not say, the softmax, or, where all scores are in 0 … 1, as those that a sigmoid has made are, the score itself.
enum ScoreForm {
    case softmax, sigmoid, share

    init(_ model: ModelRecord, areShares: @autoclosure () -> Bool) {
        switch model.answer {
        case .sigmoid?: self = .sigmoid
        case .softmax?: self = .softmax
        case nil: self = areShares() ? .share : .softmax
        }
    }
}
