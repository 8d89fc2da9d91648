public import ActivationStore
public import ArgumentParser
public import Foundation
import GRDBSQLite

/// Any one SQL statement that only reads. SQLite refuses everything else before it runs.
public struct SQLQuery: Query {
    public static let name = "sql"
    public static let abstract = "Any SQL statement that only reads."

    @Argument(help: "For example: SELECT label, count(*) FROM image_info GROUP BY label")
    public var statement: String

    @Option(help: ArgumentHelp("Stop after this many seconds.", valueName: "seconds"))
    public var timeLimit = 60.0

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(statement: String, timeLimit: Double = 60) {
        self.statement = statement
        self.timeLimit = timeLimit
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

    public func run(in store: Store) throws -> Table {
        let sandbox = try ReadOnlySQL(store: store, scope: .everything)
        var table = Table()
        table.columns = try sandbox.rows(statement, shown: statement, timeLimit: timeLimit) { row in
            table.rows.append((0..<sqlite3_column_count(row)).map { Value(row, $0) })
        }
        return table
    }
}

extension SQLQuery.Value: Encodable {
    fileprivate init(_ row: OpaquePointer, _ column: Int32) {
        switch sqlite3_column_type(row, column) {
        case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(row, column))
        case SQLITE_FLOAT: self = .real(sqlite3_column_double(row, column))
        case SQLITE_TEXT: self = .text(sqlite3_column_text(row, column).map { String(cString: $0) } ?? "")
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(row, column))
            self = .blob(sqlite3_column_blob(row, column).map { Data(bytes: $0, count: count) } ?? Data())
        default: self = .null
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
            try container.encode(value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
        }
    }
}
