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
            spot far more often than on other images and than by chance: a watermark, a price tag, a frame. Neurons that see the same spot of the same \
            pictures are one row (--copies: a row each). --sheet outlines what it saw. What it cannot see: a tint, a mark that moves about.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: ShortcutsQuery
    @OptionGroup var output: FormatOption

    @Option(
        help: ArgumentHelp("Draw what the neurons saw on images of the label, a PNG.", valueName: "file"), completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    var arguments: (options: [String], operands: [String]) { (query.options, []) }

    func answer(from store: Store) throws -> Findings<ShortcutsQuery.Hit> { try query.run(in: store) }

    func listing(_ hits: Findings<ShortcutsQuery.Hit>) -> any Printable { ShortcutsTable(hits: hits.hits) }

    func remarks(_ hits: Findings<ShortcutsQuery.Hit>, from store: Store) -> [Remark] { hits.remarks }

    func drawn(_ hits: Findings<ShortcutsQuery.Hit>, from store: Store) throws -> Sheet? {
        let shown = try hits.flatMap { hit in
            try TopQuery(
                neurons: ["\(hit.layer):\(hit.channel)"], count: 6,
                condition:
                    "label = '\(hit.label.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
            ).run(in: store)
        }
        return try TopSheet(store: store, images: imagesFolder, whole: true).draw(shown)
    }
}

struct ShortcutsTable: Printable {
    var hits: [ShortcutsQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "label", "AUROC", "place", "share", "expected", "q"] + copies.column,
            shortened: ["neuron", "label", "copies"],
            rows: hits.enumerated().map { index, hit in
                [
                    .value(hit.rank), .text("\(hit.layer):\(hit.channel)"), .text(hit.label), .value(hit.auroc),
                    .text(hit.place.rawValue), .value(hit.share), .value(hit.expected), .value(hit.q),
                ] + copies.cell(index)
            })
    }

    private var copies: CopiesColumn { CopiesColumn(hits.map(\.copies), counted: "one spot") }

    var fields: [[String]] {
        [["layer", "channel", "rank", "label", "auroc", "place", "share", "expected", "q", "copies"]]
            + hits.map {
                [
                    $0.layer, "\($0.channel)", "\($0.rank)", $0.label, "\($0.auroc)", $0.place.rawValue, "\($0.share)",
                    "\($0.expected)", "\($0.q)", CopiesColumn.field($0.copies),
                ]
            }
    }
}
