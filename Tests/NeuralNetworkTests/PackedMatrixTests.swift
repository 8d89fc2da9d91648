import CKernels
import TestSupport
import Testing

/// Products with packed matrices, beside their definition in double precision.
@Suite struct PackedMatrixTests {
    private func run(
        _ rows: [Float], _ weights: [Float], _ bias: [Float], inputs: Int, columns: [Range<Int>]? = nil
    ) -> [Float] {
        let outputs = bias.count
        var packed = [Float](repeating: .nan, count: ndx_linear_packed(inputs, outputs))
        ndx_linear_pack(weights, inputs, outputs, &packed)
        var result = [Float](repeating: .nan, count: rows.count / inputs * outputs)
        for range in columns ?? [0..<ndx_linear_columns(outputs)] {
            ndx_linear_run(
                rows, rows.count / inputs, inputs, packed, bias, &result, outputs, range.lowerBound, range.upperBound)
        }
        return result
    }

    @Test(arguments: [(1, 1, 1), (2, 7, 16), (5, 255, 17), (6, 256, 31), (7, 257, 3), (50, 700, 40)])
    func isAsTheDefinitionSays(rows: Int, inputs: Int, outputs: Int) {
        var random = SeededGenerator(seed: UInt64(rows))
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &random) } }
        let (image, weights, bias) = (numbers(rows * inputs), numbers(inputs * outputs), numbers(outputs))
        let result = run(image, weights, bias, inputs: inputs)
        let expected = (0..<rows * outputs).map { place in
            let (row, output) = (place / outputs, place % outputs)
            return (0..<inputs).reduce(Double(bias[output])) {
                $0 + Double(image[row * inputs + $1]) * Double(weights[output * inputs + $1])
            }
        }
        #expect(distance(result, expected) < 1e-5)
        // Neither other rows nor another thread's share change a bit.
        for row in 0..<rows {
            let alone = run(Array(image[row * inputs..<(row + 1) * inputs]), weights, bias, inputs: inputs)
            #expect(alone == Array(result[row * outputs..<(row + 1) * outputs]), "row \(row)")
        }
        let columns = ndx_linear_columns(outputs)
        #expect(run(image, weights, bias, inputs: inputs, columns: [columns / 2..<columns, 0..<columns / 2]) == result)
    }
}
