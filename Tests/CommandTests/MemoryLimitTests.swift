import Foundation
import TestSupport
import Testing

/// Statements that would take all memory are stopped. In a process of their own, as SQLite's limit is one for all connections of a process.
@Suite struct MemoryLimitTests {
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

    @Test func memoryIsLimited() throws {
        let shop = try Shop()
        for sql in [
            "\(Self.endless) SELECT i, randomblob(100000) FROM n ORDER BY 2",
            "\(Self.endless) SELECT DISTINCT randomblob(100000) FROM n",
            "\(Self.endless) SELECT max(i) FROM (SELECT i, randomblob(100000) AS b FROM n GROUP BY b)",
            "SELECT " + (0..<9).map { "randomblob(1000000\($0))" }.joined(separator: ", "),
            "\(Self.endless) SELECT count(*) FROM n a, (SELECT i, randomblob(100000) FROM n) b ORDER BY a.i",
            "\(Self.endless) SELECT i FROM n EXCEPT SELECT -i FROM n",
        ] {
            let stopped = try shop.run("sql", "shop.sqlite", sql, "--memory-limit", "64")
            #expect(stopped.status == 1 && !stopped.isSignal, "\(sql): \(stopped)")
            #expect(
                stopped.errors.contains("the statement needed more than 64 MB of memory and was stopped"), "\(sql): \(stopped)")
        }
    }

    @Test func answersAreLimitedWhereTheyAreKept() throws {
        let shop = try Shop()
        let stopped = try shop.run(
            "sql", "shop.sqlite", "\(Self.endless) SELECT i, hex(randomblob(5000)) FROM n", "--memory-limit", "64")
        #expect(stopped.status == 1 && !stopped.isSignal, "\(stopped)")
        #expect(stopped.errors.contains("the answer is larger than 64 MB after "), "\(stopped)")
    }
}
