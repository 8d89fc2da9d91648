import GRDB
import GRDBSQLite

/// A prepared statement for hot paths: no conversion, no copy. It belongs to one connection and one thread.
package final class RawStatement {
    private let statement: OpaquePointer
    private let connection: OpaquePointer

    package convenience init(_ snapshot: Snapshot, _ sql: String) throws { try self.init(snapshot.database, sql) }

    init(_ database: Database, _ sql: String) throws {
        guard let connection = database.sqliteConnection else { throw DatabaseError(message: "the connection is closed") }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)), sql: sql)
        }
        self.statement = statement
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(statement)
    }

    package func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(statement, index, value) }
    package func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(statement, index, Int64(value)) }

    /// NaN is bound as NULL.
    package func bind(_ index: Int32, _ value: Double) { sqlite3_bind_double(statement, index, value) }

    /// Nil is bound as NULL.
    package func bind(_ index: Int32, _ value: Int?) {
        if let value { bind(index, value) } else { sqlite3_bind_null(statement, index) }
    }

    /// SQLite takes a copy; nil is bound as NULL.
    package func bind(_ index: Int32, text: String?) {
        guard var text else {
            sqlite3_bind_null(statement, index)
            return
        }
        text.withUTF8 { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text64(statement, index, $0.baseAddress, UInt64($0.count), Self.transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// SQLite takes a copy.
    package func bind(_ index: Int32, copying bytes: UnsafeRawBufferPointer) {
        sqlite3_bind_blob64(statement, index, bytes.baseAddress, UInt64(bytes.count), Self.transient)
    }

    /// SQLITE_TRANSIENT, a macro that Swift does not see.
    private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    /// The bytes must stay until the statement has run. No bytes are an empty blob, not NULL.
    package func bind(_ index: Int32, bytes: UnsafeRawPointer?, count: Int) {
        if let bytes, count > 0 {
            sqlite3_bind_blob64(statement, index, bytes, UInt64(count), nil)
        } else {
            sqlite3_bind_zeroblob(statement, index, 0)
        }
    }

    /// UTF-8, which must stay until the statement has run.
    package func bind(_ index: Int32, text: UnsafeRawBufferPointer) {
        let start = text.baseAddress?.assumingMemoryBound(to: CChar.self)
        sqlite3_bind_text64(statement, index, start, UInt64(text.count), nil, UInt8(SQLITE_UTF8))
    }

    /// Goes to the next row; false at the end.
    package func step() throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
                message: String(cString: sqlite3_errmsg(connection)))
            sqlite3_reset(statement)
            throw error
        }
    }

    /// Runs a statement without rows, and makes it ready to run again.
    package func run() throws {
        while try step() {}
        reset()
    }

    package func reset() { sqlite3_reset(statement) }

    package enum Kind { case null, integer, real, text, blob }

    /// What the column holds.
    package func kind(_ column: Int32) -> Kind {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_NULL: .null
        case SQLITE_TEXT: .text
        default: .blob
        }
    }

    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
    package func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    package func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }
    package func double(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }

    /// Nil for NULL.
    package func text(_ column: Int32) -> String? {
        sqlite3_column_text(statement, column).map {
            String(decoding: UnsafeBufferPointer(start: $0, count: Int(sqlite3_column_bytes(statement, column))), as: UTF8.self)
        }
    }

    /// The column's bytes, at any alignment, valid until the next step.
    package func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
    }
}
