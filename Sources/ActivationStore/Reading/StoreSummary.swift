import Foundation
import GRDB

/// What is in a store, in numbers.
public struct StoreSummary: Equatable, Sendable {
    /// A name and how many images have it.
    public struct Count: Hashable, Sendable {
        public let name: String
        public let images: Int
    }

    /// One time that the store was opened for writing.
    public struct Run: Hashable, Sendable {
        public let toolVersion: String
        /// ISO 8601, UTC.
        public let started: String
        public let finished: String?
        /// `running`, `done`, `interrupted` or `failed`.
        public let status: String
        public let host: String?
        /// The command line.
        public let arguments: [String]
        public let jobs: Int?
        public let imagesDone: Int
        public let imagesSkipped: Int
        public let seconds: Double?
    }

    public let images: Int
    /// Images that were removed, and whose room is still taken.
    public let removed: Int
    /// Files that could not be decoded.
    public let skipped: Int
    /// Most frequent first, ties by name.
    public let labels: [Count]
    public let unlabelled: Int
    /// By name; images without a split are in none.
    public let splits: [Count]
    /// Images whose label is a class of the network, and those among them that it answered right.
    public let answers: Int
    public let rightAnswers: Int
    /// Whether statistics and lists cover all images.
    public let isDerivedComplete: Bool
    /// Of the file.
    public let bytes: Int
    /// Of these, what kept explanations and a fitted last layer take, and what was given back and not used again.
    public let explanationBytes: Int
    public let freeBytes: Int
    /// Small pictures of images; nil where they were not counted.
    public let thumbnails: ThumbnailCount?
    /// Images that the store is to have when the run that was begun last is done; nil where it is, or was made otherwise.
    public let planned: Int?
    /// Whether a run holds the store now.
    public let isBeingWritten: Bool
    /// In order.
    public let runs: [Run]
}

extension Store {
    /// Counts what is in the store, in one state of the file.
    /// - Parameter countsThumbnails: whether thumbnails are counted too, for which all their bytes are read.
    public func summary(countsThumbnails: Bool = true) throws -> StoreSummary {
        let bytes = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return try read { snapshot in
            try snapshot.checkImages()
            let database = snapshot.database
            let removed = try snapshot.removedCount()
            let images = try snapshot.laneCount() - removed
            let labels = try counts(
                database, "SELECT b.name, count(*) FROM image i JOIN label b ON b.id = i.label_id GROUP BY 1 ORDER BY 2 DESC, 1")
            let answers = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(*), ifnull(sum(b.class_id = i.predicted_class_id OR k.name = c.name), 0) FROM image i
                    JOIN label b ON b.id = i.label_id JOIN class k ON k.id = b.class_id
                    LEFT JOIN class c ON c.id = i.predicted_class_id
                    WHERE i.predicted_class_id IS NOT NULL
                    """)
            return try StoreSummary(
                images: images, removed: removed, skipped: CheckedTable.skippedImage.map(database, path: path) { _ in 1 }.count,
                labels: labels,
                unlabelled: images - labels.reduce(0) { $0 + $1.images },
                splits: counts(
                    database, "SELECT split, count(*) FROM image WHERE split IS NOT NULL GROUP BY 1 ORDER BY 1"),
                answers: answers?.decode(atIndex: 0) ?? 0, rightAnswers: answers?.decode(atIndex: 1) ?? 0,
                isDerivedComplete: snapshot.isDerivedComplete(),
                bytes: bytes ?? 0, explanationBytes: explanationBytes(database), freeBytes: Self.freeBytes(database),
                thumbnails: countsThumbnails ? Self.thumbnailCount(database) : nil,
                planned: Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'planned'"),
                isBeingWritten: WriterLock.isHeld(store: path),
                runs: CheckedTable.run.map(database, "ORDER BY id", path: path) { try StoreSummary.Run(row: $0) })
        }
    }

    private static func freeBytes(_ database: Database) throws -> Int {
        try (Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0) * (Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0)
    }

    /// Pages of the tables that only asking fills, and of their indexes; without SQLite's own count of them, the bytes of their blobs.
    private func explanationBytes(_ database: Database) throws -> Int {
        let tables = try ["explanation", "cam_head"].filter { try database.tableExists($0) }
        let names = try tables.flatMap { table in
            try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE tbl_name = ?", arguments: [table])
        }
        do {
            return try names.reduce(0) { sum, name in
                try sum
                    + (Int.fetchOne(
                        database, sql: "SELECT sum(pgsize) FROM dbstat WHERE name = ? AND aggregate = 1", arguments: [name]) ?? 0)
            }
        } catch is DatabaseError {
            guard tables.contains("explanation") else { return 0 }
            return try Int.fetchOne(database, sql: "SELECT ifnull(sum(length(map) + length(picture)), 0) FROM explanation") ?? 0
        }
    }

    private func counts(_ database: Database, _ sql: String) throws -> [StoreSummary.Count] {
        try Row.fetchAll(database, sql: sql).map {
            try StoreSummary.Count(name: $0.decode(atIndex: 0), images: $0.decode(atIndex: 1))
        }
    }
}

extension StoreSummary.Run {
    fileprivate init(row: Row) throws {
        toolVersion = try row.decode(forColumn: "tool_version")
        started = try row.decode(forColumn: "started")
        finished = try row.decode(forColumn: "finished")
        status = try row.decode(forColumn: "status")
        host = try row.decode(forColumn: "host")
        let json: String? = try row.decode(forColumn: "arguments")
        arguments = json.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
        jobs = try row.decode(forColumn: "jobs")
        imagesDone = try row.decode(forColumn: "images_done")
        imagesSkipped = try row.decode(forColumn: "images_skipped")
        seconds = try row.decode(forColumn: "seconds")
    }
}
