/// One ONNX operator with its attributes: how shapes go through it, what it makes of constants, and the kernels it becomes.
///
/// A family of operators is one file of this folder; `operatorCatalog` lists them.
protocol Operator: Sendable {
    /// The ONNX names that this type reads.
    static var names: [String] { get }

    /// Reads the attributes, and the constants that older operator sets kept in attributes.
    init(_ node: NodeReader) throws

    /// What a node becomes: an operator of this type, or of one that says the same more simply.
    static func make(_ node: NodeReader) throws -> any Operator

    /// What a layer is called that has no name but its operator's, where that says too little; nil: it says enough.
    var ownName: String? { get }

    /// The shapes of the outputs, for one image.
    func shapes(_ inputs: [Operand?]) throws -> [[Int]]

    /// The outputs where all inputs are constants; nil if this operator is not for constants.
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]?

    /// The outputs where the shapes of the inputs are enough to know them (`Shape`); nil otherwise.
    func evaluate(shapesOf inputs: [Operand?]) throws -> [HostTensor]?

    /// The type of the outputs in the file.
    func type(_ inputs: [Operand?]) -> ElementType

    /// Whether the result is right for integers that depend on the image: all is computed in floats, which neither wrap around nor cut off.
    var takesIntegers: Bool { get }

    /// This operator with `next` done in the same pass, where `next` reads its output alone; nil if it cannot be.
    /// - Parameter operands: `next`'s inputs.
    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)?

    /// Whether numbers can give what is none (NaN, or infinity, of which NaN is made later).
    func mayMakeNaN(_ operands: [Operand?]) -> Bool

    /// Emits the steps that compute the outputs.
    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws

    /// Emits the steps that take the gradient of the outputs back to the inputs.
    /// - Throws: `Refusal` where the operator has no way back.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws

    /// Which tokens of input `place`, [1, N, channels] with `prefix` of them before a grid, are needed for the outputs, of which some are needed
    /// whole (`areWhole`) and the others only before the grid.
    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead

    /// Whether it works on each place of a map, or on each token, by itself.
    var keepsPlacesApart: Bool { get }

    /// Whether a vector that it makes may be scores of classes: what is normalised or picked is features.
    var mayMakeScores: Bool { get }

    /// Whether it makes a map of tokens, with those of no place beside it.
    var takesTokensApart: Bool { get }

    /// Whether each element depends on elements of all places, as in a product of activations.
    var mixesPlaces: Bool { get }

    /// The part of the image that one position of the output depends on, from those of the inputs.
    /// - Parameter map: the axes that hold the height and width of the first input: 2 and 3, or 1 and 2 where the channels are last.
    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField

    // MARK: What it means to others (OperatorTraits.swift has the defaults)

    /// Whether it passes elements on, and how.
    var passage: Passage { get }

    /// The function of one element that it is and nothing else; nil where it is none that others can take up.
    var function: Activation? { get }

    /// The function that it does after its own work, in the same pass.
    var activation: Activation? { get }

    /// Whether it is a function of one element such as follows a convolution.
    var isActivation: Bool { get }

    /// Whether an activation after it is counted as its own, so that both are one layer.
    var takesActivation: Bool { get }

    /// Whether it adds activations, as at the end of a residual block.
    var isSum: Bool { get }

    /// Whether it makes a map coarser, each channel by itself.
    var isPooling: Bool { get }

    /// Whether it runs flat towards the ends of its range, so that its gradient vanishes where it answers most surely.
    var saturates: Bool { get }

    /// What it makes of scores, where those are probabilities.
    var probability: AnswerFunction? { get }

    /// Whether it takes nothing up before it is known what is recorded, so that it can be a layer of its own.
    var standsAloneUntilRecorded: Bool { get }

    /// What is recorded of it, of a result of `shape` from `operands`; nil where it is no layer.
    /// - Parameter channelAxis: which axis of a result of four holds the channels: 1, or 3 where they are last.
    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind?

    /// Whether the last of four axes holds the channels of the result.
    /// - Parameter inputs: the same of those inputs that depend on the image and have four axes.
    func channelsAreLast(_ inputs: [Bool]) -> Bool

    /// What the axes of an output are made of; nil where that cannot be told.
    /// - Parameter inputs: with constants, as the file has them; those that are left out are not there.
    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places?

    /// What is known of the sign of the result's elements from those of the inputs.
    func sign(_ inputs: [Sign], of node: Graph.Node) -> Sign

    /// Whether what it may make of numbers (`mayMakeNaN`) are numbers, as its inputs are of the right sign.
    func isHarmless(_ inputs: [Sign], of node: Graph.Node) -> Bool

    /// Which places of the result change where some of the inputs do.
    var changedRegion: ChangedRegion { get }

    /// The window that it slides over its first input of this height and width, with its padding, and what stands there; nil where a part of
    /// the map does not have what it needs.
    func slidingWindow(over size: [Int]) -> (window: Window, filler: Float)?

    /// The same over a map that has its padding already.
    var unpadded: any Operator { get }

    /// Multiply-adds that each element of the result takes.
    var multiplyAddsPerOutput: Int { get }

    /// Whether it averages the whole of a map of this height and width into one number, as before a classifier.
    func averagesWhole(_ size: [Int]) -> Bool

    /// Whether it averages a tensor of `rank` axes over just these of them.
    func averages(_ axes: [Int], rank: Int) -> Bool

    /// The matrix (outputs × inputs) and bias (one an output) of one that is linear in a vector of this shape, and nothing more.
    func matrix(over shape: [Int]) -> (weights: HostTensor, bias: [Float])?

    /// Whether it joins tensors of `rank` axes along one of them.
    func joins(axis: Int, rank: Int) -> Bool

    /// Whether both join tensors of `rank` axes along the same one.
    func joinsAlongAxis(of other: any Operator, rank: Int) -> Bool

    /// The same for one image, in a file that was written for `batch` of them.
    func ofOneImage(batch: Int) -> any Operator
}

extension Operator {
    static func make(_ node: NodeReader) throws -> any Operator { try Self(node) }
    var ownName: String? { nil }
    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead {
        keepsPlacesApart && !areWhole.contains(true) ? .prefix : .all
    }
    var keepsPlacesApart: Bool { false }
    var mixesPlaces: Bool { false }
    var mayMakeScores: Bool { true }
    var takesTokensApart: Bool { false }
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        throw Refusal("has no way back; explanations that need gradients cannot pass it")
    }
    /// What is combined with a constant that holds no numbers.
    func mayMakeNaN(_ operands: [Operand?]) -> Bool {
        operands.contains { $0?.constant.map { !$0.holdsModerateNumbers } ?? false }
    }
    func type(_ inputs: [Operand?]) -> ElementType { inputs.first??.type ?? .float }
    var takesIntegers: Bool { false }
    func absorbing(_ next: any Operator, _ operands: [Operand?]) -> (any Operator)? { nil }
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? { nil }
    func evaluate(shapesOf inputs: [Operand?]) throws -> [HostTensor]? { nil }
    func receptiveField(_ inputs: [ReceptiveField], shapes: [[Int]], map: Range<Int>) -> ReceptiveField {
        inputs.dropFirst().reduce(inputs.first ?? .pixel) { $0.union($1) }
    }
}

/// An operator that only ever works on constants and shapes, and is gone before any image is seen.
protocol ShapeArithmetic: Operator {}

extension ShapeArithmetic {
    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let varying = inputs.compactMap { $0 }.filter { $0.constant == nil }.map { "'\($0.name)'" }
        throw Refusal(
            "works on constants only here, but its input \(varying.joined(separator: ", ")) depends on the image")
    }
    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        throw Refusal("cannot run on an image's activations")
    }
}

/// A problem with one node; whoever knows the node makes a NetworkError of it.
struct Refusal: Error {
    var problem: String
    init(_ problem: String) { self.problem = problem }
}

/// Every operator neurodex knows.
let operatorCatalog: [any Operator.Type] = [
    Convolution.self,
    Linear.self,
    Product.self,
    Einsum.self,
    ConvolutionTranspose.self,
    Pooling.self,
    Reduction.self,
    Activation.self,
    ElementFunction.self,
    Pairwise.self,
    ChannelAffine.self,
    LayerNormalization.self,
    GroupNormalization.self,
    LocalResponseNormalization.self,
    Arithmetic.self,
    Concatenation.self,
    Split.self,
    Softmax.self,
    Identity.self,
    Reshape.self,
    Flatten.self,
    Squeeze.self,
    Unsqueeze.self,
    Transpose.self,
    Slice.self,
    Pad.self,
    PadFromWithin.self,
    Resize.self,
    BlockShuffle.self,
    Expand.self,
    ConstantNode.self,
    ShapeOf.self,
    ConstantOfShape.self,
    Cast.self,
    Gather.self,
    GatherElements.self,
    GatherByPlaces.self,
    Tile.self,
    CumulativeSum.self,
    Comparison.self,
    Negation.self,
    Selection.self,
    RangeOfNumbers.self,
    ScatterByPlaces.self,
    Rounding.self,
    ConstantTest.self,
    SizeOf.self,
    Quantize.self,
    Dequantize.self,
    Recurrent.self,
    Ranking.self,
    OneHot.self,
    GridSample.self,
]

/// The ONNX names of all operators, sorted.
package var operatorNames: [String] { (operatorsByName.keys + Expansion.names).sorted() }

/// ONNX name → operator.
let operatorsByName: [String: any Operator.Type] = {
    var table: [String: any Operator.Type] = [:]
    for type in operatorCatalog { for name in type.names { table[name] = type } }
    return table
}()
