import Foundation
import GRDB

/// A store, open for reading. Its methods may be called from any thread; each sees one committed state of the file.
public final class Store: Sendable {
    public let path: String
    public let description: StoreDescription
    private let pool: DatabasePool
    let helpers: Helpers
    /// Connections that share a large question, and how many rows it reads at least for each.
    package let readers: Int
    let smallestShare: Int
    let checked = VersionCache<Void>()
    let lanes = VersionCache<Int>()
    /// Paths and labels of all images, by id.
    package let names = VersionCache<[(path: String, label: String?)]>()

    /// Opens a store.
    /// - Parameter mapsPages: whether pages that are read stay mapped, which is the fastest where they are read again; what reads the whole
    ///   store once would take as much memory as it has bytes.
    /// - Throws: ``StoreError``: no file, no store, a newer one, a damaged one, one that stays locked.
    public static func open(path: String, mapsPages: Bool = true) throws -> Store {
        try open(path: path, readers: min(ProcessInfo.processInfo.activeProcessorCount, 8), mapsPages: mapsPages)
    }

    /// Closes its connections, so that the file can be replaced; nothing may be asked of it afterwards.
    /// - Throws: ``StoreError``.
    public func close() throws { try StoreFile.translating(path) { try pool.close() } }

    /// - Parameters:
    ///   - readers: connections that share a large question.
    ///   - smallestShare: rows that it reads at least for each of them: 2000 take some milliseconds.
    package static func open(path: String, readers: Int, smallestShare: Int = 2000, mapsPages: Bool = true) throws -> Store {
        guard case .store = try StoreFile.inspect(path) else {
            if FileManager.default.fileExists(atPath: path) { throw StoreError.notAStore(path: path, found: "an empty file") }
            throw StoreError.missing(path: path, nearest: StoreFile.nearest(to: path))
        }
        return try StoreFile.translating(path) {
            try Store(path: path, readers: readers, smallestShare: smallestShare, mapsPages: mapsPages)
        }
    }

    private init(path: String, readers: Int, smallestShare: Int, mapsPages: Bool) throws {
        (self.path, self.readers, self.smallestShare) = (path, readers, smallestShare)
        helpers = Helpers(path: path)
        pool = try StoreFile.readable(path, mapsPages: mapsPages)
        description = try pool.read { database in
            guard try database.tableExists("meta") else {
                throw StoreError.notAStore(path: path, found: "a SQLite file without tables")
            }
            try StoreFile.checkLength(database, path: path)
            try Schema.check(database, path: path)
            return try StoreDescription(database, path: path)
        }
    }

    /// Runs `body` in one read transaction. SQLite's errors come out as ``StoreError``.
    public func read<T>(_ body: (Snapshot) throws -> T) throws -> T {
        try StoreFile.translating(path) {
            try pool.read { database in
                try StoreFile.checkLength(database, path: path)
                return try body(Snapshot(store: self, database: database))
            }
        }
    }

    // MARK: Counts

    /// Lanes of all blocks: the ids of images are below it.
    static func laneCount(_ database: Database, blockImages: Int) throws -> Int {
        let images = try Int.fetchOne(database, sql: "SELECT ifnull(max(id) + 1, 0) FROM image") ?? 0
        // Images at the end may have been removed.
        guard let last = try Row.fetchOne(database, sql: "SELECT id, n FROM activation_block ORDER BY id DESC LIMIT 1") else {
            return images
        }
        return max(
            images, (try last.decode(Int.self, atIndex: 0) >> 20) * blockImages + min(try last.decode(atIndex: 1), blockImages))
    }

    /// Images that were removed, whose lanes are still there.
    static func removedCount(_ database: Database) throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT value FROM meta WHERE key = 'removed'")) ?? 0
    }

    static func derivedThrough(_ database: Database) throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT value FROM meta WHERE key = 'derived_through'")) ?? 0
    }

    /// Images in the store.
    /// - Throws: ``StoreError/damaged(path:detail:)`` where the file contradicts itself.
    public func imageCount() throws -> Int {
        try read { try $0.laneCount() - $0.removedCount() }
    }

    /// Images that were removed, and whose room ``Store/compact(path:run:)`` gives back.
    public func removedCount() throws -> Int { try read { try $0.removedCount() } }

    /// How the last run ended; nil while it goes on, or where it was killed.
    func lastRunStatus() throws -> RunStatus? {
        try read { snapshot in
            try CheckedTable.run.map(snapshot.database, "ORDER BY id DESC LIMIT 1", path: path) { row -> String in
                try row.decode(forColumn: "status")
            }
        }.first.flatMap { RunStatus(rawValue: $0) }
    }

    /// Files that could not be decoded, by path.
    public func skipped() throws -> [SkippedRecord] {
        try read { snapshot in
            try CheckedTable.skippedImage.map(snapshot.database, "ORDER BY path", path: path) { try SkippedRecord(row: $0) }
        }
    }

    /// Whether the lists and statistics are of all images, and of no other. While a store is being built, or after images were removed, they
    /// are not, and answers come from a scan of the blocks instead.
    public func isDerivedComplete() throws -> Bool { try read { try $0.isDerivedComplete() } }

    static func blocks(of lanes: Int, size: Int) -> [Int] {
        (0..<(lanes + size - 1) / size).map { min(size, lanes - $0 * size) }
    }
}
