public import ArgumentParser
import Search

/// How pictures are made of numbers.
public enum ParametrisationKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    case pixel, fourier
}

/// Where ascent begins: noise, an even ground, the neuron's best image in the store, or a file.
public enum AscentStart: Hashable, Sendable, ExpressibleByArgument {
    case noise, grey, best
    case file(String)

    public init?(argument: String) {
        switch argument {
        case "noise": self = .noise
        case "grey", "gray": self = .grey
        case "best": self = .best
        case "": return nil
        default: self = .file(argument)
        }
    }

    /// As on the command line.
    public var text: String {
        switch self {
        case .noise: "noise"
        case .grey: "grey"
        case .best: "best"
        case .file(let path): path
        }
    }
}

/// A paper's way of doing it: what all other options are unless they are given.
public enum AscentStyle: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Pixels, L2 decay, gradient steps with momentum from an even ground: Simonyan et al. 2013. Their λ fits one network's class scores; here the
    /// decay is a share of each step, which fits targets of any size.
    case simonyan
    /// Pixels, blurred every few steps, the weakest set to zero: Yosinski et al. 2015.
    case yosinski
    /// Waves in decorrelated colours, seen shifted, turned and scaled: Olah et al. 2017.
    case olah

    /// For a network's input whose shorter side is `side` pixels.
    public func settings(side: Int) -> AscentSettings {
        var settings = AscentSettings()
        switch self {
        case .simonyan:
            settings.parametrisation = .pixel
            settings.optimizer = .sgd
            settings.rate = 0.1
            settings.decay = 0.02
            settings.start = .grey
            // The paper's network had learnt from shifted crops; without any shift SqueezeNet gives noise.
            settings.jitter = side / 56
        case .yosinski:
            settings.parametrisation = .pixel
            settings.optimizer = .sgd
            settings.rate = 0.25
            settings.decay = 0.02
            settings.blur = 1
            settings.blurEvery = 4
            settings.normClip = 10
            settings.jitter = side / 28
        case .olah:
            settings.jitter = side / 14
            settings.scale = 0.1
            settings.rotation = 10
        }
        return settings
    }
}

/// Everything that a picture made by ascent depends on, beside network, objective and the picture it begins with.
public struct AscentSettings: Hashable, Sendable {
    public var parametrisation: ParametrisationKind = .fourier
    public var optimizer: OptimizerKind = .adam
    public var rate: Float = 0.05
    public var steps = 256
    public var start: AscentStart = .noise
    public var seed: UInt64 = 0
    /// λ of ‖x‖², x the network's input.
    public var l2: Float = 0
    /// What share of x a step takes away: a decay that means the same for targets of any size, as Yosinski et al. have it.
    public var decay: Float = 0
    /// λ of the total variation.
    public var tv: Float = 0
    /// The blur's deviation in pixels, and its period in steps.
    public var blur: Float = 0
    public var blurEvery = 4
    /// Percent of the pixels that are set to zero after a step.
    public var normClip: Float = 0
    public var contributionClip: Float = 0
    /// Pixels, share, degrees.
    public var jitter = 0
    public var scale: Float = 0
    public var rotation: Float = 0
    /// Pictures made at once, and λ of their likeness.
    public var count = 1
    public var diversity: Float = 0
    /// Stop when the objective has not risen for so many steps; 0: never.
    public var patience = 0

    public init() {}

    /// - Throws: `ExplanationError.parameter` for what makes no sense.
    public func validate() throws {
        try Self.require((1...100_000).contains(steps), "--steps", steps, "a count from 1 to 100000")
        try Self.require(rate > 0 && rate.isFinite, "--rate", rate, "a number above 0")
        try Self.require((1...16).contains(count), "--count", count, "a count from 1 to 16")
        try Self.requireEach([("--l2", l2), ("--tv", tv), ("--diversity", diversity)], "a number of 0 or more") {
            $0 >= 0 && $0.isFinite
        }
        try Self.require((0...50).contains(blur), "--blur", blur, "a deviation from 0 to 50 pixels")
        try Self.require((0..<1).contains(decay), "--decay", decay, "a share from 0 to below 1")
        try Self.require(blurEvery >= 1, "--blur-every", blurEvery, "a count of 1 or more")
        let clips = [("--clip-norm", normClip), ("--clip-contribution", contributionClip)]
        try Self.requireEach(clips, "percent, from 0 to below 100") { (0..<100).contains($0) }
        try Self.require((0...1024).contains(jitter), "--jitter", jitter, "pixels, from 0 to 1024")
        try Self.require((0...0.9).contains(scale), "--scale", scale, "a share from 0 to 0.9")
        try Self.require((0...180).contains(rotation), "--rotation", rotation, "degrees from 0 to 180")
        try Self.require(patience >= 0, "--patience", patience, "a count of 0 or more")
        try Self.require(
            diversity == 0 || count > 1, "--diversity", diversity, "pictures to compare: --count 2 or more")
        guard parametrisation == .fourier else { return }
        try Self.requireEach([("--decay", decay), ("--blur", blur)] + clips, "pixels to change: --parametrisation pixel") {
            $0 == 0
        }
    }

    /// Not inlined: of many copies the compiler (Swift 6.3) orders some differently each time, and the same source gives other bytes.
    @inline(never)
    private static func require(
        _ isRight: Bool, _ name: String, _ value: any CustomStringConvertible, _ expected: String
    ) throws {
        if !isRight { throw ExplanationError.parameter(name: name, value: "\(value)", expected: expected) }
    }

    @inline(never)
    private static func requireEach(
        _ values: [(String, Float)], _ expected: String, isRight: (Float) -> Bool
    ) throws {
        for (name, value) in values { try require(isRight(value), name, value, expected) }
    }

    /// The options that make the same settings again, all of them spelt out.
    /// - Parameter style: by which they were made.
    public func arguments(style: AscentStyle) -> [String] {
        Spelling.option("--style", style.rawValue) + parameters.flatMap { Spelling.option("--" + $0.name, $0.value) }
    }

    /// By the names of the options, in a fixed order.
    public var parameters: [(name: String, value: String)] {
        [
            ("parametrisation", parametrisation.rawValue), ("optimizer", optimizer.rawValue), ("rate", "\(rate)"),
            ("steps", "\(steps)"),
            ("from", start.text), ("seed", "\(seed)"), ("l2", "\(l2)"), ("decay", "\(decay)"), ("tv", "\(tv)"),
            ("blur", "\(blur)"),
            ("blur-every", "\(blurEvery)"), ("clip-norm", "\(normClip)"), ("clip-contribution", "\(contributionClip)"),
            ("jitter", "\(jitter)"), ("scale", "\(scale)"), ("rotation", "\(rotation)"), ("count", "\(count)"),
            ("diversity", "\(diversity)"), ("patience", "\(patience)"),
        ]
    }
}
