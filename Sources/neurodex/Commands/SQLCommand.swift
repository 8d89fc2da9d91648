import ActivationStore
import ArgumentParser
import Search

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: SQLQuery.name,
        abstract: SQLQuery.abstract,
        discussion: """
            Example:

              neurodex sql shop.sqlite "SELECT label, count(*) FROM image_info GROUP BY 1"

            The views image_info, neuron_info and top_image have names where the tables have numbers. Nothing can be written.
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: SQLQuery
    @OptionGroup var output: FormatOption

    func run() throws {
        let store = try Store.open(path: store)
        printOut(try SQLTable(answer: query.run(in: store)).rendered(as: output.format))
    }
}

struct SQLTable: Printable {
    var answer: SQLQuery.Table

    /// A list of objects, one a row.
    func encode(to encoder: any Encoder) throws {
        try answer.rows.map { row in
            Dictionary(zip(answer.columns, row)) { first, _ in first }
        }.encode(to: encoder)
    }

    var table: TextTable {
        TextTable(
            columns: answer.columns, shortened: Set(answer.columns),
            rows: answer.rows.map { row in
                row.map { value in
                    switch value {
                    case .null: .nothing
                    case .integer(let number): .number(String(number))
                    case .real(let number): .value(number)
                    case .text(let text): .text(text)
                    case .blob(let bytes): .text("(\(bytes.count) bytes)")
                    }
                }
            })
    }

    var fields: [[String]] {
        [answer.columns]
            + answer.rows.map { row in
                row.map { value in
                    switch value {
                    case .null: ""
                    case .integer(let number): String(number)
                    case .real(let number): String(number)
                    case .text(let text): text
                    case .blob(let bytes): bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                    }
                }
            }
    }
}
