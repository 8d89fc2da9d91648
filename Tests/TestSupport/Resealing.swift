import ActivationStore
import Foundation
import GRDB

/// Gives every row of a store the checksum of what it is now, as somebody does who forges one.
public func reseal(_ path: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
        for (table, key, columns) in checkedRows {
            try reseal(database, table, key: key, rows: "SELECT \(columns) FROM \(table)", from: 0)
        }
        try reseal(
            database, "image", key: "id",
            rows: """
                SELECT i.id, path, sha256, width, height, bytes, mtime_ns, b.name, split, predicted_class_id, predicted_score
                FROM image i LEFT JOIN label b ON b.id = i.label_id
                """, from: 0)
        try reseal(
            database, "top_list", key: "neuron_id",
            rows: "SELECT (SELECT value FROM meta WHERE key = 'derived_through'), neuron_id, list FROM top_list", from: 1)
        for row in try Row.fetchAll(database, sql: "SELECT id, value, position FROM activation_block") {
            let (value, position): (Data, Data) = try (row.decode(atIndex: 1), row.decode(atIndex: 2))
            try database.execute(
                sql: "UPDATE activation_block SET checksum = ? WHERE id = ?",
                arguments: [Int(Store.checksum(map: value, picture: position)), row[0] as DatabaseValue])
        }
        for row in try Row.fetchAll(database, sql: "SELECT id, mean FROM mean_block") {
            let mean: Data = try row.decode(atIndex: 1)
            try database.execute(
                sql: "UPDATE mean_block SET checksum = ? WHERE id = ?",
                arguments: [Int(Store.checksum(map: mean, picture: Data())), row[0] as DatabaseValue])
        }
        try StoreDescription.insertChecksum(database)
    }
    try database.close()
}

private let checkedRows = [
    (
        "neuron_statistics", "neuron_id",
        """
        neuron_id, count, nan_count, infinite_count, zero_count, minimum, maximum, mean, m2, histogram_first, histogram,
        settled_count, settled_mean, settled_m2
        """
    ),
    (
        "run", "id",
        "id, tool_version, started, finished, status, host, arguments, jobs, images_done, images_skipped, seconds"
    ),
    ("skipped_image", "path", "path, reason, bytes, mtime_ns"),
    (
        "explanation", "id",
        """
        id, key, method, arguments, target, image_path, image_sha256, value, note, channels, height, width, is_signed, map, picture,
        record, checks, seconds, created, tool_version
        """
    ),
    (
        "cam_head", "id",
        "id, layer, classes, channels, weights, bias, l2, slope, trained, judged, judged_on, accuracy, network_accuracy"
    ),
    ("thumbnail", "image_id", "image_id, jpeg"),
    ("attribute", "id", "id, name, kind, list"),
]

/// - Parameter from: the column of the key.
private func reseal(_ database: Database, _ table: String, key: String, rows: String, from: Int) throws {
    for row in try Row.fetchAll(database, sql: rows) {
        var sum = RowChecksum()
        for value in row.databaseValues {
            switch value.storage {
            case .null: sum.add(-1)
            case .int64(let number): sum.add(Int(number))
            case .double(let number): sum.add(number)
            case .string(let text): sum.add(text)
            case .blob(let bytes): sum.add(bytes)
            }
        }
        try database.execute(
            sql: "UPDATE \(table) SET checksum = ? WHERE \(key) = ?", arguments: [sum.value, row[from] as DatabaseValue])
    }
}
