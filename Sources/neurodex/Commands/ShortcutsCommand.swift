import ActivationStore
import ArgumentParser
import Search

struct ShortcutsCommand: SheetCommand {
    static let configuration = CommandConfiguration(
        commandName: ShortcutsQuery.name,
        abstract: ShortcutsQuery.abstract,
        usage: "neurodex shortcuts <store> [<options>]",
        discussion: """
            Examples:

              neurodex shortcuts shop.sqlite
              neurodex shortcuts shop.sqlite --sheet shortcuts.png --format json

            A neuron is named where it tells a label and its maxima on that label's images lie at the corners, on the border or in one \
            spot far more often than on other images and than by chance: a watermark, a price tag, a frame. --sheet outlines what it saw.
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: ShortcutsQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw what the neurons saw on images of the label, a PNG.", valueName: "file"))
    var sheet: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    var arguments: (options: [String], operands: [String]) { (query.options, []) }

    func answer(from store: Store) throws -> [ShortcutsQuery.Hit] { try query.run(in: store) }

    func listing(_ hits: [ShortcutsQuery.Hit]) -> any Printable { ShortcutsTable(hits: hits) }

    func drawn(_ hits: [ShortcutsQuery.Hit], from store: Store) throws -> Sheet? {
        let shown = try hits.flatMap { hit in
            try TopQuery(
                neurons: ["\(hit.layer):\(hit.channel)"], count: 6,
                condition:
                    "label = '\(hit.label.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
            ).run(in: store)
        }
        return try TopSheet(store: store, whole: true).draw(shown)
    }
}

struct ShortcutsTable: Printable {
    var hits: [ShortcutsQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "label", "AUROC", "place", "share", "expected", "q"], shortened: ["neuron", "label"],
            rows: hits.map {
                [
                    .value($0.rank), .text("\($0.layer):\($0.channel)"), .text($0.label), .value($0.auroc),
                    .text($0.place.rawValue),
                    .value($0.share), .value($0.expected), .value($0.q),
                ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "label", "auroc", "place", "share", "expected", "q"]]
            + hits.map {
                [
                    $0.layer, "\($0.channel)", "\($0.rank)", $0.label, "\($0.auroc)", $0.place.rawValue, "\($0.share)",
                    "\($0.expected)", "\($0.q)",
                ]
            }
    }
}
