import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

/// `inputs`: what an earlier layer adds to a neuron.
struct InputsCommand: StoredFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "inputs",
        abstract: "Find the neurons of an earlier layer that make a neuron strong.",
        discussion: """
            Examples:

              neurodex inputs shop.sqlite conv4:27
              neurodex inputs shop.sqlite class:fish --layer conv4 --sheet parts.png

            For each neuron of the earlier layer: activation × gradient of the neuron's maximum, added up over the map, on each of the neuron's strongest \
            images; the mean over these, and how much it varies. With the biases they add up to the value where what lies between is linear, as one \
            convolution is; else they are its first-order share. --sheet draws what the neuron responds to, and under it what each of the others does.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @Argument(help: "LAYER:CHANNEL, or class:NAME for a logit.", completion: .neurons)
    var neuron: String

    @Option(
        help: ArgumentHelp("The earlier layer (default: the last one that it depends on).", valueName: "layer"),
        completion: .layers)
    var layer: String?

    @Option(name: .customShort("k"), help: "How many neurons.")
    var count = 10

    @OptionGroup var strongest: StrongestOption

    @Option(help: ArgumentHelp("Draw what these neurons respond to, a PNG, SVG or PDF.", valueName: "file"), completion: .file())
    var sheet: String?

    @OptionGroup var shading: ShadeOption
    @OptionGroup var files: FilesOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        guard count >= 1 else { throw ValidationError(QueryError.wrongCount(count).description) }
        try OutputFile.check(OutputFile("--sheet", sheet, .picture))
    }

    func passes() throws -> Int {
        2.saturated(times: strongest.count) + Self.pictures.saturated(times: min(count, 1 << 20) + 1)
    }

    func run() throws {
        let archive = try files.archive(of: store)
        var images = try FoundImages(strongest.images(of: neuron, in: archive), archive)
        let table = try table(archive, &images)
        printListing(try table.rendered(as: format.format), besides: sheet)
        printNote(table.summary)
        try images.report()
        if let sheet {
            let drawn = try drawn(table, archive)
            try drawn.refuseEmpty()
            try neurodex.write(file(drawn, archive), to: sheet)
            try drawn.reportMissing()
        }
        if !images.omitted.isEmpty { throw ExitCode.someSkipped }
    }

    func figure() throws -> FigureFile {
        let archive = try files.archive(of: store)
        var images = try FoundImages(strongest.images(of: neuron, in: archive), archive)
        let drawn = try drawn(try table(archive, &images), archive)
        try drawn.refuseGaps()
        return file(drawn, archive)
    }

    private func table(_ archive: ExplanationArchive, _ images: inout FoundImages) throws -> InputsTable {
        let target = try Target(neuron, in: archive.store.description)
        let inputs = try NeuronInputs(of: target, from: layer, in: try archive.explainer())
        var outcomes: [NeuronInputs.Outcome] = []
        let whole: Void? = try ExplanationMonitor().watch {
            try inputs.run(on: images.places.count, read: images.read) { index, outcome in
                if let outcome = try images.taken(outcome, index) { outcomes.append(outcome) }
            }
        }
        guard whole != nil, !outcomes.isEmpty else { throw ExitCode.interrupted }
        return InputsTable(
            outcomes, of: target.neuron, layer: inputs.layer, storeName: archive.store.name(of: inputs.layer), count: count)
    }

    // MARK: Sheet

    /// Pictures in a row.
    private static let pictures = 6

    private func drawn(_ table: InputsTable, _ archive: ExplanationArchive) throws -> Sheet {
        let store = archive.store
        var rows = try SheetPlan.rows(of: TopQuery(neurons: [neuron], count: Self.pictures).run(in: store), in: store)
        for row in table.rows {
            var own = try SheetPlan.rows(of: TopQuery(neurons: [row.neuron], count: Self.pictures).run(in: store), in: store)
            for index in own.indices { own[index].subtitle = table.caption(of: row) }
            rows += own
        }
        var drawing = try SheetDrawing(store: store, images: imagesFolder)
        if shading.shade == .dark { drawing.light = .archive(archive) }
        guard let sheet = try drawing.draw(SheetPlan(rows), whole: false) else {
            throw Failure("nothing was found, so no sheet was drawn")
        }
        return sheet
    }

    private func file(_ sheet: Sheet, _ archive: ExplanationArchive) -> FigureFile {
        sheet.figure(
            command: "inputs",
            options: Spelling.option("--layer", layer) + Spelling.option("-k", "\(count)") + strongest.arguments
                + shading.arguments(of: sheet),
            operands: [store, neuron], model: archive.store.description.model.sha256)
    }
}

/// A neuron's strongest images, which are looked at.
struct StrongestOption: ParsableArguments {
    @Option(name: .customLong("strongest"), help: ArgumentHelp("On so many of its strongest images.", valueName: "count"))
    var count = 20

    @Option(
        name: .customLong("where"),
        help: "Only images that meet this SQL condition on path, label, split, width, height, predicted, score, correct …")
    var condition: String?

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--strongest takes at least one image, not \(count)") }
    }

    var arguments: [String] { Spelling.option("--strongest", "\(count)") + Spelling.option("--where", condition) }

    /// Their paths.
    /// - Throws: `Failure` where there is none.
    func images(of neuron: String, in archive: ExplanationArchive) throws -> [String] {
        // That it is one neuron is said before anything is searched for.
        _ = try Target(neuron, in: archive.store.description)
        let found = try TopQuery(neurons: [neuron], count: count, condition: condition).run(in: archive.store).map(\.image)
        guard found.isEmpty else { return found }
        let empty = try condition.flatMap { try archive.store.emptySelection(where: $0) }
        throw Failure("no image of the store has a value of \(neuron)" + (empty.map { "; \($0)" } ?? ""))
    }
}

/// What neurons of an earlier layer add to one, the largest first.
struct InputsTable: Printable {
    struct Row: Encodable {
        var rank: Int
        var neuron: String
        /// The mean over images, and its deviation.
        var contribution: Double
        var deviation: Double
        /// Images on which it adds; on the others it takes away or does nothing.
        var raises: Int
        var images: Int
    }

    let rows: [Row]
    private let neuron: String
    private let layer: String
    private let channels: Int
    private let images: Int
    private let value: Double
    private let sum: Double

    init(_ outcomes: [NeuronInputs.Outcome], of neuron: String, layer: Layer, storeName: String, count: Int) {
        let total = Double(outcomes.count)
        (self.neuron, self.layer, channels, images) = (neuron, storeName, layer.channels, outcomes.count)
        value = outcomes.reduce(0) { $0 + Double($1.value) } / total
        sum = outcomes.reduce(0) { $0 + $1.contributions.reduce(0, +) } / total
        let all = (0..<layer.channels).map { channel -> Row in
            let own = outcomes.map { $0.contributions[channel] }
            let spread = MeanAndDeviation(own)
            return Row(
                rank: 0, neuron: "\(storeName):\(channel)", contribution: spread.mean, deviation: spread.deviation,
                raises: own.count { $0 > 0 },
                images: outcomes.count)
        }
        let order = all.indices.sorted { (abs(all[$1].contribution), $0) < (abs(all[$0].contribution), $1) }
        rows = order.prefix(count).enumerated().map { rank, index in
            var row = all[index]
            row.rank = rank + 1
            return row
        }
    }

    func caption(of row: Row) -> String { String(format: "adds %+.3g ± %.2g", row.contribution, row.deviation) }

    /// What they come to together.
    var summary: String {
        let shown = rows.reduce(0) { $0 + $1.contribution }
        return
            "\(neuron) is \(shortNumber(value)) on \(images) \(images == 1 ? "image" : "images on average"); all \(channels) neurons of \(layer) come to \(shortNumber(sum)), those listed to \(shortNumber(shown)), the rest is biases and what is not linear between them"
    }

    func encode(to encoder: any Encoder) throws {
        enum CodingKeys: String, CodingKey { case neuron, layer, images, value, sum, inputs }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(neuron, forKey: .neuron)
        try container.encode(layer, forKey: .layer)
        try container.encode(images, forKey: .images)
        try container.encode(value, forKey: .value)
        try container.encode(sum, forKey: .sum)
        try container.encode(rows, forKey: .inputs)
    }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "adds", "±", "on images"], shortened: ["neuron"],
            rows: rows.map {
                [
                    .value($0.rank), .text($0.neuron), .number(String(format: "%+.4g", $0.contribution)),
                    .number(String(format: "%.3g", $0.deviation)), .text("\($0.raises) of \($0.images)"),
                ]
            })
    }

    var fields: [[String]] {
        [["rank", "neuron", "contribution", "deviation", "raises", "images"]]
            + rows.map { ["\($0.rank)", $0.neuron, "\($0.contribution)", "\($0.deviation)", "\($0.raises)", "\($0.images)"] }
    }
}
