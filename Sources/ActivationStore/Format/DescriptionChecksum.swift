package import GRDB

/// The checksum of what a store says of itself: of all rows of `meta` but those that change with the images, and of `model`, `layer`
/// and `class`. Since version 4; whatever is added to `meta` is under it too.
extension StoreDescription {
    private static let tables: [(sql: String, kinds: [RawStatement.Kind])] = [
        (
            "SELECT * FROM model ORDER BY id",
            [.integer, .text, .text, .text, .integer, .integer, .integer, .integer]
        ),
        (
            "SELECT * FROM layer ORDER BY ordinal",
            [.integer, .integer, .text, .text, .text] + Array(repeating: .integer, count: 9)
                + Array(repeating: .real, count: 4)
        ),
        ("SELECT * FROM class ORDER BY id", [.integer, .text]),
    ]

    package static func insertChecksum(_ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO meta VALUES ('description_checksum', ?)", arguments: [checksum(database)])
    }

    /// −1, which is none, where a column is neither NULL nor of its kind.
    static func checksum(_ database: Database) throws -> Int {
        var sum = RowChecksum()
        let facts = try RawStatement(
            database,
            """
            SELECT key, value FROM meta WHERE key NOT IN ('derived_through', 'removed', 'planned', 'description_checksum') ORDER BY key
            """)
        while try facts.step() {
            let kind = facts.kind(1)
            guard facts.add([.text], from: 0, to: &sum) else { return -1 }
            sum.add(kind.number)
            guard facts.add([kind], from: 1, to: &sum) else { return -1 }
        }
        for table in tables {
            let rows = try RawStatement(database, table.sql)
            while try rows.step() {
                guard rows.add(table.kinds, from: 0, to: &sum) else { return -1 }
            }
        }
        return sum.value
    }
}

extension RawStatement.Kind {
    /// SQLite's number of it.
    fileprivate var number: Int {
        switch self {
        case .integer: 1
        case .real: 2
        case .text: 3
        case .blob: 4
        case .null: 5
        }
    }
}
