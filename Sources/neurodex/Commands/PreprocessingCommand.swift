import ArgumentParser
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

struct PreprocessingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preprocessing",
        abstract: "Try the usual ways to prepare pictures for a network.",
        discussion: """
            Example:

              neurodex preprocessing petshop.onnx --classes labels.txt photos/

            A network that was trained on pictures prepared in another way answers worse without any error. The usual ways to scale pixel values \
            are tried on some images, then the best of them with other ways to resize and crop. With labels (of folders, or --labels) and names of \
            classes, the way by which most answers are right is listed first; without them, the one of the most certain answers, which is a hint \
            and no proof. The last line says the options of 'index' for the first.
            """)

    @Argument(help: "The network, an ONNX file.")
    var model: String

    @Argument(help: "Images, and folders with images.", completion: .file())
    var images: [String]

    @Option(
        help: ArgumentHelp("Names of the classes, one a line in the order of the network's scores.", valueName: "file"),
        completion: .file())
    var classes: String?

    @Option(
        help: ArgumentHelp("Where labels come from, as for index: a .csv, a text, folders or none.", valueName: "source"),
        completion: .file())
    var labels: String?

    @Option(
        name: [.customShort("k"), .customLong("count")], help: ArgumentHelp("How many images are tried.", valueName: "count"))
    var count = 64

    @OptionGroup var reading: NetworkOptions
    @OptionGroup var output: FormatOption

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count takes a count from 1 to 10000, not \(count)") }
    }

    func run() throws {
        var options = Network.Options()
        options.batch = 1
        try reading.apply(to: &options)
        if classes != nil { options.hasClasses = true }
        let network = try Network(contentsOf: model, options: options)
        let channels = network.layers.last { $0.isLogits }?.channels ?? 0
        let names = try classes.map { try ClassNames.read($0, count: channels) } ?? []
        let jobs = ProcessInfo.processInfo.activeProcessorCount
        guard let trial = RecipeTrial(network, classes: names, jobs: jobs) else {
            throw Failure(
                "the network answers with no scores of several classes, so that ways to prepare pictures cannot be compared")
        }
        let labelled = try RunLabels(Dataset(paths: images), said: labels, kept: nil)
        let sample = trial.sample(of: labelled.dataset.items, count: count)
        let bar = ProgressBar()
        let began = ContinuousClock.now
        let outcomes = try trial.usual(on: sample) { done, total in
            bar.update(done: done, total: total, seconds: (ContinuousClock.now - began).seconds, unit: "recipes")
        }
        bar.clear()
        printOut(try RecipeTable(outcomes: outcomes).rendered(as: output.format))
        printNote(Self.judgement(outcomes, sample.count))
        if let own = try network.modelPreprocessing() {
            printNote("the file brings its own recipe along (\(own.source)): \(own.recipe.summary)")
        }
    }

    private static func options(_ outcome: RecipeTrial.Outcome) -> String { Spelling.line(outcome.preprocessing.arguments()) }

    /// What the table comes to.
    static func judgement(_ outcomes: [RecipeTrial.Outcome], _ count: Int) -> String {
        guard let best = outcomes.first, best.images > 0 else { return "none of the \(count) images could be read" }
        guard best.accuracy != nil else {
            return
                "no image has a label that is a class's name, so the certainty of the answers is all that tells: \(best.recipe) gives the most certain; --classes and labels tell more; index with: \(options(best))"
        }
        return "\(best.recipe) does best: right on \(best.right) of \(best.labelled); index with: \(options(best))"
    }
}

/// The recipes that were tried, best first.
struct RecipeTable: Printable {
    var outcomes: [RecipeTrial.Outcome]

    func encode(to encoder: any Encoder) throws { try outcomes.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["recipe", "right", "of", "accuracy", "top probability", "entropy", "pictures"], shortened: ["pictures"],
            rows: outcomes.map {
                [
                    .text($0.recipe), .value($0.right), .value($0.labelled),
                    $0.accuracy.map { .value($0) } ?? .nothing, .value($0.topProbability), .value($0.entropy), .text($0.pictures),
                ]
            })
    }

    var fields: [[String]] {
        [["recipe", "images", "labelled", "right", "accuracy", "top_probability", "entropy", "pictures"]]
            + outcomes.map {
                [
                    $0.recipe, "\($0.images)", "\($0.labelled)", "\($0.right)", $0.accuracy.map { "\($0)" } ?? "",
                    "\($0.topProbability)", "\($0.entropy)", $0.pictures,
                ]
            }
    }
}
