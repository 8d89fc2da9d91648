import ActivationStore
import GRDBSQLite

/// The images that meet a condition in SQL on the columns of `image_info` and on attributes.
struct Predicate {
    /// One byte an image, 1 if it is kept.
    let mask: [UInt8]

    /// - Parameter option: that the user gave it with.
    /// - Throws: ``QueryError`` for what is no condition on images, in the user's words; ``StoreError``.
    init(_ clause: String, in snapshot: Snapshot, images: Int, option: String = "--where") throws {
        try snapshot.checkImages()
        let sandbox = try ReadOnlySQL(store: snapshot.store, scope: .images)
        let shown = "\(option) \"\(clause)\""
        guard clause.contains(where: { !$0.isWhitespace }) else {
            throw QueryError.wrongSQL(sql: shown, reason: "it is empty; an example: label = 'cat'")
        }
        let asked = try ImageSQL(clause, in: snapshot)
        let select = "SELECT id FROM \(asked.source) WHERE"
        // A line of its own, so that a comment at the clause's end does not hide the bracket.
        let (bracketed, bare) = ("\(select) (\n\(asked.text)\n)", "\(select) \(asked.text)")
        do {
            try sandbox.check(bracketed, shown: shown)
        } catch QueryError.wrongSQL(_, let reason) {
            // SQLite's words on the clause alone: the user has not written our brackets.
            try sandbox.check(bare, shown: shown)
            throw QueryError.wrongSQL(sql: shown, reason: reason.hasPrefix("near \")\"") ? "it is not one condition" : reason)
        }
        // What needs our brackets to be understood, such as "1) OR (1", is no condition.
        try sandbox.check(bare, shown: shown)
        var mask = [UInt8](repeating: 0, count: images)
        try sandbox.rows(bracketed, shown: shown) { row in
            let id = Int(sqlite3_column_int64(row, 0))
            if mask.indices.contains(id) { mask[id] = 1 }
        }
        self.mask = mask
    }
}
