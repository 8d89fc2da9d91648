import Foundation
import GRDB

/// Reads rows of `image` with their labels' names, and checks every one. It belongs to one connection and one read transaction.
package final class ImageRows {
    private let path: String
    private let row: RawStatement
    private let labelName: RawStatement
    private let isChecked: Bool
    /// Those that were met, by id; nil for one that is not there, or is no text.
    private var labels: [Int: String?] = [:]

    /// - Parameter selection: what follows the table: WHERE, ORDER BY.
    init(_ database: Database, path: String, _ selection: String) throws {
        self.path = path
        isChecked = try Schema.keepsChecksums(database)
        row = try RawStatement(
            database,
            """
            SELECT id, path, sha256, width, height, bytes, mtime_ns, split, predicted_class_id, predicted_score, label_id,
                \(isChecked ? "checksum" : "NULL")
            FROM image NOT INDEXED \(selection)
            """)
        labelName = try RawStatement(database, "SELECT name FROM label WHERE id = ?")
    }

    package func bind(_ id: Int) { row.bind(1, id) }
    /// Of a selection whose second parameter is how many rows it gives.
    func bind(limit: Int) { row.bind(2, limit) }
    package func reset() { row.reset() }

    /// Goes to the next row; false at the end.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for a row that is not what was written.
    package func step() throws -> Bool {
        guard try stepUnchecked() else { return false }
        if !isIntact { throw Self.damage(id, path: path) }
        return true
    }

    /// As `step`, but damaged rows are shown too.
    func stepUnchecked() throws -> Bool {
        guard try row.step() else { return false }
        label = nil
        if let id = labelID {
            if let known = labels[id] {
                label = known
            } else {
                labelName.bind(1, id)
                defer { labelName.reset() }
                label = try labelName.step() && labelName.kind(0) == .text ? labelName.text(0) : nil
                labels[id] = .some(label)
            }
        }
        return true
    }

    /// Also of a store without checksums, or with forged ones, a hash has 32 bytes.
    var isIntact: Bool { id >= 0 && hashBytes.count == 32 && (!isChecked || checksum == row.int(11)) }
    package var id: Int { row.int(0) }
    package var imagePath: String { row.text(1) ?? "" }
    var pathBytes: UnsafeRawBufferPointer { row.bytes(1) }
    var hashBytes: UnsafeRawBufferPointer { row.bytes(2) }
    package private(set) var label: String?
    package var labelID: Int? { row.isNull(10) ? nil : row.int(10) }

    /// −1, which is none, for a row with a value of another type than its column's. The label's name stands for its id, and comes before the split.
    var checksum: Int {
        var sum = RowChecksum()
        guard row.add([.integer, .text, .blob, .integer, .integer, .integer, .integer], from: 0, to: &sum) else { return -1 }
        sum.add(label)
        guard row.add([.text, .integer, .real], from: 7, to: &sum) else { return -1 }
        return sum.value
    }

    package var split: String? { row.text(7) }

    /// The image whose row it is at.
    var image: StoredImage {
        StoredImage(
            id: id, path: imagePath, sha256: Data(hashBytes), width: row.int(3), height: row.int(4), bytes: row.int(5),
            modified: row.int(6), label: label, split: split, predictedClass: row.isNull(8) ? nil : row.int(8),
            predictedScore: row.isNull(9) ? nil : row.double(9))
    }

    /// As `checksum`, of the row with another label and split.
    func checksum(label: String?, split: String?) -> Int {
        var sum = RowChecksum()
        guard row.add([.integer, .text, .blob, .integer, .integer, .integer, .integer], from: 0, to: &sum) else { return -1 }
        sum.add(label)
        sum.add(split)
        guard row.add([.integer, .real], from: 8, to: &sum) else { return -1 }
        return sum.value
    }

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
