public import Foundation
import GRDB
import Suggestions

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

    init(row: Row) {
        id = row["id"]
        path = row["path"]
        sha256 = row["sha256"]
        width = row["width"]
        height = row["height"]
        bytes = row["bytes"]
        modified = row["mtime_ns"]
        label = row["label"]
        split = row["split"]
        predictedClass = row["predicted_class_id"]
        predictedScore = row["predicted_score"]
    }

    static let selectSQL = "SELECT image.*, label.name AS label FROM image LEFT JOIN label ON label.id = image.label_id"
}

extension Store {
    /// The ids of all images, ascending.
    public func imageIDs() throws -> [Int] { try read { try Int.fetchAll($0, sql: "SELECT id FROM image ORDER BY id") } }

    public func image(id: Int) throws -> StoredImage? {
        try read { try Row.fetchOne($0, sql: StoredImage.selectSQL + " WHERE image.id = ?", arguments: [id]) }
            .map { StoredImage(row: $0) }
    }

    public func image(path: String) throws -> StoredImage? {
        try read { try Row.fetchOne($0, sql: StoredImage.selectSQL + " WHERE image.path = ?", arguments: [path]) }
            .map { StoredImage(row: $0) }
    }

    /// The images with a content hash, by id. Copies of a file have several.
    public func images(sha256: Data) throws -> [StoredImage] {
        try read {
            try Row.fetchAll($0, sql: StoredImage.selectSQL + " WHERE sha256 = ? ORDER BY image.id", arguments: [sha256])
        }
        .map { StoredImage(row: $0) }
    }

    /// A page of the images, by id.
    public func images(from first: Int = 0, limit: Int = .max) throws -> [StoredImage] {
        try read {
            try Row.fetchAll(
                $0, sql: StoredImage.selectSQL + " WHERE image.id >= ? ORDER BY image.id LIMIT ?", arguments: [first, limit])
        }
        .map { StoredImage(row: $0) }
    }

    /// The image that a user names: by path, by the end of a path if only one image ends so, or by id.
    /// - Throws: ``StoreError/unknownImage(name:suggestions:)``.
    public func image(named name: String) throws -> StoredImage {
        if let image = try image(path: name) { return image }
        if let id = Int(name), let image = try image(id: id) { return image }
        let ending = try read {
            try Row.fetchAll(
                $0, sql: StoredImage.selectSQL + " WHERE substr(path, -length(?1)) = ?1 LIMIT 2", arguments: ["/" + name])
        }
        if ending.count == 1, let row = ending.first { return StoredImage(row: row) }
        let paths = try read { try String.fetchAll($0, sql: "SELECT path FROM image ORDER BY id LIMIT 100000") }
        let nearest = ending.isEmpty ? Suggestion.nearest(to: name, among: paths) : ending.map { $0["path"] as String }
        throw StoreError.unknownImage(name: name, suggestions: nearest)
    }
}
