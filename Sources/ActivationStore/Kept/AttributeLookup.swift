import Foundation
import GRDBSQLite

/// Attributes as a connection that is not GRDB's finds them.
extension Attribute {
    /// The attribute of a name; nil where there is none.
    ///
    /// - Parameter path: of the store that `connection` reads.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for one that is not what was written.
    package init?(named name: String, _ connection: OpaquePointer, path: String) throws {
        // A list of millions of images may be longer than what a user's statement may make.
        let limit = sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, Int32.max)
        defer { sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, limit) }
        var row: OpaquePointer?
        defer { sqlite3_finalize(row) }
        let sql = "SELECT id, name, kind, list, checksum FROM attribute WHERE name = ?1"
        // Stores before version 6 have no such table.
        guard sqlite3_prepare_v2(connection, sql, -1, &row, nil) == SQLITE_OK, let row else { return nil }
        let bytes = Array(name.utf8)
        _ = bytes.withUnsafeBytes { bytes in
            sqlite3_bind_text(
                row, 1, bytes.assumingMemoryBound(to: CChar.self).baseAddress, Int32(bytes.count),
                unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        }
        let code = sqlite3_step(row)
        guard code != SQLITE_DONE else { return nil }
        guard code == SQLITE_ROW else {
            throw StoreError.damaged(path: path, detail: "SQLite says \(String(cString: sqlite3_errmsg(connection)))")
        }
        let texts = (1...3).compactMap { column in
            sqlite3_column_text(row, Int32(column)).map {
                String(
                    decoding: UnsafeBufferPointer(start: $0, count: Int(sqlite3_column_bytes(row, Int32(column)))), as: UTF8.self)
            }
        }
        var sum = RowChecksum()
        sum.add(Int(sqlite3_column_int64(row, 0)))
        for text in texts { sum.add(text) }
        guard texts.count == 3, sum.value == Int(sqlite3_column_int64(row, 4)),
            let attribute = Attribute(name: texts[0], kind: texts[1], list: texts[2])
        else {
            throw StoreError.damaged(
                path: path, detail: "the row of \(name) in its table attribute is not what was written")
        }
        self = attribute
    }
}
