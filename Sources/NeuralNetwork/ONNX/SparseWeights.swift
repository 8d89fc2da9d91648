extension TensorReader {
    /// A weight of which a file keeps those elements that are not 0, with all of them.
    ///
    /// https://onnx.ai/onnx/api/classes.html#sparsetensorproto: places count through the tensor, or are one for each axis.
    /// - Throws: `NetworkError.tensor`.
    func read(_ sparse: ONNXSparseTensorProto) throws -> HostTensor {
        func fault(_ problem: String) -> NetworkError { .tensor(name: sparse.values.name, problem: "is sparse, and \(problem)") }
        let shape = sparse.dims.map { Int(clamping: $0) }
        guard HostTensor.isReasonable(shape), shape.product <= 1 << 26 else { throw fault("has the shape \(shape)") }
        let values = try read(sparse.values)
        let indices = try read(sparse.indices)
        guard let places = indices.integers, values.shape.count == 1,
            indices.shape == [values.count] || indices.shape == [values.count, shape.count]
        else {
            throw fault("has \(values.count) elements at places of shape \(indices.shape)")
        }
        let strides = indices.shape.count == 1 ? [1] : shape.rowMajorStrides
        let extents = indices.shape.count == 1 ? [shape.product] : shape
        let offsets = try (0..<values.count).map { element in
            try strides.indices.reduce(0) { offset, axis in
                let place = places[element * strides.count + axis]
                guard (0..<extents[axis]).contains(place) else {
                    throw fault("has an element at place \(place) of \(extents[axis])")
                }
                return offset + place * strides[axis]
            }
        }
        func spread<Number: Numeric>(_ numbers: [Number]) -> [Number] {
            var result = [Number](repeating: 0, count: shape.product)
            for (offset, number) in zip(offsets, numbers) { result[offset] = number }
            return result
        }
        switch values.elements {
        case .float(let numbers): return HostTensor(spread(numbers), shape: shape)
        case .int(let numbers): return HostTensor(spread(numbers), shape: shape)
        }
    }
}
