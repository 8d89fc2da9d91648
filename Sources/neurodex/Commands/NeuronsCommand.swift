import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Search

struct NeuronsCommand: FigureCommand {
    static let configuration = CommandConfiguration(
        commandName: NeuronsQuery.name,
        abstract: NeuronsQuery.abstract,
        usage: "neurodex neurons <store> [<neuron>] [<options>]",
        discussion: """
            Examples:

              neurodex neurons shop.sqlite --layer conv4 --sort maximum -k 5
              neurodex neurons shop.sqlite --dead
              neurodex neurons shop.sqlite --duplicate --threshold 0.9
              neurodex neurons shop.sqlite --selective cat
              neurodex neurons shop.sqlite --of conv4:3
              neurodex neurons shop.sqlite conv4:3 -o histogram.png

            With a neuron, its histogram. --selective ranks neurons, and --of a neuron's labels, by AUROC: the chance that an image \
            of the label excites the neuron more than another does; of neurons that say the same of all images (rank correlation 0.99) one is listed, with the \
            others beside it. --duplicate lists pairs of a layer's neurons by their rank correlation.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL or class:NAME: draw its histogram.", completion: .neurons)
    var neuron: String?

    @OptionGroup var query: NeuronsQuery

    @Flag(help: "Pairs of neurons of a layer that rank the images alike.")
    var duplicate = false

    @Option(help: "Of --duplicate: the smallest rank correlation (Spearman).")
    var threshold = 0.95

    @Option(help: ArgumentHelp("The neurons that tell this label from the others best.", valueName: "label"), completion: .labels)
    var selective: String?

    @Option(help: ArgumentHelp("The labels that this neuron tells best.", valueName: "neuron"), completion: .neurons)
    var of: String?

    @Flag(help: "With --selective: list neurons that say the same of the images in rows of their own, instead of once.")
    var copies = false

    @Option(
        name: .customLong("where"),
        help: "With a neuron, --selective or --of: only images that meet this SQL condition, as in top.")
    var condition: String?

    @Option(help: "Bins of the histogram.")
    var bins = 20

    @Option(
        name: [.customShort("o"), .customLong("out")], help: ArgumentHelp("Draw the histogram, a PNG.", valueName: "file"),
        completion: .file())
    var picture: String?

    @OptionGroup var output: FormatOption

    func validate() throws {
        let listing = query.dead || query.constant || query.saturated
        let questions = [neuron != nil, duplicate, selective != nil, of != nil, listing].count { $0 }
        guard questions <= 1 else {
            throw ValidationError(
                "ask one question at a time: a neuron's histogram, --duplicate, --selective, --of, or --dead, --constant, --saturated"
            )
        }
        guard picture == nil || neuron != nil else { throw ValidationError("-o draws the histogram of one neuron; name it") }
        guard condition == nil || neuron != nil || selective != nil || of != nil else {
            throw ValidationError("--where goes with a neuron, --selective or --of; the other figures are of all images")
        }
        if let count = query.count, count < 1 { throw ValidationError(QueryError.wrongCount(count).description) }
    }

    func run() throws {
        try OutputFile.check(OutputFile("-o", picture, .picture))
        let store = try Store.open(path: store)
        if let asked = histogramQuery {
            let histogram = try asked.run(in: store)
            printListing(try HistogramTable(histogram: histogram).rendered(as: output.format), besides: picture)
            if let condition { try store.note(emptySelection: condition) }
            if let picture { try write(try drawn(asked, histogram, from: store), to: picture) }
        } else if duplicate {
            let asked = DuplicatesQuery(layer: query.layer, threshold: threshold, count: query.count)
            let hits = try asked.run(in: store)
            printOut(try DuplicatesTable(hits: hits).rendered(as: output.format))
            if hits.isEmpty { print([try asked.reasonForNothing(in: store)]) }
        } else if selective != nil || of != nil {
            let asked = SelectivityQuery(
                label: selective, layer: of.map { [$0] } ?? query.layer, count: query.count ?? 10, condition: condition,
                copies: copies)
            let found = try asked.run(in: store)
            printOut(try SelectivityTable(hits: found.hits).rendered(as: output.format))
            print(found.remarks)
        } else {
            let hits = try query.run(in: store)
            printOut(try NeuronsTable(hits: hits).rendered(as: output.format))
            if hits.isEmpty { print([try query.reasonForNothing(in: store)]) }
        }
    }
}

extension NeuronsCommand {
    private var histogramQuery: HistogramQuery? {
        neuron.map { HistogramQuery(neuron: $0, bins: bins, condition: condition) }
    }

    func figure() throws -> FigureFile {
        guard let asked = histogramQuery else { throw Failure("no neuron is named whose histogram could be drawn") }
        let store = try Store.open(path: store)
        return try drawn(asked, try asked.run(in: store), from: store)
    }

    private func drawn(_ query: HistogramQuery, _ histogram: HistogramQuery.Histogram, from store: Store) throws -> FigureFile {
        let provenance = Provenance(
            command: Self._commandName, options: query.options, operands: [self.store, query.neuron],
            model: store.description.model.sha256, toolVersion: Neurodex.version)
        return FigureFile(page: HistogramPicture(histogram: histogram).page(), provenance: provenance)
    }
}

struct NeuronsTable: Printable {
    var hits: [NeuronsQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "minimum", "maximum", "mean", "deviation", "zero %"] + (hasNaNs ? ["NaN"] : []),
            shortened: ["neuron"],
            rows: hits.map { hit in
                [
                    .text("\(hit.layer):\(hit.channel)"), hit.minimum.map { .value($0) } ?? .nothing,
                    hit.maximum.map { .value($0) } ?? .nothing, hit.mean.map { .value($0) } ?? .nothing,
                    hit.deviation.map { .value($0) } ?? .nothing, .value(hit.zeroShare * 100),
                ] + (hasNaNs ? [.value(hit.nans)] : [])
            })
    }

    private var hasNaNs: Bool { hits.contains { $0.nans > 0 } }

    var fields: [[String]] {
        [["layer", "channel", "images", "nans", "minimum", "maximum", "mean", "deviation", "zero_share"]]
            + hits.map { hit in
                [
                    hit.layer, "\(hit.channel)", "\(hit.images)", "\(hit.nans)", hit.minimum.map { "\($0)" } ?? "",
                    hit.maximum.map { "\($0)" } ?? "", hit.mean.map { "\($0)" } ?? "", hit.deviation.map { "\($0)" } ?? "",
                    "\(hit.zeroShare)",
                ]
            }
    }
}

struct DuplicatesTable: Printable {
    var hits: [DuplicatesQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "other", "correlation"], shortened: ["neuron", "other"],
            rows: hits.map { [.text("\($0.layer):\($0.channel)"), .text("\($0.layer):\($0.other)"), .value($0.correlation)] })
    }

    var fields: [[String]] {
        [["layer", "channel", "other", "correlation"]]
            + hits.map { [$0.layer, "\($0.channel)", "\($0.other)", "\($0.correlation)"] }
    }
}

struct SelectivityTable: Printable {
    var hits: [SelectivityQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "label", "images", "AUROC", "average precision", "mean gap"] + copies.column,
            shortened: ["neuron", "label", "copies"],
            rows: hits.enumerated().map { index, hit in
                [
                    .text("\(hit.layer):\(hit.channel)"), .text(hit.label), .value(hit.images), .value(hit.auroc),
                    .value(hit.averagePrecision), hit.gap.map { .value($0) } ?? .nothing,
                ] + copies.cell(index)
            })
    }

    private var copies: CopiesColumn { CopiesColumn(hits.map(\.copies)) }

    var fields: [[String]] {
        [["layer", "channel", "label", "images", "auroc", "average_precision", "gap", "copies"]]
            + hits.map { hit in
                [
                    hit.layer, "\(hit.channel)", hit.label, "\(hit.images)", "\(hit.auroc)", "\(hit.averagePrecision)",
                    hit.gap.map { "\($0)" } ?? "", CopiesColumn.field(hit.copies),
                ]
            }
    }
}
