/// A recorded tensor of a network with a channel axis: its neurons are its channels.
public struct Layer: Equatable, Sendable {
    /// As the model's author knows it; unique in a network.
    public var name: String
    /// The ONNX value that is recorded.
    public var tensor: String
    /// The ONNX operator that makes it (`Conv` also where batch norm and an activation follow).
    public var operatorType: String
    public var channels: Int
    /// Of the map, in positions; 1 where there is none.
    public var height: Int
    public var width: Int
    public var receptiveField: ReceptiveField
    /// Whether its channels are the scores of classes, before softmax.
    public var isLogits: Bool
    /// Whether the spatial mean is kept beside the maximum.
    public var keepsMeans: Bool
    /// The number of the first channel's neuron; a network's neurons are numbered layer by layer.
    public var firstNeuron: Int
}

/// Which tensors of a graph are recorded, and under which names.
struct Recording {
    struct Entry {
        var value: Graph.ValueID
        var layer: Layer
        /// For a concatenation of recorded layers, those: its maxima are theirs.
        var parts: [Graph.ValueID]
        /// For tokens, the grid that they stand on; until they are taken apart, `value` is that of all of them.
        var grid: TokenGrid?
        /// Which of the tokens before the grid it is; nil for the grid.
        var token: Int?
    }

    private(set) var entries: [Entry] = []

    /// - Parameters:
    ///   - patterns: names of layers, where `*` stands for any text and `?` for any character; empty for every convolution, pooling,
    ///     residual sum, concatenation and the logits.
    ///   - everyMean: keep the means of all layers, not only of the one that feeds the classifier.
    ///   - beforeActivation: record what stands before activation functions, and those as layers of their own.
    ///   - hasClasses: whether the answer's channels are classes; nil for what the graph looks like.
    ///   - leavesOut: leave out what cannot be recorded, instead of an error.
    /// - Throws: `NetworkError.noSuchName` for a pattern that fits no layer; `NetworkError.node` for a layer whose elements have no place in the picture.
    init(
        _ graph: inout Graph, patterns: [String], everyMean: Bool, beforeActivation: Bool, hasClasses: Bool? = nil,
        leavesOut: Bool = false
    ) throws {
        let places = graph.places()
        let tokens = TokenLayers(graph, places)
        let source = Self.source(of: graph.scores, graph, graph.producers)
        let options = LayerCandidates.Options(
            everyMean: everyMean, beforeActivation: beforeActivation,
            hasClasses: hasClasses ?? ClassScores.areAnswer(graph.scores, of: graph))
        entries = try Self.chosen(LayerCandidates(graph, places, tokens, options).found, patterns: patterns, graph.others)
        var classifierInput = Self.classifierInput(graph, source, tokens)
        takeTokensApart(&graph, joining: leavesOut, &classifierInput)
        try assembleMaps(&graph, places, leavesOut: leavesOut)
        number(graph, graph.producers, classifierInput: classifierInput)
    }

    /// Those that patterns fit, and outputs; without patterns the default ones.
    private static func chosen(
        _ candidates: [LayerCandidates.Candidate], patterns: [String], _ outputs: [Graph.ValueID]
    ) throws -> [Entry] {
        for pattern in patterns where !candidates.contains(where: { matches($0.entry.layer.name, pattern) }) {
            throw NetworkError.noSuchName(kind: "layer", name: pattern, known: candidates.map(\.entry.layer.name))
        }
        return candidates.filter { candidate in
            guard !patterns.isEmpty else { return candidate.isDefault }
            return candidate.entry.layer.isLogits || outputs.contains(candidate.entry.value)
                || patterns.contains { matches(candidate.entry.layer.name, $0) }
        }.map(\.entry)
    }

    /// Makes a map of tokens on a grid, and vectors of those before it.
    /// - Parameter joining: whether a way back must go through them.
    private mutating func takeTokensApart(_ graph: inout Graph, joining: Bool, _ classifierInput: inout Graph.ValueID?) {
        var known: [Graph.ValueID: (map: Graph.ValueID, prefix: [Graph.ValueID])] = [:]
        for index in entries.indices {
            let value = entries[index].value
            guard let grid = entries[index].grid, let apart = known[value] ?? graph.takeApart(value, grid, joining: joining)
            else { continue }
            known[value] = apart
            entries[index].value = entries[index].token.map { apart.prefix[$0] } ?? apart.map
        }
        if let map = classifierInput.flatMap({ known[$0]?.map }) { classifierInput = map }
    }

    /// Makes one map of those that stand along the batch axis, so that a neuron's maximum is over all of them, and stands where it is in the picture.
    private mutating func assembleMaps(_ graph: inout Graph, _ places: [Graph.ValueID: Places], leavesOut: Bool) throws {
        if leavesOut { entries.removeAll { graph.isInRows($0.value) && places[$0.value]?.assembly == nil } }
        for index in entries.indices where graph.isInRows(entries[index].value) {
            let value = entries[index].value
            guard let map = graph.assembleMap(value, places), let size = graph.values[map].map else {
                let shape = graph.values[value].shape ?? []
                let use = graph.producers[value].map { graph.nodes[$0].use }
                throw NetworkError.node(
                    use ?? .init(operatorType: entries[index].layer.operatorType, node: "", layer: entries[index].layer.name),
                    problem:
                        "makes \(shape[0]) maps of one image along the batch axis (shape \(shape)), and neurodex cannot tell where in the picture they stand; choose other layers with --layers"
                )
            }
            entries[index].value = map
            (entries[index].layer.channels, entries[index].layer.height, entries[index].layer.width) = size
            entries[index].layer.receptiveField = .everything(of: graph.values[graph.input].shape ?? [], at: size)
        }
    }

    /// Numbers the neurons, joins concatenations to their parts, and marks whose means are kept.
    private mutating func number(_ graph: Graph, _ producers: [Int?], classifierInput: Graph.ValueID?) {
        let recorded = Set(entries.map(\.value))
        var next = 0
        for index in entries.indices {
            entries[index].layer.firstNeuron = next
            next += entries[index].layer.channels
            if entries[index].value == classifierInput { entries[index].layer.keepsMeans = true }
            guard let producer = producers[entries[index].value],
                let shape = graph.values[entries[index].value].shape,
                graph.nodes[producer].operation.joins(
                    axis: graph.values[entries[index].value].channelsAreLast ? 3 : 1, rank: shape.count)
            else { continue }
            let parts = graph.nodes[producer].inputs.compactMap { $0 }
            if parts.allSatisfy(recorded.contains) { entries[index].parts = parts }
        }
    }

    /// The node that computes a value, behind whatever only reshapes it.
    static func source(of value: Graph.ValueID, _ graph: Graph, _ producers: [Int?]) -> Int? {
        var value = value
        while let index = producers[value] {
            guard graph.nodes[index].operation.passage.keepsElements, let input = graph.nodes[index].inputs[0] else {
                return index
            }
            value = input
        }
        return nil
    }

    /// The last map before the classifier: what global pooling averages, or the fully connected layers flatten.
    private static func classifierInput(_ graph: Graph, _ source: Int?, _ tokens: TokenLayers) -> Graph.ValueID? {
        let producers = graph.producers
        var index = source
        while let current = index {
            let node = graph.nodes[current]
            guard let input = node.inputs[0] else { return nil }
            if let map = graph.values[input].map, map.height * map.width > 1 { return behindIdentities(input, graph, producers) }
            if let grid = tokens.grids[input] { return grid.prefix == 0 ? behindIdentities(input, graph, producers) : nil }
            index = producers[input]
        }
        return nil
    }

    private static func behindIdentities(_ value: Graph.ValueID, _ graph: Graph, _ producers: [Int?]) -> Graph.ValueID {
        guard let index = producers[value], graph.nodes[index].operation.passage == .unchanged,
            let input = graph.nodes[index].inputs[0]
        else { return value }
        return behindIdentities(input, graph, producers)
    }

    /// - Parameter places: what the values' axes are made of. A map that is taken apart and put together again keeps its field.
    static func receptiveFields(_ graph: Graph, _ places: [Graph.ValueID: Places]) -> [Graph.ValueID: ReceptiveField] {
        var fields: [Graph.ValueID: ReceptiveField] = [graph.input: .pixel]
        let input = graph.values[graph.input].shape ?? []
        // What has been through a product of activations: every place may depend on all of the picture.
        var mixed = Set<Graph.ValueID>()
        for node in graph.nodes {
            let varying = node.inputs.compactMap { $0 }.filter { fields[$0] != nil }
            guard !varying.isEmpty else { continue }
            let shapes = varying.map { graph.values[$0].shape ?? [] }
            let map = graph.values[varying[0]].channelsAreLast ? 1..<3 : 2..<4
            let field = node.operation.receptiveField(varying.compactMap { fields[$0] }, shapes: shapes, map: map)
            if node.operation.mixesPlaces || varying.contains(where: mixed.contains) {
                for output in node.outputs {
                    let value = graph.values[output]
                    let map = value.map ?? places[output]?.tokenGrid(value.shape ?? [])?.map
                    mixed.insert(output)
                    fields[output] = map.map { .everything(of: input, at: $0) } ?? .whole(height: input[2], width: input[3])
                }
                continue
            }
            for output in node.outputs {
                let (before, after) = (places[varying[0]], places[output])
                let isWhole = [Places.Origin.rows, .columns].allSatisfy { before?.extent($0) == after?.extent($0) }
                if before != nil, after != nil, isWhole, node.operation.passage.movesElements,
                    graph.values[output].shape?.count ?? 0 >= 3
                {
                    fields[output] = fields[varying[0]]
                } else if !node.operation.passage.movesElements, shapes[0].count == 4, let before, before.areScattered,
                    before != after,
                    let map = graph.values[output].map, let inner = fields[varying[0]]
                {
                    // Parts of the picture that lie elsewhere than beside each other are mixed.
                    let window = node.operation.slidingWindow(over: Array(shapes[0][2...]))?.window
                    fields[output] =
                        window.flatMap { before.receptiveField(inner, through: $0) }
                        ?? .everything(of: graph.values[graph.input].shape ?? [], at: map)
                } else {
                    // Tokens that become a vector are all of the picture.
                    let isVector = shapes[0].count == 3 && before != nil && graph.values[output].shape?.count ?? 0 < 3
                    fields[output] = isVector ? .whole(height: input[2], width: input[3]) : field
                }
            }
        }
        return fields
    }

    /// Whether `pattern` (with `*` and `?`) fits all of `name`.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        func match(_ name: Substring, _ pattern: Substring) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            if first == "*" {
                let rest = pattern.drop { $0 == "*" }
                return rest.isEmpty || name.indices.contains { match(name[$0...], rest) }
            }
            guard let character = name.first, first == "?" || first == character else { return false }
            return match(name.dropFirst(), pattern.dropFirst())
        }
        return match(name[...], pattern[...])
    }
}
