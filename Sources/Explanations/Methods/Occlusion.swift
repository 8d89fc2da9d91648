public import ArgumentParser
import Foundation
import Images
import NeuralNetwork
import Search

/// How much the target loses while a window covers a place: what the answer rests on.
///
/// Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901. The map, [height, width] in
/// the network's input frame, is at every pixel the mean over the windows w that cover it of s(x) − s(x with w filled), in units of
/// the target; positive where covering takes from it. Windows start at multiples of the stride, the last one is cut at the edge, as
/// Captum's `Occlusion` has it. Padding around the picture is not covered, and zero in the map.
///
/// - `fill`: what a window is filled with; `mean` is zero to the network, which is the mean of its training images.
/// - `probability`: the mean of p(x with w filled) instead, p being the probability that the file itself computes, or where it answers with
///   scores, their softmax (of one score: its sigmoid): the paper's figure 7d, low where the answer rests.
///
/// Errors: `ExplanationError.parameter` for a window larger than the picture, a stride that leaves gaps, `--probability` of no class.
public struct Occlusion: ExplanationMethod {
    public static let name = "occlusion"
    public static let abstract = "Cover parts of the picture with a window, and show what the score loses."

    public enum Fill: String, CaseIterable, ExpressibleByArgument, Sendable {
        /// Zero to the network.
        case mean
        /// Level 128 of 255 in every channel; of an array, as far between the smallest and the largest of its numbers.
        case grey
        case black
        /// The picture itself through a Gaussian of a deviation of a quarter of the window.
        case blur
    }

    @Option(help: ArgumentHelp("Side of the window.", valueName: "pixels"))
    public var window = 32

    @Option(help: ArgumentHelp("From one window to the next.", valueName: "pixels"))
    public var stride = 8

    @Option(help: ArgumentHelp("What a window is filled with: mean, grey, black or blur.", valueName: "fill"))
    public var fill: Fill = .mean

    @Flag(help: "Map the class's probability under the window instead of what the score loses.")
    public var probability = false

    @Flag(help: "Run the whole network for every window, not only what the window touches: slower, and the same to five digits.")
    public var full = false

    /// For the argument parser.
    public init() {}

    public func validate() throws {
        guard window >= 1 else {
            throw ExplanationError.parameter(name: "--window", value: "\(window)", expected: "a side of 1 pixel or more")
        }
        guard (1...window).contains(stride) else {
            throw ExplanationError.parameter(
                name: "--stride", value: "\(stride)",
                expected: "1 to \(window) pixels (the window's side, so that no pixel is left out)")
        }
    }

    public var grain: MapGrain { .regions }

    public var arguments: [String] {
        Spelling.option("--window", "\(window)") + Spelling.option("--stride", "\(stride)")
            + Spelling.option("--fill", fill.rawValue) + Spelling.flag("--probability", probability)
            + Spelling.flag("--full", full)
    }

    public var caption: String {
        "Occlusion, window \(window), stride \(stride), filled with \(fill.rawValue)" + (full ? ", full passes" : "")
    }

    public func look(of map: ExplanationMap, target: Target) -> MapLook {
        probability
            ? MapLook(isSigned: false, quantity: "probability while covered")
            : MapLook(isSigned: true, quantity: "\(target.quantity) lost while covered")
    }

    public func passes(height: Int, width: Int) -> Int {
        func windows(_ extent: Int) -> Int { max(0, extent - window) / stride + 1 }
        return 1 + windows(height) * windows(width)
    }

    public func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let windows = try windows(over: explainer.network.input)
        // A probability needs all classes.
        let (explainer, target) =
            try probability ? (explainer, target) : explainer.focused(on: target, for: windows.count)
        let (layer, score) = try score(of: target, by: explainer)
        let (tensor, filling) = (subject.tensor, subject.padded(filling(subject, explainer)))
        let whole = try explainer.activations(of: layer, on: subject).withUnsafeBufferPointer { score($0) }
        var sum = [Double](repeating: 0, count: windows.height * windows.width)
        func add(_ index: Int, _ value: Float) {
            windows.add(Double(probability ? value : whole - value), of: index, to: &sum)
        }
        let isDone =
            try !full && explainer.patchedActivations(of: layer, windows, over: tensor, filling: filling, read: score, body: add)
        if !isDone {
            try explainer.activations(of: layer, count: windows.count) { index, input in
                _ = input.update(fromContentsOf: tensor)
                windows.fill(index, of: input, from: filling)
            } read: {
                score($0)
            } body: { index, value in
                add(index, value)
            }
        }
        return ExplanationMap(
            channels: 1, height: windows.height, width: windows.width, values: windows.mean(sum), isSigned: !probability)
    }

    func windows(over input: Network.Input) throws -> OcclusionWindows {
        let largest = min(input.height, input.width)
        guard window <= largest else {
            throw ExplanationError.parameter(
                name: "--window", value: "\(window)",
                expected: "a side of 1 to \(largest) pixels (the network's input is \(input.height)×\(input.width))")
        }
        return OcclusionWindows(
            height: input.height, width: input.width, channels: input.channels, side: window, stride: stride)
    }

    /// What is mapped, and the layer that it is read from.
    private func score(of target: Target, by explainer: Explainer) throws
        -> (layer: Layer, read: @Sendable (UnsafeBufferPointer<Float>) -> Float)
    {
        let layer = try explainer.layer(of: target)
        let (channels, width) = (layer.channels, layer.width)
        guard probability else { return (layer, { target.value(of: $0, channels: channels, width: width) }) }
        guard let probability = try ClassProbability(of: target, by: explainer) else {
            throw ExplanationError.parameter(
                name: "--probability", value: target.text, expected: "a class as target, such as class:0")
        }
        return (probability.layer, { Float(probability.value(of: $0)) })
    }

    /// What stands in the windows: height × width × channels, as the network sees it.
    private func filling(_ image: InputImage, _ explainer: Explainer) -> [Float] {
        let tensor = image.tensor
        func level(_ shade: UInt8) -> [Float] { image.filled(with: shade, by: explainer.preprocessing) }
        switch fill {
        case .mean: return [Float](repeating: 0, count: tensor.count)
        case .grey: return level(128)
        case .black: return level(0)
        case .blur:
            let input = explainer.network.input
            return blurred(tensor, height: input.height, width: input.width, deviation: Double(window) / 4)
        }
    }
}

/// A picture, height × width × channels, through a Gaussian; its edges are repeated outwards.
package func blurred(_ values: [Float], height: Int, width: Int, deviation: Double) -> [Float] {
    let channels = values.count / (height * width)
    let radius = Int((3 * deviation).rounded(.up))
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    let total = weights.reduce(0, +)
    /// Along one axis: `extent` places `step` elements apart.
    func pass(_ source: [Float], extent: Int, step: Int) -> [Float] {
        source.indices.map { index in
            let place = index / step % extent
            var sum = 0.0
            for offset in -radius...radius {
                let other = min(max(place + offset, 0), extent - 1)
                sum += weights[offset + radius] * Double(source[index + (other - place) * step])
            }
            return Float(sum / total)
        }
    }
    return pass(pass(values, extent: width, step: channels), extent: height, step: width * channels)
}
