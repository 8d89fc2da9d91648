import CSQLite
import GRDB
import GRDBSQLite

/// How a store's tables, indexes and views are defined, and that a file has these and no others.
extension Schema {
    /// That every table, index and view is defined as `schema.sql` of the file's version does, and that nothing else is: a view of
    /// another text gives other answers, a trigger changes what is written, and a table named as a function hides it.
    ///
    /// - Throws: ``StoreError/damaged(path:detail:)`` for what is missing or of another definition, ``StoreError/foreign(path:type:name:)``
    ///   for what is not ours.
    static func check(_ database: Database, path: String) throws {
        guard let connection = database.sqliteConnection else { preconditionFailure("a connection that is in use is open") }
        _ = try check(connection, path: path)
    }

    /// The same on a connection that is not GRDB's.
    /// - Returns: whether a view of it calls functions of JSON, as those of stores of 0.2 and earlier do: see `ndx_trust_schema`.
    package static func check(_ connection: OpaquePointer, path: String) throws -> Bool {
        var finding = ndx_schema_finding()
        defer { ndx_schema_free(&finding) }
        let code = ndx_schema_check(connection, "main", sql, &finding)
        guard code == SQLITE_OK else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
                message: String(cString: sqlite3_errmsg(connection)))
        }
        guard Int(finding.kind) != NDX_SCHEMA_SOUND else { return finding.has_json_views != 0 }
        let (type, name) = (String(cString: finding.type), String(cString: finding.name))
        if Int(finding.kind) == NDX_SCHEMA_FOREIGN { throw StoreError.foreign(path: path, type: type, name: name) }
        throw StoreError.damaged(path: path, detail: words(Int(finding.kind), type: type, name: name, path: path))
    }

    /// What there is to say of a finding, in the words that the extension of SQLite has too.
    static func words(_ kind: Int = NDX_SCHEMA_FOREIGN, type: String, name: String, path: String) -> String {
        guard let text = ndx_schema_words(CInt(kind), type, name, path) else { return "it has a \(type) \(name)" }
        defer { sqlite3_free(text) }
        return String(cString: text)
    }
}
