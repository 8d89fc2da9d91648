public import Foundation
import GRDB
import Support

/// An image as the store knows it.
public struct StoredImage: Hashable, Sendable {
    public let id: Int
    public let path: String
    public let sha256: Data
    public let width: Int
    public let height: Int
    public let bytes: Int
    /// Nanoseconds since 1970.
    public let modified: Int
    public let label: String?
    public let split: String?
    public let predictedClass: Int?
    public let predictedScore: Double?
}

extension StoredImage {
    /// - Parameter row: of ``selectSQL``, from the store at `path`.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a row that is not what was written.
    init(row: Row, path store: String) throws {
        id = try row.decode(forColumn: "id")
        path = try row.decode(forColumn: "path")
        sha256 = try row.decode(forColumn: "sha256")
        width = try row.decode(forColumn: "width")
        height = try row.decode(forColumn: "height")
        bytes = try row.decode(forColumn: "bytes")
        modified = try row.decode(forColumn: "mtime_ns")
        label = try row.decode(forColumn: "label")
        split = try row.decode(forColumn: "split")
        predictedClass = try row.decode(forColumn: "predicted_class_id")
        predictedScore = try row.decode(forColumn: "predicted_score")
        guard id >= 0, sha256.count == 32 else { throw ImageRows.damage(id, path: store) }
        // Stores before version 3 have none.
        guard row.hasColumn("checksum") else { return }
        let record = ImageRecord(
            path: path, sha256: sha256, width: width, height: height, bytes: bytes, modified: modified, label: label,
            split: split,
            predictedClass: predictedClass, predictedScore: predictedScore.map { Float($0) })
        guard try row.decode(forColumn: "checksum") == ImageRows.checksum(record, id: id),
            predictedScore == record.predictedScore.map({ Double($0) })
        else {
            throw ImageRows.damage(id, path: store)
        }
    }

    static let selectSQL = "SELECT image.*, label.name AS label FROM image LEFT JOIN label ON label.id = image.label_id"
}

extension Store {
    /// The ids of all images, ascending.
    public func imageIDs() throws -> [Int] {
        try read { snapshot in
            try snapshot.checkImages()
            return try Int.fetchAll(snapshot.database, sql: "SELECT id FROM image ORDER BY id")
        }
    }

    public func image(id: Int) throws -> StoredImage? { try read { try $0.images("WHERE image.id = ?", [id]).first } }

    public func image(path: String) throws -> StoredImage? {
        try read { snapshot in
            if let image = try snapshot.images("WHERE image.path = ?", [path]).first { return image }
            // An index that was damaged may not have it.
            try snapshot.checkImages()
            return nil
        }
    }

    /// Those of some images that are there, by id.
    public func images(ids: some Sequence<Int>) throws -> [Int: StoredImage] {
        try read { snapshot in
            let rows = try snapshot.imageRows("WHERE id = ?1")
            var images: [Int: StoredImage] = [:]
            for id in ids where images[id] == nil {
                rows.bind(id)
                defer { rows.reset() }
                if try rows.step() { images[id] = rows.image }
            }
            return images
        }
    }

    /// The images with a content hash, by id. Copies of a file have several.
    public func images(sha256: Data) throws -> [StoredImage] {
        try read { snapshot in
            try snapshot.checkImages()
            return try snapshot.images("WHERE sha256 = ? ORDER BY image.id", [sha256])
        }
    }

    /// A page of the images, by id.
    public func images(from first: Int = 0, limit: Int = .max) throws -> [StoredImage] {
        try read { snapshot in
            try snapshot.checkImages()
            let rows = try snapshot.imageRows("WHERE id >= ?1 ORDER BY id LIMIT ?2")
            rows.bind(first)
            rows.bind(limit: limit)
            var images: [StoredImage] = []
            while try rows.step() { images.append(rows.image) }
            return images
        }
    }

    /// The image that a user names: by path, by the end of a path if only one image ends so, or by id.
    /// - Throws: ``StoreError/unknownImage(name:suggestions:)``.
    public func image(named name: String) throws -> StoredImage {
        if let image = try image(path: name) { return image }
        if let id = Int(name), let image = try image(id: id) { return image }
        let ending = try read { try $0.images("WHERE substr(path, -length(?1)) = ?1 LIMIT 2", ["/" + name]) }
        if ending.count == 1, let image = ending.first { return image }
        let paths = try read { try $0.texts("SELECT path FROM image ORDER BY id LIMIT 100000") }
        let nearest = ending.isEmpty ? Suggestion.nearest(to: name, among: paths) : ending.map { $0.path }
        throw StoreError.unknownImage(name: name, suggestions: nearest)
    }
}

extension Snapshot {
    /// - Parameter selection: what follows the tables.
    func images(_ selection: String, _ arguments: StatementArguments) throws -> [StoredImage] {
        try Row.fetchAll(database, sql: "\(StoredImage.selectSQL) \(selection)", arguments: arguments)
            .map { try StoredImage(row: $0, path: path) }
    }
}
