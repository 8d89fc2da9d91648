/// How a network is run for windows over one image, where only what a window touches is computed again: patch by patch up to some
/// node, and as a whole from there on.
struct IncrementalPlan {
    /// A part of a map put together from the whole image's and, over it, the window's patch.
    struct Gather {
        /// Whose map and patch are read.
        var source: Graph.ValueID
        var target: Graph.ValueID
        /// Of the part, for each row and column of windows; outside the map in the padding.
        var starts: [[Int]]
        /// What stands in the padding.
        var filler: Float
        var layer: String
    }

    enum Step {
        case gather(Gather)
        case node(Graph.Node)
    }

    /// With the shapes of patches where patches are computed.
    private(set) var graph: Graph
    private(set) var steps: [Step] = []
    private(set) var patches: [Graph.ValueID: Patch] = [:]
    /// What the graph's own output has become.
    private(set) var output: Graph.ValueID
    /// Multiply-adds of one window, as a share of those of the whole network.
    private(set) var share = 1.0
    private let whole: Graph

    /// - Parameters:
    ///   - graph: fused, and without what its output does not need.
    ///   - rows: of each row of windows; `columns` likewise.
    init(_ graph: Graph, rows: [Range<Int>], columns: [Range<Int>]) {
        whole = graph
        self.graph = graph
        output = graph.output
        let size = Self.extent(graph, graph.input)
        patches[graph.input] = Patch(changed: [rows, columns], extent: size)
        let full = graph.nodes.map { Self.cost(of: $0, graph) }
        var (spent, rest) = (0.0, full.reduce(0, +))
        let total = rest
        // As much by patches as makes the sum least.
        var (best, end) = (rest, 0)
        for (index, node) in graph.nodes.enumerated() {
            guard let patch = patch(of: node) else { break }
            for output in node.outputs { patches[output] = patch }
            let area = Self.extent(graph, node.outputs[0]).product
            // Besides, what is read is put together first: as dear as a few multiply-adds.
            let read = node.inputs.compactMap { $0 }.filter { patches[$0] != nil }
            let moved = read.reduce(0) { $0 + (graph.values[$1].shape?[1] ?? 0) }
            spent += full[index] * Double(patch.size.product) / Double(area) + Double(8 * moved * patch.size.product)
            rest -= full[index]
            if spent + rest < best { (best, end) = (spent + rest, index + 1) }
        }
        share = total > 0 ? best / total : 1
        lower(end)
    }

    private static func extent(_ graph: Graph, _ id: Graph.ValueID) -> [Int] { Array((graph.values[id].shape ?? []).suffix(2)) }

    /// Multiply-adds.
    private static func cost(of node: Graph.Node, _ graph: Graph) -> Double {
        let count = Double((graph.values[node.outputs[0]].shape ?? []).product)
        return count * Double(node.operation.multiplyAddsPerOutput)
    }

    /// What of a node's output changes; nil where that cannot be told.
    private func patch(of node: Graph.Node) -> Patch? {
        let varying = node.inputs.compactMap { $0 }.filter { whole.values[$0].constant == nil }
        let known = varying.compactMap { patches[$0] }
        guard let first = known.first, known.count == varying.count, let shape = whole.values[node.outputs[0]].shape,
            shape.count == 4, shape[0] == 1, varying.allSatisfy({ whole.values[$0].shape?.count == 4 })
        else { return nil }
        let extent = [shape[2], shape[3]]
        if let (window, _) = slidingWindow(of: node) { return first.through(window, output: extent) }
        var union: Patch { known.dropFirst().reduce(first) { $0.union($1, extent: extent) } }
        switch node.operation.changedRegion {
        case .sameAsInput: return first
        case .joinedChannels: return varying.count == node.inputs.count ? union : nil
        case .unionOfInputs:
            // What is combined must be as large as the result, or a constant.
            let fits = node.inputs.compactMap { $0 }.allSatisfy { id in
                if let constant = whole.values[id].constant { return constant.shape.count < 4 || constant.shape[0] == 1 }
                return Array((whole.values[id].shape ?? []).suffix(2)) == extent
            }
            return fits ? union : nil
        case .window, .everything: return nil
        }
    }

    /// The window that a node slides over its first input, with its padding, and what stands there; nil for other nodes.
    private func slidingWindow(of node: Graph.Node) -> (window: Window, filler: Float)? {
        guard let input = node.inputs[0] else { return nil }
        return node.operation.slidingWindow(over: Self.extent(whole, input))
    }

    /// Makes the steps: the nodes before `end` by patches, the others as they are.
    private mutating func lower(_ end: Int) {
        for node in whole.nodes[..<end] {
            guard let patch = patches[node.outputs[0]] else { continue }
            var part = node
            if let (window, filler) = slidingWindow(of: node), let input = node.inputs[0] {
                if window.kernel != [1, 1] || window.stride != [1, 1] || window.padBefore + window.padAfter != [0, 0, 0, 0] {
                    let (size, starts) = patch.reads(through: window)
                    part.inputs[0] = gather(input, size: size, starts: starts, filler: filler, node.layer)
                }
                part.operation = node.operation.unpadded
            } else {
                for (position, input) in node.inputs.enumerated() {
                    guard let input, let source = map(input, under: node.outputs[0]) else { continue }
                    if whole.values[input].constant == nil, patches[input] == patch { continue }
                    part.inputs[position] = gather(source, size: patch.size, starts: patch.starts, filler: 0, node.layer)
                }
            }
            for output in node.outputs { shape(output, patch.size) }
            steps.append(.node(part))
        }
        shape(whole.input, patches[whole.input]?.size ?? [])
        var pasted: [Graph.ValueID: Graph.ValueID] = [:]
        let computed = Set(whole.nodes[..<end].flatMap(\.outputs) + [whole.input])
        /// The whole map of a value that was computed by patches.
        func full(_ id: Graph.ValueID, _ plan: inout Self) -> Graph.ValueID {
            guard computed.contains(id), let patch = plan.patches[id] else { return id }
            if let known = pasted[id] { return known }
            let zero = patch.starts.map { $0.map { _ in 0 } }
            let target = plan.gather(id, size: Self.extent(plan.whole, id), starts: zero, filler: 0, "")
            pasted[id] = target
            return target
        }
        for node in whole.nodes[end...] {
            var rest = node
            for (position, input) in node.inputs.enumerated() {
                if let input { rest.inputs[position] = full(input, &self) }
            }
            steps.append(.node(rest))
        }
        output = full(whole.output, &self)
    }

    /// What an operand of an element-wise operator is cut out of: itself, or the whole map of a constant that is not the same at all
    /// places. Nil for what is read as it is.
    private mutating func map(_ id: Graph.ValueID, under output: Graph.ValueID) -> Graph.ValueID? {
        guard let constant = whole.values[id].constant else { return patches[id] == nil ? nil : id }
        let shape = constant.shape.aligned(4)
        guard shape.suffix(2).contains(where: { $0 != 1 }) else { return nil }
        var value = whole.values[id]
        let map = [1, shape[1]] + Self.extent(whole, output)
        (value.constant, value.shape) = (constant.expanded(to: map), map)
        graph.values.append(value)
        return graph.values.count - 1
    }

    private mutating func shape(_ id: Graph.ValueID, _ size: [Int]) {
        guard let channels = whole.values[id].shape?[1] else { return }
        graph.values[id].shape = [1, channels] + size
    }

    private mutating func gather(
        _ source: Graph.ValueID, size: [Int], starts: [[Int]], filler: Float, _ layer: String
    ) -> Graph.ValueID {
        var value = graph.values[source]
        value.constant = nil
        value.shape = (whole.values.indices.contains(source) ? whole.values[source].shape : value.shape).map {
            $0.prefix(2) + size
        }
        graph.values.append(value)
        let target = graph.values.count - 1
        steps.append(.gather(Gather(source: source, target: target, starts: starts, filler: filler, layer: layer)))
        return target
    }
}
