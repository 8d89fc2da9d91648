/// How the elements of an operator's first output come from those of its first input.
enum Passage: Sendable {
    /// New numbers.
    case computed
    /// The same elements in the same shape.
    case unchanged
    /// The same, rounded to the grid of a quantisation.
    case rounded
    /// The same elements in the same row-major order, in another shape.
    case reshaped
    /// The same elements with their axes in another order.
    case transposed
    /// The same elements, moved between channels and places.
    case shuffled
    /// The same elements, some of them several times.
    case repeated

    /// Whether a value that comes out is one that went in, and stands for the same.
    var keepsElements: Bool { [.unchanged, .rounded, .reshaped].contains(self) }

    /// Whether all elements come out, each once, in another order or shape.
    var movesElements: Bool { [.reshaped, .transposed, .shuffled].contains(self) }
}

/// Which places of an operator's result change where places of its inputs do; for passes that compute only what a window touches.
enum ChangedRegion: Sendable {
    /// Cannot be told: everything is computed again.
    case everything
    /// Those that change in the first input.
    case sameAsInput
    /// Those that change in any of the inputs, which are as large as the result or the same at all places.
    case unionOfInputs
    /// Those that change in any of the inputs, each a map of the result's channels.
    case joinedChannels
    /// Those from which a window that slides over the first input (`Operator.slidingWindow`) sees what changes.
    case window
}

/// Whether what an operator makes is recorded as a layer.
enum LayerKind: Sendable {
    /// Unless other layers are asked for.
    case standard
    /// Where it is asked for by its name.
    case onDemand
}

/// What is known of where an input's elements stand.
struct PlacedInput: Sendable {
    var shape: [Int]
    /// Nil for constants, and where it cannot be told.
    var places: Places?
    var isConstant: Bool
}

extension [PlacedInput] {
    /// Those that depend on the image.
    var varying: [PlacedInput] { filter { !$0.isConstant } }
}

/// The output of a node of which it is asked where its elements stand.
struct PlacedOutput: Sendable {
    var index: Int
    var shape: [Int]
    var channelsAreLast: Bool

    /// Where it is a map as it stands; nil where it is none.
    var map: Places? { Places(map: shape, channelsAreLast: channelsAreLast) }
}

// What holds for an operator that says nothing of itself: it computes new numbers, of unknown sign, of all places that it reads.
extension Operator {
    var passage: Passage { .computed }
    var function: Activation? { nil }
    var activation: Activation? { nil }
    var isActivation: Bool { function != nil }
    var takesActivation: Bool { isSum }
    var isSum: Bool { false }
    var isPooling: Bool { false }
    var saturates: Bool { (function ?? activation)?.saturates ?? false }
    var probability: AnswerFunction? { nil }
    var standsAloneUntilRecorded: Bool { false }
    var changedRegion: ChangedRegion { .everything }
    var multiplyAddsPerOutput: Int { 1 }
    var unpadded: any Operator { self }
    func slidingWindow(over size: [Int]) -> (window: Window, filler: Float)? { nil }
    func averagesWhole(_ size: [Int]) -> Bool { false }
    func averages(_ axes: [Int], rank: Int) -> Bool { false }
    func matrix(over shape: [Int]) -> (weights: HostTensor, bias: [Float])? { nil }
    func joins(axis: Int, rank: Int) -> Bool { false }
    func joinsAlongAxis(of other: any Operator, rank: Int) -> Bool { false }
    func ofOneImage(batch: Int) -> any Operator { self }
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? { nil }

    /// New numbers of an image's values may be of any sign; what passes elements on passes their sign on.
    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign { passage == .computed ? .unknown : inputs.first ?? .unknown }
    func isHarmless(_ inputs: [Sign], of node: Graph.Node) -> Bool { false }

    /// Axes keep their meaning where an operator does not say otherwise: those who reorder them, or whose specification has the channels in
    /// axis 1, do.
    func channelsAreLast(_ inputs: [Bool]) -> Bool { inputs.contains(true) }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? { placesOfElements(inputs, of: output) }

    /// Element by element, of the inputs that are as large as the result.
    func placesOfElements(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        inputs.varying.first { $0.shape == output.shape }?.places ?? output.map
    }
}

extension Operator {
    /// Whether each channel of its result is made of the same channel of its first input alone, or it gives the same elements another shape.
    var keepsChannelsApart: Bool { function != nil || isPooling || [.unchanged, .reshaped].contains(passage) }
}

/// An operator whose specification has the channels of a map in axis 1, and its height and width after it.
protocol ChannelsFirst: Operator {}

extension ChannelsFirst {
    func channelsAreLast(_ inputs: [Bool]) -> Bool { false }
}

extension Operator {
    /// For what makes new channels, or maps of another size: one map is as it stands, whatever its parts were before.
    func remapped(_ inputs: [PlacedInput], to output: PlacedOutput, keepsChannels: Bool = false) -> Places? {
        if let map = output.map { return map }
        let axis = output.channelsAreLast || output.shape.count != 4 ? output.shape.count - 1 : 1
        return inputs.varying.first?.places?.remapped(
            to: output.shape, keepsChannels: keepsChannels, channelAxis: keepsChannels ? 1 : axis)
    }
}
