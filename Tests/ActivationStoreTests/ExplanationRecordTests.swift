import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct ExplanationRecordTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sqlite")
        try RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 16, seed: 5).write(path)
    }

    private func record(_ number: UInt8, map: [Float] = [1, -2, .infinity, 4, 5, 6]) -> ExplanationRecord {
        ExplanationRecord(
            key: Data(repeating: number, count: 32), method: "saliency", arguments: ["--method", "it's"], target: "class:cat",
            image: "a \"b\".png", imageSHA256: Data(repeating: 7, count: 32), value: 1.5, note: nil, channels: 1, height: 2,
            width: 3, isSigned: true, map: map, picture: Data([1, 2, 3]), record: "{}", checks: nil, seconds: 0.25,
            created: Date(timeIntervalSince1970: 1_700_000_000), toolVersion: "t")
    }

    /// The pages of what was removed go back to the disk; all else stays as it is, ids and all.
    @Test func theRoomOfWhatWasRemovedIsGivenBack() throws {
        func size() throws -> Int {
            try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        }
        let store = try Store.open(path: path)
        var kept = record(1)
        try store.keep(kept)
        kept.id = 1
        let before = try size()
        let map = [Float](repeating: 0.5, count: 1 << 18)
        for number: UInt8 in 2...5 {
            var large = record(number)
            (large.height, large.width, large.map) = (512, 512, map)
            try store.keep(large)
        }
        try store.removeExplanations(ids: [2, 3, 4, 5])
        let free = try store.freeBytes()
        #expect(free > 3 << 20 && free < 5 << 20)
        #expect(try store.fileBytes() == size())
        let dump = try StoreDump(path)

        try Store.giveBackRoom(path: path)
        let again = try Store.open(path: path)
        #expect(try again.freeBytes() == 0)
        #expect(try size() <= before)
        #expect(try StoreDump(path).differences(from: dump).isEmpty)
        #expect(try again.explanation(id: 1) == kept)
        #expect(try again.verify().isWhole)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.sqlite"])
        // Who has it open goes on reading.
        #expect(try store.explanations().map(\.id) == [1])
    }

    @Test func whatIsKeptComesBack() throws {
        let store = try Store.open(path: path)
        let before = try StoreDump(path)
        #expect(try store.explanations().isEmpty)
        #expect(try store.explanation(key: record(1).key) == nil)
        for number: UInt8 in 1...3 { try store.keep(record(number)) }
        var expected = record(2)
        expected.id = 2
        #expect(try store.explanation(key: expected.key) == expected)
        #expect(try store.explanation(id: 2) == expected)
        #expect(try store.explanations().map(\.id) == [1, 2, 3])
        #expect(try store.explanations().allSatisfy { $0.map.isEmpty && $0.picture.isEmpty })
        #expect(try store.explanationIDs() == [1, 2, 3] && store.explanations(ids: [3, 9, 1]).map(\.id) == [3, 1])
        let hash = try #require(expected.imageSHA256)
        #expect(try store.explanationIDs(imageSHA256: hash) == [1, 2, 3])
        #expect(try store.explanationIDs(imageSHA256: Data(repeating: 8, count: 32)).isEmpty)
        #expect(try store.explanationIDs(method: "nothing").isEmpty)
        #expect(try store.explanationIDs(method: expected.method, imageSHA256: hash) == [1, 2, 3])
        #expect(try store.explanationCounts().map(\.count) == [3])

        expected.map = [0, 0, 0, 0, 0, 9]
        try store.keep(expected)
        #expect(try store.explanation(key: expected.key) == expected)
        #expect(try store.removeExplanations(ids: [1, 3, 77]) == 2)
        #expect(try store.explanations().map(\.id) == [2])
        #expect(try store.removeExplanations(ids: [2]) == 1)
        #expect(try StoreDump(path).differences(from: before).isEmpty)
        // One plain file, as before.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.sqlite"])
        #expect(try store.verify().isWhole)
    }

    @Test func oneThatIsDamagedIsNotGiven() throws {
        let store = try Store.open(path: path)
        try store.keep(record(1))
        let other = try DatabaseQueue(path: path)
        try other.write { try $0.execute(sql: "UPDATE explanation SET map = zeroblob(24)") }
        try other.close()
        #expect(try store.explanationIDs() == [1] && store.explanations(ids: [1]).isEmpty)
        #expect(try store.explanation(id: 1) == nil)
        let checked = try store.verify()
        #expect(
            checked.findings
                == ["Explanation 1 (\"saliency\" of \"class:cat\") differs from its checksum; asked for again it is made anew."])
        try store.keep(record(1))
        #expect(try store.verify().explanations == 1)
        #expect(try store.verify().isWhole)
    }

    @Test(arguments: [1, 2, 3, 4]) func anOlderStoreIsBroughtToThePresentVersion(version: Int) throws {
        let fresh = try (columns: columns(), rows: StoreDump(path))
        try makeOlder(path, version: version)
        let before = try StoreDump(path)
        // Often, so that memory which is given back twice is noticed.
        for _ in 0..<50 { _ = try Store.open(path: path) }
        let store = try Store.open(path: path)
        #expect(try store.explanations().isEmpty)
        #expect(try store.camHead() == nil)
        // What has no checksum is not gone by.
        #expect(try store.isDerivedComplete() == (version >= 3))
        #expect(try store.verify().isWhole)
        #expect(try StoreDump(path) == before)

        try store.keep(record(1))
        #expect(try store.explanation(id: 1)?.map == record(1).map)
        #expect(try columns() == fresh.columns)
        // Older stores had no thumbnails.
        let differences = try StoreDump(path).differences(from: fresh.rows)
        #expect(differences.filter { line in !["explanation", "thumbnail"].contains { line.hasPrefix($0) } } == [])
        #expect(try store.isDerivedComplete() && store.verify().isWhole)
    }

    /// A store of an earlier version whose lists or statistics were damaged gets those of its blocks; one whose blocks were, stays as it is.
    @Test func damageIsNotGivenAChecksum() throws {
        let fresh = try StoreDump(path)
        try makeOlder(path, version: 2)
        let old = try DatabaseQueue(path: path)
        try old.write { try $0.execute(sql: "UPDATE top_list SET list = '[[0,99,0]]'; UPDATE neuron_statistics SET mean = 7") }
        try Store.open(path: path).keep(record(1))
        for table in ["top_list", "neuron_statistics", "image"] {
            #expect(try StoreDump(path).tables[table] == fresh.tables[table])
        }
        try makeOlder(path, version: 2)
        try old.write { try $0.execute(sql: "UPDATE activation_block SET value = zeroblob(64) WHERE id = 3") }
        try old.close()
        let before = try StoreDump(path)
        let damage = StoreError.damaged(
            path: path, detail: "the row of layer0:3 in block 0 of activation_block has another checksum")
        #expect(throws: damage) { try Store.open(path: path).keep(record(2)) }
        #expect(throws: damage) {
            _ = try RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 16, seed: 5).open(path)
        }
        #expect(try StoreDump(path) == before)
    }

    @Test func aLastLayerIsKept() throws {
        let store = try Store.open(path: path)
        var head = CAMHead(
            layer: "conv", classes: ["a", "b"], channels: 3, weights: [1, 2, 3, 4, 5, -.pi], bias: [0.5, -0.5], l2: 0.01,
            slope: 1e-8, trained: 10, judged: 5, judgedOn: "test", accuracy: 0.8, networkAccuracy: 0.9)
        #expect(try store.camHead() == nil)
        try store.keep(head)
        #expect(try store.camHead() == head)
        head.layer = "other"
        var made = record(4)
        made.method = "cam"
        try store.keep(made)
        try store.keep(record(5))
        try store.keep(head)
        #expect(try store.camHead() == head)
        // Maps that the old one may have made are gone, no others.
        #expect(try store.explanations().map(\.method) == ["saliency"])
    }

    @Test func aStoreThatIsBeingWrittenIsLeftAlone() throws {
        let store = try Store.open(path: path)
        let writer = try RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 16, seed: 5).open(path)
        #expect(throws: StoreError.beingWritten(path: path)) { try store.keep(record(1)) }
        try writer.finish()
        try store.keep(record(1))
        #expect(try store.explanations().count == 1)
    }

    /// Names, types and constraints of all columns of the file.
    private func columns() throws -> [String] {
        let database = try DatabaseQueue(path: path)
        return try database.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk || ' ' || c.hidden
                    FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE m.type IN ('table', 'index')
                    UNION ALL SELECT 'version ' || user_version FROM pragma_user_version ORDER BY 1
                    """)
        }
    }
}
