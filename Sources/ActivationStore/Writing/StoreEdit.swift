package import GRDB

extension Store {
    /// Changes what is kept beside the activations, in one transaction, and leaves one plain file. A store of an older version is brought to
    /// the present one first.
    ///
    /// - Throws: ``StoreError``: one that goes on being written for two seconds, a file or folder that cannot be written, a full disk.
    package func edit<T>(_ body: (Database) throws -> T) throws -> T {
        let lock = try WriterLock.waiting(store: path, seconds: 2)
        defer { withExtendedLifetime(lock) {} }
        return try StoreFile.translating(path) {
            let database = try StoreFile.writable(path)
            var result: T?
            try database.inTransaction(.immediate) { database in
                try Schema.check(database, path: path)
                try Schema.migrate(database, path: path)
                result = try body(database)
                return .commit
            }
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try database.close()
            guard let result else { preconditionFailure("a transaction that was committed has run") }
            return result
        }
    }
}
