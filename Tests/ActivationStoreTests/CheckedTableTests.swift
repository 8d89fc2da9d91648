import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// Runs, skipped files, explanations and a fitted last layer: what of their rows was damaged is not answered.
@Suite struct CheckedTableTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 16, seed: 5)
        let writer = try dataset.open(path)
        try dataset.append(0..<20, to: writer)
        try writer.appendSkipped(SkippedRecord(path: "broken.png", reason: "it is cut short", bytes: 7, modified: 8))
        try writer.finish()
        let store = try Store.open(path: path)
        try store.keep(
            ExplanationRecord(
                key: Data(repeating: 1, count: 32), method: "saliency", arguments: ["--steps", "3"], target: "class:cat",
                image: "a.png", imageSHA256: Data(repeating: 7, count: 32), value: 48.37, note: "n", channels: 1, height: 1,
                width: 2, isSigned: true, map: [1, 2], picture: Data([1, 2, 3]), record: "{}", checks: "{}", seconds: 0.25,
                toolVersion: "t"))
        try store.keep(
            CAMHead(
                layer: "conv", classes: ["a", "b"], channels: 1, weights: [1, 2], bias: [0.5, -0.5], l2: 0.01, slope: 1e-8,
                trained: 10, judged: 5, judgedOn: "test", accuracy: 0.8, networkAccuracy: 0.9))
    }

    private func change(_ sql: String) throws {
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(sql: sql)
        }
        try database.close()
    }

    private func isRefused<T>(_ body: () throws -> T) -> Bool {
        do {
            _ = try body()
            return false
        } catch {
            guard case .damaged? = error as? StoreError else { return false }
            return true
        }
    }

    @Test(arguments: ["run", "skipped_image", "explanation", "cam_head"]) func everyColumnIsCovered(table: String) throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let columns = try DatabaseQueue(path: path).read { try $0.columns(in: table) }
        #expect(columns.count > 4)
        for column in columns {
            try whole.write(to: URL(fileURLWithPath: path))
            let isCounted = column.type == "INTEGER" || column.type == "REAL"
            let other = isCounted ? "ifnull(\(column.name), 0) + 1" : "substr(ifnull(\(column.name), '') || 'xx', 2)"
            try change("UPDATE \(table) SET \(column.name) = \(column.type == "BLOB" ? "CAST(\(other) AS BLOB)" : other)")
            let store = try Store.open(path: path)
            #expect(try store.verify().findings.count == 1, "\(column.name)")
            switch table {
            case "run": #expect(isRefused { try store.summary() }, "\(column.name)")
            case "skipped_image": #expect(isRefused { try store.skipped() }, "\(column.name)")
            case "cam_head": #expect(isRefused { try store.camHead() }, "\(column.name)")
            default:
                #expect(try store.explanations().isEmpty)
                #expect(try store.damagedExplanations().count == 1)
                #expect(try store.explanation(id: 1) == nil && store.explanation(id: 2) == nil, "\(column.name)")
            }
        }
    }

    /// The run goes on beside a damaged row, which does not get a checksum that fits.
    @Test func aDamagedRowStaysDamaged() throws {
        try change("UPDATE run SET status = 'running', host = 'elsewhere'; UPDATE skipped_image SET reason = 'other'")
        let dataset = RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 16, seed: 5)
        let writer = try dataset.open(path)
        // The file is tried again.
        #expect(try writer.knownSkipped().isEmpty)
        try writer.finish()
        let findings = try Store.open(path: path).verify().findings
        #expect(findings.count == 2)
        #expect(findings.contains { $0.hasPrefix("The row of run 1 in the table run differs from its checksum") })
        #expect(findings.contains { $0.hasPrefix("The row of broken.png in the table skipped_image differs") })
    }

    /// All that `meta` says, and what it may say in versions to come, is under the description's checksum.
    @Test func everyFactIsCovered() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let keys = try DatabaseQueue(path: path).read { try String.fetchAll($0, sql: "SELECT key FROM meta") }
        for key in keys + ["new"] {
            try whole.write(to: URL(fileURLWithPath: path))
            try change(
                key == "new" ? "INSERT INTO meta VALUES ('new', 1)" : "UPDATE meta SET value = value || '1' WHERE key = '\(key)'")
            // What changes with the images has to agree with them.
            if key == "derived_through" {
                #expect(try !Store.open(path: path).isDerivedComplete())
            } else {
                #expect(isRefused { try Store.open(path: path) }, "\(key)")
            }
        }
    }

    @Test func compactingKeepsThem() throws {
        let store = try Store.open(path: path)
        try store.remove(images: [3])
        try Store.compact(path: path, run: RunRecord(toolVersion: "t"))
        let compacted = try Store.open(path: path)
        #expect(try compacted.verify().findings == [])
        #expect(try compacted.summary().runs.map(\.toolVersion) == ["test", "t"])
        #expect(try compacted.skipped().map(\.path) == ["broken.png"])
        #expect(try compacted.explanations().map(\.value) == [48.37])
        #expect(try compacted.camHead()?.accuracy == 0.8)
    }

    /// Also of an older store, which has no such checksums.
    @Test(arguments: [2, 3]) func compactingAnOlderStoreGivesThemChecksums(version: Int) throws {
        try makeOlder(path, version: version)
        try change(
            """
            INSERT INTO explanation SELECT 9, zeroblob(32), method, arguments, target, NULL, NULL, 1, note, channels, height, width, 1,
                map, picture, checksum, NULL, NULL, 1, created, tool_version FROM explanation;
            UPDATE explanation SET picture = x'00' WHERE id = 1
            """)
        try Store.compact(path: path, run: RunRecord(toolVersion: "t"))
        let compacted = try Store.open(path: path)
        #expect(try compacted.summary().runs.count == 2 && compacted.skipped().count == 1 && compacted.camHead()?.accuracy == 0.8)
        // Pictures that were damaged before stay so.
        #expect(try compacted.damagedExplanations() == [1] && compacted.explanations().map(\.id) == [9])
    }
}
