import COneDNN

/// The way back through a convolution over one line of numbers, by the kernel that explanations use: for the walkthrough, which
/// holds its theory to be what the engine does.
package enum TransposedConvolution {
    /// Wᵀ `values`, without the padding: `length` numbers.
    ///
    /// - Parameters:
    ///   - values: the convolution's output: (length + 2 padding − filter) / stride + 1 numbers, rounded down.
    ///   - length: of the convolution's input.
    /// - Throws: `NetworkError.kernel` where oneDNN refuses.
    package static func run(_ values: [Float], filter: [Float], length: Int, padding: Int, stride: Int) throws -> [Float] {
        func map(_ width: Int) -> nd_map {
            nd_map(batch: 1, channels: 1, height: 1, width: Int64(width), pixel_stride: 1)
        }
        var window = nd_window(
            kernel: (1, Int64(filter.count)), stride: (1, Int64(stride)), dilation: (1, 1), pad_before: (0, Int64(padding)),
            pad_after: (0, Int64(padding)))
        do {
            let kernel = try Kernel { nd_convolution_backward(map(values.count), map(length), &window, 1, filter) }
            let from = UnsafeMutablePointer<Float>.allocate(capacity: values.count)
            let to = UnsafeMutablePointer<Float>.allocate(capacity: length)
            let scratch = UnsafeMutableRawPointer.allocate(
                byteCount: max(kernel.scratchSize, 64), alignment: WorkerMemory.alignment)
            defer {
                from.deallocate()
                to.deallocate()
                scratch.deallocate()
            }
            from.initialize(from: values, count: values.count)
            to.initialize(repeating: 0, count: length)
            try kernel.bound(to: [from, to], scratch: scratch)()
            return Array(UnsafeBufferPointer(start: to, count: length))
        } catch let refusal as Refusal {
            throw NetworkError.kernel(layer: "walkthrough", problem: refusal.problem)
        }
    }
}
