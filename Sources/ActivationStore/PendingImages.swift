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

    mutating func add(_ record: SkippedRecord) { skipped.append(record) }

    /// Writes the rows. New labels are numbered by first appearance, so that runs cut differently give equal rows.
    func insert(_ database: Database, firstID: Int, labels: inout [String: Int64], classes: [String]) throws {
        for record in skipped {
            try database.execute(
                sql: "INSERT OR REPLACE INTO skipped_image VALUES (?, ?, ?, ?)",
                arguments: [record.path, record.reason, record.bytes, record.modified])
        }
        let insert = try database.cachedStatement(sql: "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        let unskip = try database.cachedStatement(sql: "DELETE FROM skipped_image WHERE path = ?")
        for (offset, image) in images.enumerated() {
            var label: Int64?
            if let name = image.label {
                label = try labels[name] ?? Self.insertLabel(name, number: labels.count + 1, classes: classes, database)
                labels[name] = label
            }
            try insert.execute(arguments: [
                firstID + offset, image.path, image.sha256, image.width, image.height, image.bytes, image.modified, label,
                image.split, image.predictedClass, image.predictedScore.map { Double($0) },
            ])
            // A file that was broken once and is whole now.
            try unskip.execute(arguments: [image.path])
        }
    }

    private static func insertLabel(_ name: String, number: Int, classes: [String], _ database: Database) throws -> Int64 {
        let id = Int64(number)
        try database.execute(
            sql: "INSERT INTO label VALUES (?, ?, ?)", arguments: [id, name, classes.firstIndex(of: name)])
        return id
    }
}
