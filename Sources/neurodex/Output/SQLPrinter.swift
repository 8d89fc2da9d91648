import ActivationStore
import Foundation
import Search
import Support

/// Prints what a statement finds. Within its limits of time and memory, of which it takes little more than SQLite does: values go from SQLite's
/// memory to standard output piece by piece.
struct SQLPrinter {
    let query: SQLQuery
    let store: Store
    private let buffer = OutputBuffer()

    init(query: SQLQuery, store: Store) { (self.query, self.store) = (query, store) }

    /// All rows are kept: the columns have to hold them. Blobs are shown by their length.
    func printTable() throws {
        var table = TextTable(columns: [])
        var bytes = 0
        try query.visit(
            store, pauses: buffer.pauses, header: { table.columns = $0 },
            row: { row in
                let cells = row.map(Self.cell)
                bytes += cells.reduce(MemoryLayout<[TextTable.Cell]>.size) { $0 + $1.bytes }
                try query.check(rows: table.rows.count, bytes: bytes)
                table.rows.append(cells)
            })
        table.shortened = Set(table.columns)
        let layout = TextTable.Layout(table, width: terminalWidth())
        buffer.write(layout.head)
        for row in table.rows { buffer.write(layout.line(row)) }
        buffer.flush()
    }

    func printCSV(isSafe: Bool) throws {
        try query.visit(
            store, pauses: buffer.pauses, header: { buffer.write(csvLine($0, isSafe: isSafe)) },
            row: { row in
                for (column, cell) in row.enumerated() {
                    if column > 0 { buffer.write(",") }
                    switch cell {
                    case .null: break
                    case .integer(let number): buffer.write(String(number))
                    case .real(let number): buffer.write(String(number))
                    case .text(let text):
                        buffer.write(String(csvLine([String(decoding: text, as: UTF8.self)], isSafe: isSafe).dropLast()))
                    case .blob(let bytes): buffer.write(hex: bytes)
                    }
                }
                buffer.write("\n")
            })
        buffer.flush()
    }

    /// A list of objects, one a row.
    func printJSON() throws {
        let encoder = programEncoder()
        func json(_ value: some Encodable) throws -> String {
            shownJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
        }
        var columns: [(place: Int, key: String)] = []
        var isEmpty = true
        try query.visit(
            store, pauses: buffer.pauses,
            header: { names in
                columns = try names.enumerated().sorted { $0.element < $1.element }.map {
                    ($0.offset, try json($0.element) + ":")
                }
            },
            row: { row in
                buffer.write(isEmpty ? "[" : ",")
                isEmpty = false
                for (index, column) in columns.enumerated() {
                    buffer.write((index == 0 ? "{" : ",") + column.key)
                    switch row[column.place] {
                    case .null: buffer.write("null")
                    case .integer(let number): buffer.write(String(number))
                    case .real(let number): buffer.write(try json(number))
                    case .text(let text): buffer.write(try json(String(decoding: text, as: UTF8.self)))
                    case .blob(let bytes):
                        buffer.write("\"")
                        buffer.write(hex: bytes)
                        buffer.write("\"")
                    }
                }
                buffer.write("}")
            })
        buffer.write(isEmpty ? "[]\n" : "]\n")
        buffer.flush()
    }

    private static func cell(_ cell: SQLQuery.Cell) -> TextTable.Cell {
        switch cell {
        case .null: .nothing
        case .integer(let number): .number(String(number))
        case .real(let number): .value(number)
        case .text(let text): .text(String(decoding: text, as: UTF8.self))
        case .blob(let bytes): .text("(\(bytes.count) bytes)")
        }
    }
}

extension TextTable.Cell {
    /// What it takes in memory.
    fileprivate var bytes: Int {
        let length =
            switch self {
            case .text(let text), .number(let text): text.utf8.count
            case .nothing: 0
            }
        // Short texts stand in the cell, others behind a header.
        return MemoryLayout<Self>.stride + (length > 15 ? length + 48 : 0)
    }
}
