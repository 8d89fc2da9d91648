import ActivationStore
import GRDB
import GRDBSQLite

/// The images that meet a condition in SQL on the columns of `image_info`.
struct Predicate {
    /// One byte an image, 1 if it is kept.
    let mask: [UInt8]

    /// - Parameter option: that the user gave it with.
    /// - Throws: ``QueryError`` for what is no condition on images; ``StoreError``.
    init(_ clause: String, in store: Store, _ database: Database, images: Int, option: String = "--where") throws {
        try store.checkImages(database)
        var mask = [UInt8](repeating: 0, count: images)
        let sandbox = try ReadOnlySQL(store: store, scope: .images)
        // A line of its own, so that a comment at the clause's end does not hide the bracket.
        try sandbox.rows(
            "SELECT id FROM image_info WHERE (\n\(clause)\n)", shown: "\(option) \"\(clause)\""
        ) { statement in
            let id = Int(sqlite3_column_int64(statement, 0))
            if mask.indices.contains(id) { mask[id] = 1 }
        }
        self.mask = mask
    }
}
