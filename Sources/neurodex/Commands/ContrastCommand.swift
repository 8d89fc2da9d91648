import ActivationStore
import ArgumentParser
import Search

struct ContrastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ContrastQuery.name,
        abstract: ContrastQuery.abstract,
        usage: "neurodex contrast <store> --a <condition> [<options>]",
        discussion: """
            Examples:

              neurodex contrast shop.sqlite --a "label = 'cat'" --b "label = 'dog'"
              neurodex contrast shop.sqlite --a "split = 'test'" --rate 0.05

            What goes on in images that are answered wrongly: --a correct --b "NOT correct". AUROC is 1 where every image of A excites the neuron more than every image of B does, 0 where less, 0.5 where they do not \
            differ. p is that of Mann and Whitney's rank test; q is Benjamini and Hochberg's, over all neurons asked for: of the neurons with \
            q ≤ 0.05, 5 % are expected to differ by chance alone.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var query: ContrastQuery
    @OptionGroup var output: FormatOption

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    func run() throws {
        let store = try Store.open(path: store)
        let found = try query.run(in: store)
        printOut(try ContrastTable(hits: found.hits).rendered(as: output.format))
        print(found.remarks)
    }
}

struct ContrastTable: Printable {
    var hits: [ContrastQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "AUROC", "p", "q"] + copies.column, shortened: ["neuron", "copies"],
            rows: hits.enumerated().map { index, hit in
                [.value(hit.rank), .text("\(hit.layer):\(hit.channel)"), .value(hit.auroc), .value(hit.p), .value(hit.q)]
                    + copies.cell(index)
            })
    }

    private var copies: CopiesColumn { CopiesColumn(hits.map(\.copies)) }

    var fields: [[String]] {
        [["layer", "channel", "rank", "auroc", "p", "q", "copies"]]
            + hits.map {
                [$0.layer, "\($0.channel)", "\($0.rank)", "\($0.auroc)", "\($0.p)", "\($0.q)", CopiesColumn.field($0.copies)]
            }
    }
}
