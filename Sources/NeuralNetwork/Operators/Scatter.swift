/// `ScatterND` at constant places: a tensor in which some slices are others, as the masks of shifted windows are made.
///
/// https://onnx.ai/onnx/operators/onnx__ScatterND.html
struct ScatterByPlaces: Operator {
    static let names = ["ScatterND"]

    private let adds: Bool
    private let places: HostTensor

    init(_ node: NodeReader) throws {
        places = try node.requiredConstant(1, "indices")
        let reduction = node.string("reduction", default: "none")
        guard ["none", "add"].contains(reduction) else {
            throw Refusal("combines what is there by '\(reduction)'; neurodex replaces it, or adds")
        }
        adds = reduction == "add"
    }

    func shapes(_ inputs: [Operand?]) throws -> [[Int]] {
        guard inputs.count > 2, let data = inputs[0], let updates = inputs[2] else { throw Refusal("has too few inputs") }
        _ = try plan(data.shape, updates.shape)
        return [data.shape]
    }

    /// Where in the tensor each slice begins, and its elements.
    private func plan(_ shape: [Int], _ updates: [Int]) throws -> (starts: [[Int]], size: Int, depth: Int) {
        guard let depth = places.shape.last, (1...max(shape.count, 1)).contains(depth), let numbers = places.integers else {
            throw Refusal("replaces by places of shape \(places.shape) in shape \(shape)")
        }
        guard updates == places.shape.dropLast() + shape.dropFirst(depth) else {
            throw Refusal("replaces slices of shape \(shape) by \(updates) at places of shape \(places.shape)")
        }
        let starts = try (0..<places.count / depth).map { row in
            try (0..<depth).map { axis in
                let number = numbers[row * depth + axis]
                let place = number < 0 ? number + shape[axis] : number
                guard (0..<shape[axis]).contains(place) else { throw Refusal("replaces place \(number) of \(shape[axis])") }
                return place
            }
        }
        return (starts, shape.dropFirst(depth).reduce(1, *), depth)
    }

    /// The offset of every element that is replaced, in a tensor of these strides, in the order of the updates.
    private func offsets(_ shape: [Int], _ updates: [Int], strides: [Int]) throws -> [Int] {
        let (starts, _, depth) = try plan(shape, updates)
        let inner = HostTensor.indices(shape: Array(shape.dropFirst(depth)), strides: Array(strides.dropFirst(depth)))
        return starts.flatMap { place -> [Int] in
            let start = zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }
            return inner.map { start + $0 }
        }
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count > 2, let data = inputs[0], let updates = inputs[2] else { return nil }
        let (places, size, _) = try plan(data.shape, updates.shape)
        let strides = data.shape.rowMajorStrides
        let starts = places.map { zip($0, strides).reduce(0) { $0 + $1.0 * $1.1 } }
        if case .int(let old) = data.elements, case .int(let new) = updates.elements {
            return [HostTensor(replaced(old, by: new, at: starts, size) { $0 &+ $1 }, shape: data.shape)]
        }
        return [HostTensor(replaced(data.floats, by: updates.floats, at: starts, size) { $0 + $1 }, shape: data.shape)]
    }

    func places(_ inputs: [PlacedInput], of output: PlacedOutput) -> Places? { nil }

    func lower(_ node: Graph.Node, into program: inout ProgramBuilder) throws {
        guard let data = node.inputs[0], let changes = node.inputs[2] else { throw Refusal("has too few inputs") }
        let destination = program.allocate(node.outputs[0], in: .rowMajor)
        let source = try program.expanded(data, to: destination.shape, in: .rowMajor)
        // A constant is repeated for each image of the batch.
        let shape = try program.constant(changes)?.shape ?? program.location(changes, in: .rowMajor).shape
        let updates = try program.expanded(changes, to: shape, in: .rowMajor)
        let offsets = try offsets(destination.shape, updates.shape, strides: destination.strides)
        program.emit(reads: [source, updates], writes: [destination]) { [adds, batch = program.batch] memory in
            let (source, updates, to) = (memory[source], memory[updates], memory[destination])
            return {
                to.update(from: source, count: destination.count * batch)
                for image in 0..<batch {
                    let (own, new) = (to + image * destination.count, updates + image * offsets.count)
                    for (place, offset) in offsets.enumerated() { own[offset] = adds ? own[offset] + new[place] : new[place] }
                }
            }
        }
    }

    /// To the updates comes what comes to their places; of several at one place, to the last. To the tensor comes the rest.
    func lowerBackward(_ node: Graph.Node, into program: inout BackwardBuilder) throws {
        let gradient = try program.incoming(node, in: .rowMajor)
        guard let changes = node.inputs[2] else { throw Refusal("has too few inputs") }
        let shape = try program.location(changes, in: .rowMajor).shape
        let offsets = try offsets(gradient.shape, shape, strides: gradient.strides)
        let last = Dictionary(offsets.enumerated().map { ($1, $0) }) { $1 }
        let counts = offsets.enumerated().map { adds || last[$1] == $0 }
        try program.contribute(to: node.inputs[0], in: .rowMajor) { [adds] program, target in
            program.emit(reads: [gradient], writes: [target]) { [batch = program.batch] memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    to.update(from: from, count: target.count * batch)
                    guard !adds else { return }
                    for image in 0..<batch { for offset in offsets { to[image * target.count + offset] = 0 } }
                }
            }
        }
        try program.contribute(to: changes, in: .rowMajor) { program, target in
            program.emit(reads: [gradient], writes: [target]) { [batch = program.batch] memory in
                let (from, to) = (memory[gradient], memory[target])
                return {
                    for image in 0..<batch {
                        for (place, offset) in offsets.enumerated() {
                            to[image * target.count + place] = counts[place] ? from[image * gradient.count + offset] : 0
                        }
                    }
                }
            }
        }
    }

    private func replaced<Number>(
        _ old: [Number], by new: [Number], at starts: [Int], _ size: Int, sum: (Number, Number) -> Number
    ) -> [Number] {
        var result = old
        for (row, start) in starts.enumerated() {
            for step in 0..<size {
                let value = new[row * size + step]
                result[start + step] = adds ? sum(result[start + step], value) : value
            }
        }
        return result
    }
}
