/// `ScatterND` of constants: a tensor in which some slices are others, as the masks of shifted windows are made.
///
/// https://onnx.ai/onnx/operators/onnx__ScatterND.html
struct ScatterByPlaces: ShapeArithmetic {
    static let names = ["ScatterND"]

    private let adds: Bool

    init(_ node: NodeReader) throws {
        let reduction = node.string("reduction", default: "none")
        guard ["none", "add"].contains(reduction) else {
            throw Refusal("combines what is there by '\(reduction)'; neurodex replaces it, or adds")
        }
        adds = reduction == "add"
    }

    func evaluate(_ inputs: [HostTensor?]) throws -> [HostTensor]? {
        guard inputs.count > 2, let data = inputs[0], let places = inputs[1], let updates = inputs[2] else { return nil }
        guard let depth = places.shape.last, (1...data.shape.count).contains(depth), let numbers = places.integers else {
            throw Refusal("replaces by places of shape \(places.shape) in shape \(data.shape)")
        }
        let strides = data.shape.rowMajorStrides
        let size = data.shape.dropFirst(depth).reduce(1, *)
        guard updates.shape == places.shape.dropLast() + data.shape.dropFirst(depth) else {
            throw Refusal("replaces slices of shape \(data.shape) by \(updates.shape) at places of shape \(places.shape)")
        }
        let starts = try (0..<places.count / depth).map { row in
            try (0..<depth).reduce(0) { start, axis in
                let number = numbers[row * depth + axis]
                let place = number < 0 ? number + data.shape[axis] : number
                guard (0..<data.shape[axis]).contains(place) else {
                    throw Refusal("replaces place \(number) of \(data.shape[axis])")
                }
                return start + place * strides[axis]
            }
        }
        if case .int(let old) = data.elements, case .int(let new) = updates.elements {
            return [HostTensor(replaced(old, by: new, at: starts, size) { $0 &+ $1 }, shape: data.shape)]
        }
        return [HostTensor(replaced(data.floats, by: updates.floats, at: starts, size) { $0 + $1 }, shape: data.shape)]
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
