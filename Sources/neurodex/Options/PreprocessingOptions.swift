public import ArgumentParser
import Foundation
public import Images
import NeuralNetwork
import Search

/// How pictures become the network's input: a recipe, and what differs from it.
struct PreprocessingOptions: ParsableArguments {
    @Option(
        name: .customLong("preprocess"),
        help: ArgumentHelp(
            "torchvision, caffe, plain, raw, letterbox or text-line (default: the store's, the model file's, or torchvision).",
            valueName: "recipe"))
    var preset: Preprocessing.Preset?

    @Option(
        help: ArgumentHelp(
            "Shorter side in pixels, height and width such as 192x224, letterbox, letterbox-corner, text-line, or none.",
            valueName: "size"))
    var resize: String?

    @Option(
        help: ArgumentHelp(
            "Colour where the picture does not reach, such as 114 or 255,0,0 (default: 114 of letterboxes, zeros of text-line, else black).",
            valueName: "color"))
    var padColor: Color?

    @Option(help: ArgumentHelp("Mean of each channel, for example 0.5,0.5,0.5.", valueName: "values"))
    var mean: String?

    @Option(
        name: [.customLong("std"), .customLong("deviation")],
        help: ArgumentHelp("Deviation of each channel.", valueName: "values"))
    var deviation: String?

    @Option(
        help: ArgumentHelp(
            "rgb, bgr or grey: the order of the network's input channels; bands, of arrays: as they have them.",
            valueName: "order"))
    var channels: ChannelOrder?

    @Option(help: ArgumentHelp("What pixel values are divided by first: 255, or 1.", valueName: "number"))
    var divisor: Double?

    @Option(help: ArgumentHelp("bilinear, bicubic, nearest, box or lanczos, as Pillow's, or opencv.", valueName: "filter"))
    var interpolation: Interpolation?

    @Option(
        help: ArgumentHelp(
            "Of DICOM, the numbers shown from black to white: centre and width, such as 40,400, or auto (the file's own).",
            valueName: "window"))
    var window: String?

    /// The size of picture that the recipe makes, where the user names one that says so.
    var statedSize: Size? {
        if case .exact(let width, let height)? = resize.flatMap({ Framing.Resize($0) }) {
            return Size(width: width, height: height)
        }
        return preset?.size
    }

    /// An option that was given; nil of none.
    var used: String? {
        let given: [(String, Bool)] = [
            ("--preprocess", preset != nil), ("--resize", resize != nil), ("--pad-color", padColor != nil),
            ("--mean", mean != nil),
            ("--std", deviation != nil), ("--channels", channels != nil), ("--divisor", divisor != nil),
            ("--interpolation", interpolation != nil), ("--window", window != nil),
        ]
        return given.first(where: \.1)?.0
    }

    /// How pictures are prepared for a network without a store: as said, as its file says, else `standard`; which of them is noted.
    /// - Parameter words: what `standard` is, for people.
    /// - Throws: `ValidationError` for what does not fit the network; `NetworkError.metadata`.
    func recipe(of network: Network, standard: Preprocessing?, _ words: String) throws -> Preprocessing {
        let own = isOpen ? try network.modelPreprocessing() : nil
        if let own { printNote("pictures are prepared as \(own.source) says; --preprocess and its like change that") }
        let recipe = try preprocessing(for: network.input, store: nil, model: own?.recipe ?? standard)
        if own == nil, isOpen { printNote("pictures are prepared \(words); 'neurodex preprocessing' tries other ways") }
        return recipe
    }

    /// Whether everything is left open, so that the store's or the model's own recipe holds.
    var isOpen: Bool { preset == nil }

    /// What the user said, the rest from the preset he named, else from the store, else from the model's file, else from torchvision.
    ///
    /// - Throws: `ValidationError` for what does not fit the network.
    func preprocessing(for input: Network.Input, store: Preprocessing?, model: Preprocessing? = nil) throws -> Preprocessing {
        let size = Size(width: input.width, height: input.height)
        let isOfPictures = input.channels == 1 || input.channels == 3
        if let preset, !isOfPictures, preset == .torchvision || preset == .caffe {
            throw ValidationError(
                "--preprocess \(preset.rawValue) has the means of 3 colours, and the network's input has \(input.channels) channels, which are of arrays (.npy): leave it out, or say raw with --mean and --std"
            )
        }
        let standard = Preprocessing(preset ?? (isOfPictures ? .torchvision : .raw), input: size, channelCount: input.channels)
        var result = preset == nil ? store ?? model ?? standard : standard
        if let resize {
            guard let parsed = Framing.Resize(resize) else {
                throw ValidationError(
                    "--resize takes a number such as 256, a height and a width such as 192x224, letterbox, letterbox-corner, text-line or none, not '\(resize)'"
                )
            }
            result.frame(by: parsed)
        }
        if let padColor { (result.padding, result.padsWithZeros) = (padColor, false) }
        if let window { result.levels.window = try Self.window(window) }
        // A store's pictures are resized as its first were.
        if let store {
            result.passOrder = store.passOrder
            // Before 0.9, raw made 8 bits of 16.
            if preset == .raw { result.levels.areNumbers = store.levels.areNumbers }
        }
        if let channels {
            guard channels.count == input.channels || channels == .bands && !isOfPictures else {
                let made = channels.count.map { "\($0) channels" } ?? "channels of arrays that are neither 1 nor 3"
                throw ValidationError(
                    "--channels \(channels.rawValue) makes \(made), but the network's input has \(input.channels)"
                )
            }
            result.channels = channels
        }
        try scale(&result, for: input)
        return result
    }

    /// Puts what is said of the numbers into a recipe.
    private func scale(_ result: inout Preprocessing, for input: Network.Input) throws {
        if let mean { result.mean = try numbers(mean, "--mean", input.channels) }
        if let deviation {
            result.deviation = try numbers(deviation, "--std", input.channels)
            guard !result.deviation.contains(0) else { throw ValidationError("--std divides by 0") }
        }
        if let divisor {
            guard divisor != 0, divisor.isFinite else { throw ValidationError("--divisor takes a number other than 0") }
            result.divisor = divisor
        }
        if let interpolation { result.interpolation = interpolation }
        if input.takesBytes {
            guard mean == nil, deviation == nil, divisor == nil else {
                throw ValidationError(
                    "the network takes pixels as bytes, 0 to 255, and makes of them what it needs; leave out --mean, --std and --divisor"
                )
            }
            result.keepBytes()
        }
    }

    /// Nil for the file's own.
    private static func window(_ text: String) throws -> Window? {
        if text == "auto" { return nil }
        guard let window = Window(text) else {
            throw ValidationError("--window takes a centre and a width of 1 or more, such as 40,400, or auto, not '\(text)'")
        }
        return window
    }

    private func numbers(_ text: String, _ option: String, _ count: Int) throws -> [Double] {
        let values = text.split(separator: ",").compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }.filter(\.isFinite)
        guard values.count == count, text.split(separator: ",", omittingEmptySubsequences: false).count == count else {
            throw ValidationError("\(option) takes \(count) numbers separated by commas, one for each channel, not '\(text)'")
        }
        return values
    }
}

extension Preprocessing {
    /// The options of `index` that make this recipe: as few as will do.
    /// - Parameter takesBytes: whether the network takes bytes, for which any recipe leaves levels at 8 bits.
    func arguments(takesBytes: Bool = false) -> [String] {
        // Only raw keeps levels as numbers; without them it is plain, divided by 1.
        let known: [Preset] = channels == .bands ? [.raw, .plain, .letterbox] : Preset.allCases
        let presets = known.filter { takesBytes || ($0 == .raw) == levels.areNumbers }
        let all = presets.map { preset in
            var base = Preprocessing(preset, input: crop, channelCount: channelCount)
            var words = Spelling.option("--preprocess", preset.rawValue)
            func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ",") }
            if base.resize != resize {
                words += Spelling.option("--resize", resize.description)
                base.frame(by: resize)
            }
            if base.padding != padding || base.padsWithZeros != padsWithZeros {
                words += Spelling.option("--pad-color", padding.description)
            }
            if let window = levels.window { words += Spelling.option("--window", window.description) }
            if base.interpolation != interpolation { words += Spelling.option("--interpolation", interpolation.rawValue) }
            if base.channels != channels { words += Spelling.option("--channels", channels.rawValue) }
            if base.divisor != divisor { words += Spelling.option("--divisor", "\(divisor)") }
            if base.mean != mean { words += Spelling.option("--mean", list(mean)) }
            if base.deviation != deviation { words += Spelling.option("--std", list(deviation)) }
            return words
        }
        return all.min { $0.count < $1.count } ?? []
    }
}

extension Preprocessing.Preset: ExpressibleByArgument {}
extension Color: ExpressibleByArgument {}
extension ChannelOrder: ExpressibleByArgument {}
extension Interpolation: ExpressibleByArgument {}
