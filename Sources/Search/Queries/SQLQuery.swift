public import ActivationStore
public import ArgumentParser
public import Foundation
import GRDBSQLite
public import Support

/// Any one SQL statement that only reads. SQLite refuses everything else before it runs.
public struct SQLQuery: Query {
    public static let name = "sql"
    public static let abstract = "Run any SQL statement that only reads."
    public static let usage = "<statement>"
    public static let discussion = """
        Examples:

          neurodex sql shop.sqlite "SELECT label, count(*) FROM image_info GROUP BY 1"
          neurodex sql shop.sqlite "SELECT * FROM activation WHERE image_id = 7"

        The table activation(layer, channel, image_id, value, y, x) has every activation; the views image_info, neuron_info and \
        top_image have names where the tables have numbers. Of several columns of one name, the second is called NAME:1, and so on. \
        Nothing can be written. With --format json or csv rows are printed \
        as they come, in any number.
        """

    @Argument(help: "For example: SELECT label, count(*) FROM image_info GROUP BY label")
    public var statement: String

    @Option(help: ArgumentHelp("Stop after this many seconds.", valueName: "seconds"))
    public var timeLimit = 60.0

    @Option(help: ArgumentHelp("Stop where SQLite, or a table to print, would take more memory.", valueName: "megabytes"))
    public var memoryLimit = 1024

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(statement: String, timeLimit: Double = 60, memoryLimit: Int = 1024) {
        self.statement = statement
        self.timeLimit = timeLimit
        self.memoryLimit = memoryLimit
    }

    /// Of activations: views of other tables are read as SQLite has them, without the checksums of rows.
    public static func samples(_ ground: SampleGround) -> [SQLQuery] {
        [SQLQuery(statement: "SELECT * FROM activation WHERE image_id = 3")]
    }

    public func validate() throws {
        guard timeLimit > 0 else { throw ValidationError("--time-limit is \(timeLimit), and has to be above 0") }
        guard (1...1 << 20).contains(memoryLimit) else {
            throw ValidationError("--memory-limit is \(memoryLimit), and has to be 1 to \(1 << 20)")
        }
    }

    public var operands: [String] { [statement] }

    public var options: [String] {
        Spelling.option("--time-limit", "\(timeLimit)") + Spelling.option("--memory-limit", "\(memoryLimit)")
    }

    public struct Table: Hashable, Sendable, Encodable {
        public var columns: [String] = []
        public var rows: [[Value]] = []
    }

    public enum Value: Hashable, Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob(Data)
    }

    /// Keeps all rows.
    /// - Throws: ``QueryError/tooMuch(rows:megabytes:)`` where they would take more than `memoryLimit`.
    public func run(in store: Store) throws -> Table {
        var table = Table()
        var bytes = 0
        try stream(
            from: store, header: { table.columns = $0 },
            row: { row in
                bytes += row.reduce(MemoryLayout<[Value]>.size) { $0 + $1.bytes }
                try check(rows: table.rows.count, bytes: bytes)
                table.rows.append(row)
            })
        return table
    }

    /// - Parameter bytes: that rows which are kept take, beside what SQLite does.
    /// - Throws: ``QueryError/tooMuch(rows:megabytes:)``, or ``QueryError/outOfMemory(megabytes:)`` where it is rather SQLite that takes it.
    package func check(rows: Int, bytes: Int) throws {
        let (most, own) = (memoryLimit << 20, Int(sqlite3_memory_used()))
        guard bytes + own < most else {
            throw bytes > own ? QueryError.tooMuch(rows: rows, megabytes: memoryLimit) : .outOfMemory(megabytes: memoryLimit)
        }
    }

    /// Hands over one row after the other, and keeps none. Every column has a name of its own: a name that was there before
    /// gets `:1`, `:2`, … behind it, as SQLite itself names the columns of a subquery.
    /// - Parameter pauses: what of the time that `body` takes does not count as the statement's.
    public func stream(
        from store: Store, pauses: ReaderPauses = ReaderPauses(), header: ([String]) throws -> Void,
        row body: ([Value]) throws -> Void
    ) throws {
        try visit(store, pauses: pauses, header: header) { row in try body(row.map(Value.init)) }
    }

    /// A value in SQLite's memory, until the next row.
    package enum Cell {
        case null
        case integer(Int64)
        case real(Double)
        case text(UnsafeRawBufferPointer)
        case blob(UnsafeRawBufferPointer)
    }

    /// As ``stream(from:pauses:header:row:)``, without a copy of what may be large.
    /// - Parameter isStopped: asked all the time.
    /// - Throws: `CancellationError` once `isStopped` says so.
    package func visit(
        _ store: Store, pauses: ReaderPauses, isStopped: @escaping @Sendable () -> Bool = { false },
        header: ([String]) throws -> Void, row body: ([Cell]) throws -> Void
    ) throws {
        let limits = ReadOnlySQL.Limits(seconds: timeLimit, megabytes: memoryLimit, pauses: pauses, isStopped: isStopped)
        try ReadOnlySQL(store: store, scope: .everything).rows(
            statement, shown: statement, limits: limits, header: { try header(Self.distinct($0)) },
            { row in try body((0..<sqlite3_column_count(row)).map { Cell(row, $0) }) })
    }

    /// The same names, each once. A name that only one column has stays as it is.
    static func distinct(_ names: [String]) -> [String] {
        var taken = Set(names)
        var seen: Set<String> = []
        return names.map { name in
            guard !seen.insert(name).inserted else { return name }
            var count = 1
            while !taken.insert("\(name):\(count)").inserted { count += 1 }
            return "\(name):\(count)"
        }
    }
}

extension SQLQuery.Cell {
    fileprivate init(_ row: OpaquePointer, _ column: Int32) {
        switch sqlite3_column_type(row, column) {
        case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(row, column))
        case SQLITE_FLOAT: self = .real(sqlite3_column_double(row, column))
        case SQLITE_TEXT:
            let start = UnsafeRawPointer(sqlite3_column_text(row, column))
            let count = Int(sqlite3_column_bytes(row, column))
            // What stands behind a zero is no text to C, nor to those who ask.
            let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
            self = .text(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(row, column)
            self = .blob(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(row, column))))
        default: self = .null
        }
    }
}

extension SQLQuery.Value: Encodable {
    fileprivate init(_ cell: SQLQuery.Cell) {
        switch cell {
        case .null: self = .null
        case .integer(let value): self = .integer(value)
        case .real(let value): self = .real(value)
        case .text(let bytes): self = .text(String(decoding: bytes, as: UTF8.self))
        case .blob(let bytes): self = .blob(Data(bytes))
        }
    }

    /// What it takes in memory.
    fileprivate var bytes: Int {
        switch self {
        case .text(let text): MemoryLayout<Self>.size + text.utf8.count
        case .blob(let data): MemoryLayout<Self>.size + data.count
        default: MemoryLayout<Self>.size
        }
    }

    /// Blobs as lower-case hexadecimal.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .integer(let value): try container.encode(value)
        case .real(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .blob(let value):
            try container.encode(value.hexadecimal)
        }
    }
}

extension SQLQuery {
    public func report(on table: Table, in store: Store) -> Report { Report(Listing(found: table)) }

    /// A table whose columns the statement names.
    private struct Listing: Printable {
        let found: Table

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            for row in found.rows { try list.encode(Dictionary(uniqueKeysWithValues: zip(found.columns, row))) }
        }

        var table: TextTable {
            TextTable(columns: found.columns, shortened: Set(found.columns), rows: found.rows.map { $0.map(\.cell) })
        }

        var fields: [[String]] { [found.columns] + found.rows.map { $0.map(\.field) } }
    }
}

extension SQLQuery.Value: ColumnValue {
    public var field: String {
        switch self {
        case .null: ""
        case .integer(let number): String(number)
        case .real(let number): String(number)
        case .text(let text): text
        case .blob(let data): data.hexadecimal
        }
    }

    public var cell: TextTable.Cell {
        switch self {
        case .null: .nothing
        case .integer(let number): .number(String(number))
        case .real(let number): .value(number)
        case .text(let text): .text(text)
        case .blob(let data): .text("(\(data.count) bytes)")
        }
    }
}
