import ActivationStore
import GRDB
import GRDBSQLite

/// The value of a column of `image_info`, or of an expression of its columns, of every image.
struct ImageGroups {
    /// By image id; nil where it is NULL.
    let values: [Int: String?]

    /// - Throws: ``QueryError`` for what is no expression of an image, in the user's words; ``StoreError``.
    init(_ expression: String, in store: Store, _ database: Database) throws {
        try store.checkImages(database)
        let sandbox = try ReadOnlySQL(store: store, scope: .images)
        let shown = "--by \"\(expression)\""
        guard expression.contains(where: { !$0.isWhitespace }) else {
            throw QueryError.wrongSQL(sql: shown, reason: "it is empty; an example: split")
        }
        try sandbox.check("SELECT \(expression)\nFROM image_info", shown: shown)
        var values: [Int: String?] = [:]
        let header = { (columns: [String]) in
            guard columns.count == 2 else { throw QueryError.wrongSQL(sql: shown, reason: "it is not one expression") }
        }
        try sandbox.rows("SELECT id, (\n\(expression)\n) FROM image_info", shown: shown, header: header) { row in
            values[Int(sqlite3_column_int64(row, 0))] = .some(sqlite3_column_text(row, 1).map { String(cString: $0) })
        }
        self.values = values
    }
}
