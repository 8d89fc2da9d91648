import CKernels
public import Foundation
import GRDB

/// The explanations that a store keeps.
extension Store {
    /// Those that are kept, without their maps and pictures, in the order in which they were made.
    public func explanations() throws -> [ExplanationRecord] {
        try read { database in
            guard try Self.keepsExplanations(database) else { return [] }
            return try Row.fetchAll(database, sql: "SELECT \(ExplanationRecord.listed) FROM explanation ORDER BY id")
                .map { try ExplanationRecord(row: $0) }
        }
    }

    /// The one of a key, whole; nil where there is none, or where its bytes are not those that were written.
    public func explanation(key: Data) throws -> ExplanationRecord? {
        try read { try Self.explanation($0, where: "key = ?", key) }
    }

    /// The one of an id, whole; nil where there is none, or where its bytes are not those that were written.
    public func explanation(id: Int) throws -> ExplanationRecord? {
        try read { try Self.explanation($0, where: "id = ?", id) }
    }

    /// Keeps an explanation; one of the same key is replaced, and keeps its id.
    /// - Throws: ``StoreError`` where the store cannot be written.
    public func keep(_ explanation: ExplanationRecord) throws {
        let map = explanation.map.withUnsafeBytes { Data($0) }
        let arguments = String(decoding: try JSONEncoder().encode(explanation.arguments), as: UTF8.self)
        try edit { database in
            try database.execute(
                sql: """
                    INSERT INTO explanation(key, method, arguments, target, image_path, image_sha256, value, note, channels, height,
                        width, is_signed, map, picture, checksum, record, checks, seconds, created, tool_version)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT(key) DO UPDATE SET method = excluded.method, arguments = excluded.arguments, target = excluded.target,
                        image_path = excluded.image_path, image_sha256 = excluded.image_sha256, value = excluded.value,
                        note = excluded.note, channels = excluded.channels, height = excluded.height, width = excluded.width,
                        is_signed = excluded.is_signed, map = excluded.map, picture = excluded.picture,
                        checksum = excluded.checksum, record = excluded.record, checks = excluded.checks,
                        seconds = excluded.seconds, created = excluded.created, tool_version = excluded.tool_version
                    """,
                arguments: [
                    explanation.key, explanation.method, arguments, explanation.target, explanation.image,
                    explanation.imageSHA256, explanation.value, explanation.note, explanation.channels, explanation.height,
                    explanation.width, explanation.isSigned, map, explanation.picture,
                    Int(Self.checksum(map: map, picture: explanation.picture)), explanation.record, explanation.checks,
                    explanation.seconds, explanation.created.ISO8601Format(), explanation.toolVersion,
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

    static func checksum(map: Data, picture: Data) -> UInt32 {
        let first = map.withUnsafeBytes { ndx_checksum(0, $0.baseAddress, $0.count) }
        return picture.withUnsafeBytes { ndx_checksum(first, $0.baseAddress, $0.count) }
    }

    private static func explanation(
        _ database: Database, where condition: String, _ value: some DatabaseValueConvertible
    ) throws -> ExplanationRecord? {
        guard try keepsExplanations(database),
            let row = try Row.fetchOne(database, sql: "SELECT * FROM explanation WHERE \(condition)", arguments: [value])
        else { return nil }
        let map: Data = try row.decode(forColumn: "map")
        let picture: Data = try row.decode(forColumn: "picture")
        var record = try ExplanationRecord(row: row)
        guard try Int(checksum(map: map, picture: picture)) == row.decode(forColumn: "checksum"),
            [record.channels, record.height, record.width].allSatisfy({ (0...map.count).contains($0) }),
            map.count.isMultiple(of: 4), map.count / 4 == record.channels &* record.height &* record.width
        else { return nil }
        record.map = floats(map)
        record.picture = picture
        return record
    }
}
