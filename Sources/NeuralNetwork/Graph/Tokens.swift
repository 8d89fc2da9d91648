/// Tokens on a grid: a value [1, N, channels] whose second axis holds a picture's places row by row, behind those of none, as the class token.
struct TokenGrid: Equatable, Sendable {
    /// Tokens before the grid's first.
    var prefix: Int
    var height: Int
    var width: Int
    var channels: Int
    /// Whether they stand in axis 0 of [N, 1, channels], as recurrent layers have them.
    var tokensAreFirst = false

    /// Of the grid.
    var map: (channels: Int, height: Int, width: Int) { (channels, height, width) }

    /// Of all tokens.
    var shape: [Int] {
        let count = prefix + height * width
        return tokensAreFirst ? [count, 1, channels] : [1, count, channels]
    }

    /// Whether it is one row of places, or one column, with nothing before: a sequence.
    var isSequence: Bool { prefix == 0 && min(height, width) == 1 && max(height, width) > 1 }
}

extension Graph {
    /// Takes the tokens of a value apart: a map [1, channels, height, width] of those on the grid, and a vector [1, channels] of each before it.
    ///
    /// - Parameter joining: whether what reads the value reads what was taken apart and put together again, so that a gradient goes through it.
    mutating func takeApart(_ value: ValueID, _ grid: TokenGrid, joining: Bool) -> (map: ValueID, prefix: [ValueID])? {
        guard let index = producers[value] else { return nil }
        let (source, node) = (values[value], nodes[index])
        func add(_ shape: [Int], _ name: String) -> ValueID {
            values.append(Value(name: name, shape: shape))
            return values.count - 1
        }
        let map = add([1, grid.channels, grid.height, grid.width], source.name)
        let prefix = (0..<grid.prefix).map { add([1, grid.channels], "\(source.name)#\($0)") }
        func step(_ operation: any Operator, _ inputs: [ValueID], _ outputs: [ValueID]) -> Node {
            Node(
                name: node.name, operatorType: node.operatorType, layer: node.layer, operation: operation, inputs: inputs,
                outputs: outputs)
        }
        var steps = [step(TokensApart(grid: grid), [value], [map] + prefix)]
        if joining {
            let joined = add(source.shape ?? [], source.name)
            for other in nodes.indices.dropFirst(index + 1) {
                nodes[other].inputs = nodes[other].inputs.map { $0 == value ? joined : $0 }
            }
            if output == value { output = joined }
            others = others.map { $0 == value ? joined : $0 }
            if head?.scores == value { head?.scores = joined }
            steps.append(step(TokensTogether(grid: grid), [map] + prefix, [joined]))
        }
        nodes.insert(contentsOf: steps, at: index + 1)
        return (map, prefix)
    }

    /// Values of which what `output` is made of takes the tokens before the grid at most: no place of their maps has a gradient.
    func valuesReadBeforeTheGrid(_ places: [ValueID: Places]) -> Set<ValueID> {
        var (needed, whole) = (Set([output] + others), Set([output] + others))
        for node in nodes.reversed() where node.outputs.contains(where: needed.contains) {
            let areWhole = node.outputs.map(whole.contains)
            for (place, input) in node.inputs.enumerated() {
                guard let input else { continue }
                let prefix = places[input]?.tokenPrefix ?? 0
                switch node.operation.tokensRead(of: place, prefix, shape: values[input].shape ?? [], areWhole) {
                case .none: continue
                case .prefix: needed.insert(input)
                case .all:
                    needed.insert(input)
                    whole.insert(input)
                }
            }
        }
        return Set(values.indices).subtracting(whole)
    }
}

/// Which tokens of an input an operator needs.
enum TokensRead { case none, prefix, all }

/// The map of tokens on a grid, and the tokens before it.
struct TokensApart: ChannelsFirst {
    static let names: [String] = []
    let grid: TokenGrid

    init(grid: TokenGrid) { self.grid = grid }
    init(_ node: NodeReader) throws { throw Refusal("stands in no file") }

    var takesTokensApart: Bool { true }

    private var mapShape: [Int] { [1, grid.channels, grid.height, grid.width] }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        [mapShape] + (0..<grid.prefix).map { _ in [1, grid.channels] }
    }

    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead {
        areWhole[0] ? .all : .prefix
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: .rowMajor)
        guard grid.prefix > 0 else {
            // A map with its channels innermost stands in memory as its places do, one after the other.
            var same = source
            (same.shape, same.order) = (mapShape, .channelsLast)
            return program.alias(node.outputs[0], of: same)
        }
        for (output, part) in grid.parts.enumerated() {
            let target = program.allocate(node.outputs[output])
            program.copy(
                source, shape: [1, part.count], fromStrides: [source.count, 1], fromStart: part.lowerBound, to: target,
                toStrides: [part.count, 1])
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        var gradients: [(from: Location, part: Range<Int>)] = []
        for (output, part) in grid.parts.enumerated() where program.hasGradient(node, output: output) {
            gradients.append((try program.incoming(node, output: output), part))
        }
        try program.contribute(to: node.inputs[0], in: .rowMajor) { program, target in
            program.fill(target, with: 0)
            for (gradient, part) in gradients {
                program.copyStrided(
                    gradient, shape: [1, part.count], fromStrides: [part.count, 1], to: target, toStrides: [target.count, 1],
                    toStart: part.lowerBound)
            }
        }
    }
}

/// Tokens put together again of what `TokensApart` makes of them.
struct TokensTogether: ChannelsFirst {
    static let names: [String] = []
    let grid: TokenGrid

    init(grid: TokenGrid) { self.grid = grid }
    init(_ node: NodeReader) throws { throw Refusal("stands in no file") }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [grid.shape] }

    func tokensRead(of place: Int, _ prefix: Int, shape: [Int], _ areWhole: [Bool]) -> TokensRead {
        areWhole[0] || place > 0 ? .all : .none
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? {
        let map = Places(map: [1, grid.channels, grid.height, grid.width], channelsAreLast: false)
        var places = grid
        places.prefix = 0
        let tokens = map?.transposed([0, 2, 3, 1]).reshaped(to: places.shape)
        return grid.prefix == 0 ? tokens : tokens?.behind(grid.prefix, axis: grid.tokensAreFirst ? 0 : 1)
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let shape = grid.shape
        guard grid.prefix > 0 else {
            var same = try program.location(node.inputs[0], in: .channelsLast)
            (same.shape, same.order) = (shape, .rowMajor)
            return program.alias(node.outputs[0], of: same)
        }
        let target = program.allocate(node.outputs[0], in: .rowMajor)
        for (input, part) in zip(node.inputs, grid.parts) {
            let source = try program.location(input)
            program.copy(
                source, shape: [1, part.count], fromStrides: [part.count, 1], to: target, toStrides: [target.count, 1],
                toStart: part.lowerBound)
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        for (input, part) in zip(node.inputs, grid.parts) {
            try program.contribute(to: input) { program, target in
                program.copyStrided(
                    gradient, shape: [1, part.count], fromStrides: [gradient.count, 1], fromStart: part.lowerBound, to: target,
                    toStrides: [part.count, 1])
            }
        }
    }
}

extension TokenGrid {
    /// Where the map and each token before it stand in [tokens, channels], in elements.
    fileprivate var parts: [Range<Int>] {
        let start = prefix * channels
        return [start..<start + height * width * channels] + (0..<prefix).map { $0 * channels..<($0 + 1) * channels }
    }
}
