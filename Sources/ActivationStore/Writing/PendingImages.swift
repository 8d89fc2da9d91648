import Foundation
import GRDB
import Support

/// The images and skipped files of the block being filled, until they are committed with it.
struct PendingImages {
    private(set) var images: [ImageRecord] = []
    private(set) var skipped: [SkippedRecord] = []
    /// Ids of images that others stand for from now on, by those others' paths.
    private var replaced: [ExactString: Int] = [:]
    private var paths: Set<ExactString> = []

    var isEmpty: Bool { images.isEmpty && skipped.isEmpty }

    func contains(_ path: String) -> Bool { paths.contains(ExactString(path)) }

    mutating func add(_ image: ImageRecord, replacing old: Int?) {
        images.append(image)
        replaced[ExactString(image.path)] = old
        paths.insert(ExactString(image.path))
    }

    /// Takes back the image that came last.
    mutating func removeLastImage() {
        guard let image = images.popLast() else { return }
        paths.remove(ExactString(image.path))
        replaced[ExactString(image.path)] = nil
    }

    mutating func add(_ record: SkippedRecord) { skipped.append(record) }

    /// Writes the rows. New labels are numbered by first appearance, so that runs cut differently give equal rows.
    func insert(_ database: Database, firstID: Int, labels: inout [String: Int64], classes: [String]) throws {
        for record in skipped {
            try CheckedTable.skippedImage.insert(database, [record.path, record.reason, record.bytes, record.modified])
        }
        let insert = try RawStatement(database, "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for (offset, image) in images.enumerated() {
            let label = try Self.label(image.label, &labels, classes: classes, database)
            var image = image
            image.label = label?.name
            insert.bind(1, firstID + offset)
            insert.bind(2, text: image.path)
            image.sha256.withUnsafeBytes { insert.bind(3, copying: $0) }
            insert.bind(4, image.width)
            insert.bind(5, image.height)
            insert.bind(6, image.bytes)
            insert.bind(7, image.modified)
            insert.bind(8, label.map { Int($0.id) })
            insert.bind(9, text: image.split)
            insert.bind(10, image.predictedClass)
            insert.bind(11, image.predictedScore.map { Double($0) } ?? .nan)
            insert.bind(12, ImageRows.checksum(image, id: firstID + offset))
            try insert.run()
            guard let thumbnail = image.thumbnail else { continue }
            try CheckedTable.thumbnail.insert(database, [firstID + offset, thumbnail.jpeg], isTrusted: thumbnail.isIntact)
        }
        // Files that were broken once and are whole now; few stores have any broken one.
        guard try Int.fetchOne(database, sql: "SELECT 1 FROM skipped_image LIMIT 1") != nil else { return }
        let unskip = try database.cachedStatement(sql: "DELETE FROM skipped_image WHERE path = ?")
        for image in images { try unskip.execute(arguments: [image.path]) }
    }

    /// Deletes the images that others stand for.
    func removeReplaced(_ database: Database) throws {
        let count = try replaced.values.reduce(0) { try $0 + (Store.delete(image: $1, database) ? 1 : 0) }
        try Store.addRemoved(count, database)
    }

    /// Ids of images that others stand for from now on, by the ids of those.
    func replacements(firstID: Int) -> [Int: Int] {
        guard !replaced.isEmpty else { return [:] }
        return images.enumerated().reduce(into: [:]) { $0[firstID + $1.offset] = replaced[ExactString($1.element.path)] }
    }

    /// The id of a label, which gets a row if it is new, and its name as the store has it: é may be one character, or two, and is one label.
    static func label(
        _ name: String?, _ labels: inout [String: Int64], classes: [String], _ database: Database
    ) throws -> (id: Int64, name: String)? {
        guard let name else { return nil }
        if let known = labels.index(forKey: name) { return (labels[known].value, labels[known].key) }
        let id = try insertLabel(name, number: labels.count + 1, classes: classes, database)
        labels[name] = id
        return (id, name)
    }

    private static func insertLabel(_ name: String, number: Int, classes: [String], _ database: Database) throws -> Int64 {
        let id = Int64(number)
        try database.execute(
            sql: "INSERT INTO label VALUES (?, ?, ?)", arguments: [id, name, classes.firstIndex(of: name)])
        return id
    }
}
