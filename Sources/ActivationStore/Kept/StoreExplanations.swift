import CKernels
public import Foundation
import GRDB

/// The explanations that a store keeps.
extension Store {
    /// Those that are kept and whole, without their maps and pictures, in the order in which they were made.
    public func explanations() throws -> [ExplanationRecord] {
        try read { snapshot in
            let database = snapshot.database
            var records: [ExplanationRecord] = []
            guard try Self.keepsExplanations(database) else { return records }
            try CheckedTable.explanation.visit(database, "ORDER BY id") { row, isIntact in
                if isIntact { records.append(try ExplanationRecord(row: row)) }
            }
            return records
        }
    }

    /// The ids of those that are kept, damaged ones too, in the order in which they were made. Their maps and pictures are not read.
    /// - Parameters:
    ///   - method: of that alone; nil for all.
    ///   - sha256: of images of that content alone; nil for all.
    public func explanationIDs(method: String? = nil, imageSHA256 sha256: Data? = nil) throws -> [Int] {
        try read { snapshot in
            let database = snapshot.database
            guard try Self.keepsExplanations(database) else { return [] }
            return try Int.fetchAll(
                database,
                sql:
                    "SELECT id FROM explanation WHERE (?1 IS NULL OR method = ?1) AND \(sha256 == nil ? "?2 IS NULL" : "image_sha256 = ?2") ORDER BY id",
                arguments: [method, sha256])
        }
    }

    /// How many of each method are kept, by its name; damaged ones too.
    public func explanationCounts() throws -> [(method: String, count: Int)] {
        try read { snapshot in
            let database = snapshot.database
            guard try Self.keepsExplanations(database) else { return [] }
            return try Row.fetchAll(database, sql: "SELECT method, count(*) FROM explanation GROUP BY method ORDER BY method").map
            {
                (try $0.decode(atIndex: 0), try $0.decode(atIndex: 1))
            }
        }
    }

    /// Those of some ids that are whole, in their order, without their maps and pictures.
    public func explanations(ids: some Sequence<Int>) throws -> [ExplanationRecord] {
        try read { snapshot in
            let database = snapshot.database
            var records: [ExplanationRecord] = []
            guard try Self.keepsExplanations(database) else { return records }
            for id in ids {
                try CheckedTable.explanation.visit(database, "WHERE id = ?", [id]) { row, isIntact in
                    if try isIntact && Self.isWhole(row, database) { records.append(try ExplanationRecord(row: row)) }
                }
            }
            return records
        }
    }

    /// The ids of those that are not what was written, or, before version 4, whose maps and pictures are not.
    public func damagedExplanations() throws -> [Int] {
        try read { snapshot in
            let database = snapshot.database
            var ids: [Int] = []
            guard try Self.keepsExplanations(database) else { return ids }
            try CheckedTable.explanation.visit(database, "ORDER BY id") { row, isIntact in
                if try !isIntact || !Self.isWhole(row, database) { ids.append(try row.decode(forColumn: "id")) }
            }
            return ids
        }
    }

    /// The one of a key, whole; nil where there is none, or where its bytes are not those that were written.
    public func explanation(key: Data) throws -> ExplanationRecord? {
        try read { try Self.explanation($0.database, where: "key = ?", key) }
    }

    /// The one of an id, whole; nil where there is none, or where its bytes are not those that were written.
    public func explanation(id: Int) throws -> ExplanationRecord? {
        try read { try Self.explanation($0.database, where: "id = ?", id) }
    }

    /// Keeps an explanation; one of the same key is replaced, and keeps its id.
    /// - Throws: ``StoreError`` where the store cannot be written.
    public func keep(_ explanation: ExplanationRecord) throws {
        let map = explanation.map.withUnsafeBytes { Data($0) }
        let arguments = String(decoding: try JSONEncoder().encode(explanation.arguments), as: UTF8.self)
        try edit { database in
            let id =
                try Int64.fetchOne(database, sql: "SELECT id FROM explanation WHERE key = ?", arguments: [explanation.key])
                ?? Int64.fetchOne(database, sql: "SELECT ifnull(max(id), 0) + 1 FROM explanation")
            try CheckedTable.explanation.insert(
                database,
                [
                    id, explanation.key, explanation.method, arguments, explanation.target, explanation.image,
                    explanation.imageSHA256, explanation.value, explanation.note, explanation.channels, explanation.height,
                    explanation.width, explanation.isSigned ? 1 : 0, map, explanation.picture, explanation.record,
                    explanation.checks, explanation.seconds, explanation.created.ISO8601Format(), explanation.toolVersion,
                ])
        }
    }

    /// Removes explanations; ids that are not there are passed over.
    /// - Returns: how many were there.
    /// - Throws: ``StoreError`` where the store cannot be written.
    @discardableResult
    public func removeExplanations(ids: [Int]) throws -> Int {
        try edit { database in
            try ids.reduce(0) { count, id in
                try database.execute(sql: "DELETE FROM explanation WHERE id = ?", arguments: [id])
                return count + database.changesCount
            }
        }
    }

    /// Whether the file has the tables of explanations at all: version 1 had none.
    static func keepsExplanations(_ database: Database) throws -> Bool { try database.tableExists("explanation") }

    package static func checksum(map: Data, picture: Data) -> UInt32 {
        let first = map.withUnsafeBytes { ndx_checksum(0, $0.baseAddress, $0.count) }
        return picture.withUnsafeBytes { ndx_checksum(first, $0.baseAddress, $0.count) }
    }

    /// Whether the map and the picture of a row are those that were written.
    static func isWhole(_ row: Row, _ database: Database) throws -> Bool {
        guard try !CheckedTable.isKept(database) else { return true }
        return try Int(checksum(map: row.decode(forColumn: "map"), picture: row.decode(forColumn: "picture")))
            == row.decode(forColumn: "checksum")
    }

    private static func explanation(
        _ database: Database, where condition: String, _ value: some DatabaseValueConvertible
    ) throws -> ExplanationRecord? {
        guard try keepsExplanations(database) else { return nil }
        var result: ExplanationRecord?
        try CheckedTable.explanation.visit(database, "WHERE \(condition)", [value]) { row, isIntact in
            guard try isIntact && isWhole(row, database) else { return }
            var record = try ExplanationRecord(row: row)
            let map: Data = try row.decode(forColumn: "map")
            let sides = [record.channels, record.height, record.width]
            guard map.count.isMultiple(of: 4), sides.allSatisfy({ (1...max(map.count, 1)).contains($0) }),
                map.count / 4 / record.channels / record.height == record.width,
                (map.count / 4).isMultiple(of: record.channels * record.height)
            else { return }
            record.map = floats(map)
            record.picture = try row.decode(forColumn: "picture")
            result = record
        }
        return result
    }
}
