public import NeuralNetwork

/// What can be wrong with a wish for an explanation: the facts; `description` makes the sentences.
public enum ExplanationError: Error, Equatable, Sendable {
    case target(String, problem: String)
    case model(path: String, expected: String, found: String)
    case image(name: String, problem: String)
    case parameter(name: String, value: String, expected: String)
    case noScores
    /// Of a network that is read as a detector.
    case noBoxes(problem: String, outputs: [FileOutput])
    case scores(lowest: Float, highest: Float, form: String)
    case attention(AttentionProblem)
    /// Of a region that a user drew.
    case mask(file: String, problem: String)
    case noMap(layer: String)
    case flat(target: String)
    /// The gradient vanishes because the function that makes the neuron, `operation`, is at an end of its range.
    case saturated(target: String, value: Float, operation: String)
    case notFinite(what: String)
    case constant(what: String)
    case unmoved(target: String)
    case training(store: String, problem: String)
    case file(path: String, reason: String)
    /// Of the store, and not of the network as it is read now.
    case notComputed(layer: String)
}

extension ExplanationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .target(let text, let problem): "the target '\(text)' \(problem)"
        case .model(let path, let expected, let found):
            "\(path) is not the network the store was made with (its hash is \(found.prefix(12))…, the store's \(expected.prefix(12))…); say where that one is with --model"
        case .image(let name, let problem): "\(name) \(problem)"
        case .parameter(let name, let value, let expected): "\(name) takes \(expected), not \(value)"
        case .noScores: "the network has no class scores; name a neuron with --target LAYER:CHANNEL"
        case .noBoxes(let problem, let outputs):
            "the network \(problem): it has \(FileOutput.list(outputs)); say which is read with --output, or --boxes and --scores, and how with --head \(DetectionSettings.Form.allCases.map(\.rawValue).joined(separator: ", "))"
        case .scores(let lowest, let highest, let form):
            "the scores, read as \(form), run from \(lowest) to \(highest), and probabilities from 0 to 1: where they are taken before a sigmoid, say so with --logits, else say how they are read with --head"
        case .attention(let problem): problem.description
        case .mask(let file, let problem): "'\(file)' \(problem)"
        case .noMap(let layer): "layer \(layer) has no map of more than one position; name a layer that has one"
        case .flat(let target):
            "the gradient of \(target) is zero everywhere on this image: the neuron is silent here; try an image of its top list, or another target"
        case .saturated(let target, let value, let operation):
            "the gradient of \(target) is zero everywhere on this image: the neuron is saturated (\(operation) gives \(value), an end of its range); ask for the layer before that function, or index with --record pre"
        case .notFinite(let what): "\(what) holds values that are not finite, so it cannot be drawn"
        case .constant(let what): "\(what) is the same everywhere, so it names no place"
        case .unmoved(let target):
            "the value of \(target) is the same on every changed picture, so deletion and insertion say nothing of it"
        case .training(let store, let problem): "cannot fit a last layer to \(store): \(problem)"
        case .file(let path, let reason): "cannot write '\(path)': \(reason)"
        case .notComputed(let layer):
            "layer \(layer) is in the store, but this neurodex does not compute it; index the images anew"
        }
    }
}
