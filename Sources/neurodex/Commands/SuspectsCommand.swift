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

            Images come by the probability of their label, the least first, where another label is likelier. The probability is the network's \
            own, or that of a logistic regression on the maxima of one layer, cross-validated in five parts: the one that agrees with more of the labels. \
            A line on standard error says which, and what could not be judged. Where neither can be had, as no label is a class of the network or has five images, \
            the neurons that tell each label best are asked. Beside an image stand the neurons that tell the suggested label best.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: SuspectsQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Draw the images on a contact sheet, a PNG.", valueName: "file"), completion: .file())
    var sheet: String?

    @Option(name: .customLong("images"), help: ImagesOption.help, completion: .directory)
    var imagesFolder: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    var arguments: (options: [String], operands: [String]) { (query.options, []) }

    func answer(from store: Store) throws -> Findings<SuspectsQuery.Hit> { try query.run(in: store) }

    func listing(_ hits: Findings<SuspectsQuery.Hit>) -> any Printable { SuspectsTable(hits: hits.hits) }

    func remarks(_ hits: Findings<SuspectsQuery.Hit>, from store: Store) -> [Remark] { hits.remarks }

    func drawn(_ hits: Findings<SuspectsQuery.Hit>, from store: Store) throws -> Sheet? {
        let rows = stride(from: 0, to: hits.count, by: 6).map { start in
            ImageSheet.Row(
                title: start == 0 ? "labels that are likely wrong" : "ranks from \(start + 1)",
                images: hits[start..<min(start + 6, hits.count)].map {
                    ImageSheet.Picture(id: $0.imageID, note: "\($0.label) → \($0.suggested)?", label: nil)
                })
        }
        return try ImageSheet(store: store, images: imagesFolder, rows: rows).drawn()
    }
}

struct SuspectsTable: Printable {
    var hits: [SuspectsQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    private func speakers(_ hit: SuspectsQuery.Hit) -> String {
        hit.witnesses.prefix(3).map { "\($0.layer):\($0.channel)" + ($0.copies.isEmpty ? "" : " (+\($0.copies.count))") }
            .joined(separator: " ")
    }

    var table: TextTable {
        TextTable(
            columns: ["rank", "image", "label", "suggested", "score", "say"], shortened: ["image", "label", "suggested", "say"],
            rows: hits.map {
                [.value($0.rank), .text($0.image), .text($0.label), .text($0.suggested), .value($0.score), .text(speakers($0))]
            })
    }

    var fields: [[String]] {
        [
            [
                "rank", "image", "image_id", "label", "suggested", "score", "witnesses", "probability", "suggested_probability",
                "ranked_by",
            ]
        ]
            + hits.map { hit in
                [
                    "\(hit.rank)", hit.image, "\(hit.imageID)", hit.label, hit.suggested, "\(hit.score)",
                    hit.witnesses.map { "\($0.layer):\($0.channel)" }.joined(separator: " "),
                    hit.probability.map { "\($0)" } ?? "", hit.suggestedProbability.map { "\($0)" } ?? "",
                    hit.rankedBy.rawValue,
                ]
            }
    }
}
