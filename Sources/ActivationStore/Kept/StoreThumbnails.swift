import GRDB
import Support

/// The thumbnails that a store keeps of its images. No answer is read from them.
extension Thumbnail {
    /// Of the longest side, in pixels.
    public static let sides = 16...1024
}

/// How many thumbnails there are.
public struct ThumbnailCount: Equatable, Sendable {
    public var count = 0
    /// Of their JPEGs.
    public var bytes = 0

    public init(count: Int = 0, bytes: Int = 0) { (self.count, self.bytes) = (count, bytes) }
}

extension Store {
    /// An image's thumbnail; nil where there is none, or where its bytes are not those that were written.
    public func thumbnail(image id: Int) throws -> Thumbnail? {
        try read { snapshot in
            let database = snapshot.database
            guard let thumbnail = try Self.thumbnails(database, ids: [id])[id], thumbnail.isIntact else { return nil }
            return thumbnail
        }
    }

    /// Those of images that are there and what was written, by id.
    public func thumbnails(images ids: some Sequence<Int>) throws -> [Int: Thumbnail] {
        try read { snapshot in
            let database = snapshot.database
            return try ids.reduce(into: [:]) { found, id in
                if let thumbnail = try Self.thumbnails(database, ids: [id])[id], thumbnail.isIntact { found[id] = thumbnail }
            }
        }
    }

    /// How many there are, damaged ones too.
    public func thumbnailCount() throws -> ThumbnailCount { try read { try Self.thumbnailCount($0.database) } }

    static func thumbnailCount(_ database: Database) throws -> ThumbnailCount {
        guard try keepsThumbnails(database),
            let row = try Row.fetchOne(database, sql: "SELECT count(*), ifnull(sum(length(jpeg)), 0) FROM thumbnail")
        else { return ThumbnailCount() }
        return ThumbnailCount(count: try row.decode(atIndex: 0), bytes: try row.decode(atIndex: 1))
    }

    /// Those of images, by id.
    static func thumbnails(_ database: Database, ids: [Int]) throws -> [Int: Thumbnail] {
        guard let first = ids.min(), let last = ids.max(), try keepsThumbnails(database) else { return [:] }
        var found: [Int: Thumbnail] = [:]
        try CheckedTable.thumbnail.visit(database, "WHERE image_id BETWEEN ? AND ?", [first, last]) { row, isIntact in
            var thumbnail = Thumbnail(jpeg: try row.decode(forColumn: "jpeg"))
            thumbnail.isIntact = isIntact
            found[try row.decode(forColumn: "image_id")] = thumbnail
        }
        return found
    }

    /// Whether the file has the table at all: since version 5.
    static func keepsThumbnails(_ database: Database) throws -> Bool { try Schema.version(database) >= 5 }
}

extension StoreWriter {
    /// Says how large the thumbnails of images are that are added from now on; nil for none, and forgets those that are there.
    /// - Returns: how many were forgotten.
    /// - Throws: ``StoreError``.
    @discardableResult
    public func keepThumbnails(side: Int?) throws -> Int {
        precondition(side.map { Thumbnail.sides.contains($0) } ?? true, "a thumbnail's side is \(Thumbnail.sides)")
        let forgotten = try StoreFile.translating(path) {
            try database.write { database in
                try database.execute(sql: "DELETE FROM meta WHERE key = 'thumbnails'")
                if let side { try database.execute(sql: "INSERT INTO meta VALUES ('thumbnails', ?)", arguments: ["\(side)"]) }
                try StoreDescription.insertChecksum(database)
                guard side == nil else { return 0 }
                let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM thumbnail") ?? 0
                try database.execute(sql: "DELETE FROM thumbnail")
                return count
            }
        }
        setThumbnailSide(side)
        return forgotten
    }

    /// Images in the file that have no thumbnail, or a damaged one.
    public func imagesWithoutThumbnail() throws -> [(path: String, image: KnownImage)] {
        let known = try knownImages()
        let intact = try StoreFile.translating(path) {
            try database.read { database in
                var ids: Set<Int> = []
                try CheckedTable.thumbnail.visit(database) { row, isIntact in
                    if isIntact { ids.insert(try row.decode(forColumn: "image_id")) }
                }
                return ids
            }
        }
        return known.filter { !intact.contains($0.value.id) }.map { ($0.key.text, $0.value) }.sorted { $0.1.id < $1.1.id }
    }

    /// Keeps thumbnails of images that are in the file, by id: one transaction.
    /// - Throws: ``StoreError``.
    public func keep(_ thumbnails: [(image: Int, thumbnail: Thumbnail)]) throws {
        try StoreFile.translating(path) {
            try database.write { database in
                for (id, thumbnail) in thumbnails {
                    try CheckedTable.thumbnail.insert(database, [id, thumbnail.jpeg], isTrusted: thumbnail.isIntact)
                }
            }
        }
    }
}
