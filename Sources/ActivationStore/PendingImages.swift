import Foundation
import GRDB

/// The images and skipped files of the block being filled, until they are committed with it.
struct PendingImages {
    private(set) var images: [ImageRecord] = []
    private(set) var skipped: [SkippedRecord] = []
    private var paths: Set<String> = []

    var isEmpty: Bool { images.isEmpty && skipped.isEmpty }

    func contains(_ path: String) -> Bool { paths.contains(path) }

    mutating func add(_ image: ImageRecord) {
        images.append(image)
        paths.insert(image.path)
    }

    /// Takes back the image that came last.
    mutating func removeLastImage() { if let image = images.popLast() { paths.remove(image.path) } }

    mutating func add(_ record: SkippedRecord) { skipped.append(record) }

    /// Writes the rows. New labels are numbered by first appearance, so that runs cut differently give equal rows.
    func insert(_ database: Database, firstID: Int, labels: inout [String: Int64], classes: [String]) throws {
        for record in skipped {
            try database.execute(
                sql: "INSERT OR REPLACE INTO skipped_image VALUES (?, ?, ?, ?)",
                arguments: [record.path, record.reason, record.bytes, record.modified])
        }
        let insert = try RawStatement(database, "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for (offset, image) in images.enumerated() {
            var label: Int64?
            if let name = image.label {
                label = try labels[name] ?? Self.insertLabel(name, number: labels.count + 1, classes: classes, database)
                labels[name] = label
            }
            insert.bind(1, firstID + offset)
            insert.bind(2, text: image.path)
            image.sha256.withUnsafeBytes { insert.bind(3, copying: $0) }
            insert.bind(4, image.width)
            insert.bind(5, image.height)
            insert.bind(6, image.bytes)
            insert.bind(7, image.modified)
            insert.bind(8, label.map { Int($0) })
            insert.bind(9, text: image.split)
            insert.bind(10, image.predictedClass)
            insert.bind(11, image.predictedScore.map { Double($0) } ?? .nan)
            try insert.run()
        }
        // Files that were broken once and are whole now; few stores have any broken one.
        guard try Int.fetchOne(database, sql: "SELECT 1 FROM skipped_image LIMIT 1") != nil else { return }
        let unskip = try database.cachedStatement(sql: "DELETE FROM skipped_image WHERE path = ?")
        for image in images { try unskip.execute(arguments: [image.path]) }
    }

    private static func insertLabel(_ name: String, number: Int, classes: [String], _ database: Database) throws -> Int64 {
        let id = Int64(number)
        try database.execute(
            sql: "INSERT INTO label VALUES (?, ?, ?)", arguments: [id, name, classes.firstIndex(of: name)])
        return id
    }
}
