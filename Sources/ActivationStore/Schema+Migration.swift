import GRDB

extension Schema {
    static func version(_ database: Database) throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "PRAGMA user_version")) ?? 0
    }

    /// Whether images, lists, statistics and the store's description have checksums: since version 3.
    static func keepsChecksums(_ database: Database) throws -> Bool { try version(database) >= 3 }

    /// Brings an older store to the present version, in the caller's transaction.
    ///
    /// Lists and statistics are made again from the blocks, whose checksums are as old as they are: what has no checksum may be damaged, and
    /// would get a good one. Images are taken as they are.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a block that is.
    static func migrate(_ database: Database, path: String) throws {
        let found = try version(database)
        guard found < version else { return }
        for (index, sql) in migrations.enumerated() where index + 1 >= found {
            try database.execute(sql: sql)
            try database.execute(sql: "PRAGMA user_version = \(index + 2)")
        }
        guard found < 3 else { return }
        let description = try StoreDescription(database, path: path, isChecked: false)
        try description.insertChecksum(database)
        try insertChecksum(database)
        try ImageRows.refreshChecksums(database)
        guard try Store.derivedThrough(database) > 0 else { return }
        let derived = DerivedState(description)
        let lanes = try Store.laneCount(database, blockImages: description.blockImages)
        for (block, lanes) in Store.blocks(of: lanes, size: description.blockImages).enumerated() {
            try BlockRows.read(database, path: path, description: description, block: block, lanes: lanes) { row in
                derived.fold(
                    neuron: row.neuron, values: row.values, positions: row.positions, width: row.width, lanes: 0, lanes,
                    block: block)
            }
        }
        try derived.save(database, through: lanes)
    }

    // MARK: Checks

    private static let tables = [
        "meta", "run", "model", "layer", "class", "label", "image", "skipped_image", "activation_block", "mean_block",
        "neuron_statistics", "top_list", "explanation", "cam_head",
    ]
    private static let others = [
        "image_by_label", "image_by_sha256", "explanation_by_image", "top_activation", "image_info", "neuron_info", "top_image",
    ]

    /// Of the definitions of all tables, indexes and views that are ours.
    private static func checksum(_ database: Database) throws -> Int {
        let names = (tables + others).map { "'\($0)'" }.joined(separator: ", ")
        let rows = try RawStatement(
            database, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name IN (\(names)) ORDER BY name")
        var sum = RowChecksum()
        while try rows.step() {
            for column in 0..<4 as Range<Int32> { sum.add(rows.bytes(column)) }
        }
        return sum.value
    }

    static func insertChecksum(_ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO meta VALUES ('schema_checksum', ?)", arguments: [checksum(database)])
    }

    /// That tables are tables and, since version 3, that everything is defined as it was: a view of another text gives other answers.
    /// - Throws: ``StoreError/damaged(path:detail:)``.
    static func check(_ database: Database, path: String) throws {
        let names = tables.map { "'\($0)'" }.joined(separator: ", ")
        let other = try String.fetchOne(
            database,
            sql: """
                SELECT name FROM sqlite_schema
                WHERE name IN (\(names)) AND (type <> 'table' OR sql NOT LIKE 'CREATE TABLE%')
                """)
        if let other { throw StoreError.damaged(path: path, detail: "its \(other) is no table") }
        guard try keepsChecksums(database) else { return }
        let stored = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'schema_checksum'")
        guard try stored == checksum(database) else {
            throw StoreError.damaged(path: path, detail: "its tables, indexes and views are not defined as they were")
        }
    }
}
