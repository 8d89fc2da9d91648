package import GRDB

/// Reads rows of `image` with their labels' names, and checks every one. It belongs to one connection and one read transaction.
package final class ImageRows {
    private let path: String
    private let row: RawStatement
    private let isChecked: Bool

    /// What the checksum is of, in its order: the label's name stands for its id.
    private static let columns = """
        image.id, image.path, image.sha256, image.width, image.height, image.bytes, image.mtime_ns, label.name, image.split,
        image.predicted_class_id, image.predicted_score
        """

    private static let kinds: [RawStatement.Kind] = [
        .integer, .text, .blob, .integer, .integer, .integer, .integer, .text, .text, .integer, .real,
    ]

    /// - Parameter selection: what follows the tables: WHERE, ORDER BY.
    package init(_ database: Database, path: String, _ selection: String) throws {
        self.path = path
        isChecked = try Schema.keepsChecksums(database)
        row = try RawStatement(
            database,
            """
            SELECT \(Self.columns), \(isChecked ? "image.checksum" : "NULL"), image.label_id
            FROM image NOT INDEXED LEFT JOIN label ON label.id = image.label_id \(selection)
            """)
    }

    package func bind(_ id: Int) { row.bind(1, id) }
    package func reset() { row.reset() }

    /// Goes to the next row; false at the end.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a row that is not what was written.
    package func step() throws -> Bool {
        guard try row.step() else { return false }
        if isChecked, checksum != row.int(11) { throw Self.damage(id, path: path) }
        return true
    }

    /// As `step`, but damaged rows are shown too.
    func stepUnchecked() throws -> Bool { try row.step() }

    var isIntact: Bool { !isChecked || checksum == row.int(11) }
    var checksum: Int { row.checksum(Self.kinds) }
    package var id: Int { row.int(0) }
    package var imagePath: String { row.text(1) ?? "" }
    var pathBytes: UnsafeRawBufferPointer { row.bytes(1) }
    var hashBytes: UnsafeRawBufferPointer { row.bytes(2) }
    package var label: String? { row.text(7) }
    package var labelID: Int? { row.isNull(12) ? nil : row.int(12) }

    static func damage(_ id: Int, path: String) -> StoreError {
        .damaged(path: path, detail: "the row of image \(id) in its table image is not what was written")
    }

    /// Of an image to be written, as `id`.
    static func checksum(_ image: ImageRecord, id: Int) -> Int {
        var sum = RowChecksum()
        sum.add(id)
        sum.add(image.path)
        sum.add(image.sha256)
        for number in [image.width, image.height, image.bytes, image.modified] { sum.add(number) }
        sum.add(image.label)
        sum.add(image.split)
        sum.add(image.predictedClass)
        sum.add(image.predictedScore.map { Double($0) })
        return sum.value
    }

    /// Writes the checksums that rows have now.
    static func refreshChecksums(_ database: Database, where condition: String = "1") throws {
        let rows = try ImageRows(database, path: "", "WHERE \(condition)")
        var sums: [(id: Int, checksum: Int)] = []
        while try rows.stepUnchecked() { sums.append((rows.id, rows.checksum)) }
        let update = try RawStatement(database, "UPDATE image SET checksum = ? WHERE id = ?")
        for (id, checksum) in sums {
            update.bind(1, checksum)
            update.bind(2, id)
            try update.run()
        }
    }
}
