import ActivationStore
import ArgumentParser
import Search

struct SuspectsCommand: SheetCommand {
    static let configuration = CommandConfiguration(
        commandName: SuspectsQuery.name,
        abstract: SuspectsQuery.abstract,
        usage: "neurodex suspects <store> [<options>]",
        discussion: """
            Examples:

              neurodex suspects shop.sqlite -k 12 --sheet suspects.png
              neurodex suspects shop.sqlite --layer pool_3 --where "split = 'train'" --format json

            For every label, the neurons of one layer that tell it best are asked. An image is suspect where those of another label are \
            more excited by it, measured by percentiles, than those of its own.
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: SuspectsQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG.", valueName: "file"))
    var sheet: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    var arguments: (options: [String], operands: [String]) { (query.options, []) }

    func answer(from store: Store) throws -> [SuspectsQuery.Hit] { try query.run(in: store) }

    func listing(_ hits: [SuspectsQuery.Hit]) -> any Printable { SuspectsTable(hits: hits) }

    func drawn(_ hits: [SuspectsQuery.Hit], from store: Store) throws -> Sheet? {
        let rows = stride(from: 0, to: hits.count, by: 6).map { start in
            ImageSheet.Row(
                title: start == 0 ? "labels that are likely wrong" : "ranks from \(start + 1)",
                images: hits[start..<min(start + 6, hits.count)].map {
                    ImageSheet.Picture(id: $0.imageID, note: "\($0.label) → \($0.suggested)?", label: nil)
                })
        }
        return try ImageSheet(store: store, rows: rows).drawn()
    }
}

struct SuspectsTable: Printable {
    var hits: [SuspectsQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    private func speakers(_ hit: SuspectsQuery.Hit) -> String {
        hit.witnesses.prefix(3).map { "\($0.layer):\($0.channel)" }.joined(separator: " ")
    }

    var table: TextTable {
        TextTable(
            columns: ["rank", "image", "label", "suggested", "score", "say"], shortened: ["image", "label", "suggested", "say"],
            rows: hits.map {
                [.value($0.rank), .text($0.image), .text($0.label), .text($0.suggested), .value($0.score), .text(speakers($0))]
            })
    }

    var fields: [[String]] {
        [["rank", "image", "image_id", "label", "suggested", "score", "witnesses"]]
            + hits.map { hit in
                [
                    "\(hit.rank)", hit.image, "\(hit.imageID)", hit.label, hit.suggested, "\(hit.score)",
                    hit.witnesses.map { "\($0.layer):\($0.channel)" }.joined(separator: " "),
                ]
            }
    }
}
