import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search

struct AscendCommand: FigureCommand {
    static let configuration = CommandConfiguration(
        commandName: "ascend",
        abstract: "Make the picture that a neuron or a class score wants most, by gradient ascent.",
        discussion: """
            Examples:

              neurodex ascend shop.sqlite class:cat -o cat.png
              neurodex ascend shop.sqlite conv3:7 --count 4 --diversity 10 -o four.png
              neurodex ascend shop.sqlite "class:cat - 0.5*class:dog" --style simonyan -o cat.png

            TARGET is LAYER:CHANNEL (its mean over the whole picture), LAYER:CHANNEL@max, LAYER:CHANNEL@y,x, class:NAME, or a sum of them with factors. A hidden neuron is \
            taken before its activation function, so that a silent one has a gradient too. LAYER:CHANNEL fills the picture; @max \
            draws one patch, as large as the neuron sees. --style sets what the other options leave open. The same command makes the same bytes; \
            it is kept in the store, and given at once when it is asked for again.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "What to make larger.", completion: .neurons)
    var target: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The picture, a PNG, SVG or PDF.", valueName: "file"), completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp("The run as a moving picture, an animated PNG of up to 64 of its steps.", valueName: "file"),
        completion: .file())
    var film: String?

    @Option(
        help: ArgumentHelp(
            "The network's input that it made, float32 .npy; of several pictures, one after the other.", valueName: "file"),
        completion: .file())
    var raw: String?

    @OptionGroup var options: AscentOptions

    @Option(
        help: ArgumentHelp("Keep a picture every --snapshot-every steps in this folder.", valueName: "folder"),
        completion: .directory)
    var snapshots: String?

    @Option(help: ArgumentHelp("With --snapshots.", valueName: "steps"))
    var snapshotEvery = 32

    @Flag(help: "Print the run as JSON: every parameter and the objective at every step.")
    var json = false

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    @Option(help: ArgumentHelp("Threads for several pictures (default: all cores).", valueName: "count"))
    var jobs: Int?

    @OptionGroup var size: SizeOption
    @OptionGroup var keeping: KeepingOption

    func validate() throws {
        guard snapshotEvery >= 1 else {
            throw ValidationError("--snapshot-every takes a count of 1 or more, not \(snapshotEvery)")
        }
        if let jobs {
            guard (1...1024).contains(jobs) else { throw ValidationError("--jobs takes a count from 1 to 1024, not \(jobs)") }
        }
        try OutputFile.check(
            OutputFile("-o", output, .picture), OutputFile("--film", film, .mask), OutputFile("--raw", raw, .array),
            OutputFile("--snapshots", snapshots, .folder))
        do { try options.settings(side: 224).validate() } catch let error as ExplanationError {
            throw ValidationError(error.description)
        }
    }

    func run() throws {
        guard output != nil || raw != nil || film != nil || json else {
            throw ValidationError("say where the picture goes: -o FILE")
        }
        let archive = try archive(keeps: keeping.keeps)
        if let snapshots { try makeFolder(snapshots) }
        let (interruption, bar, clock) = (Interruption(), ProgressBar(), ContinuousClock.now)
        let steps = settings(archive).steps
        var film = AscentFilm(steps: steps)
        let outcome = try climbed(archive) { progress in
            bar.update(done: progress.step, total: steps, seconds: (ContinuousClock.now - clock).seconds, unit: "steps")
            if let snapshots, progress.step % snapshotEvery == 0 {
                let name = String(format: "step-%05d.png", progress.step)
                try write(Data(try AscentOutcome.sheet(progress.pictures()).pngData()), to: snapshots + "/" + name)
            }
            if self.film != nil { film.add(progress) }
            return !interruption.isRequested
        }
        bar.clear()
        if let output { try write(drawn(outcome, archive), to: output) }
        if let raw { try write(outcome.map.npy, to: raw) }
        if let path = self.film, !film.frames.isEmpty { try write(filmed(film, outcome, archive), to: path) }
        if json {
            printListing(try outcome.record.json() + "\n", besides: output, raw)
        } else {
            printNote(outcome.record.summary)
        }
        if outcome.hasNotRisen { printNote("the objective did not rise: the picture shows nothing that \(target) wants") }
        keeping.report(archive)
        if interruption.isRequested { throw ExitCode.interrupted }
    }

    func figure() throws -> FigureFile {
        let archive = try archive(keeps: false)
        var film = AscentFilm(steps: settings(archive).steps)
        let outcome = try climbed(archive) { progress in
            if self.film != nil { film.add(progress) }
            return true
        }
        return self.film == nil ? drawn(outcome, archive) : filmed(film, outcome, archive)
    }

    func passes() throws -> Int {
        let settings = options.settings(side: 224)
        return settings.steps.saturated(times: 2 * settings.count)
    }

    private func archive(keeps: Bool) throws -> ExplanationArchive {
        try ExplanationArchive(
            store: try Store.open(path: store), model: model, images: imagesFolder, jobs: jobs, keeps: keeps,
            toolVersion: Neurodex.version)
    }

    private func settings(_ archive: ExplanationArchive) -> AscentSettings {
        options.settings(side: min(archive.preprocessing.crop.height, archive.preprocessing.crop.width))
    }

    private func climbed(
        _ archive: ExplanationArchive, progress: (Ascent.Progress) throws -> Bool
    ) throws -> AscentOutcome {
        try archive.ascent(
            of: try Objective(target, in: archive.store.description).fillingPictures(in: archive.store.description),
            settings: settings(archive), style: options.style,
            isAnew: snapshots != nil || film != nil, progress: progress)
    }

    private func drawn(_ outcome: AscentOutcome, _ archive: ExplanationArchive) -> FigureFile {
        let pixels = size.pixels(Figure.defaultSize)
        return FigureFile(
            page: outcome.page(size: pixels),
            provenance: provenance(outcome, archive, Spelling.option("--size", "\(pixels)")))
    }

    /// - Precondition: it has a frame.
    private func filmed(_ film: AscentFilm, _ outcome: AscentOutcome, _ archive: ExplanationArchive) -> FigureFile {
        // Not where it was written to, but that it is a film.
        FigureFile(
            film: film.frames, milliseconds: 80,
            provenance: provenance(outcome, archive, Spelling.option("--film", "film.png")))
    }

    private func provenance(_ outcome: AscentOutcome, _ archive: ExplanationArchive, _ more: [String]) -> Provenance {
        Provenance(
            command: "ascend", options: settings(archive).arguments(style: options.style) + more, operands: [store, target],
            model: archive.store.description.model.sha256, images: outcome.start.map { [$0] } ?? [],
            facts: outcome.record.facts, toolVersion: Neurodex.version)
    }
}

/// Pictures of an ascent's steps: the first one and up to 63 more, evenly.
private struct AscentFilm {
    private(set) var frames: [Image] = []
    private let interval: Int

    init(steps: Int) { interval = max(1, steps / 63) }

    mutating func add(_ progress: Ascent.Progress) {
        if progress.step % interval == 0 || progress.step == 1 { frames.append(AscentOutcome.sheet(progress.pictures())) }
    }
}
