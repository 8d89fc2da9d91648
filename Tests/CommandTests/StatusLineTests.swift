import Foundation
import TestSupport
import Testing

/// The line that a terminal shows while a command takes its time.
@Suite struct StatusLineTests {
    /// Takes longer than the two seconds after which the line appears, everywhere.
    private static let slow =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000000) SELECT count(*) AS n, avg(i) AS mean FROM n"

    @Test func appearsAndGoes() throws {
        let shop = try Shop()
        let terminal = try Terminal(["sql", "shop.sqlite", Self.slow], in: shop.path, output: shop.folder.file("out"))
        #expect(terminal.wait(for: "sql… 0:0"), "\(terminal.shown)")
        #expect(terminal.wait(timeout: 120) == 0)
        #expect(terminal.lines == [""], "\(terminal.lines)")
        #expect(try String(contentsOfFile: shop.folder.file("out"), encoding: .utf8).contains("60000000"))
    }

    @Test func leavesTheTerminalCleanAtCtrlC() throws {
        let shop = try Shop()
        let terminal = try Terminal(["sql", "shop.sqlite", Self.slow], in: shop.path)
        #expect(terminal.wait(for: "sql… "), "\(terminal.shown)")
        terminal.send(SIGINT)
        #expect(terminal.wait() == 130)
        let lines = terminal.lines
        #expect(!lines.contains { $0.contains("sql…") }, "\(lines)")
        #expect(lines.contains("stopped after 0 rows; there may be more") && lines.last == "", "\(lines)")
    }

    @Test func saysNothingElsewhereOrOfWhatIsQuick() throws {
        let shop = try Shop()
        let piped = try shop.run("sql", "shop.sqlite", Self.slow)
        #expect(piped.status == 0 && piped.errors.isEmpty, "\(piped)")
        let quick = try Terminal(["top", "shop.sqlite", "conv4:3"], in: shop.path, output: shop.folder.file("out"))
        #expect(quick.wait() == 0 && quick.shown.isEmpty, "\(quick.shown)")
    }
}
