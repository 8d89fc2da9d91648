import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// Stores that somebody else made: what is not a store's own is refused, and numbers that no activations have are damage, though every
/// checksum fits.
@Suite struct ForeignStoreTests {
    private let folder: TemporaryFolder
    private let path: String
    private let dataset: RecordedDataset

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sqlite")
        dataset = RecordedDataset(
            images: 40, layers: RecordedDataset.layers(), classes: ["cat", "dog", "c", "d", "e"], blockImages: 16, topCount: 10,
            seed: 3)
        try dataset.write(path)
        try Store.open(path: path).keep(
            ExplanationRecord(
                key: Data(repeating: 1, count: 32), method: "saliency", arguments: [], target: "class:cat", image: "a.png",
                imageSHA256: nil, value: 1, note: nil, channels: 1, height: 1, width: 2, isSigned: true, map: [1, 2],
                picture: Data([1]), seconds: 1, toolVersion: "t"))
    }

    private func change(_ sql: String) throws {
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
            try database.execute(sql: sql)
        }
        try database.close()
    }

    private func refusal<T>(_ body: () throws -> T) -> StoreError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    /// What the table `activation` of the extension says of the store, attached as `store`.
    private func failureOfTheExtension() throws -> String {
        let queue = try DatabaseQueue()
        return try queue.writeWithoutTransaction { database in
            try ActivationTwin.register(database)
            try database.execute(sql: "ATTACH ? AS store", arguments: [path])
            do {
                return "\(try Int.fetchOne(database, sql: "SELECT count(*) FROM activation('store')") ?? 0) rows"
            } catch let error as DatabaseError {
                return error.message ?? "\(error)"
            }
        }
    }

    @Test(arguments: [
        ("CREATE TRIGGER gone AFTER INSERT ON run BEGIN DELETE FROM image; END", "trigger", "gone"),
        ("CREATE TABLE activation(layer, channel, image_id, value)", "table", "activation"),
        ("CREATE VIEW mine AS SELECT 1", "view", "mine"), ("CREATE INDEX fast ON image(width)", "index", "fast"),
        ("CREATE TABLE attributes(image_id, colour)", "table", "attributes"),
    ])
    func whatIsNotOursIsRefused(deed: String, type: String, name: String) throws {
        let images = try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM image") }
        try change(deed)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let wanted = StoreError.foreign(path: path, type: type, name: name)
        #expect(refusal { try Store.open(path: path) } == wanted)
        #expect(refusal { try dataset.open(path) } == wanted)
        #expect(refusal { try Store.compact(path: path, run: RunRecord(toolVersion: "t")) } == wanted)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        // A table of the name of its own is answered by SQLite; the extension refuses to be loaded beside it.
        #expect(try name == "activation" || "\(wanted)" == path + failureOfTheExtension().dropFirst("store".count))
        // As the message says.
        #expect("\(wanted)".contains("'DROP \(type.uppercased()) \"\(name)\"'"))
        try change("DROP \(type) \"\(name)\"")
        #expect(try Store.open(path: path).imageCount() == images)
    }

    /// Tables of another definition under our names, which answer otherwise, or never.
    @Test(arguments: [
        "DROP VIEW image_info; CREATE VIEW image_info AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT * FROM n",
        "ALTER TABLE image ADD COLUMN area INTEGER GENERATED ALWAYS AS (width * height) VIRTUAL",
        "ALTER TABLE skipped_image RENAME COLUMN reason TO why",
        "DROP INDEX image_by_label",
        "DROP INDEX image_by_label; CREATE INDEX image_by_label ON image(label_id) WHERE label_id > 1",
        "DROP TABLE skipped_image", "DROP TABLE skipped_image; CREATE VIEW skipped_image AS SELECT 1 AS path",
        "DROP TABLE skipped_image; CREATE VIRTUAL TABLE skipped_image USING fts5(path)",
    ])
    func anotherDefinitionIsDamage(deed: String) throws {
        try change("PRAGMA legacy_alter_table = ON; " + deed)
        for found in [refusal { try Store.open(path: path) }, refusal { try dataset.open(path) }] {
            switch found {
            case .damaged(_, let detail): #expect(try failureOfTheExtension() == "store is damaged: \(detail)")
            case .foreign: break
            default: Issue.record("\(deed): \(String(describing: found))")
            }
        }
    }

    /// The command that a message advises is one word of a shell, whatever somebody called a thing.
    @Test func namesAreQuotedForTheShell() throws {
        let name = "x\"; rm -rf '$HOME'"
        try change("CREATE VIEW \"x\"\"; rm -rf '$HOME'\" AS SELECT 1")
        guard let found = refusal({ try Store.open(path: path) }) else {
            Issue.record("taken")
            return
        }
        #expect(found == StoreError.foreign(path: path, type: "view", name: name))
        #expect("\(found)".contains(#"'DROP VIEW "x""; rm -rf '\''$HOME'\''"')"#), "\(found)")
    }

    /// Nothing that a file defines may call a function that does more than compute, nor may a view of it read a virtual table that does.
    /// The store's own views are read all the same, those of stores of 0.2 and earlier as well, which call functions of JSON.
    @Test(arguments: [false, true]) func aSchemaIsNotTrusted(isOlder: Bool) throws {
        let names = ["top_activation", "top_image", "image_info", "neuron_info"]
        func counts() throws -> [[SQLQuery.Value]] {
            try names.map { name in
                try SQLQuery(statement: "SELECT count(*), min(\(name == "image_info" ? "id" : "neuron_id")) FROM \(name)").run(
                    in: Store.open(path: path)
                ).rows[0]
            }
        }
        let wanted = try counts()
        if isOlder {
            try change(
                """
                DROP VIEW top_activation;
                CREATE VIEW top_activation AS
                SELECT t.neuron_id, e.key + 1 AS rank, e.value ->> 0 AS image_id, CAST(e.value ->> 1 AS REAL) AS value,
                    (e.value ->> 2) / l.width AS y, (e.value ->> 2) % l.width AS x
                FROM layer l
                JOIN top_list t ON t.neuron_id >= l.first_neuron AND t.neuron_id < l.first_neuron + l.channels
                JOIN json_each(t.list) e;
                DROP VIEW image_info;
                CREATE VIEW image_info AS
                SELECT i.id, i.path, i.width, i.height, i.bytes, i.mtime_ns, b.name AS label, i.split,
                    i.predicted_class_id AS predicted_index, c.name AS predicted, i.predicted_score AS score,
                    CASE WHEN b.class_id IS NOT NULL THEN b.class_id = i.predicted_class_id OR k.name = c.name END AS correct,
                    lower(hex(i.sha256)) AS sha256
                FROM image i
                LEFT JOIN label b ON b.id = i.label_id
                LEFT JOIN class c ON c.id = i.predicted_class_id
                LEFT JOIN class k ON k.id = b.class_id
                """)
        }
        #expect(try counts() == wanted)
        let store = try Store.open(path: path)
        let isTrusted = try store.read { try $0.int("PRAGMA trusted_schema") }
        #expect(isTrusted == 0)
    }

    /// Nobody's words: what ANALYZE and VACUUM of any SQLite do to a store is no damage.
    @Test func analysedAndVacuumedByOthers() throws {
        try change("ANALYZE; VACUUM; REINDEX; PRAGMA optimize")
        #expect(try Store.open(path: path).verify().findings == [])
    }

    @Test(arguments: [
        "UPDATE layer SET receptive_field_stride_y = 9e999", "UPDATE layer SET receptive_field_offset_x = -9e999 WHERE id = 1",
        "UPDATE layer SET receptive_field_height = 9223372036854775807 WHERE id = 1",
        "UPDATE layer SET receptive_field_width = -5 WHERE id = 1", "UPDATE model SET input_height = -1",
        "UPDATE model SET input_channels = 9223372036854775807", "UPDATE model SET opset = -9",
        "UPDATE class SET name = printf('%.*c', 70000, 'x') WHERE id = 1",
        "UPDATE meta SET value = 1 << 24 WHERE key = 'top_count'; UPDATE layer SET channels = 1000000 WHERE ordinal = 3; UPDATE meta SET value = 1000009 WHERE key = 'neurons'",
    ])
    func whatNoNetworkHasIsRefused(deed: String) throws {
        try change(deed)
        try reseal(path)
        guard case .damaged(_, let detail) = refusal({ try Store.open(path: path) }) else {
            Issue.record("\(deed) was taken")
            return
        }
        #expect(!detail.contains("not what was written"), "\(deed): \(detail)")
    }

    /// Sums of them would overflow.
    @Test(arguments: [
        "UPDATE neuron_statistics SET histogram = CAST(x'ffffffffffffffffffffffffffffffff' AS BLOB)",
        "UPDATE neuron_statistics SET histogram_first = -9223372036854775807",
        "UPDATE neuron_statistics SET histogram_first = 9223372036854775807", "UPDATE neuron_statistics SET zero_count = 1 << 62",
        "UPDATE neuron_statistics SET nan_count = 41", "UPDATE neuron_statistics SET settled_count = 9223372036854775807",
        "UPDATE neuron_statistics SET mean = NULL", "UPDATE neuron_statistics SET histogram = zeroblob(2000)",
    ])
    func impossibleStatisticsAreDamage(deed: String) throws {
        try change(deed)
        try reseal(path)
        let store = try Store.open(path: path)
        for query in [ProfileQuery(image: "3"), NeuronsQuery(sort: .mean)] as [any Query] {
            guard case .damaged = refusal({ try query.run(in: store) }) else {
                Issue.record("\(deed): \(query)")
                continue
            }
        }
        guard case .damaged = refusal({ try dataset.open(path) }) else {
            Issue.record("\(deed): opened for writing")
            return
        }
        #expect(try !store.verify().isWhole)
    }

    @Test(arguments: [
        "UPDATE explanation SET channels = 0, height = 0, width = 0, map = x''", "UPDATE explanation SET height = -1, width = -2",
        "UPDATE explanation SET channels = 1 << 32, height = 1 << 32, width = 2", "UPDATE explanation SET width = 3",
    ])
    func impossibleMapsAreNotGiven(deed: String) throws {
        try change(deed)
        try reseal(path)
        #expect(try Store.open(path: path).explanation(id: 1) == nil)
    }

    /// The database refuses it, but for who takes no notice of that.
    @Test(arguments: ["x'ffffffffffffffffffffffffffffffff'", "x''", "zeroblob(33)"])
    func aHashOfAnotherLengthIsDamage(hash: String) throws {
        try change("UPDATE image SET sha256 = \(hash) WHERE id = 3")
        try reseal(path)
        let store = try Store.open(path: path)
        let deeds: [() throws -> Void] = [
            { _ = try store.image(id: 3) }, { _ = try store.images() }, { _ = try ProfileQuery(image: "3").run(in: store) },
            { try Store.merge([self.path], into: self.folder.file("merged.sqlite"), run: RunRecord(toolVersion: "test")) },
            { try Store.compact(path: self.path, run: RunRecord(toolVersion: "test")) },
        ]
        for (index, deed) in deeds.enumerated() {
            guard case .damaged = refusal(deed) else {
                Issue.record("\(hash) was taken by deed \(index)")
                continue
            }
        }
        #expect(try !store.verify().isWhole)
    }

    @Test func aShardOfTooManyIsNone() {
        #expect(Shard("1/4611686018427387904") == nil)
        #expect(Shard("1000000/1000000")?.range(of: 1 << 32).upperBound == 1 << 32)
    }

    /// What could not be opened again is not made.
    @Test func whatNoStoreCanHoldIsNotMade() throws {
        let other = folder.file("other.sqlite")
        let long = RecordedDataset(
            images: 3, layers: RecordedDataset.layers(), classes: [String(repeating: "x", count: 70_000)], seed: 1)
        guard case .unstorable = refusal({ try long.open(other) }) else {
            Issue.record("a class of 70 000 bytes was taken")
            return
        }
    }
}
