import TestSupport

/// One operator, its random case, and what the slow implementation makes of it.
struct OperatorCase: Sendable {
    /// What is being compared: what the model computes and what it should, for one image.
    typealias Build =
        @Sendable (_ model: inout ModelBuilder, _ shape: [Int], _ random: inout SeededGenerator) -> (
            output: String, expected: @Sendable (SlowTensor) -> SlowTensor
        )

    var name: String
    /// ONNX names that the case tries.
    var operators: [String]
    /// Of the largest expected value.
    var tolerance = 1e-4
    /// Of the gradient along a random direction, relative to what its parts add up to by chance; see `GradientTests`.
    var gradientTolerance = 1e-4
    /// [channels, height, width]
    var shapes: [[Int]] = [[1, 7, 5], [3, 8, 11], [16, 6, 9], [17, 9, 4]]
    /// Whether it may be tried on other shapes too; else its weights and places are made for these.
    var fitsOtherShapes = true
    var opset = 17
    /// Whether the way back is that of the function itself; rounding goes back as if it were none.
    var isDifferentiable = true
    /// Whether there is a way back: places in a rank have none.
    var hasWayBack = true
    var build: Build
}

/// Every operator neurodex has, with its tolerance; a family with many forms has a line each.
let operatorCases: [OperatorCase] =
    [
        convolutionCases, transposedConvolutionCases, poolingCases, elementwiseCases, normalizationCases, arithmeticCases,
        linearCases, shapingCases,
        constantCases, fusedCases, reductionCases, resizeCases, quantizationCases, recurrentCases, selectionCases, normCases,
        integerCases, attentionCases, samplingCases,
    ]
    .flatMap { $0 }
