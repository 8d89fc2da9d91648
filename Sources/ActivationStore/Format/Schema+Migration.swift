import GRDB

extension Schema {
    static func version(_ database: Database) throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "PRAGMA user_version")) ?? 0
    }

    /// Whether images, lists, statistics and the store's description have checksums: since version 3.
    static func keepsChecksums(_ database: Database) throws -> Bool { try version(database) >= 3 }

    /// Brings an older store to the present version, in the caller's transaction.
    ///
    /// From versions before 3, lists and statistics are made again from the blocks, whose checksums are as old as they are: what has no checksum
    /// may be damaged, and would get a good one. Images, runs, reasons why files were skipped, and a fitted last layer are taken as they are;
    /// explanations too, but those whose map or picture is damaged stay so.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a block that is, and as ``check(_:path:)``.
    static func migrate(_ database: Database, path: String) throws {
        let found = try version(database)
        guard found < version else { return }
        try check(database, path: path)
        let description = try StoreDescription(database, path: path)
        for (index, sql) in migrations.enumerated() where index + 1 >= found {
            try database.execute(sql: sql)
            try database.execute(sql: "PRAGMA user_version = \(index + 2)")
        }
        guard found < 4 else { return }
        try database.execute(sql: "DELETE FROM meta WHERE key IN ('description_checksum', 'schema_checksum')")
        try StoreDescription.insertChecksum(database)
        for table in [CheckedTable.run, .skippedImage, .camHead] { try table.seal(database) }
        try sealExplanations(database)
        if found < 3 { try deriveAnew(database, description, path: path) }
    }

    /// Gives explanations of before version 4, whose maps and pictures alone had a checksum, one of their rows.
    static func sealExplanations(_ database: Database) throws {
        try CheckedTable.explanation.seal(database) { row in
            let old = try Int.fetchOne(
                database, sql: "SELECT checksum FROM explanation WHERE id = ?", arguments: [row[0] as DatabaseValue])
            return try Int(Store.checksum(map: row.decode(forColumn: "map"), picture: row.decode(forColumn: "picture"))) == old
        }
    }

    private static func deriveAnew(_ database: Database, _ description: StoreDescription, path: String) throws {
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
}
