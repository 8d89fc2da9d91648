import ActivationStore
import CActivationTable
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// Statements over the table `activation`, beside the same over an ordinary table of the same rows.
@Suite struct ActivationTableTests {
    @Test(arguments: 0..<10) func statementsHaveTheAnswersOfAnOrdinaryTable(_ part: Int) throws {
        let folder = try TemporaryFolder()
        var (asked, rows) = (0, 0)
        for seed in RandomStores.seeds where seed % 10 == part {
            let (store, dataset) = try RandomStores.make(seed, folder)
            var random = SeededGenerator(seed: UInt64(seed))
            var gone: Set<Int> = []
            if seed % 3 == 1, seed % 9 != 4 {
                gone = Set(dataset.images.indices.filter { _ in Int.random(in: 0..<4, using: &random) == 0 })
                try store.remove(images: gone.sorted())
            }
            let twin = try ActivationTwin(store.path, dataset, without: gone)
            for question in ActivationQuestion.always + (0..<25).map({ _ in ActivationQuestion(dataset, &random) }) {
                rows += try twin.expectSame(question, "store \(seed) without \(gone)")
                asked += 1
            }
        }
        #expect(asked == 30 * (25 + ActivationQuestion.always.count) && rows > 10_000)
    }

    @Test func theProgramHasTheTableToo() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds where seed % 20 == 3 {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let rows = try SQLQuery(
                statement:
                    "SELECT channel, image_id, value, y, x FROM activation WHERE layer = 'layer0' ORDER BY neuron_id, image_id"
            ).run(in: store).rows
            var wanted: [[SQLQuery.Value]] = []
            let layer = dataset.layer(0)
            for channel in 0..<layer.channels {
                for (image, values) in dataset.values.enumerated() {
                    let (value, position) = (values[channel], Int(dataset.positions[image][channel]))
                    wanted.append([
                        .integer(Int64(channel)), .integer(Int64(image)), value.isNaN ? .null : .real(Double(value + 0)),
                        .integer(Int64(position / layer.width)), .integer(Int64(position % layer.width)),
                    ])
                }
            }
            #expect(rows == wanted, "store \(seed)")
        }
    }

    /// No sorting where the table has the order, and images found by their id where few are wanted.
    @Test func plansAreThoseWanted() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: 400, layers: RecordedDataset.layers(channels: [40, 3, 2, 5]), classes: ["cat", "dog"], blockImages: 16,
            seed: 3)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        func plan(_ sql: String) throws -> String {
            try SQLQuery(statement: "EXPLAIN QUERY PLAN " + sql).run(in: store).rows.map { row in
                if case .text(let line) = row[3] { line } else { "" }
            }.joined(separator: "\n")
        }
        let one = "FROM activation a WHERE layer = 'layer0' AND channel = 3"
        for sorted in [
            "SELECT * \(one) ORDER BY value DESC", "SELECT * \(one) ORDER BY value DESC, image_id LIMIT 5",
            "SELECT * \(one) ORDER BY value", "SELECT * \(one) ORDER BY image_id",
            "SELECT * FROM activation ORDER BY value DESC LIMIT 9",
            "SELECT channel, avg(value) FROM activation WHERE layer = 'layer0' GROUP BY channel",
            "SELECT image_id, sum(value) FROM activation WHERE layer = 'layer0' AND channel IN (1, 2, 3) GROUP BY image_id",
            "SELECT path, value \(one.replacing(" a ", with: " a JOIN image i ON i.id = a.image_id ")) AND split = 'val' "
                + "ORDER BY value DESC LIMIT 5",
        ] {
            let lines = try plan(sorted)
            #expect(!lines.contains("TEMP B-TREE") && lines.contains("VIRTUAL TABLE INDEX"), "\(sorted): \(lines)")
        }
        let few = try plan(
            "SELECT value FROM image i JOIN activation a ON a.image_id = i.id WHERE i.path = 'x' AND layer = 'layer0' AND channel = 1"
        )
        #expect(few.hasPrefix("SEARCH i"), "\(few)")
    }

    @Test func severalStoresAreToldApart() throws {
        let folder = try TemporaryFolder()
        let first = RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 8, seed: 1)
        let second = RecordedDataset(images: 30, layers: RecordedDataset.layers(), blockImages: 7, seed: 2)
        try first.write(folder.file("a.sqlite"))
        try second.write(folder.file("b.sqlite"))
        let twin = try ActivationTwin(folder.file("a.sqlite"), first, without: [])
        try twin.queue.writeWithoutTransaction { database in
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM activation") == 20 * 14)
            try database.execute(sql: "ATTACH ? AS other", arguments: [folder.file("b.sqlite")])
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT a.value AS one, b.value AS two FROM activation('store') a
                    JOIN activation('other') b USING (layer, channel, image_id) WHERE layer = 'layer0' AND channel = 1 ORDER BY image_id
                    """)
            #expect(rows.count == 20)
            for (image, row) in rows.enumerated() {
                let (one, two) = (first.values[image][1], second.values[image][1])
                #expect(row["one"] == (one.isNaN ? nil : Double(one)) && row["two"] == (two.isNaN ? nil : Double(two)))
            }
            func failure(_ sql: String) -> String { twin.failure(sql, database) }
            #expect(
                failure("SELECT * FROM activation")
                    == "store and other are both stores; say which one: activation('store') or activation('other')")
            #expect(failure("SELECT * FROM other.activation").contains("say which one"))
            #expect(failure("SELECT * FROM activation('nothing')").contains("nothing"))
            #expect(failure("SELECT * FROM activation('main')") == "main is no neurodex store")
            try database.execute(sql: "DETACH store")
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM activation") == 30 * 14)
            // Another file under the same name.
            try database.execute(sql: "DETACH other; ATTACH ? AS other", arguments: [folder.file("a.sqlite")])
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM activation") == 20 * 14)
            try database.execute(sql: "PRAGMA other.user_version = 9")
            #expect(
                failure("SELECT * FROM activation").hasPrefix("other is a store of version 9, and this activation table knows"))
            try database.execute(sql: "DETACH other")
            #expect(failure("SELECT * FROM activation") == "no database of this connection is a neurodex store")
            #expect(failure("INSERT INTO activation(value) VALUES (1)").contains("may not be modified"))
            #expect(failure("CREATE VIRTUAL TABLE t USING activation").contains("no such module"))
        }
    }

    @Test func aPreparedStatementSeesWhatTheStoreHasNow() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 70, layers: RecordedDataset.layers(), blockImages: 16, seed: 9)
        let writer = try dataset.open(path)
        try dataset.append(0..<32, to: writer)
        let twin = try ActivationTwin(path, dataset, without: [])
        let sql = "SELECT image_id FROM activation WHERE layer = 'layer0' AND channel = 1 ORDER BY value DESC, image_id"
        try twin.queue.writeWithoutTransaction { database in
            let statement = try database.makeStatement(sql: sql)
            func images() throws -> [Int] { try Int.fetchAll(statement) }
            func wanted(_ count: Int, without gone: Set<Int> = []) -> [Int] {
                (0..<count).filter { !gone.contains($0) }.sorted { a, b in
                    let (x, y) = (dataset.values[a][1], dataset.values[b][1])
                    if x.isNaN || y.isNaN { return x.isNaN && y.isNaN ? a < b : y.isNaN }
                    return x == y ? a < b : x > y
                }
            }
            #expect(try images() == wanted(32))
            try dataset.append(32..<70, to: writer)
            #expect(try images() == wanted(64))
            try writer.finish()
            #expect(try images() == wanted(70))
            try Store.open(path: path).remove(images: [3, 69])
            #expect(try images() == wanted(70, without: [3, 69]))
            // Changes of its own connection, undone again.
            let counted = "UPDATE store.meta SET value = value + 1 WHERE key = 'removed'"
            try database.execute(sql: "BEGIN; DELETE FROM store.image WHERE id = 5; \(counted)")
            #expect(try images() == wanted(70, without: [3, 5, 69]))
            try database.execute(sql: "SAVEPOINT one; DELETE FROM store.image WHERE id = 6; \(counted)")
            #expect(try images() == wanted(70, without: [3, 5, 6, 69]))
            try database.execute(sql: "ROLLBACK TO one")
            #expect(try images() == wanted(70, without: [3, 5, 69]))
            try database.execute(sql: "ROLLBACK")
            #expect(try images() == wanted(70, without: [3, 69]))
        }
        // Compacted, image ids are others.
        try Store.compact(path: path, run: RunRecord(toolVersion: "test"))
        #expect(
            try SQLQuery(statement: "SELECT count(*), max(image_id) FROM activation WHERE neuron_id = 0").run(
                in: Store.open(path: path)
            )
            .rows == [[.integer(68), .integer(67)]])
    }

    /// Each statement sees one state of the store, whatever a writer does meanwhile.
    @Test func readersBesideAWriterSeeWholeBlocks() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 900, layers: RecordedDataset.layers(), blockImages: 10, seed: 4, hard: false)
        let writer = try dataset.open(path)
        try dataset.append(0..<10, to: writer)
        let sums = dataset.values.reduce(into: [0.0]) { $0.append(($0.last ?? 0) + Double($1[2])) }
        async let writing: Void = {
            try dataset.append(10..<900, to: writer)
            try writer.finish()
        }()
        let store = try Store.open(path: path)
        var seen: Set<Int> = []
        repeat {
            let rows = try SQLQuery(
                statement: """
                    SELECT count(*), total(value) FROM activation WHERE neuron_id = 2
                    UNION ALL SELECT count(*), total(value) FROM activation WHERE layer = 'layer0' AND channel = 2
                    UNION ALL SELECT count(*), total(value) FROM activation a JOIN image i ON i.id = a.image_id WHERE neuron_id = 2
                    """
            ).run(in: store).rows
            #expect(rows.count == 3 && Set(rows).count == 1, "\(rows)")
            guard case .integer(let count) = rows[0][0], case .real(let sum) = rows[0][1] else { break }
            #expect((count % 10 == 0 || count == 900) && abs(sum - sums[Int(count)]) < 1e-6 * abs(sum) + 1e-9)
            seen.insert(Int(count))
        } while seen.max() != 900
        try await writing
        #expect(seen.contains(900))
    }
}

/// A connection on which a store is attached, with the table `activation` of the extension, and an ordinary table of the same rows.
struct ActivationTwin {
    let queue: DatabaseQueue

    init(_ path: String, _ dataset: RecordedDataset, without gone: Set<Int>) throws {
        queue = try DatabaseQueue()
        try queue.writeWithoutTransaction { database in
            try Self.register(database)
            try database.execute(sql: "ATTACH ? AS store", arguments: [path])
            try database.execute(
                sql: "CREATE TABLE plain(layer TEXT, channel INT, image_id INT, value REAL, y INT, x INT, neuron_id INT)")
            let insert = try database.makeStatement(sql: "INSERT INTO plain VALUES (?, ?, ?, ?, ?, ?, ?)")
            try database.execute(sql: "BEGIN")
            for layer in dataset.description.layers {
                for neuron in layer.neurons {
                    for image in dataset.values.indices where !gone.contains(image) {
                        let (value, position) = (dataset.values[image][neuron], Int(dataset.positions[image][neuron]))
                        try insert.execute(arguments: [
                            layer.name, neuron - layer.firstNeuron, image, value.isNaN ? nil : Double(value + 0),
                            position / layer.width, position % layer.width, neuron,
                        ])
                    }
                }
            }
            try database.execute(sql: "COMMIT")
        }
    }

    /// As the extension does.
    static func register(_ database: Database) throws {
        let code = database.sqliteConnection.map { ndx_activation_register($0, schema) }
        precondition(code == 0, "the table could not be registered")
    }

    /// For the whole run.
    nonisolated(unsafe) private static let schema: UnsafePointer<CChar>? = UnsafePointer(strdup(Schema.sql))

    /// Expects the same rows of both tables, in the same order as far as the question says one. Returns how many.
    func expectSame(_ question: ActivationQuestion, _ what: String) throws -> Int {
        try queue.writeWithoutTransaction { database in
            func rows(_ table: String) throws -> [[DatabaseValue]] {
                try Row.fetchAll(database, sql: question.sql(of: table)).map { Array($0.databaseValues) }
            }
            var (found, wanted) = (try rows("activation"), try rows("plain"))
            if !question.isOrdered {
                found.sort { "\($0)" < "\($1)" }
                wanted.sort { "\($0)" < "\($1)" }
            }
            #expect(found == wanted, "\(what): \(question.sql(of: "activation"))")
            return found.count
        }
    }

    func failure(_ sql: String, _ database: Database) -> String {
        do {
            return "\(try Row.fetchAll(database, sql: sql).count) rows"
        } catch {
            return (error as? DatabaseError)?.message ?? "\(error)"
        }
    }
}
