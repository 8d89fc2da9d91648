import ActivationStore
import Foundation
import GRDB

/// Makes a store one of an earlier version, as if a neurodex of then had written it.
public func makeOlder(_ path: String, version: Int) throws {
    precondition((1...5).contains(version), "no store of version \(version) is known here")
    let database = try DatabaseQueue(path: path)
    try database.write { database in
        try database.execute(sql: "DROP VIEW image_attribute; DROP TABLE attribute; PRAGMA user_version = \(version)")
        guard version < 5 else { return }
        try database.execute(sql: "DROP TABLE thumbnail")
        guard version < 4 else { return }
        for table in ["run", "skipped_image", "cam_head"] + (version < 3 ? ["image", "neuron_statistics", "top_list"] : []) {
            try database.execute(sql: "ALTER TABLE \(table) DROP COLUMN checksum")
        }
        try oldExplanations(database)
        try oldImageInfo(database)
        try database.execute(sql: "DELETE FROM meta WHERE key IN ('description_checksum', 'record', 'layers')")
        if version == 3 {
            try database.execute(
                sql: "INSERT INTO meta VALUES ('description_checksum', ?), ('schema_checksum', 0)",
                arguments: [oldDescriptionChecksum(database)])
        }
        if version < 2 { try database.execute(sql: "DROP TABLE explanation; DROP TABLE cam_head") }
        try database.execute(sql: "PRAGMA user_version = \(version)")
    }
    try database.close()
}

/// Answers were right by the number of a class, and not by its name.
private func oldImageInfo(_ database: Database) throws {
    guard let sql = try String.fetchOne(database, sql: "SELECT sql FROM sqlite_schema WHERE name = 'image_info'") else { return }
    let named = ["\n        OR (SELECT k.name FROM class k WHERE k.id = b.class_id) = c.name", " OR k.name = c.name"]
    let old = (named + ["\nLEFT JOIN class k ON k.id = b.class_id"]).reduce(sql) { $0.replacingOccurrences(of: $1, with: "") }
    try database.execute(sql: "DROP VIEW image_info; \(old)")
}

/// Explanations have the checksum of their map and picture alone.
private func oldExplanations(_ database: Database) throws {
    for row in try Row.fetchAll(database, sql: "SELECT id, map, picture FROM explanation") {
        let (map, picture): (Data, Data) = try (row.decode(atIndex: 1), row.decode(atIndex: 2))
        try database.execute(
            sql: "UPDATE explanation SET checksum = ? WHERE id = ?",
            arguments: [Int(Store.checksum(map: map, picture: picture)), row[0] as DatabaseValue])
    }
}

private func oldDescriptionChecksum(_ database: Database) throws -> Int {
    var sum = RowChecksum()
    func add(_ sql: String) throws {
        for row in try Row.fetchAll(database, sql: sql) {
            for value in row.databaseValues {
                switch value.storage {
                case .null: sum.add(-1)
                case .int64(let number): sum.add(Int(number))
                case .double(let number): sum.add(number)
                case .string(let text): sum.add(text)
                case .blob(let bytes): sum.add(bytes)
                }
            }
        }
    }
    for key in ["block_images", "neurons", "means", "top_count", "preprocessing", "preprocessing_hash", "shard", "output"] {
        try add("SELECT (SELECT value FROM meta WHERE key = '\(key)')")
    }
    try add("SELECT name, path, sha256, input_channels, input_height, input_width, opset FROM model")
    try add(
        """
        SELECT name, tensor, operator, first_neuron, channels, height, width, position_bytes, has_mean, is_logits,
            receptive_field_height, receptive_field_width, receptive_field_stride_y, receptive_field_stride_x,
            receptive_field_offset_y, receptive_field_offset_x
        FROM layer ORDER BY ordinal
        """)
    try add("SELECT id, name FROM class ORDER BY id")
    try add("SELECT value FROM meta WHERE key = 'precision'")
    return sum.value
}
