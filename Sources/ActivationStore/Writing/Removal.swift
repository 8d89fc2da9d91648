import GRDB
import Support

extension Store {
    /// Forgets images, with the explanations that are kept of them. Their lanes stay, and answers pass them over, until ``compact(path:run:)``.
    ///
    /// - Parameter ids: those that are not there are passed over.
    /// - Returns: how many were there.
    /// - Throws: ``StoreError`` where the store cannot be written.
    @discardableResult
    public func remove(images ids: [Int]) throws -> Int {
        try edit { database in
            let count = try ids.reduce(0) { try $0 + (Self.delete(image: $1, database) ? 1 : 0) }
            try Self.addRemoved(count, database)
            return count
        }
    }

    /// Deletes an image's row, and the explanations of it, unless a copy of the file stays.
    /// - Returns: whether it was there.
    static func delete(image id: Int, _ database: Database) throws -> Bool {
        try database.execute(
            sql: """
                DELETE FROM explanation WHERE image_sha256 = (SELECT sha256 FROM image WHERE id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM image a JOIN image b ON b.sha256 = a.sha256 AND b.id <> a.id WHERE a.id = ?1)
                """, arguments: [id])
        try database.execute(sql: "DELETE FROM thumbnail WHERE image_id = ?", arguments: [id])
        try database.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id])
        return database.changesCount > 0
    }

    /// Counts images whose rows were deleted.
    static func addRemoved(_ count: Int, _ database: Database) throws {
        guard count > 0 else { return }
        try database.execute(
            sql: "INSERT INTO meta VALUES ('removed', ?1) ON CONFLICT(key) DO UPDATE SET value = value + ?1", arguments: [count])
    }

    /// Writes a store anew without the room of removed images: image ids are dense again, and its rows are those of one run over the
    /// images that are left. The new file takes the old one's place at once, when it is whole.
    ///
    /// - Throws: ``StoreError``: no store, one that is being written or damaged, a full disk. The store is then as it was.
    public static func compact(path: String, run: RunRecord) throws {
        let lock = try WriterLock(store: path)
        defer { withExtendedLifetime(lock) {} }
        // Brings what a write-ahead log holds into the file, and what a killed writer left out of it.
        let name = try StoreName.resolved(path)
        if case .store = try StoreFile.inspect(path),
            StoreName.holdsPages(name + "-wal") || StoreName.holdsPages(name + "-journal")
        {
            try StoreFile.translating(path) {
                let database = try StoreFile.writable(path)
                try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
                try database.close()
            }
        }
        let source = try open(path: path)
        try StoreName.replace(path, by: .compacting) { temporary in
            let writer = try StoreWriter.open(path: temporary, description: source.description, run: run)
            _ = try writer.relabel(Relabelling(source: source.labelSource()))
            try Activity.run("copying activations") { try writer.append(contentsOf: source) }
            try writer.appendAttributes(of: [source])
            if let origin = try source.imageOrigin() { try writer.record(origin) }
            try writer.finish()
            try copyKept(from: path, to: temporary)
        }
    }

    /// What stands beside the activations: runs, explanations, the last layer.
    private static func copyKept(from source: String, to path: String) throws {
        try StoreFile.translating(path) {
            let database = try StoreFile.writable(path)
            try database.writeWithoutTransaction { database in
                try database.execute(sql: "ATTACH DATABASE ? AS source", arguments: [StoreFile.name(source)])
                // Deferred: an immediate one would write to the source too, by a journal of both that a kill leaves behind.
                try database.inTransaction(.deferred) {
                    // This run comes after those before it.
                    try CheckedTable.run.change(database, where: "1") {
                        try database.execute(sql: "UPDATE run SET id = id + (SELECT ifnull(max(id), 0) FROM source.run)")
                    }
                    for table in [CheckedTable.run, .explanation, .camHead] { try copy(table, database) }
                    return .commit
                }
                try database.execute(sql: "DETACH DATABASE source; PRAGMA journal_mode = DELETE")
            }
            try database.close()
        }
    }

    /// Copies a table's rows from the attached store; those of a store before version 4 are given their checksums.
    private static func copy(_ table: CheckedTable, _ database: Database) throws {
        guard try database.tableExists(table.name, in: "source") else { return }
        let version = try Int.fetchOne(database, sql: "PRAGMA source.user_version") ?? 0
        let hasChecksum = version >= 4 || table.name == CheckedTable.explanation.name
        try database.execute(
            sql: """
                INSERT INTO \(table.name)(\(table.list), checksum)
                SELECT \(table.list), \(hasChecksum ? "checksum" : "0") FROM source.\(table.name)
                """)
        guard version < 4 else { return }
        if hasChecksum { try Schema.sealExplanations(database) } else { try table.seal(database) }
    }
}
