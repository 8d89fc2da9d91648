import ActivationStore
import ArgumentParser
import Foundation
import Search

struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: SQLQuery.name,
        abstract: SQLQuery.abstract,
        discussion: """
            Examples:

              neurodex sql shop.sqlite "SELECT label, count(*) FROM image_info GROUP BY 1"
              neurodex sql shop.sqlite "SELECT * FROM activation WHERE image_id = 7"

            The table activation(layer, channel, image_id, value, y, x) has every activation; the views image_info, neuron_info and \
            top_image have names where the tables have numbers. Of several columns of one name, the second is called NAME:1, and so on. \
            Nothing can be written. With --format json or csv rows are printed \
            as they come, in any number.
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var query: SQLQuery
    @OptionGroup var output: FormatOption

    func run() throws {
        let store = try Store.open(path: store)
        switch output.format {
        case .table: printOut(try SQLTable(answer: query.run(in: store)).table.rendered(width: terminalWidth()))
        case .csv:
            let out = Output()
            try query.stream(
                from: store, header: { out.write(csvLine($0)) }, row: { out.write(csvLine($0.map(\.field))) })
            out.flush()
        case .json:
            // A list of objects, one a row.
            let out = Output()
            let encoder = programEncoder()
            var columns: [String] = []
            var separator = "["
            try query.stream(
                from: store, header: { columns = $0 },
                row: { row in
                    // Columns have names of their own.
                    let object = Dictionary(zip(columns, row)) { first, _ in first }
                    out.write(separator + String(decoding: try encoder.encode(object), as: UTF8.self))
                    separator = ","
                })
            out.write(separator == "[" ? "[]\n" : "]\n")
            out.flush()
        }
    }
}

/// Standard output by large pieces.
private final class Output {
    private var text = ""

    func write(_ more: String) {
        text += more
        if text.utf8.count > 1 << 16 { flush() }
    }

    func flush() {
        printOut(text)
        text = ""
    }
}

private struct SQLTable {
    var answer: SQLQuery.Table

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
}

extension SQLQuery.Value {
    /// With all digits.
    fileprivate var field: String {
        switch self {
        case .null: ""
        case .integer(let number): String(number)
        case .real(let number): String(number)
        case .text(let text): text
        case .blob(let bytes): bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
