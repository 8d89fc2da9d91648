import CKernels

/// An operator whose output holds elements of its input at places that are known before any image is seen; its way back adds up what
/// comes back to each element.
protocol Picking: Operator {
    /// The shape that comes out, and the offset of each of its elements in a tensor of these strides.
    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int])
}

extension Picking {
    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard let data = inputs[0] else { return nil }
        let (shape, offsets) = try plan(data.shape, strides: data.shape.rowMajorStrides)
        return [data.gathered(offsets, shape: shape)]
    }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        let source = try program.location(node.inputs[0], in: nil)
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        let offsets = try plan(source.shape, strides: source.strides).offsets.map(Int64.init)
        let batch = program.batch
        program.emit(reads: [source], writes: [destination]) { memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                for image in 0..<batch {
                    ndx_gather(from + image * source.count, to + image * destination.count, offsets, offsets.count)
                }
            }
        }
    }

    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        let batch = program.batch
        try program.contribute(to: node.inputs[0], in: nil) { program, target in
            let offsets = try plan(target.shape, strides: target.strides).offsets.map(Int64.init)
            program.fill(target, with: 0)
            program.emit(reads: [gradient, target], writes: [target]) { memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    for image in 0..<batch {
                        ndx_scatter_add(from + image * gradient.count, to + image * target.count, offsets, offsets.count)
                    }
                }
            }
        }
    }

    /// The shape of a result that may be computed.
    /// - Throws: `Refusal` for one of an impossible size.
    func checked(_ result: [Int], from shape: [Int]) throws -> [Int] {
        guard HostTensor.isReasonable(result), result.product <= max(shape.product, 1 << 24) else {
            throw Refusal("would make a tensor of shape \(result)")
        }
        return result
    }
}

/// The constant places along one axis that `Gather` and `GatherElements` take.
struct PlacesAlongAxis {
    /// As the file has it: below 0 from the last axis on.
    let axis: Int
    let places: HostTensor

    init(_ node: NodeReader) throws {
        axis = node.int("axis", default: 0)
        places = try node.requiredConstant(1, "indices")
    }

    /// The axis, and every place on it, counted from the first.
    /// - Throws: `Refusal` for an axis or a place that the shape does not have.
    func picks(from shape: [Int]) throws -> (axis: Int, picks: [Int]) {
        let axis = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(axis) else { throw Refusal("gathers along axis \(axis) of shape \(shape)") }
        let picks = places.integers?.map { $0 < 0 ? $0 + shape[axis] : $0 } ?? []
        guard picks.count == places.count, picks.allSatisfy({ (0..<shape[axis]).contains($0) }) else {
            throw Refusal("gathers \(places.integers ?? []) of \(shape[axis])")
        }
        return (axis, picks)
    }

    func refuseBatch(of shape: [Int]) throws {
        guard axis != 0 && axis != -shape.count || shape.firstIsNotTheBatch else {
            throw Refusal("gathers along axis 0, which picks from the images of a batch")
        }
    }
}

/// `Tile`: a tensor, so many times along each axis. https://onnx.ai/onnx/operators/onnx__Tile.html
struct Tile: Picking {
    static let names = ["Tile"]

    private let repeats: [Int]

    init(_ node: NodeReader) throws {
        guard let repeats = try node.requiredConstant(1, "repeats").integers else {
            throw Refusal("its repeats are not integers")
        }
        self.repeats = repeats
    }

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        guard repeats.count == shape.count, repeats.allSatisfy({ (0..<1 << 28).contains($0) }) else {
            throw Refusal("repeats \(repeats) times along the axes of shape \(shape)")
        }
        let result = try checked(zip(shape, repeats).map { $0 * $1 }, from: shape)
        var offsets = [0]
        for (axis, stride) in strides.enumerated() {
            let places = (0..<result[axis]).map { $0 % shape[axis] * stride }
            offsets = offsets.flatMap { base in places.map { base + $0 } }
        }
        return (result, offsets)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard repeats.first == 1 || shape.firstIsNotTheBatch else { throw Refusal("repeats the images of a batch") }
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }
}

/// `GatherElements`: for each element a place of its own along one axis; the places are constant.
///
/// https://onnx.ai/onnx/operators/onnx__GatherElements.html
struct GatherElements: Picking {
    static let names = ["GatherElements"]

    private let along: PlacesAlongAxis

    init(_ node: NodeReader) throws { along = try PlacesAlongAxis(node) }

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        let (axis, picks) = try along.picks(from: shape)
        let places = along.places.shape
        guard places.count == shape.count,
            zip(places, shape).enumerated().allSatisfy({ $0.offset == axis || $0.element.0 <= $0.element.1 })
        else { throw Refusal("picks by places of shape \(places) along axis \(axis) of shape \(shape)") }
        var others = strides
        others[axis] = 0
        let base = HostTensor.indices(shape: places, strides: others)
        return (try checked(places, from: shape), zip(base, picks).map { $0 + $1 * strides[axis] })
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        try along.refuseBatch(of: shape)
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }
}

/// `GatherND`: slices by the places of their first axes, which are constant. https://onnx.ai/onnx/operators/onnx__GatherND.html
struct GatherByPlaces: Picking {
    static let names = ["GatherND"]

    private let batchAxes: Int
    private let places: HostTensor

    init(_ node: NodeReader) throws {
        batchAxes = node.int("batch_dims", default: 0)
        places = try node.requiredConstant(1, "indices")
    }

    func plan(_ shape: [Int], strides: [Int]) throws -> (shape: [Int], offsets: [Int]) {
        let (leading, depth) = (Array(places.shape.dropLast()), places.shape.last ?? 0)
        guard depth >= 1, batchAxes >= 0, batchAxes <= leading.count, batchAxes + depth <= shape.count,
            Array(leading.prefix(batchAxes)) == Array(shape.prefix(batchAxes)), let numbers = places.integers
        else { throw Refusal("picks by places of shape \(places.shape) from shape \(shape)") }
        let picked = shape[batchAxes..<batchAxes + depth]
        let rest = Array(shape[(batchAxes + depth)...])
        let after = HostTensor.indices(shape: rest, strides: Array(strides[(batchAxes + depth)...]))
        var whole = [Int](repeating: 0, count: leading.count)
        for axis in 0..<batchAxes { whole[axis] = strides[axis] }
        let bases = HostTensor.indices(shape: leading, strides: whole)
        let result = try checked(leading + rest, from: shape)
        let offsets = try bases.enumerated().flatMap { row, base -> [Int] in
            var start = base
            for (axis, extent) in picked.enumerated() {
                let number = numbers[row * depth + axis]
                let place = number < 0 ? number + extent : number
                guard (0..<extent).contains(place) else { throw Refusal("picks place \(number) of \(extent)") }
                start += place * strides[batchAxes + axis]
            }
            return after.map { start + $0 }
        }
        return (result, offsets)
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        let shape = inputs.first??.shape ?? []
        guard batchAxes > 0 || shape.firstIsNotTheBatch else { throw Refusal("picks from the images of a batch") }
        return [try plan(shape, strides: shape.rowMajorStrides).shape]
    }
}
