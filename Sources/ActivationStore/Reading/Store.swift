import Foundation
public import GRDB

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
    private let lanes = VersionCache<Int>()
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
    public func read<T>(_ body: (Database) throws -> T) throws -> T {
        try StoreFile.translating(path) {
            try pool.read { database in
                try StoreFile.checkLength(database, path: path)
                return try body(database)
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
        try read { try laneCount($0) - Self.removedCount($0) }
    }

    /// Images that were removed, and whose room ``Store/compact(path:run:)`` gives back.
    public func removedCount() throws -> Int { try read { try Self.removedCount($0) } }

    /// The ids of images are below it; those of removed images are not used again.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if it is more than the file can hold, or images are lost.
    package func laneCount(_ database: Database) throws -> Int {
        try lanes.value(database) {
            let lanes = try Self.laneCount(database, blockImages: description.blockImages)
            guard try canHold(lanes: lanes, database) else {
                throw StoreError.damaged(path: path, detail: "it tells of \(lanes) images, more than its bytes can hold")
            }
            let images = try Int.fetchOne(database, sql: "SELECT count(*) FROM image") ?? 0
            let removed = try Self.removedCount(database)
            guard images == lanes &- removed else {
                throw StoreError.damaged(
                    path: path,
                    detail: "it holds the activations of \(lanes) images, of which \(removed) were removed, and lists \(images)")
            }
            return lanes
        }
    }

    /// Whether the file is large enough for the activations of so many images.
    func canHold(lanes: Int, _ database: Database) throws -> Bool {
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        return (0...min(pages * Schema.largestPage / (4 * description.neuronCount), Int(UInt32.max) - 1)).contains(lanes)
    }

    /// One byte a lane, 1 where there is an image; nil where none was removed.
    package func presence(_ database: Database) throws -> [UInt8]? {
        guard try Self.removedCount(database) > 0 else { return nil }
        try checkImages(database)
        var mask = [UInt8](repeating: 0, count: try laneCount(database))
        let ids = try Int.fetchCursor(database, sql: "SELECT id FROM image")
        while let id = try ids.next() {
            if mask.indices.contains(id) { mask[id] = 1 }
        }
        return mask
    }

    /// How the last run ended; nil while it goes on, or where it was killed.
    func lastRunStatus() throws -> RunStatus? {
        try read { database in
            try CheckedTable.run.map(database, "ORDER BY id DESC LIMIT 1", path: path) { row -> String in
                try row.decode(forColumn: "status")
            }
        }.first.flatMap { RunStatus(rawValue: $0) }
    }

    /// Files that could not be decoded, by path.
    public func skipped() throws -> [SkippedRecord] {
        try read { database in
            try CheckedTable.skippedImage.map(database, "ORDER BY path", path: path) { try SkippedRecord(row: $0) }
        }
    }

    /// Whether the lists and statistics are of all images, and of no other. While a store is being built, or after images were removed, they
    /// are not, and answers come from a scan of the blocks instead.
    public func isDerivedComplete() throws -> Bool { try read { try isDerivedComplete($0) } }

    /// Those of a store before version 3 have no checksums and are not gone by.
    package func isDerivedComplete(_ database: Database) throws -> Bool {
        try Schema.keepsChecksums(database) && Self.derivedThrough(database) == laneCount(database)
            && Self.removedCount(database) == 0
    }

    // MARK: Blocks

    /// Lanes of every block.
    package func blocks(_ database: Database) throws -> [Int] {
        Self.blocks(of: try laneCount(database), size: description.blockImages)
    }

    static func blocks(of lanes: Int, size: Int) -> [Int] {
        (0..<(lanes + size - 1) / size).map { min(size, lanes - $0 * size) }
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
