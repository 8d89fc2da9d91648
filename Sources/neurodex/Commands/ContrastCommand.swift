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

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: ContrastQuery
    @OptionGroup var output: FormatOption

    func validate() throws {
        guard query.count >= 1 else { throw ValidationError(QueryError.wrongCount(query.count).description) }
    }

    func run() throws {
        let store = try Store.open(path: store)
        printOut(try ContrastTable(hits: query.run(in: store)).rendered(as: output.format))
    }
}

struct ContrastTable: Printable {
    var hits: [ContrastQuery.Hit]

    func encode(to encoder: any Encoder) throws { try hits.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron", "AUROC", "p", "q"], shortened: ["neuron"],
            rows: hits.map {
                [.value($0.rank), .text("\($0.layer):\($0.channel)"), .value($0.auroc), .value($0.p), .value($0.q)]
            })
    }

    var fields: [[String]] {
        [["layer", "channel", "rank", "auroc", "p", "q"]]
            + hits.map { [$0.layer, "\($0.channel)", "\($0.rank)", "\($0.auroc)", "\($0.p)", "\($0.q)"] }
    }
}
