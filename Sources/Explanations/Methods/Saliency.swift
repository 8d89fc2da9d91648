public import ArgumentParser
import Images
import NeuralNetwork
import Search

/// The derivative of the target by every pixel: where a small change would change the answer most.
///
/// Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013, https://arxiv.org/abs/1312.6034. The map is the signed gradient
/// by the network's input, [channels, height, width], in units of the target for each unit of the normalised input; the picture
/// shows the largest magnitude over the colours.
///
/// - `input-gradient`: times the input (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713).
/// - `guided`, `deconvnet`: other rules for rectifiers; see `BackwardRule`.
/// - `smoothgrad`: the mean over noisy copies (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825); `sigma` is a share of the input's
///   range.
/// - `integrated`: Integrated Gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365) from a baseline at `steps`
///   points of a `Quadrature`. The map adds up to the target's value less that of the baseline, as nearly as the points catch the
///   gradient's bends. Padding around the picture is the same in both.
///
/// Errors: `ExplanationError.flat` where the gradient is zero at every pixel. A picture that equals the baseline makes a map of
/// zeros.
public struct Saliency: ExplanationMethod {
    public static let name = "saliency"
    public static let abstract = "Show the pixels that a score is most sensitive to, by gradients."

    public enum Kind: String, CaseIterable, ExpressibleByArgument, Sendable {
        case gradient
        case inputGradient = "input-gradient"
        case guided, deconvnet, smoothgrad, integrated
    }

    public enum Baseline: String, CaseIterable, ExpressibleByArgument, Sendable {
        /// Zero to the network: the mean of its training images.
        case zero
        case black, white
    }

    @Option(help: ArgumentHelp("gradient, input-gradient, guided, deconvnet, smoothgrad or integrated.", valueName: "method"))
    public var method: Kind = .gradient

    @Option(help: ArgumentHelp("Noisy copies of smoothgrad.", valueName: "count"))
    public var samples = 50

    @Option(help: ArgumentHelp("Deviation of smoothgrad's noise, as a share of the input's range.", valueName: "share"))
    public var sigma: Float = 0.15

    @Option(help: ArgumentHelp("Points of integrated.", valueName: "count"))
    public var steps = 32

    @Option(help: ArgumentHelp("Where integrated begins: zero (to the network), black or white.", valueName: "picture"))
    public var baseline: Baseline = .zero

    @Option(
        help: ArgumentHelp(
            "How integrated chooses and weighs its points: gausslegendre, or riemann_trapezoid, whose weights add up to 1 − 1/steps.",
            valueName: "rule"))
    public var quadrature: Quadrature = .gausslegendre

    @Option(help: ArgumentHelp("Of smoothgrad's noise.", valueName: "number"))
    public var seed: UInt64 = 0

    /// For the argument parser.
    public init() {}

    public func validate() throws {
        guard samples >= 1 else {
            throw ExplanationError.parameter(name: "--samples", value: "\(samples)", expected: "a count of 1 or more")
        }
        let least = quadrature.leastCount
        guard steps >= least else {
            throw ExplanationError.parameter(name: "--steps", value: "\(steps)", expected: "a count of \(least) or more")
        }
        guard sigma >= 0, sigma.isFinite else {
            throw ExplanationError.parameter(name: "--sigma", value: "\(sigma)", expected: "a number of 0 or more")
        }
    }

    public var grain: MapGrain { .pixels }

    public var arguments: [String] {
        let own =
            switch method {
            case .smoothgrad:
                Spelling.option("--samples", "\(samples)") + Spelling.option("--sigma", "\(sigma)")
                    + Spelling.option("--seed", "\(seed)")
            case .integrated:
                Spelling.option("--steps", "\(steps)") + Spelling.option("--baseline", baseline.rawValue)
                    + Spelling.option("--quadrature", quadrature.rawValue)
            default: [String]()
            }
        return Spelling.option("--method", method.rawValue) + own
    }

    public var caption: String {
        switch method {
        case .gradient: "Gradient saliency"
        case .inputGradient: "Gradient × input"
        case .guided: "Guided backpropagation"
        case .deconvnet: "Deconvnet saliency"
        case .smoothgrad: "SmoothGrad, \(samples) samples, σ = \(sigma) of the range, seed \(seed)"
        case .integrated: "Integrated gradients, \(steps) points (\(quadrature.rawValue)) from \(baseline.rawValue)"
        }
    }

    /// The quantile of a gradient's magnitudes that gets the last colour, in percent: a few pixels are far above all others.
    public static let clip = 99.5

    public func look(of map: ExplanationMap, target: Target) -> MapLook {
        let what = target.quantity
        switch method {
        case .inputGradient:
            return MapLook(isSigned: true, quantity: "pixel × ∂\(what)/∂pixel, sum of colours", isFine: true, clip: Self.clip)
        case .integrated:
            return MapLook(isSigned: true, quantity: "part of the \(what), sum of colours", isFine: true, clip: Self.clip)
        case .gradient, .guided, .deconvnet, .smoothgrad:
            return MapLook(isSigned: false, quantity: "|∂\(what)/∂pixel|, largest of colours", isFine: true, clip: Self.clip)
        }
    }

    public func passes(height: Int, width: Int) -> Int {
        switch method {
        case .smoothgrad: samples.saturated(times: 2)
        case .integrated: steps.saturated(times: 2)
        default: 2
        }
    }

    public func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let tensor = subject.tensor
        var values: [Float]
        switch method {
        case .gradient: values = try explainer.gradient(of: target, on: subject, rule: .gradient)
        case .guided: values = try explainer.gradient(of: target, on: subject, rule: .guided)
        case .deconvnet: values = try explainer.gradient(of: target, on: subject, rule: .deconvnet)
        case .inputGradient:
            values = try explainer.gradient(of: target, on: subject, rule: .gradient)
            // Zero where the picture is, which is no silence of the neuron's.
            guard values.contains(where: { $0 != 0 }) else { throw ExplanationError.flat(target: target.text) }
            for index in values.indices { values[index] *= tensor[index] }
            return explainer.map(of: values)
        case .smoothgrad: values = try smoothGrad(tensor, target, explainer)
        case .integrated: return explainer.map(of: try integrated(subject, target, explainer))
        }
        return try explainer.map(ofInput: values, target: target, on: subject)
    }

    private func smoothGrad(_ tensor: [Float], _ target: Target, _ explainer: Explainer) throws -> [Float] {
        let range = (tensor.max() ?? 0) - (tensor.min() ?? 0)
        let (deviation, seed) = (sigma * range, seed)
        var sum = [Double](repeating: 0, count: tensor.count)
        let (explainer, target) = try explainer.focused(on: target, for: samples)
        try explainer.gradients(of: target, count: samples) { sample, input in
            // A generator for each sample, so that the noise does not depend on who runs it.
            var noise = GaussianNoise(seed: seed, stream: UInt64(sample))
            for index in tensor.indices { input[index] = tensor[index] + deviation * noise.next() }
        } body: { _, gradient in
            for index in sum.indices { sum[index] += Double(gradient.input[index]) }
        }
        return sum.map { Float($0 / Double(samples)) }
    }

    private func integrated(_ subject: InputImage, _ target: Target, _ explainer: Explainer) throws -> [Float] {
        let (tensor, start) = (subject.tensor, subject.padded(baselineTensor(subject, explainer)))
        let points = quadrature.points(steps)
        var sum = [Double](repeating: 0, count: tensor.count)
        let (explainer, asked) = try explainer.focused(on: target, for: steps)
        try explainer.gradients(of: asked, count: steps) { step, input in
            let share = Float(points[step].place)
            for index in tensor.indices { input[index] = start[index] + share * (tensor[index] - start[index]) }
        } body: { step, gradient in
            for index in sum.indices { sum[index] += points[step].weight * Double(gradient.input[index]) }
        }
        guard sum.contains(where: { $0 != 0 }) else { throw ExplanationError.flat(target: target.text) }
        return sum.indices.map { Float(sum[$0] * Double(tensor[$0] - start[$0])) }
    }

    private func baselineTensor(_ image: InputImage, _ explainer: Explainer) -> [Float] {
        switch baseline {
        case .zero: [Float](repeating: 0, count: image.tensor.count)
        case .black: image.filled(with: 0, by: explainer.preprocessing)
        case .white: image.filled(with: 255, by: explainer.preprocessing)
        }
    }
}
