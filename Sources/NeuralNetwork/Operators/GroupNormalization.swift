import CKernels

/// `InstanceNormalization` and `GroupNormalization`: every channel, or group of channels, less its mean over the map, over its deviation.
///
/// Ulyanov et al., 2016, https://arxiv.org/abs/1607.08022; Wu and He, "Group Normalization", 2018, https://arxiv.org/abs/1803.08494.
struct GroupNormalization: ChannelsFirst {
    static let names = ["InstanceNormalization", "GroupNormalization"]

    func layerKind(_ operands: [Operand?], shape: [Int], channelAxis: Int) -> LayerKind? {
        [2, 4].contains(shape.count) ? .onDemand : nil
    }

    /// Nil: as many as channels.
    private let groups: Int?
    private let epsilon: Float
    private let scale: [Float]
    private let shift: [Float]

    init(_ node: NodeReader) throws {
        epsilon = node.float("epsilon", default: 1e-5)
        var scale = try node.requiredConstant(1, "scale").floats
        var shift = try node.requiredConstant(2, "bias").floats
        guard scale.count == shift.count else { throw Refusal("has \(scale.count) scales and \(shift.count) biases") }
        let shape = node.input(0)?.shape ?? []
        guard shape.count >= 3 else { throw Refusal("needs a map [batch, channels, …], but gets \(shape)") }
        groups = node.operatorType == "GroupNormalization" ? node.int("num_groups", default: 0) : nil
        if let groups {
            guard groups > 0, shape[1] % groups == 0 else { throw Refusal("puts \(shape[1]) channels into \(groups) groups") }
            if scale.count == groups {
                // Before operator set 21 there is a scale for each group.
                let size = shape[1] / groups
                (scale, shift) = (
                    scale.flatMap { [Float](repeating: $0, count: size) }, shift.flatMap { [Float](repeating: $0, count: size) }
                )
            }
        }
        guard scale.count == shape[1] else { throw Refusal("has \(scale.count) scales for \(shape[1]) channels") }
        (self.scale, self.shift) = (scale, shift)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] { [inputs.first??.shape ?? []] }

    /// As a map with one column, whatever axes it has.
    private static func asMap(_ location: Location) -> Location {
        guard location.shape.count != 4 else { return location }
        var map = location
        map.shape = Array(location.shape.prefix(2)) + [location.shape.dropFirst(2).reduce(1, *), 1]
        map.order = .rowMajor
        return map
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0])
        let map = program.reorder(Self.asMap(source), into: .channelsLast)
        let result = program.temporary(map.shape)
        let (batch, channels, pixels) = (program.batch * map.shape[0], scale.count, map.shape[2] * map.shape[3])
        let groups = groups ?? channels
        program.emit(reads: [map], writes: [result]) { [scale, shift, epsilon] memory in
            let (from, to) = (memory[map], memory[result])
            return {
                for image in 0..<batch {
                    let start = image * pixels * channels
                    ndx_normalize_groups(from + start, to + start, pixels, channels, groups, scale, shift, epsilon)
                }
            }
        }
        var output = source.shape.count == 4 ? result : program.reorder(result, into: .rowMajor)
        output.shape = source.shape
        program.alias(node.outputs[0], of: output)
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = program.reorder(Self.asMap(try program.incoming(node)), into: .channelsLast)
        let input = program.reorder(Self.asMap(try program.location(node.inputs[0])), into: .channelsLast)
        let (batch, channels, pixels) = (program.batch * input.shape[0], scale.count, input.shape[2] * input.shape[3])
        let groups = groups ?? channels
        try program.contribute(to: node.inputs[0]) { [scale, epsilon] program, target in
            let result = target.shape.count == 4 ? target : program.temporary(input.shape)
            program.emit(reads: [input, gradient], writes: [result]) { memory in
                let (input, from, to) = (memory[input], memory[gradient], memory[result])
                return {
                    for image in 0..<batch {
                        let start = image * pixels * channels
                        ndx_normalize_groups_backward(
                            input + start, from + start, to + start, pixels, channels, groups, scale, epsilon)
                    }
                }
            }
            if result != target {
                var flat = program.reorder(result, into: .rowMajor)
                flat.shape = target.shape
                program.copy(flat, to: target)
            }
        }
    }
}
