public import ArgumentParser

/// The options of ascent; what is left open is the style's.
public struct AscentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("simonyan, yosinski or olah: a paper's way, for all that is not given.", valueName: "style"))
    public var style: AscentStyle = .olah

    @Option(help: ArgumentHelp("pixel, or fourier with decorrelated colours.", valueName: "kind"))
    public var parametrisation: ParametrisationKind?

    @Option(help: ArgumentHelp("adam or sgd.", valueName: "kind"))
    public var optimizer: OptimizerKind?

    @Option(help: ArgumentHelp("How far a step goes.", valueName: "number"))
    public var rate: Float?

    @Option(help: ArgumentHelp("Steps (default: 256).", valueName: "count"))
    public var steps: Int?

    @Option(
        help: ArgumentHelp("noise, grey, best (the neuron's best image), or an image.", valueName: "start"), completion: .file())
    public var from: AscentStart?

    @Option(help: ArgumentHelp("Of noise and views.", valueName: "number"))
    public var seed: UInt64 = 0

    @Option(help: ArgumentHelp("λ of λ‖x‖², x the network's input.", valueName: "number"))
    public var l2: Float?

    @Option(help: ArgumentHelp("Take this share of x away at every step; pixel only.", valueName: "share"))
    public var decay: Float?

    @Option(help: ArgumentHelp("λ of the total variation.", valueName: "number"))
    public var tv: Float?

    @Option(help: ArgumentHelp("Deviation of a Gaussian blur; pixel only.", valueName: "pixels"))
    public var blur: Float?

    @Option(help: ArgumentHelp("Steps from one blur to the next.", valueName: "count"))
    public var blurEvery: Int?

    @Option(help: ArgumentHelp("Set so many pixels of small norm to zero after a step; pixel only.", valueName: "percent"))
    public var clipNorm: Float?

    @Option(
        help: ArgumentHelp("Set so many pixels of small contribution to zero after a step; pixel only.", valueName: "percent"))
    public var clipContribution: Float?

    @Option(help: ArgumentHelp("Largest shift of a view.", valueName: "pixels"))
    public var jitter: Int?

    @Option(help: ArgumentHelp("Largest change of a view's size.", valueName: "share"))
    public var scale: Float?

    @Option(help: ArgumentHelp("Largest turn of a view.", valueName: "degrees"))
    public var rotation: Float?

    @Option(help: ArgumentHelp("Pictures to make at once.", valueName: "count"))
    public var count: Int?

    @Option(help: ArgumentHelp("λ of the likeness of several pictures.", valueName: "number"))
    public var diversity: Float?

    @Option(help: ArgumentHelp("Stop when the objective has not risen for so many steps.", valueName: "steps"))
    public var patience: Int?

    /// For the argument parser.
    public init() {}

    /// - Parameter side: of the network's input, the shorter.
    public func settings(side: Int) -> AscentSettings {
        var settings = style.settings(side: side)
        settings.parametrisation = parametrisation ?? settings.parametrisation
        if parametrisation == .fourier, style != .olah {
            // What a style does to pixels cannot be done to waves.
            (settings.decay, settings.blur, settings.normClip, settings.contributionClip) = (0, 0, 0, 0)
        }
        settings.optimizer = optimizer ?? settings.optimizer
        settings.rate = rate ?? settings.rate
        settings.steps = steps ?? settings.steps
        settings.start = from ?? settings.start
        settings.seed = seed
        settings.l2 = l2 ?? settings.l2
        settings.decay = decay ?? settings.decay
        settings.tv = tv ?? settings.tv
        settings.blur = blur ?? settings.blur
        settings.blurEvery = blurEvery ?? settings.blurEvery
        settings.normClip = clipNorm ?? settings.normClip
        settings.contributionClip = clipContribution ?? settings.contributionClip
        settings.jitter = jitter ?? settings.jitter
        settings.scale = scale ?? settings.scale
        settings.rotation = rotation ?? settings.rotation
        settings.count = count ?? settings.count
        settings.diversity = diversity ?? settings.diversity
        settings.patience = patience ?? settings.patience
        return settings
    }
}
