import ActivationStore
import ArgumentParser
import Foundation
import Search
import Support

/// Prints what a statement finds. Within its limits of time and memory, of which it takes little more than SQLite does: values go from SQLite's
/// memory to standard output piece by piece. Where the user stops it, what was found until then is printed, whole in its format.
struct SQLPrinter {
    let query: SQLQuery
    let store: Store
    private let buffer = OutputBuffer()
    private let interruption = Interruption()

    init(query: SQLQuery, store: Store) { (self.query, self.store) = (query, store) }

    /// Visits the rows, until the user stops it, and then runs `end`.
    private func visit(
        header: ([String]) throws -> Void, row body: ([SQLQuery.Cell]) throws -> Void, end: () throws -> Void
    ) throws {
        var count = 0
        do {
            try query.visit(
                store, pauses: buffer.pauses, isStopped: { [interruption] in interruption.isRequested }, header: header,
                row: { row in
                    try body(row)
                    count += 1
                })
        } catch is CancellationError {
            try end()
            buffer.flush()
            printNote("stopped after \(count) \(count == 1 ? "row" : "rows"); there may be more")
            throw ExitCode.interrupted
        }
        try end()
        buffer.flush()
    }

    /// All rows are kept: the columns have to hold them. Blobs are shown by their length.
    func printTable() throws {
        var table = TextTable(columns: [])
        var bytes = 0
        try visit(
            header: { table.columns = $0 },
            row: { row in
                let cells = row.map(Self.cell)
                bytes += cells.reduce(MemoryLayout<[TextTable.Cell]>.size) { $0 + $1.bytes }
                try query.check(rows: table.rows.count, bytes: bytes)
                table.rows.append(cells)
            },
            end: {
                table.shortened = Set(table.columns)
                let layout = TextTable.Layout(table, width: terminalWidth())
                buffer.write(layout.head)
                for row in table.rows { buffer.write(layout.line(row)) }
            })
    }

    func printCSV(isSafe: Bool) throws {
        try visit(
            header: { buffer.write(csvLine($0, isSafe: isSafe)) },
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
            }, end: {})
    }

    /// A list of objects, one a row.
    func printJSON() throws {
        let encoder = programEncoder()
        func json(_ value: some Encodable) throws -> String {
            shownJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
        }
        var columns: [(place: Int, key: String)] = []
        var isEmpty = true
        try visit(
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
            }, end: { buffer.write(isEmpty ? "[]\n" : "]\n") })
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
