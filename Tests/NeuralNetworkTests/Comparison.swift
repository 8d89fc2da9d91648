import NeuralNetwork
import TestSupport
import Testing

/// How far `found` is from `expected`, relative to the largest expected value, or to 0.01 where all are smaller; infinite where the counts differ or one of
/// them alone is NaN or infinite.
func distance(_ found: [Float], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    let scale = expected.lazy.filter(\.isFinite).map(abs).max() ?? 0
    return zip(found, expected).reduce(0) { worst, pair in
        let (a, b) = (Double(pair.0), pair.1)
        if a == b || (a.isNaN && b.isNaN) { return worst }
        guard a.isFinite, b.isFinite else { return .infinity }
        return max(worst, abs(a - b) / max(scale, 0.01))
    }
}

/// The NetworkError that `body` throws; nil where it throws none or another.
func networkError(_ body: () throws -> Void) -> NetworkError? {
    do {
        try body()
        return nil
    } catch { return error as? NetworkError }
}

extension ModelBuilder {
    /// A random weight.
    mutating func random(_ name: String, _ shape: [Int], _ random: inout SeededGenerator) -> SlowTensor {
        let values = SlowTensor(random: shape, using: &random)
        _ = weight(name, shape, values.floats)
        return values
    }

    /// A small network with a convolution, batch normalisation, ReLU, pooling and a classifier.
    static func classifier(seed: UInt64 = 1, input: [Int?] = [1, 3, 8, 8]) -> (model: ModelBuilder, output: String) {
        var (model, random) = (ModelBuilder(input: input), SeededGenerator(seed: seed))
        _ = model.random("conv.weight", [4, 3, 3, 3], &random)
        _ = model.random("conv.bias", [4], &random)
        for name in ["scale", "bias", "mean"] { _ = model.random("norm.\(name)", [4], &random) }
        _ = model.weight("norm.variance", [4], [0.5, 1, 2, 0.25])
        _ = model.random("fc.weight", [5, 4], &random)
        _ = model.random("fc.bias", [5], &random)
        let conv = model.node("Conv", ["image", "conv.weight", "conv.bias"], ["pads": [1, 1, 1, 1]])
        let norm = model.node("BatchNormalization", [conv, "norm.scale", "norm.bias", "norm.mean", "norm.variance"])
        let pool = model.node("GlobalAveragePool", [model.node("Relu", [norm])], name: "pool")
        let flat = model.node("Flatten", [pool])
        return (model, model.node("Gemm", [flat, "fc.weight", "fc.bias"], ["transB": 1]))
    }
}
