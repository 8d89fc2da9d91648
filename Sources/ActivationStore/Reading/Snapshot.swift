import GRDB

/// One read transaction of one store: whatever is asked of it comes from one committed state of the file.
///
/// It belongs to one connection and one thread, and is of no use after ``Store/read(_:)`` has ended.
public struct Snapshot {
    public let store: Store
    let database: Database

    public var description: StoreDescription { store.description }
    /// Of the store.
    public var path: String { store.path }

    // MARK: Small questions in SQL

    /// The first column of the first row; nil where there is no row, or it is NULL.
    /// - Parameter arguments: of the parameters `?1`, `?2`, … in order.
    /// - Throws: SQLite's error, which ``Store/read(_:)`` turns into a ``StoreError``.
    public func int(_ sql: String, _ arguments: String...) throws -> Int? {
        try Int.fetchOne(database, sql: sql, arguments: StatementArguments(arguments))
    }

    /// The first column of all rows.
    /// - Throws: as ``int(_:_:)``; ``StoreError/damaged(path:detail:)`` for NULL.
    public func texts(_ sql: String, _ arguments: String...) throws -> [String] {
        try String.fetchAll(database, sql: sql, arguments: StatementArguments(arguments))
    }

    /// Gives `body` every row, which is valid during the call.
    /// - Throws: as ``int(_:_:)``, and what `body` throws.
    package func rows(_ sql: String, _ arguments: String..., body: (RawStatement) throws -> Void) throws {
        let statement = try RawStatement(self, sql)
        for (index, argument) in arguments.enumerated() { statement.bind(Int32(index + 1), text: argument) }
        while try statement.step() { try body(statement) }
    }

    /// Columns of the view of images.
    package func imageColumns() throws -> [String] { try database.columns(in: "image_info").map(\.name) }

    // MARK: Readers of rows, each for as long as the snapshot is there

    package func scan() throws -> BlockScan { try BlockScan(database, path: path, description: description) }

    /// Of the kept lists of the strongest.
    package func topLists() throws -> TopLists { try TopLists(database, path: path, description: description) }

    package func statisticsRows() throws -> StatisticsRows {
        try StatisticsRows(database, path: path, description: description)
    }

    /// - Parameter selection: what follows the table: WHERE, ORDER BY.
    package func imageRows(_ selection: String) throws -> ImageRows { try ImageRows(database, path: path, selection) }

    // MARK: Images

    /// Images that were removed, whose lanes are still there.
    func removedCount() throws -> Int { try Store.removedCount(database) }

    /// The ids of images are below it; those of removed images are not used again.
    /// - Throws: ``StoreError/damaged(path:detail:)`` if it is more than the file can hold, or images are lost.
    package func laneCount() throws -> Int {
        try store.lanes.value(self) {
            let lanes = try Store.laneCount(database, blockImages: description.blockImages)
            guard try canHold(lanes: lanes) else {
                throw StoreError.damaged(path: path, detail: "it tells of \(lanes) images, more than its bytes can hold")
            }
            let images = try Int.fetchOne(database, sql: "SELECT count(*) FROM image") ?? 0
            let removed = try removedCount()
            guard images == lanes &- removed else {
                throw StoreError.damaged(
                    path: path,
                    detail: "it holds the activations of \(lanes) images, of which \(removed) were removed, and lists \(images)")
            }
            return lanes
        }
    }

    /// Whether the file is large enough for the activations of so many images.
    func canHold(lanes: Int) throws -> Bool {
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        return (0...min(pages * Schema.largestPage / (4 * description.neuronCount), Int(UInt32.max) - 1)).contains(lanes)
    }

    /// Lanes of every block.
    package func blocks() throws -> [Int] { Store.blocks(of: try laneCount(), size: description.blockImages) }

    /// One byte a lane, 1 where there is an image; nil where none was removed.
    package func presence() throws -> [UInt8]? {
        guard try removedCount() > 0 else { return nil }
        try checkImages()
        var mask = [UInt8](repeating: 0, count: try laneCount())
        let ids = try Int.fetchCursor(database, sql: "SELECT id FROM image")
        while let id = try ids.next() {
            if mask.indices.contains(id) { mask[id] = 1 }
        }
        return mask
    }

    /// Whether the lists and statistics are of all images, and of no other. Those of a store before version 3 have no checksums and are not
    /// gone by.
    package func isDerivedComplete() throws -> Bool {
        try Schema.keepsChecksums(database) && Store.derivedThrough(database) == laneCount() && removedCount() == 0
    }
}
