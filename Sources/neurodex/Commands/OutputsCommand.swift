import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Search
import Support

/// `outputs`: what a neuron adds to the class scores.
struct OutputsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outputs",
        abstract: "Find the classes whose scores a neuron moves.",
        discussion: """
            Examples:

              neurodex outputs shop.sqlite conv4:27
              neurodex outputs shop.sqlite conv4:27 --where "label <> 'fish'" --to mean

            On each of the neuron's strongest images the network is run with it and without it: the difference of each class's score, which is exact, its mean \
            over the images and how much it varies. Without it its map holds zero, or with --to mean its mean over these images.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL.", completion: .neurons)
    var neuron: String

    @Option(name: .customShort("k"), help: "How many classes.")
    var count = 10

    @OptionGroup var strongest: StrongestOption

    @Option(help: "What its map holds where it is off: zero, or its mean over the images.")
    var to = Ablation.Substitute.zero

    @OptionGroup var files: FilesOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
    }

    func run() throws {
        let archive = try files.archive(of: store)
        var images = try FoundImages(strongest.images(of: neuron, in: archive), archive)
        let target = try Target(neuron, in: archive.store.description)
        let ablation = try Ablation(of: [[target]], in: try archive.explainer())
        var differences: [[Double]] = []
        let whole: Void? = try ExplanationMonitor().watch {
            try ablation.run(to: to, on: images.places.count, read: images.read) { index, outcome in
                guard let outcome = try images.taken(outcome, index) else { return }
                differences.append(zip(outcome.whole.scores, outcome.without[0].scores).map { Double($0) - Double($1) })
            }
        }
        guard whole != nil else { throw ExitCode.interrupted }
        try images.report()
        printOut(
            try OutputsTable(differences, classes: archive.store.description.classes, count: count).rendered(as: format.format))
        printNote("on the \(differences.count) strongest images of \(target.neuron)")
        if !images.omitted.isEmpty { throw ExitCode.someSkipped }
    }
}

/// What a neuron adds to the scores of classes, the largest first.
struct OutputsTable: Printable {
    private struct Row: Encodable {
        var rank: Int
        var index: Int
        var name: String?
        /// The mean over images of the score with the neuron less the score without it, and its deviation.
        var adds: Double
        var deviation: Double
        /// Images on which it raises the score.
        var raises: Int
        var images: Int

        enum CodingKeys: String, CodingKey {
            case rank, index, adds, deviation, raises, images
            case name = "class"
        }
    }

    private let rows: [Row]

    init(_ differences: [[Double]], classes: [String], count: Int) {
        let all = (differences.first ?? []).indices.map { index -> Row in
            let own = differences.map { $0[index] }
            let spread = MeanAndDeviation(own)
            return Row(
                rank: 0, index: index, name: classes.indices.contains(index) ? classes[index] : nil, adds: spread.mean,
                deviation: spread.deviation, raises: own.count { $0 > 0 },
                images: own.count)
        }
        rows = all.sorted { (abs($1.adds), $0.index) < (abs($0.adds), $1.index) }.prefix(count).enumerated().map { rank, row in
            var row = row
            row.rank = rank + 1
            return row
        }
    }

    func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "class", "adds to its score", "±", "raises it on"], shortened: ["class"],
            rows: rows.map {
                [
                    .value($0.rank), .text($0.name ?? "\($0.index)"), .number(String(format: "%+.4g", $0.adds)),
                    .number(String(format: "%.3g", $0.deviation)), .text("\($0.raises) of \($0.images) images"),
                ]
            })
    }

    var fields: [[String]] {
        [["rank", "index", "class", "adds", "deviation", "raises", "images"]]
            + rows.map {
                ["\($0.rank)", "\($0.index)", $0.name ?? "", "\($0.adds)", "\($0.deviation)", "\($0.raises)", "\($0.images)"]
            }
    }
}
