/// A row-major tensor in double precision with the slow, obvious ways to work on it that tests compare fast ones with.
public struct SlowTensor: Sendable, Equatable {
    public var shape: [Int]
    public var values: [Double]

    public init(_ shape: [Int], _ values: [Double]) {
        precondition(shape.reduce(1, *) == values.count, "\(values.count) values for shape \(shape)")
        self.shape = shape
        self.values = values
    }

    public init(_ shape: [Int], _ values: [Float]) { self.init(shape, values.map(Double.init)) }

    /// The value at every index, computed.
    public init(_ shape: [Int], at: ([Int]) -> Double) {
        self.init(shape, SlowTensor.indices(shape).map(at))
    }

    /// Uniform in ±1.
    public init(random shape: [Int], using random: inout SeededGenerator) {
        self.init(shape, (0..<shape.reduce(1, *)).map { _ in Double(Float.random(in: -1...1, using: &random)) })
    }

    public var floats: [Float] { values.map(Float.init) }

    /// All indices of a shape in row-major order.
    public static func indices(_ shape: [Int]) -> [[Int]] {
        shape.reduce([[]]) { lists, extent in lists.flatMap { list in (0..<extent).map { list + [$0] } } }
    }

    /// An element; 0 or `outside` where the index is not in the tensor.
    public func at(_ index: [Int], outside: Double = 0) -> Double {
        var offset = 0
        for (place, extent) in zip(index, shape) {
            guard (0..<extent).contains(place) else { return outside }
            offset = offset * extent + place
        }
        return values[offset]
    }

    public func map(_ function: (Double) -> Double) -> SlowTensor { SlowTensor(shape, values.map(function)) }

    public func reshaped(_ shape: [Int]) -> SlowTensor { SlowTensor(shape, values) }

    public func transposed(_ axes: [Int]) -> SlowTensor {
        SlowTensor(axes.map { shape[$0] }) { index in
            var source = index
            for (place, axis) in axes.enumerated() { source[axis] = index[place] }
            return at(source)
        }
    }

    /// https://onnx.ai/onnx/repo-docs/Broadcasting.html
    public func combined(with other: SlowTensor, _ function: (Double, Double) -> Double) -> SlowTensor {
        let rank = max(shape.count, other.shape.count)
        let left = reshaped([Int](repeating: 1, count: rank - shape.count) + shape)
        let right = other.reshaped([Int](repeating: 1, count: rank - other.shape.count) + other.shape)
        return SlowTensor(zip(left.shape, right.shape).map { max($0, $1) }) { index in
            func pick(_ tensor: SlowTensor) -> Double { tensor.at(zip(index, tensor.shape).map { $1 == 1 ? 0 : $0 }) }
            return function(pick(left), pick(right))
        }
    }

    /// Images of a batch, each with batch extent 1.
    public func image(_ number: Int) -> SlowTensor {
        let count = values.count / shape[0]
        return SlowTensor([1] + shape.dropFirst(), Array(values[number * count..<(number + 1) * count]))
    }
}
