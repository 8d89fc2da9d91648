import Foundation
public import GRDB

/// A store, open for reading. Its methods may be called from any thread; each sees one committed state of the file.
public final class Store: Sendable {
    public let path: String
    public let description: StoreDescription
    private let pool: DatabasePool

    /// Opens a store.
    /// - Throws: ``StoreError``: no file, no store, a newer one, a damaged one, one that stays locked.
    public static func open(path: String) throws -> Store {
        guard case .store = try StoreFile.inspect(path) else {
            if FileManager.default.fileExists(atPath: path) { throw StoreError.notAStore(path: path, found: "an empty file") }
            throw StoreError.missing(path: path)
        }
        return try StoreFile.translating(path) { try Store(path: path) }
    }

    private init(path: String) throws {
        self.path = path
        pool = try StoreFile.readable(path)
        description = try pool.read { database in
            guard try database.tableExists("meta") else {
                throw StoreError.notAStore(path: path, found: "a SQLite file without tables")
            }
            return try StoreDescription(database, path: path)
        }
    }

    /// Runs `body` in one read transaction. SQLite's errors come out as ``StoreError``.
    public func read<T>(_ body: (Database) throws -> T) throws -> T {
        try StoreFile.translating(path) { try pool.read(body) }
    }

    // MARK: Counts

    static func imageCount(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT ifnull(max(id) + 1, 0) FROM image") ?? 0
    }

    static func derivedThrough(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'derived_through'") ?? 0
    }

    /// Images in the store. Their ids are `0 ..< imageCount()`.
    public func imageCount() throws -> Int { try read { try Self.imageCount($0) } }

    /// Files that could not be decoded, by path.
    public func skipped() throws -> [SkippedRecord] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT path, reason, bytes, mtime_ns FROM skipped_image ORDER BY path").map {
                SkippedRecord(path: $0[0], reason: $0[1], bytes: $0[2], modified: $0[3])
            }
        }
    }

    /// Whether the lists and statistics cover all images. While a store is being built they do not, and answers come from a
    /// scan of the blocks instead.
    public func isDerivedComplete() throws -> Bool { try read { try isDerivedComplete($0) } }

    package func isDerivedComplete(_ database: Database) throws -> Bool {
        try Self.derivedThrough(database) == Self.imageCount(database)
    }

    // MARK: Blocks

    /// Lanes of every block.
    package func blocks(_ database: Database) throws -> [Int] {
        let images = try Self.imageCount(database)
        let size = description.blockImages
        return (0..<(images + size - 1) / size).map { min(size, images - $0 * size) }
    }

    /// A scanner for one read transaction.
    package func scan(_ database: Database) throws -> BlockScan {
        try BlockScan(database, path: path, description: description)
    }

    /// A reader of the kept lists for one read transaction.
    package func topLists(_ database: Database) throws -> TopLists {
        try TopLists(database, path: path, description: description)
    }
}
