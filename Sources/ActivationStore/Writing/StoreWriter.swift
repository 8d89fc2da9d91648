import Foundation
package import GRDB
public import Support

/// How a run ended.
public enum RunStatus: String, Sendable {
    case done
    /// Stopped by the user; everything that was handed over is kept.
    case interrupted
    case failed
}

/// Writes a store: images in dataset order, whole blocks, derived tables at the end.
///
/// A block, its images and its skipped files are one transaction, so a kill at any moment loses at most the block being filled
/// and leaves a store that opens. A store that was interrupted and resumed, or grown in steps, ends with the rows (all tables
/// but `run`) of one that was never disturbed.
///
/// Use it from one thread at a time; it may be handed from one to another, which is all that `Sendable` says here. Every 640th
/// `append`, or an earlier one where blocks are smaller, writes a block (about a twentieth of the time that its images took to compute), so a caller that computes on other
/// threads keeps some 64 results queued to go on meanwhile; that costs less memory than a second block here would.
public final class StoreWriter: @unchecked Sendable {
    public let path: String
    /// As stored, if the store was there already.
    public private(set) var description: StoreDescription
    /// Images appended and handed over, committed or not, and those removed since: the id of the next one.
    public var imageCount: Int { block * description.blockImages + buffer.count }

    package let database: DatabaseQueue
    private var lock: WriterLock?
    let buffer: BlockBuffer
    let derived: DerivedState
    private let run: Int64
    private let started: Date

    /// The block being filled, and how many of its lanes are in the file already.
    private(set) var block: Int
    private(set) var committedLanes: Int
    /// Lanes of the block that `derived` has, and images that the derived tables in the file have.
    private var foldedLanes: Int
    private(set) var savedThrough: Int
    private var pending = PendingImages()
    private var labels: [String: Int64]
    /// Hash values of the paths in the file, from the first append on: a path whose hash is not here is new.
    private var committedPaths: Set<Int>?
    private var finished = false

    /// Creates a store, or opens one to go on.
    /// - Throws: ``StoreError``: no store, a newer one, one of something else (`differs`), one that is being written, a folder
    ///   that cannot be written, a full disk.
    public static func open(path: String, description: StoreDescription, run: RunRecord) throws -> StoreWriter {
        try description.refuseNUL()
        _ = try StoreFile.inspect(path)
        let lock = try WriterLock(store: path)
        _ = try StoreFile.inspect(path)
        try StoreName.refuseLeftJournal(path)
        return try StoreFile.translating(path) {
            try StoreWriter(path: path, description: description, run: run, lock: lock)
        }
    }

    private init(path: String, description wanted: StoreDescription, run record: RunRecord, lock: WriterLock) throws {
        let database = try StoreFile.writable(path)
        let started = Date()
        var description = wanted
        var run: Int64 = 0
        try database.inTransaction(.immediate) { database in
            if try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0 {
                if let detail = wanted.impossibility { throw StoreError.unstorable(path: path, detail: detail) }
                try database.execute(sql: Schema.sql)
                try wanted.insert(database)
            } else {
                try Schema.check(database, path: path)
                try Schema.migrate(database, path: path)
                description = try StoreDescription(database, path: path)
                if let difference = wanted.difference(from: description) {
                    throw StoreError.differs(
                        path: path, property: difference.property, expected: difference.expected, found: difference.found)
                }
            }
            run = try record.insert(database, path: path, started: started)
            return .commit
        }
        let images = try database.read { try Store.laneCount($0, blockImages: description.blockImages) }
        let saved = try database.read { try Store.derivedThrough($0) }
        self.path = path
        self.description = description
        self.database = database
        self.lock = lock
        self.run = run
        self.started = started
        buffer = BlockBuffer(description)
        derived = DerivedState(description)
        block = images / description.blockImages
        committedLanes = images % description.blockImages
        foldedLanes = committedLanes
        savedThrough = max(0, min(saved, images))
        labels = try database.read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT name, id FROM label")
            return try Dictionary(
                rows.map { (try $0.decode(atIndex: 0), try $0.decode(atIndex: 1)) }, uniquingKeysWith: { first, _ in first })
        }
        if images > 0 || saved > 0 { try restore() }
    }

    func setThumbnailSide(_ side: Int?) { description.thumbnailSide = side }

    // MARK: What is there

    /// The images in the file, by path.
    public func knownImages() throws -> [ExactString: KnownImage] {
        try reading { database in
            var known: [ExactString: KnownImage] = [:]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT path, i.id, sha256, bytes, mtime_ns, b.name, split FROM image i LEFT JOIN label b ON b.id = i.label_id
                    """)
            while let row = try rows.next() {
                known[ExactString(try row.decode(atIndex: 0))] = KnownImage(
                    id: try row.decode(atIndex: 1), sha256: try row.decode(atIndex: 2), bytes: try row.decode(atIndex: 3),
                    modified: try row.decode(atIndex: 4), label: try row.decode(atIndex: 5), split: try row.decode(atIndex: 6))
            }
            return known
        }
    }

    /// The files that could not be decoded, by path. Rows that are damaged are not among them, so that those files are tried again.
    public func knownSkipped() throws -> [ExactString: SkippedRecord] {
        try reading { database in
            var known: [ExactString: SkippedRecord] = [:]
            try CheckedTable.skippedImage.visit(database) { row, isIntact in
                guard isIntact else { return }
                let record = try SkippedRecord(row: row)
                known[ExactString(record.path)] = record
            }
            return known
        }
    }

    // MARK: Writing

    /// Says how many images more there are to be, so that a run that is stopped can be told from one that was done.
    /// - Throws: ``StoreError``.
    public func plan(images more: Int) throws {
        precondition(!finished, "the writer has finished")
        try StoreFile.translating(path) {
            try database.write { database in
                let images = try imageCount - Store.removedCount(database) + more
                try database.execute(
                    sql: "INSERT INTO meta VALUES ('planned', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1", arguments: [images])
            }
        }
    }

    /// Adds an image. Its id is ``imageCount`` before the call.
    /// - Parameters:
    ///   - values: the maximum of every neuron, in neuron order.
    ///   - positions: where it is, y · width + x.
    ///   - means: the spatial means of the layers with `hasMean`, in their order.
    ///   - old: the id of an image of the same path that this one stands for from now on; it is removed when this one is committed.
    /// - Throws: ``StoreError``. An image handed over in a call that throws is not in the store, and ``imageCount`` is as before:
    ///   after `diskFull` or `busy` the caller may hand it over again, which tries to write the block again. Nothing else is lost.
    public func append(
        image: ImageRecord, values: UnsafeBufferPointer<Float>, positions: UnsafeBufferPointer<UInt32>,
        means: UnsafeBufferPointer<Float>, replacing old: Int? = nil
    ) throws {
        try admit(image, replacing: old)
        buffer.append(values: values, positions: positions, means: means)
        pending.add(image, replacing: old)
        guard buffer.isFull else { return }
        do {
            try commitBlock()
        } catch {
            buffer.removeLast()
            pending.removeLastImage()
            throw error
        }
    }

    /// Gives images another path, label and split, as when their files were renamed: one transaction.
    /// - Throws: ``StoreError/duplicateImage(path:image:)`` for a path that is taken; then nothing is changed.
    public func rename(_ images: [(id: Int, path: String, label: String?, split: String?, modified: Int)]) throws {
        guard !images.isEmpty else { return }
        var labels = labels
        for image in images { try refuseDuplicate(image.path) }
        try StoreFile.translating(path) {
            try database.inTransaction(.immediate) { database in
                for image in images {
                    // A damaged row is not to get a new checksum.
                    let old = try ImageRows(database, path: path, "WHERE image.id = ?")
                    old.bind(image.id)
                    _ = try old.step()
                    old.reset()
                    let label = try PendingImages.label(image.label, &labels, classes: description.classes, database)
                    try database.execute(
                        sql: "UPDATE image SET path = ?, label_id = ?, split = ?, mtime_ns = ? WHERE id = ?",
                        arguments: [image.path, label?.id, image.split, image.modified, image.id])
                    try ImageRows.refreshChecksums(database, where: "image.id = \(image.id)")
                }
                return .commit
            }
        }
        self.labels = labels
        for image in images { committedPaths?.insert(ExactString(image.path).hashValue) }
    }

    /// Gives images that are in the file other labels and splits, and classes other names: one transaction.
    /// - Precondition: no image was handed over that is not in the file yet.
    /// - Throws: ``StoreError`` for damaged rows, and names with NUL characters.
    public func relabel(_ wanted: Relabelling) throws -> Relabelling.Summary {
        precondition(pending.isEmpty, "labels are changed before images are added")
        try wanted.refuseNUL()
        return try StoreFile.translating(path) {
            var applied: (plan: RelabellingPlan, labels: [String: Int64])?
            try database.inTransaction(.immediate) { database in
                let plan = try RelabellingPlan(wanted, of: description, path: path, database)
                applied = (plan, try plan.apply(database))
                return .commit
            }
            guard let applied else { preconditionFailure("a transaction that was committed has run") }
            labels = applied.labels
            description = applied.plan.description
            return applied.plan.summary
        }
    }

    /// Refuses an image that cannot be appended.
    func admit(_ image: ImageRecord, replacing old: Int? = nil) throws {
        precondition(!finished, "the writer has finished")
        precondition(image.sha256.count == 32, "a SHA-256 has 32 bytes")
        try StoreError.refuseNUL(image.label, "the label of \(image.path)")
        try StoreError.refuseNUL(image.split, "the split of \(image.path)")
        if old == nil { try refuseDuplicate(image.path) }
    }

    /// Says that images were written into the columns up to `lanes`.
    func take(_ images: [ImageRecord], lanes: Int) throws {
        buffer.restore(lanes: lanes)
        for image in images { pending.add(image, replacing: nil) }
        if buffer.isFull { try commitBlock() }
    }

    /// Remembers a file that could not be decoded. It is committed with the block being filled.
    public func appendSkipped(_ record: SkippedRecord) throws {
        precondition(!finished, "the writer has finished")
        pending.add(record)
    }

    /// Commits the block being filled, whatever its size, writes the derived tables and publishes the store as one plain file.
    /// - Parameter status: `interrupted` after Ctrl-C; what was handed over is kept all the same.
    public func finish(status: RunStatus = .done) throws {
        precondition(!finished, "the writer has finished")
        if buffer.count > committedLanes || !pending.isEmpty { try commitBlock() }
        try StoreFile.translating(path) {
            try database.inTransaction(.immediate) { database in
                if savedThrough != imageCount {
                    try derived.save(database, through: imageCount)
                }
                if status == .done { try database.execute(sql: "DELETE FROM meta WHERE key = 'planned'") }
                try CheckedTable.run.change(database, where: "id = \(run)") {
                    try database.execute(
                        sql: "UPDATE run SET status = ?, finished = ?, seconds = ? WHERE id = ?",
                        arguments: [
                            status.rawValue, RunRecord.timestamp(Date()), Date().timeIntervalSince(started), run,
                        ])
                }
                // Not the blocks: without an index ANALYZE would count their rows one by one.
                try database.execute(
                    sql: """
                        PRAGMA analysis_limit = 1000;
                        ANALYZE image; ANALYZE label; ANALYZE class; ANALYZE layer; ANALYZE top_list;
                        ANALYZE neuron_statistics;
                        """)
                return .commit
            }
            savedThrough = imageCount
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try database.close()
        }
        lock = nil
        finished = true
    }

    /// Keeps an attribute of images that were handed over, in place of one of its name: one transaction.
    func keepAttribute(_ attribute: Attribute) throws {
        try StoreFile.translating(path) {
            try database.inTransaction(.immediate) { database in
                try Store.insert(attribute, database)
                return .commit
            }
        }
    }

    // MARK: Inside

    private func reading<T>(_ body: (Database) throws -> T) throws -> T {
        try StoreFile.translating(path) { try database.read(body) }
    }

    private func refuseDuplicate(_ image: String) throws {
        if committedPaths == nil {
            committedPaths = try reading { database in
                try Set(String.fetchCursor(database, sql: "SELECT path FROM image").map { ExactString($0).hashValue })
            }
        }
        // To ask the file for every image took 40 µs, a fifth of the time of a small network's store.
        let isKnown =
            try pending.contains(image)
            || committedPaths?.contains(ExactString(image).hashValue) == true
                && reading { database in
                    try Int.fetchOne(database, sql: "SELECT 1 FROM image WHERE path = ?", arguments: [image]) != nil
                }
        if isKnown { throw StoreError.duplicateImage(path: path, image: image) }
    }

    private func commitBlock() throws {
        buffer.transpose()
        var labels = labels
        try StoreFile.translating(path) {
            try database.inTransaction(.immediate) { database in
                if buffer.count > committedLanes { try writeRows(database) }
                let first = block * description.blockImages + committedLanes
                try pending.removeReplaced(database)
                try pending.insert(database, firstID: first, labels: &labels, classes: description.classes)
                try Store.carryAttributes(database, path: path, from: pending.replacements(firstID: first))
                try CheckedTable.run.change(database, where: "id = \(run)") {
                    try database.execute(
                        sql: """
                            UPDATE run SET images_done = images_done + ?, images_skipped = images_skipped + ? WHERE id = ?
                            """, arguments: [pending.images.count, pending.skipped.count, run])
                }
                return .commit
            }
        }
        self.labels = labels
        for image in pending.images { committedPaths?.insert(ExactString(image.path).hashValue) }
        pending = PendingImages()
        // Only now, so that a block whose commit failed and is tried again is folded once. The columns lie in memory anyway.
        fold()
        committedLanes = buffer.count
        foldedLanes = buffer.count
        if buffer.isFull {
            block += 1
            committedLanes = 0
            foldedLanes = 0
            buffer.clear()
        }
    }

    /// Brings the block's new lanes into what is derived, some layers on each core.
    private func fold() {
        nonisolated(unsafe) let (derived, buffer) = (derived, buffer)
        let (layers, from, block) = (description.layers, foldedLanes, block)
        DispatchQueue.concurrentPerform(iterations: layers.count) { index in
            for channel in 0..<layers[index].channels {
                let (column, neuron) = (buffer.column(layer: index, channel: channel), layers[index].firstNeuron + channel)
                derived.fold(
                    neuron: neuron, values: column.values, positions: column.positions, width: column.width,
                    lanes: from, buffer.count, block: block)
            }
        }
    }

    private func writeRows(_ database: Database) throws {
        if committedLanes > 0 {
            let keys = Schema.keys(block: block)
            for table in ["activation_block", "mean_block"] {
                try database.execute(
                    sql: "DELETE FROM \(table) WHERE id BETWEEN ? AND ?", arguments: [keys.lowerBound, keys.upperBound])
            }
        }
        try BlockRows.write(buffer, block: block, database)
    }
}
