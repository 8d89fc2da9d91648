import ActivationStore
import ArgumentParser
import Search

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ProfileQuery.name,
        abstract: ProfileQuery.abstract,
        discussion: """
            Examples:

              neurodex profile shop.sqlite cat-43.jpg
              neurodex profile shop.sqlite 12 --layer conv4 -k 20 --format json

            Neurons are ranked by the share of the store's images that excite them less than this one, so that loud neurons do not drown \
            the others; of neurons of one share the one comes first of which the image is further above the mean, in standard deviations. IMAGE is a path or an id of the store, or any other file, on which the network is then run once.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: ProfileQuery
    @OptionGroup var output: FormatOption

    @Option(help: ArgumentHelp("Where the network is now (default: where it was).", valueName: "file"), completion: .file())
    var model: String?

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    func run() throws {
        let store = try Store.open(path: store)
        var query = query
        query.given = try OutsideImage.activations(&query.image, store: store, model: model)
        let hits = try query.run(in: store)
        printOut(try ProfileTable(hits: hits).rendered(as: output.format))
        if hits.isEmpty { print([try query.reasonForNothing(in: store)]) }
    }
}

struct ProfileTable: Printable {
    var hits: [ProfileQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "percentile", "value", "y", "x", "deviations"], shortened: ["neuron"],
            rows: hits.map {
                [
                    .value($0.rank), .text($0.className.map { "class:\($0)" } ?? "\($0.layer):\($0.channel)"),
                    .value($0.percentile * 100), .value($0.value), .value($0.y), .value($0.x), .value($0.deviations),
                ]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "percentile", "value", "y", "x", "deviations", "class"]]
            + hits.map {
                [
                    "\($0.layer)", "\($0.channel)", "\($0.rank)", "\($0.percentile)", "\($0.value)", "\($0.y)", "\($0.x)",
                    "\($0.deviations)", $0.className ?? "",
                ]
            }
    }
}
