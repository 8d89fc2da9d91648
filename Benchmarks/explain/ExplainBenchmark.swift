import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork

@main
struct ExplainBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain-benchmark", abstract: "What explanations take, and what checks of them are worth.",
        subcommands: [TimesBenchmark.self, ChecksBenchmark.self, ChecksTable.self, CurvesBenchmark.self],
        defaultSubcommand: TimesBenchmark.self)
}

/// What explaining takes, on random input, one line a figure; medians of several runs after one that is not counted.
///
///     swift run -c release explain-benchmark squeezenet1.1.onnx
///
/// Beside it, in the same minutes and on the same machine: Captum's and PyTorch autograd's times for the same network. `--layers` instead: where
/// the time of one gradient goes.
struct TimesBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "times", abstract: "Times of saliency, occlusion and gradient ascent.")

    @Argument(help: "An ONNX file of a classifier.")
    var model: String

    @Option(help: "Workers.")
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Side of the picture, for models that leave it open.")
    var size = 224

    @Option(help: "Which figures: saliency, deconvnet, integrated-gradients-32, occlusion-625, ascent.")
    var only: [String] = []

    @Flag(help: "Let what runs alone have two threads though other programs run.")
    var ignoreOthers = false

    @Flag(help: "Time of every step of one gradient, on 1 thread or 2.")
    var layers = false

    func run() throws {
        if layers { return try printLayers() }
        if ignoreOthers { Team.ignoreOthers() }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explain-benchmark-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = Network.Options()
        options.inputSize = (size, size)
        let network = try Network(contentsOf: model, options: options)
        let preprocessing = Preprocessing(
            .torchvision, input: Size(width: network.input.width, height: network.input.height))
        let path = folder.appendingPathComponent("store.sqlite").path
        let writer = try StoreWriter.open(
            path: path, description: try StoreDescription(network, preprocessing: preprocessing, classes: [], topCount: 1),
            run: RunRecord(toolVersion: "benchmark"))
        try writer.finish()
        let store = try Store.open(path: path)
        let explainer = try Explainer(store: store, jobs: jobs)
        let picture = folder.appendingPathComponent("picture.png").path
        try Data(Self.noise(network.input).pngData()).write(to: URL(fileURLWithPath: picture))
        let subject = try InputImage(picture, store: store, preprocessing: preprocessing)
        let target = try Target("class:1", in: store.description)

        func saliency(_ name: String, _ arguments: [String], runs: Int) throws {
            guard only.isEmpty || only.contains(name) else { return }
            let method = try Saliency.parse(arguments)
            let seconds = try Self.median(runs) { _ = try method.map(of: subject, target: target, by: explainer) }
            print(String(format: "\(name) neurodex %.1f ms", 1e3 * seconds))
        }
        try saliency("saliency", ["--method", "gradient"], runs: 9)
        try saliency("deconvnet", ["--method", "deconvnet"], runs: 9)
        try saliency("integrated-gradients-32", ["--method", "integrated", "--steps", "32"], runs: 3)
        if only.isEmpty || only.contains("occlusion-625") {
            let occlusion = try Occlusion.parse(["--window", "32", "--stride", "8"])
            let seconds = try Self.median(3) { _ = try occlusion.map(of: subject, target: target, by: explainer) }
            print(String(format: "occlusion-625 neurodex %.2f s", seconds))
        }
        guard only.isEmpty || only.contains("ascent") else { return }
        var settings = AscentSettings()
        (settings.steps, settings.l2, settings.rate, settings.jitter, settings.scale, settings.rotation) = (
            20, 1e-4, 0.05, 0, 0, 0
        )
        settings.parametrisation = .pixel
        let ascent = try Ascent(Objective("class:1", in: store.description), settings: settings, explainer: explainer)
        let seconds = try Self.median(3) {
            // From after the first step on, so that only steps are counted.
            var begin = ContinuousClock.now
            _ = try ascent.run { progress in
                if progress.step == 1 { begin = .now }
                if progress.step == settings.steps { throw Timed(seconds: Self.seconds(since: begin)) }
                return true
            }
        }
        print(String(format: "ascent neurodex %.1f steps/s", Double(settings.steps - 1) / seconds))
    }

    /// A time that `body` measured itself.
    private struct Timed: Error { var seconds: Double }

    private static func median(_ runs: Int, _ body: () throws -> Void) throws -> Double {
        func time() throws -> Double {
            let start = ContinuousClock.now
            do { try body() } catch let timed as Timed { return timed.seconds }
            return seconds(since: start)
        }
        _ = try time()
        return try (0..<runs).map { _ in try time() }.sorted()[runs / 2]
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start) / .seconds(1) }

    private static func noise(_ input: Network.Input) -> Image {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<input.width * input.height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        return Image(width: input.width, height: input.height, pixels: bytes)
    }

    private func printLayers() throws {
        var options = Network.Options()
        options.inputSize = (size, size)
        let network = try DifferentiableNetwork(contentsOf: model, options: options)
        guard let logits = network.logits else { throw ValidationError("the network has no class scores") }
        let pass = try GradientPass(network, layer: logits, batch: 1)
        pass.threads = min(jobs, 2)
        let input = pass.input(image: 0)
        for index in input.indices { input[index] = Float.random(in: -2...2) }
        var best: [Double] = []
        var steps: [(step: String, isForward: Bool)] = []
        for _ in 0..<30 {
            let times = try pass.runTimed { pass.seed(image: 0)[1] = 1 }
            steps = times.map { ($0.step, $0.isForward) }
            best = best.isEmpty ? times.map(\.seconds) : zip(best, times).map { min($0, $1.seconds) }
        }
        for (step, time) in zip(steps, best) {
            print(String(format: "%9.1f µs  ", time * 1e6) + (step.isForward ? "forward  " : "backward ") + step.step)
        }
        let forward = zip(steps, best).reduce(0) { $0 + ($1.0.isForward ? $1.1 : 0) }
        let all = best.reduce(0, +)
        print(String(format: "%9.1f µs forward, %.1f µs in all: %.2f × forward", forward * 1e6, all * 1e6, all / forward))
    }
}
