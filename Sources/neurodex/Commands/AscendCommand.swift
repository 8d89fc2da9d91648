import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork

struct AscendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ascend",
        abstract: "Make the picture that a neuron or a class score wants most, by gradient ascent.",
        discussion: """
            Examples:

              neurodex ascend shop.sqlite class:cat -o cat.png
              neurodex ascend shop.sqlite conv3:7@mean --count 4 --diversity 10 -o four.png
              neurodex ascend shop.sqlite "class:cat - 0.5*class:dog" --style simonyan -o cat.png

            TARGET is LAYER:CHANNEL (its maximum), LAYER:CHANNEL@mean, LAYER:CHANNEL@y,x, class:NAME, or a sum of them with factors. A hidden neuron is \
            taken before its activation function, so that a silent one has a gradient too. LAYER:CHANNEL draws one patch, as large as the neuron \
            sees; @mean fills the picture. --style sets what the other options leave open. The same command makes the same bytes.
            """)

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "What to make larger.")
    var target: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The picture, a PNG.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The network's input that it made, float32 .npy; one picture only.", valueName: "file"))
    var raw: String?

    @OptionGroup var options: AscentOptions

    @Option(help: ArgumentHelp("Keep a picture every --snapshot-every steps in this folder.", valueName: "folder"))
    var snapshots: String?

    @Option(help: ArgumentHelp("With --snapshots.", valueName: "steps"))
    var snapshotEvery = 32

    @Flag(help: "Print the run as JSON: every parameter and the objective at every step.")
    var json = false

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("Threads for several pictures (default: all cores).", valueName: "count"))
    var jobs: Int?

    func validate() throws {
        guard output != nil || raw != nil || json else { throw ValidationError("say where the picture goes: -o FILE") }
        guard snapshotEvery >= 1 else {
            throw ValidationError("--snapshot-every takes a count of 1 or more, not \(snapshotEvery)")
        }
        guard raw == nil || options.count ?? 1 == 1 else { throw ValidationError("--raw takes one picture; leave --count out") }
        if let jobs {
            guard (1...1024).contains(jobs) else { throw ValidationError("--jobs takes a count from 1 to 1024, not \(jobs)") }
        }
        do { try options.settings(side: 224).validate() } catch let error as ExplanationError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        let store = try Store.open(path: store)
        let objective = try Objective(target, in: store.description)
        let explainer = try Explainer(store: store, model: model, jobs: jobs)
        let settings = options.settings(side: min(explainer.network.input.height, explainer.network.input.width))
        let ascent = try Ascent(objective, settings: settings, explainer: explainer)
        let start = try ascent.startTensor(store: store)
        if let snapshots { try makeFolder(snapshots) }
        let (interruption, bar, clock) = (Interruption(), ProgressBar(), ContinuousClock.now)
        let result = try ascent.run(from: start) { progress in
            let elapsed = (ContinuousClock.now - clock).components
            let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
            bar.update(done: progress.step, total: settings.steps, seconds: seconds, unit: "steps")
            if let snapshots, progress.step % snapshotEvery == 0 {
                let name = String(format: "step-%05d.png", progress.step)
                try write(Data(try AscentSheet.image(progress.pictures()).pngData()), to: snapshots + "/" + name)
            }
            return !interruption.isRequested
        }
        bar.clear()
        let record = AscentRecord(objective, settings, options.style, result, store.description)
        if let output { try write(Data(try AscentSheet.image(result.pictures).pngData(text: record.text)), to: output) }
        if let raw {
            let input = explainer.network.input
            let map = ExplanationMap(
                channelsLast: result.tensors[0], channels: input.channels, height: input.height, width: input.width,
                isSigned: true)
            try write(map.npy, to: raw)
        }
        if json { printOut(try record.json()) } else { printNote(record.summary) }
        if interruption.isRequested { throw ExitCode.interrupted }
    }

    private func makeFolder(_ path: String) throws {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw Failure("cannot make the folder '\(path)': \((error as NSError).localizedDescription)")
        }
    }

    private func write(_ data: Data, to path: String) throws {
        do { try data.write(to: URL(fileURLWithPath: path)) } catch {
            throw Failure("cannot write '\(path)': \((error as NSError).localizedDescription)")
        }
    }
}

/// The options of ascent; what is left open is the style's.
struct AscentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("simonyan, yosinski or olah: a paper's way, for all that is not given.", valueName: "style"))
    var style: AscentStyle = .olah

    @Option(help: ArgumentHelp("pixel, or fourier with decorrelated colours.", valueName: "kind"))
    var parametrisation: ParametrisationKind?

    @Option(help: ArgumentHelp("adam or sgd.", valueName: "kind"))
    var optimizer: OptimizerKind?

    @Option(help: ArgumentHelp("How far a step goes.", valueName: "number"))
    var rate: Float?

    @Option(help: ArgumentHelp("Steps (default: 256).", valueName: "count"))
    var steps: Int?

    @Option(help: ArgumentHelp("noise, grey, best (the neuron's best image), or an image.", valueName: "start"))
    var from: AscentStart?

    @Option(help: ArgumentHelp("Of noise and views.", valueName: "number"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("λ of λ‖x‖², x the network's input.", valueName: "number"))
    var l2: Float?

    @Option(help: ArgumentHelp("Take this share of x away at every step; pixel only.", valueName: "share"))
    var decay: Float?

    @Option(help: ArgumentHelp("λ of the total variation.", valueName: "number"))
    var tv: Float?

    @Option(help: ArgumentHelp("Deviation of a Gaussian blur; pixel only.", valueName: "pixels"))
    var blur: Float?

    @Option(help: ArgumentHelp("Steps from one blur to the next.", valueName: "count"))
    var blurEvery: Int?

    @Option(help: ArgumentHelp("Set so many pixels of small norm to zero after a step; pixel only.", valueName: "percent"))
    var clipNorm: Float?

    @Option(
        help: ArgumentHelp("Set so many pixels of small contribution to zero after a step; pixel only.", valueName: "percent"))
    var clipContribution: Float?

    @Option(help: ArgumentHelp("Largest shift of a view.", valueName: "pixels"))
    var jitter: Int?

    @Option(help: ArgumentHelp("Largest change of a view's size.", valueName: "share"))
    var scale: Float?

    @Option(help: ArgumentHelp("Largest turn of a view.", valueName: "degrees"))
    var rotation: Float?

    @Option(help: ArgumentHelp("Pictures to make at once.", valueName: "count"))
    var count: Int?

    @Option(help: ArgumentHelp("λ of the likeness of several pictures.", valueName: "number"))
    var diversity: Float?

    @Option(help: ArgumentHelp("Stop when the objective has not risen for so many steps.", valueName: "steps"))
    var patience: Int?

    /// - Parameter side: of the network's input, the shorter.
    func settings(side: Int) -> AscentSettings {
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

/// Several pictures beside each other.
enum AscentSheet {
    /// One picture as it is; several in rows of up to four, 4 pixels apart on white.
    static func image(_ pictures: [Image]) -> Image {
        guard pictures.count > 1, let first = pictures.first else { return pictures[0] }
        let columns = min(4, pictures.count)
        let rows = (pictures.count + columns - 1) / columns
        let gap = 4
        var pixels = [UInt8](
            repeating: 255, count: (columns * (first.width + gap) - gap) * (rows * (first.height + gap) - gap) * 3)
        let width = columns * (first.width + gap) - gap
        for (index, picture) in pictures.enumerated() {
            let (top, left) = (index / columns * (first.height + gap), index % columns * (first.width + gap))
            for y in 0..<picture.height {
                let target = ((top + y) * width + left) * 3
                let source = y * picture.width * 3
                pixels.replaceSubrange(
                    target..<target + picture.width * 3, with: picture.pixels[source..<source + picture.width * 3])
            }
        }
        return Image(width: width, height: rows * (first.height + gap) - gap, pixels: pixels)
    }
}
