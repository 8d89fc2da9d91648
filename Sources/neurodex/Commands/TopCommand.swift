import ActivationStore
import ArgumentParser
import Foundation
import Search

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: TopQuery.name,
        abstract: TopQuery.abstract,
        discussion: """
            Examples:

              neurodex top shop.sqlite conv4:17 -k 9 --sheet top.png
              neurodex top shop.sqlite class:cat --where "label <> 'cat'"
              neurodex top shop.sqlite conv4 -k 1 --format csv

            --sheet draws the part of each image that the neuron saw where it was strongest: the receptive field of its maximum.
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: TopQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG.", valueName: "file"))
    var sheet: String?

    @Flag(help: "With --sheet: whole images, with the receptive field outlined.")
    var whole = false

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
        guard !whole || sheet != nil else {
            throw ValidationError("--whole says how --sheet draws; name the sheet with --sheet FILE")
        }
    }

    func run() throws {
        let store = try Store.open(path: store)
        let hits = try query.run(in: store)
        printOut(try TopTable(hits: hits).rendered(as: output.format))
        if let sheet {
            let drawn = try TopSheet(store: store, whole: whole).draw(hits)
            try drawn.write(to: sheet)
            for path in drawn.missing.prefix(10) { printNote("not drawn, the file has gone or changed: \(path)") }
            if !drawn.missing.isEmpty { throw ExitCode.someSkipped }
        }
    }
}

struct TopTable: Printable {
    var hits: [TopQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["neuron", "rank", "value", "image", "label", "y", "x"], shortened: ["neuron", "image", "label"],
            rows: hits.map {
                [
                    .text("\($0.layer):\($0.channel)"), .value($0.rank), .value($0.value), .text($0.image), .optional($0.label),
                    .value($0.y), .value($0.x),
                ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "image", "image_id", "label", "value", "y", "x"]]
            + hits.map {
                [
                    $0.layer, "\($0.channel)", "\($0.rank)", $0.image, "\($0.imageID)", $0.label ?? "", "\($0.value)", "\($0.y)",
                    "\($0.x)",
                ]
            }
    }
}
