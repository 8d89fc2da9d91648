/// `DepthToSpace` and `SpaceToDepth`: channels spread over blocks of pixels, and back.
///
/// https://onnx.ai/onnx/operators/onnx__DepthToSpace.html; Shi et al. 2016, https://arxiv.org/abs/1609.05158.
struct BlockShuffle: ChannelsFirst {
    static let names = ["DepthToSpace", "SpaceToDepth"]

    var passage: Passage { .shuffled }

    private let block: Int
    private let toSpace: Bool
    /// Whether a block's channels lie apart (DCR) rather than side by side (CRD).
    private let isDepthFirst: Bool

    init(_ node: NodeReader) throws {
        block = node.int("blocksize", default: 0)
        toSpace = node.operatorType == "DepthToSpace"
        isDepthFirst = !toSpace || node.string("mode", default: "DCR") == "DCR"
        guard (1...256).contains(block) else { throw Refusal("has blocks of \(block) pixels") }
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        let square = block * block
        guard shape.count == 4, toSpace ? shape[1] % square == 0 : shape[2] % block == 0 && shape[3] % block == 0 else {
            throw Refusal("cannot make blocks of \(block)×\(block) of a tensor of shape \(shape)")
        }
        return toSpace
            ? [[shape[0], shape[1] / square, shape[2] * block, shape[3] * block]]
            : [[shape[0], shape[1] * square, shape[2] / block, shape[3] / block]]
    }

    /// Where the elements stand then.
    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        inputs.varying.first?.places?.shuffled(block: block, toSpace: toSpace, blocksAreOuter: isDepthFirst)
    }

    /// Steps through both maps: batch, channel, row and column in the block, row and column of blocks.
    private func plan(deep: Location, wide: Location) -> (shape: [Int], deep: [Int], wide: [Int]) {
        let channels = wide.shape[1]
        let (d, w) = (deep.strides, wide.strides)
        let channel = isDepthFirst ? d[1] : d[1] * block * block
        let inBlock = isDepthFirst ? d[1] * channels : d[1]
        return (
            [wide.shape[0], channels, block, block, deep.shape[2], deep.shape[3]],
            [d[0], channel, inBlock * block, inBlock, d[2], d[3]],
            [w[0], w[1], w[2], w[3], w[2] * block, w[3] * block]
        )
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let destination = program.allocate(node.outputs[0])
        let plan = toSpace ? plan(deep: source, wide: destination) : plan(deep: destination, wide: source)
        program.copy(
            source, shape: plan.shape, fromStrides: toSpace ? plan.deep : plan.wide, to: destination,
            toStrides: toSpace ? plan.wide : plan.deep)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node)
        try program.contribute(to: node.inputs[0]) { program, target in
            let plan = toSpace ? plan(deep: target, wide: gradient) : plan(deep: gradient, wide: target)
            program.copyStrided(
                gradient, shape: plan.shape, fromStrides: toSpace ? plan.wide : plan.deep, to: target,
                toStrides: toSpace ? plan.deep : plan.wide)
        }
    }
}
