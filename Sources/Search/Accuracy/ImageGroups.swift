import ActivationStore
import GRDBSQLite
import Indexing

/// The value of a column of `image_info`, or of an expression of its columns, of every image.
struct ImageGroups {
    /// By image id; nil where it is NULL.
    let values: [Int: String?]
    /// How a table fits the images; empty where none was asked.
    let remarks: [Remark]

    /// Of a column of a table of the user's own; of the store, where the table has none of the name.
    /// - Throws: as below; `DatasetError`; ``QueryError/ambiguousColumn(name:table:)`` for a name that both have.
    /// - Parameter images: all that may be asked for.
    init(_ column: String, of images: [StoredImage], in snapshot: Snapshot, _ table: ImageTable?) throws {
        guard let table, let said = try table.values(of: column, for: images.map(\.path)) else {
            do {
                try self.init(column, in: snapshot)
            } catch QueryError.wrongSQL(let sql, let reason) where table != nil {
                let has = "\(table?.path ?? "") has \(table?.columns.joined(separator: ", ") ?? "")"
                throw QueryError.wrongSQL(sql: sql, reason: "\(reason); \(has)")
            }
            return
        }
        guard try !snapshot.imageColumns().contains(where: { $0.lowercased() == column.lowercased() }) else {
            throw QueryError.ambiguousColumn(name: column, table: table.path)
        }
        self.init(
            values: Dictionary(zip(images, said.values).map { ($0.id, $1) }) { first, _ in first },
            remarks: said.report.sentences.map { .plain($0) })
    }

    private init(values: [Int: String?], remarks: [Remark]) { (self.values, self.remarks) = (values, remarks) }

    /// - Throws: ``QueryError`` for what is no expression of an image, in the user's words; ``StoreError``.
    init(_ expression: String, in snapshot: Snapshot) throws {
        try snapshot.checkImages()
        let sandbox = try ReadOnlySQL(store: snapshot.store, scope: .images)
        let shown = "--by \"\(expression)\""
        guard expression.contains(where: { !$0.isWhitespace }) else {
            throw QueryError.wrongSQL(sql: shown, reason: "it is empty; an example: split")
        }
        let asked = try ImageSQL(expression, in: snapshot)
        try sandbox.check("SELECT \(asked.text)\nFROM \(asked.source)", shown: shown)
        var values: [Int: String?] = [:]
        let header = { (columns: [String]) in
            guard columns.count == 2 else { throw QueryError.wrongSQL(sql: shown, reason: "it is not one expression") }
        }
        try sandbox.rows("SELECT id, (\n\(asked.text)\n) FROM \(asked.source)", shown: shown, header: header) { row in
            values[Int(sqlite3_column_int64(row, 0))] = .some(sqlite3_column_text(row, 1).map { String(cString: $0) })
        }
        self.init(values: values, remarks: [])
    }
}
