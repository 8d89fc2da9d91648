import Foundation
import GRDB

/// All rows of a store but those of `run`, table by table: what has to be the same however often the work was interrupted.
public struct StoreDump: Equatable, Sendable {
    public let tables: [String: [String]]

    public init(_ path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        let database = try DatabaseQueue(path: path, configuration: configuration)
        tables = try database.read { database in
            let names = try String.fetchAll(
                database,
                sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'run'")
            return try Dictionary(uniqueKeysWithValues: names.map { ($0, try Self.rows($0, database)) })
        }
    }

    /// Names of the tables that are not the same, with the first rows that differ.
    public func differences(from other: StoreDump) -> [String] {
        Set(tables.keys).union(other.tables.keys).sorted().compactMap { name in
            let (mine, theirs) = (tables[name] ?? [], other.tables[name] ?? [])
            guard mine != theirs else { return nil }
            let index =
                zip(mine, theirs).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(mine.count, theirs.count)
            func row(_ rows: [String]) -> String { rows.indices.contains(index) ? String(rows[index].prefix(160)) : "nothing" }
            return "\(name): \(mine.count) and \(theirs.count) rows, at \(index): \(row(mine)) | \(row(theirs))"
        }
    }

    private static func rows(_ table: String, _ database: Database) throws -> [String] {
        let columns = try database.columns(in: table).count
        let order = (1...columns).map(String.init).joined(separator: ", ")
        return try Row.fetchAll(database, sql: "SELECT * FROM \"\(table)\" ORDER BY \(order)").map { row in
            row.databaseValues.map { value in
                if case .blob(let bytes) = value.storage { bytes.base64EncodedString() } else { value.description }
            }.joined(separator: "|")
        }
    }
}
