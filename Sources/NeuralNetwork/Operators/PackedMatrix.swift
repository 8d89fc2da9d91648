import CKernels

/// The matrix of a fully connected layer, packed for a loop of our own: oneDNN's product adds up in an order that depends on the number of
/// rows on AVX2, so that an image's result would depend on the batch.
struct PackedMatrix {
    private let weights: SharedFloats
    private let bias: [Float]
    private let inputs: Int
    private let outputs: Int
    /// Whether all weights and biases are numbers, and none is enormous.
    let holdsModerateNumbers: Bool

    /// - Parameter matrix: [outputs, inputs].
    init(_ matrix: HostTensor, bias: [Float]) {
        let (inputs, outputs) = (matrix.shape[1], matrix.shape[0])
        (self.inputs, self.outputs) = (inputs, outputs)
        self.bias = bias
        let weights = SharedFloats(count: ndx_linear_packed(inputs, outputs))
        self.weights = weights
        var areModerate = ndx_are_moderate(bias, bias.count) != 0
        // Few at a time: the matrices of VGG-16 have 100 million elements.
        for first in stride(from: 0, to: outputs, by: Self.packedAtOnce) {
            let count = min(Self.packedAtOnce, outputs - first)
            matrix.floats(in: first * inputs..<(first + count) * inputs).withUnsafeBufferPointer { rows in
                areModerate = areModerate && (rows.baseAddress.map { ndx_are_moderate($0, rows.count) != 0 } ?? true)
                ndx_linear_pack(rows.baseAddress, inputs, count, weights.start + ndx_linear_packed(inputs, first))
            }
        }
        holdsModerateNumbers = areModerate
    }

    /// Outputs, a multiple of what a column has.
    private static let packedAtOnce = 64

    /// Every row of `source` by the matrix, and the bias added.
    func emit(from source: Location, to destination: Location, into program: inout ProgramBuilder) {
        let rows = source.count / inputs * program.batch
        let columns = ndx_linear_columns(outputs)
        let cost = rows * 16
        program.emit(reads: [source], writes: [destination]) { [weights, bias, inputs, outputs] memory in
            let (from, to) = (memory[source], memory[destination])
            return {
                Team.split(columns, cost: cost, grain: 1) { range in
                    ndx_linear_run(
                        from, rows, inputs, weights.start, bias, to, outputs, range.lowerBound, range.upperBound)
                }
            }
        }
    }
}
