import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// Statements that would take all memory, all time or the whole disk are stopped, and the next one runs as ever.
@Suite(.serialized) struct HostileSQLTests {
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

    private func error(_ sql: String, timeLimit: Double = 20, memoryLimit: Int = 1024) throws -> QueryError? {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        try RecordedDataset(images: 20, layers: RecordedDataset.layers(), seed: 1).write(path)
        let store = try Store.open(path: path)
        var found: QueryError?
        do {
            _ = try SQLQuery(statement: sql, timeLimit: timeLimit, memoryLimit: memoryLimit).run(in: store)
        } catch {
            found = error as? QueryError
        }
        #expect(try SQLQuery(statement: "SELECT count(*) FROM activation").run(in: store).rows == [[.integer(20 * 14)]])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.sqlite"])
        return found
    }

    @Test(arguments: [
        "SELECT randomblob(1000000000)", "SELECT zeroblob(100000000)", "SELECT hex(zeroblob(60000000))",
        "SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(10000)))",
        "SELECT group_concat(hex(randomblob(1000000))) FROM activation",
        "SELECT quote(zeroblob(50000000))",
    ])
    func longValuesAreRefused(_ sql: String) throws {
        #expect(try error(sql, memoryLimit: 1024) == .tooLong(sql: sql, megabytes: 16))
    }

    @Test(arguments: [
        "\(endless) SELECT max(i) FROM n", "\(endless) SELECT i FROM n WHERE i < 0",
        "SELECT count(*) FROM activation a, activation b, activation c, activation d",
        "\(endless) SELECT count(*) FROM n WHERE hex(zeroblob(100000)) LIKE '%1' || i",
    ])
    func timeIsLimited(_ sql: String) throws {
        let start = Date()
        #expect(try error(sql, timeLimit: 0.2) == .outOfTime(seconds: 0.2))
        #expect(Date().timeIntervalSince(start) < 60)
    }

    @Test func longPatternsAreRefused() throws {
        let pattern = String(repeating: "%a", count: 600)
        guard case .wrongSQL(_, let reason) = try error("SELECT 'b' LIKE '\(pattern)'") else {
            Issue.record("a pattern of 1200 characters was taken")
            return
        }
        #expect(reason.contains("too complex"))
    }

    /// What else is refused is in SQLQueryTests; here, that the virtual table opens no way round it.
    @Test func theTableCannotBeWrittenOrUsedInConditions() throws {
        for sql in ["DELETE FROM activation", "UPDATE activation SET value = 0", "INSERT INTO activation(value) VALUES (1)"] {
            let found = try error(sql)
            switch found {
            case .forbidden, .wrongSQL: break
            default: Issue.record("\(sql): \(String(describing: found))")
            }
        }
        for sql in ["PRAGMA hard_heap_limit = 0", "CREATE VIRTUAL TABLE t USING activation", "DROP TABLE activation"] {
            let found = try error(sql)
            switch found {
            case .forbidden, .wrongSQL: break
            default: Issue.record("\(sql): \(String(describing: found))")
            }
        }
        let folder = try TemporaryFolder()
        try RecordedDataset(images: 20, layers: RecordedDataset.layers(), seed: 1).write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        do {
            _ = try TopQuery(neurons: ["layer0:0"], condition: "id IN (SELECT image_id FROM activation)").run(in: store)
            Issue.record("a condition read the table")
        } catch {
            #expect("\(error)".contains("no such table: activation"))
        }
    }
}
