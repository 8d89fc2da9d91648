import CKernels

/// A tensor that is known before any image is seen, row-major: a weight, or a number that shape arithmetic works on.
struct HostTensor: Equatable, Sendable {
    enum Elements: Equatable, Sendable {
        case float([Float])
        /// All integer and boolean types.
        case int([Int])
    }

    var shape: [Int]
    private let storage: Storage

    private enum Storage: Sendable {
        case memory(Elements)
        case file(StoredFloats)
    }

    init(_ values: [Float], shape: [Int]) {
        self.shape = shape
        storage = .memory(.float(values))
    }

    init(_ values: [Int], shape: [Int]) {
        self.shape = shape
        storage = .memory(.int(values))
    }

    /// Elements that are read anew each time that they are asked for.
    init(_ values: StoredFloats, shape: [Int]) {
        self.shape = shape
        storage = .file(values)
    }

    static func == (a: HostTensor, b: HostTensor) -> Bool { a.shape == b.shape && a.elements == b.elements }

    var elements: Elements {
        switch storage {
        case .memory(let elements): elements
        case .file(let values): .float(values.read())
        }
    }

    var count: Int { shape.product }

    /// Whether a tensor of this shape fits into memory beside others: files of a few bytes can ask for any size.
    /// The first layers of networks on the largest pictures stay below 2²⁸ elements, 1 GB.
    static func isReasonable(_ shape: [Int]) -> Bool {
        shape.allSatisfy { (0..<1 << 28).contains($0) } && shape.reduce(1.0) { $0 * Double(Swift.max($1, 1)) } <= 0x1p28
    }

    /// The elements as floats, whatever their type.
    var floats: [Float] {
        switch elements {
        case .float(let values): values
        case .int(let values): values.map { Float($0) }
        }
    }

    /// Whether all elements are numbers, and none is enormous.
    var holdsModerateNumbers: Bool {
        guard case .float(let values) = elements else { return true }
        return ndx_are_moderate(values, values.count) != 0
    }

    /// Some of the elements as floats, without reading the others from their file.
    func floats(in range: Range<Int>) -> ArraySlice<Float> {
        guard case .file(let values) = storage else { return floats[range] }
        return values.read(range)[...]
    }

    /// The elements as integers; a float is rounded towards zero. Nil where one does not fit.
    var integers: [Int]? {
        switch elements {
        case .int(let values): return values
        case .float(let values):
            let exact = values.compactMap { Int(exactly: $0.rounded(.towardZero)) }
            return exact.count == values.count ? exact : nil
        }
    }

    /// The same elements in another shape of the same count.
    func reshaped(_ shape: [Int]) -> HostTensor {
        var result = self
        result.shape = shape
        return result
    }

    /// Result element `i` is element `indices[i]` of this tensor.
    func gathered(_ indices: [Int], shape: [Int]) -> HostTensor {
        switch elements {
        case .float(let values): HostTensor(indices.map { values[$0] }, shape: shape)
        case .int(let values): HostTensor(indices.map { values[$0] }, shape: shape)
        }
    }

    /// With the axes in the order `axes`: result axis `k` is axis `axes[k]`.
    func transposed(_ axes: [Int]) -> HostTensor {
        let strides = shape.rowMajorStrides
        if axes == [1, 0], case .float(let values) = elements {
            let (rows, columns) = (shape[0], shape[1])
            let turned = [Float](unsafeUninitializedCapacity: values.count) { target, count in
                if let start = target.baseAddress { ndx_transpose_values(values, columns, rows, columns, start, rows) }
                count = values.count
            }
            return HostTensor(turned, shape: [columns, rows])
        }
        return gathered(
            Self.indices(shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] }), shape: axes.map { shape[$0] })
    }

    /// The offset of every element of a strided view, in row-major order of `shape`.
    static func indices(shape: [Int], strides: [Int], start: Int = 0) -> [Int] {
        var result = [start]
        for (extent, stride) in zip(shape, strides) {
            result = result.flatMap { base in (0..<extent).map { base + $0 * stride } }
        }
        return result
    }
}

/// Numbers in a file.
struct StoredFloats: Sendable {
    private let bytes: FileBytes
    private let type: ElementType

    /// Nil for integers, which shapes are computed with, and where there are so few that they are best read at once.
    init?(_ bytes: FileBytes, type: ElementType) {
        guard !type.isInteger, bytes.count >= 4096 else { return nil }
        (self.bytes, self.type) = (bytes, type)
    }

    func read() -> [Float] { read(0..<bytes.count / type.width) }

    func read(_ range: Range<Int>) -> [Float] {
        let part = bytes.part(range.lowerBound * type.width..<range.upperBound * type.width)
        defer { part.release() }
        return type.floats(part.data) ?? []
    }
}

extension [Int] {
    /// Whether the first axis of a tensor of one image holds something else than images, so that it may be cut and added up: a file that puts windows,
    /// phases or heads there is run image by image.
    var firstIsNotTheBatch: Bool { first ?? 1 != 1 }

    /// 1 for no axes. Shapes are checked for overflow when they are read.
    var product: Int { reduce(1, *) }

    /// The strides of a row-major tensor of this shape.
    var rowMajorStrides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
        return strides
    }
}
