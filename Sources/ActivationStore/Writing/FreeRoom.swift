import GRDB

/// What a store's file has room for and does not use: SQLite keeps the pages of what was deleted for what comes next.
extension Store {
    /// Bytes of the file that hold nothing.
    public func freeBytes() throws -> Int { try pages("freelist_count") }

    /// Bytes of the file.
    public func fileBytes() throws -> Int { try pages("page_count") }

    private func pages(_ pragma: String) throws -> Int {
        try read { snapshot in try (snapshot.int("PRAGMA \(pragma)") ?? 0) * (snapshot.int("PRAGMA page_size") ?? 0)
        }
    }

    /// Writes a store anew without the room that it does not use; every row stays as it is. The new file takes the old one's
    /// place at once, when it is whole; until then both need room on the disk.
    ///
    /// - Throws: ``StoreError``: no store, one that is being written, a full disk. The store is then as it was.
    public static func giveBackRoom(path: String) throws {
        let lock = try WriterLock.waiting(store: path, seconds: 2)
        defer { withExtendedLifetime(lock) {} }
        // Rolls back what a writer that was killed has left, and refuses what is no store.
        _ = try open(path: path)
        try StoreName.replace(path, by: .compacting) { temporary in
            try StoreFile.translating(temporary) {
                let database = try StoreFile.writable(path)
                try database.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [temporary]) }
                try database.close()
            }
            // VACUUM INTO leaves that to its caller.
            try StoreFile.synchronise(temporary)
        }
    }
}
