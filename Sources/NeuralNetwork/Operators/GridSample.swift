import CKernels

/// `GridSample`: a map looked up at places that another map says, as spatial transformers do (Jaderberg et al., "Spatial Transformer Networks", 2015,
/// https://arxiv.org/abs/1506.02025). The way back goes to the map and to the places.
///
/// https://onnx.ai/onnx/operators/onnx__GridSample.html
struct GridSample: ChannelsFirst {
    static let names = ["GridSample"]

    private let outside: ndx_outside
    private let takesNearest: Bool
    private let cornersAligned: Bool

    init(_ node: NodeReader) throws {
        let (mode, padding) = (node.string("mode", default: "linear"), node.string("padding_mode", default: "zeros"))
        guard ["linear", "bilinear", "nearest"].contains(mode) else {
            throw Refusal("looks up by the mode '\(mode)'; neurodex reads linear and nearest")
        }
        let kinds = ["zeros": NDX_OUTSIDE_ZERO, "border": NDX_OUTSIDE_BORDER, "reflection": NDX_OUTSIDE_REFLECTED]
        guard let outside = kinds[padding] else { throw Refusal("has padding_mode '\(padding)'") }
        (self.outside, takesNearest) = (outside, mode == "nearest")
        cornersAligned = node.int("align_corners", default: 0) != 0
    }

    var mixesPlaces: Bool { true }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard inputs.count > 1, let map = inputs[0]?.shape, let grid = inputs[1]?.shape, map.count == 4, grid.count == 4,
            grid[0] == map[0], map[0] == 1, grid[3] == 2
        else {
            throw Refusal(
                "looks up a tensor of shape \(inputs.first??.shape ?? []) at places of shape \(inputs.dropFirst().first??.shape ?? []); neurodex reads [1, channels, height, width] and [1, rows, columns, 2]"
            )
        }
        return [[map[0], map[1], grid[1], grid[2]]]
    }

    private func plan(_ map: Location, _ grid: Location) -> ndx_sampling {
        ndx_sampling(
            height: map.shape[2], width: map.shape[3], channels: map.shape[1], places: grid.shape[1] * grid.shape[2],
            outside: outside, corners_aligned: cornersAligned ? 1 : 0, takes_nearest: takesNearest ? 1 : 0)
    }

    /// The map and the places, of each image of a batch; where one is constant, it is the same for all.
    private func operands(_ node: Graph.Node, _ program: inout ProgramBuilder) throws -> (map: Location, grid: Location) {
        guard let map = node.inputs[0], let grid = node.inputs[1] else { throw Refusal("has too few inputs") }
        return (try program.location(map, in: .channelsLast), try program.location(grid, in: .rowMajor))
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let (map, grid) = try operands(node, &program)
        let destination = program.allocate(node.outputs[0], in: .channelsLast)
        let (plan, batch) = (plan(map, grid), program.batch)
        program.emit(reads: [map, grid], writes: [destination]) { memory in
            let (source, places, to) = (memory[map], memory[grid], memory[destination])
            return {
                var plan = plan
                for image in 0..<batch {
                    ndx_sample(
                        &plan, source + map.offset(image), places + grid.offset(image), to + image * destination.count)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .channelsLast)
        let (map, grid) = try operands(node, &program.forward)
        let (plan, batch) = (plan(map, grid), program.batch)
        for (index, order) in [(0, Location.Order.channelsLast), (1, .rowMajor)] {
            try program.contribute(to: node.inputs[index], in: order) { program, target in
                program.emit(reads: [map, grid, gradient], writes: [target]) { memory in
                    let (source, places) = (memory[map], memory[grid])
                    let (from, to) = (memory[gradient], memory[target])
                    return {
                        var plan = plan
                        to.update(repeating: 0, count: target.count * batch)
                        for image in 0..<batch {
                            let own = to + image * target.count
                            ndx_sample_backward(
                                &plan, source + map.offset(image), places + grid.offset(image), from + image * gradient.count,
                                index == 0 ? own : nil, index == 1 ? own : nil)
                        }
                    }
                }
            }
        }
    }
}

extension Location {
    /// Where an image of the batch begins; all begin at the same place where there is one for all.
    fileprivate func offset(_ image: Int) -> Int { batch == 1 ? 0 : image * count }
}
