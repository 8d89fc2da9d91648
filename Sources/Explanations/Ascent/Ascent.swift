public import ActivationStore
import Foundation
public import Images
public import Indexing
import NeuralNetwork
import Search

/// Gradient ascent: the picture that a network answers most to.
///
/// x* = argmax s(x) − λ‖x‖² − μ TV(x), with s an `Objective`; each step takes the gradient in a view of the picture (shifted, turned, scaled)
/// and moves the parameters that the picture is made of. Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013,
/// https://arxiv.org/abs/1312.6034; Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015,
/// https://arxiv.org/abs/1506.06579; Olah, Mordvintsev and Schubert, "Feature Visualization", 2017, https://distill.pub/2017/feature-visualization.
/// Hidden neurons are taken before their rectifier. Every picture has its own pass of one image and its own random numbers, so that it does not
/// depend on how many others are made or on how many threads make them, unless `diversity` compares them.
public struct Ascent: Sendable {
    public let objective: Objective
    public let settings: AscentSettings
    private let explainer: Explainer
    private let network: AscentNetwork
    private let parametrisation: any Parametrisation

    /// - Throws: `ExplanationError` for settings that make no sense; `NetworkError`.
    public init(_ objective: Objective, settings: AscentSettings, explainer: Explainer) throws {
        try settings.validate()
        self.objective = objective
        self.settings = settings
        self.explainer = explainer
        network = try AscentNetwork(objective, explainer: explainer, comparesPictures: settings.diversity > 0)
        parametrisation =
            settings.parametrisation == .pixel
            ? PixelParametrisation(explainer.preprocessing) : FourierParametrisation(explainer.preprocessing)
    }

    /// How far ascent has come.
    public struct Progress: Sendable {
        /// Steps done.
        public var step: Int
        /// The objective less its penalties in the last step's view, the mean over the pictures.
        public var value: Double
        /// The pictures as they are now: for snapshots.
        public var pictures: @Sendable () -> [Image]

        fileprivate init(step: Int, value: Double, pictures: @escaping @Sendable () -> [Image]) {
            self.step = step
            self.value = value
            self.pictures = pictures
        }
    }

    /// What ascent has come to.
    public struct Result: Sendable {
        public var pictures: [Image]
        /// The network's input that each picture is: height × width × channels.
        public var tensors: [[Float]]
        /// The objective without penalties on the whole pictures, before the first step and after the last.
        public var first: [Double]
        public var last: [Double]
        /// The objective less its penalties at every step, in that step's view, the mean over the pictures.
        public var curve: [Double]
        /// Whether it ended since the objective rose no more.
        public var endedEarly: Bool
    }

    /// - Parameters:
    ///   - start: tensors to begin with, one a picture, where the settings begin with an image; see `startSubject`.
    ///   - progress: called after every step; false ends ascent there.
    /// - Throws: `ExplanationError.flat` where nothing moves the picture; `NetworkError`.
    public func run(from start: [Float]? = nil, progress: (Progress) throws -> Bool = { _ in true }) throws -> Result {
        let count = settings.count
        let passes = UncheckedBox(try AscentNetwork.Pass.passes(network, count: count, jobs: explainer.jobs))
        var pictures = (0..<count).map { picture($0, start: start) }
        let first = try each(pictures) { index, picture in try passes.value[index].forward(picture.tensor(parametrisation)) }
        var (curve, best, bestStep, endedEarly): ([Double], Double, Int, Bool) = ([], -.infinity, 0, false)
        var isMoved = false
        for step in 0..<settings.steps {
            let (values, moved) = try self.step(&pictures, passes)
            isMoved = isMoved || moved
            guard values.allSatisfy(\.isFinite) else {
                throw ExplanationError.notFinite(what: "the objective at step \(step + 1)")
            }
            curve.append(values.reduce(0, +) / Double(count))
            if curve[step] > best { (best, bestStep) = (curve[step], step) }
            endedEarly = settings.patience > 0 && step - bestStep >= settings.patience
            let (now, ascent) = (pictures, self)
            let goesOn = try progress(
                Progress(step: step + 1, value: curve[step]) { now.map { ascent.picture($0.tensor(ascent.parametrisation)) } })
            if endedEarly || !goesOn { break }
            // A silent target may wake in another view, but not if it slept through so many.
            if !isMoved, step >= 15 || step == settings.steps - 1 { throw ExplanationError.flat(target: objective.text) }
        }
        let tensors = pictures.map { $0.tensor(parametrisation) }
        let last = try each(tensors) { index, tensor in try passes.value[index].forward(tensor) }
        return Result(
            pictures: tensors.map(picture), tensors: tensors, first: first, last: last, curve: curve, endedEarly: endedEarly)
    }

    /// The image that `settings.start` says to begin with; nil for noise and grey.
    /// - Throws: `StoreError`, `ImageError`, `ExplanationError.image`.
    public static func startSubject(
        of objective: Objective, _ settings: AscentSettings, store: Store, preprocessing: Preprocessing, files: ImageFiles? = nil
    ) throws -> InputImage? {
        switch settings.start {
        case .noise, .grey: return nil
        case .file(let path): return try InputImage(path, store: store, preprocessing: preprocessing, files: files)
        case .best:
            guard let term = objective.terms.first(where: { $0.weight > 0 }) else {
                throw ExplanationError.target(
                    objective.text, problem: "makes nothing larger, so no image is its best; name a file with --from")
            }
            guard !term.target.isOfAnswer else {
                throw ExplanationError.target(
                    objective.text,
                    problem: "is of an output, of which the store knows no best image; name one with --from FILE, or take noise")
            }
            let query = TopQuery(neurons: ["\(term.target.layer):\(term.target.channel)"], count: 1)
            guard let hit = try query.run(in: store).first else {
                throw ExplanationError.target(
                    objective.text, problem: "has no best image: the store holds none; use --from noise")
            }
            return try InputImage(hit.image, store: store, preprocessing: preprocessing, files: files)
        }
    }

    /// A tensor as 8-bit picture: the inverse of the preprocessing, rounded and clipped.
    public func picture(_ tensor: [Float]) -> Image { explainer.preprocessing.picture(of: tensor) }

    // MARK: Steps

    private func picture(_ index: Int, start: [Float]?) -> AscendingPicture {
        let input = explainer.network.input
        let size = input.height * input.width * input.channels
        var random = GaussianNoise(seed: settings.seed, stream: UInt64(index))
        var parameters: [Float]
        if let start {
            parameters = parametrisation.parameters(of: start)
        } else if settings.start == .grey {
            parameters = [Float](repeating: 0, count: size)
        } else {
            let deviation: Float = settings.parametrisation == .pixel ? 0.1 : 0.01
            parameters = (0..<size).map { _ in deviation * random.next() }
        }
        parametrisation.project(&parameters)
        return AscendingPicture(
            parameters: parameters, optimizer: Optimizer(settings.optimizer, rate: settings.rate, count: size), random: random,
            steps: 0)
    }

    /// One step of all pictures: their values, and whether any was moved.
    private func step(_ pictures: inout [AscendingPicture], _ passes: UncheckedBox<[AscentNetwork.Pass]>) throws -> (
        [Double], Bool
    ) {
        let input = explainer.network.input
        let settings = settings
        let looked = try each(pictures) { index, picture in
            var picture = picture
            let tensor = picture.tensor(parametrisation)
            let view = View(
                height: input.height, width: input.width, channels: input.channels, jitter: settings.jitter,
                scale: settings.scale,
                rotation: settings.rotation, random: &picture.random)
            let value = try passes.value[index].forward(view.apply(tensor))
            return (picture: picture, tensor: tensor, view: view, value: value, features: passes.value[index].features())
        }
        var likeness: (value: Double, gradients: [[Float]])?
        if let layer = network.diversityLayer {
            likeness = Diversity(channels: layer.channels, weight: settings.diversity).penalty(looked.map(\.features))
        }
        let penalties = likeness
        let moved = try each(looked) { index, look in
            var picture = look.picture
            var gradient = look.view.adjoint(try passes.value[index].backward(penalty: penalties?.gradients[index]))
            let isMoved = gradient.contains { $0 != 0 }
            var value = look.value
            let norm = SquaredNorm(weight: settings.l2)
            if norm.weight > 0 {
                value -= norm.value(look.tensor)
                norm.subtract(from: &gradient, at: look.tensor)
            }
            let variation = TotalVariation(
                weight: settings.tv, height: input.height, width: input.width, channels: input.channels)
            if variation.weight > 0 {
                value -= variation.value(look.tensor)
                variation.subtract(from: &gradient, at: look.tensor)
            }
            picture.ascend(along: gradient, parametrisation, settings, input)
            return (picture: picture, value: value, isMoved: isMoved)
        }
        pictures = moved.map(\.picture)
        return (moved.map { $0.value - (penalties?.value ?? 0) }, moved.contains(where: \.isMoved))
    }

    /// `work` on every element, on as many threads as the explainer has workers; the results do not depend on them.
    private func each<Element: Sendable, Value: Sendable>(
        _ elements: [Element], _ work: @escaping @Sendable (Int, Element) throws -> Value
    ) throws -> [Value] {
        guard elements.count > 1, explainer.jobs > 1 else {
            return try elements.enumerated().map { try work($0.offset, $0.element) }
        }
        var results: [Value] = []
        try explainer.parallel(chunks: elements.count, workers: Array(0..<min(explainer.jobs, elements.count))) { _, index in
            try work(index, elements[index])
        } body: { _, value in
            results.append(value)
        }
        return results
    }
}

/// One picture on its way up.
private struct AscendingPicture: Sendable {
    var parameters: [Float]
    var optimizer: Optimizer
    var random: GaussianNoise
    var steps: Int

    func tensor(_ parametrisation: any Parametrisation) -> [Float] { parametrisation.tensor(parameters) }

    mutating func ascend(
        along gradient: [Float], _ parametrisation: any Parametrisation, _ settings: AscentSettings, _ input: Network.Input
    ) {
        optimizer.ascend(&parameters, along: parametrisation.gradient(gradient, at: parameters))
        steps += 1
        if settings.decay > 0 { for index in parameters.indices { parameters[index] *= 1 - settings.decay } }
        if settings.blur > 0, steps % settings.blurEvery == 0 {
            let blur = GaussianBlur(
                height: input.height, width: input.width, channels: input.channels, deviation: settings.blur)
            parameters = blur.apply(parameters)
        }
        if settings.normClip > 0 {
            WeakPixels.clipSmallNorm(&parameters, channels: input.channels, percent: settings.normClip)
        }
        if settings.contributionClip > 0 {
            WeakPixels.clipSmallContribution(
                &parameters, gradient: gradient, channels: input.channels, percent: settings.contributionClip)
        }
        parametrisation.project(&parameters)
    }
}

extension Preprocessing {
    /// A tensor, height × width × channels, as picture: v · deviation + mean, times the divisor, rounded and clipped to 0…255. The inverse of
    /// `tensor(from:)` on every picture of 8 bits.
    public func picture(of tensor: [Float]) -> Image {
        precondition(tensor.count == valueCount, "\(tensor.count) values for a picture of \(valueCount)")
        let count = channelCount
        let levels = tensor.indices.map { index -> UInt8 in
            let level = (Double(tensor[index]) * deviation[index % count] + mean[index % count]) * divisor
            return UInt8(max(0, min(255, level.rounded())))
        }
        let planes = channels.drawn(of: count)
        let pixels = (0..<crop.width * crop.height).flatMap { pixel in planes.map { levels[count * pixel + $0] } }
        return Image(width: crop.width, height: crop.height, pixels: pixels)
    }
}
