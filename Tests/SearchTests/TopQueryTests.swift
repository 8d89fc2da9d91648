import ActivationStore
import ArgumentParser
import Foundation
import Search
import TestSupport
import Testing

@Suite struct TopQueryTests {
    private func store(_ dataset: RecordedDataset, _ folder: TemporaryFolder, name: String = "s.sqlite") throws -> Store {
        try dataset.write(folder.file(name))
        return try Store.open(path: folder.file(name))
    }

    private func expect(
        _ query: TopQuery, _ store: Store, _ dataset: RecordedDataset, neurons: [Int], where isKept: (Int) -> Bool = { _ in true }
    ) throws {
        let hits = try query.run(in: store)
        var wanted: [TopQuery.Hit] = []
        for neuron in neurons {
            let layer = dataset.description.layer(ofNeuron: neuron)
            let images = dataset.ranking(neuron: neuron, lowest: query.lowest, where: isKept).prefix(query.count)
            for (index, image) in images.enumerated() {
                let position = Int(dataset.positions[image][neuron])
                wanted.append(
                    TopQuery.Hit(
                        layer: layer.name, channel: neuron - layer.firstNeuron, rank: index + 1,
                        image: dataset.images[image].path,
                        imageID: image, label: dataset.images[image].label, value: dataset.values[image][neuron],
                        y: position / layer.width, x: position % layer.width))
            }
        }
        #expect(hits == wanted)
    }

    @Test func equalsSortingEverything() throws {
        let folder = try TemporaryFolder()
        let classes = ["cat", "dog", "Bird", "cow", "emu"]
        for (images, block, top) in [(1, 640, 100), (70, 16, 10), (200, 33, 3)] {
            let dataset = RecordedDataset(
                images: images, layers: RecordedDataset.layers(), classes: classes, blockImages: block, topCount: top,
                seed: UInt64(images))
            let store = try store(dataset, folder, name: "\(images).sqlite")
            for count in [1, 3, 10, 11, images, images + 7] {
                for lowest in [false, true] {
                    func query(_ neurons: [String], _ condition: String? = nil) -> TopQuery {
                        TopQuery(neurons: neurons, count: count, lowest: lowest, condition: condition)
                    }
                    try expect(query(["layer0:2"]), store, dataset, neurons: [2])
                    try expect(query(["layer2", "class:bird", "class:4"]), store, dataset, neurons: [7, 8, 11, 13])
                    try expect(query(["layer0"], "label = 'cat' AND split = 'val' -- it"), store, dataset, neurons: [0, 1, 2, 3])
                    {
                        dataset.images[$0].label == "cat" && dataset.images[$0].split == "val"
                    }
                    try expect(query(["layer1:0"], "label = 'it''s' OR label IS NULL"), store, dataset, neurons: [4]) {
                        dataset.images[$0].label == "it's" || dataset.images[$0].label == nil
                    }
                    try expect(query(["layer1:0"], "0"), store, dataset, neurons: [4]) { _ in false }
                }
            }
        }
    }

    @Test func aStoreBeingWrittenIsAnsweredFromItsBlocks() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(images: 48, layers: RecordedDataset.layers(), blockImages: 16, seed: 6)
        let writer = try dataset.open(folder.file("s.sqlite"))
        try dataset.append(0..<40, to: writer)
        dataset.values.removeLast(16)
        try expect(
            TopQuery(neurons: ["layer3"], count: 4), Store.open(path: folder.file("s.sqlite")), dataset,
            neurons: Array(9..<14))
    }

    @Test func jsonHasEveryKey() throws {
        let hit = TopQuery.Hit(
            layer: "l", channel: 1, rank: 2, image: "p", imageID: 3, label: nil, value: 1.5, y: 4, x: 5)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            try String(decoding: encoder.encode(hit), as: UTF8.self)
                == #"{"channel":1,"image":"p","image_id":3,"label":null,"layer":"l","rank":2,"value":1.5,"x":5,"y":4}"#)
    }

    @Test func argumentsAreParsed() throws {
        let query = try TopQuery.parse(["features:3", "class:cat", "-k", "9", "--lowest", "--where", "split = 'val'"])
        #expect(query.neurons == ["features:3", "class:cat"])
        #expect(query.count == 9 && query.lowest && query.condition == "split = 'val'")
        #expect(try TopQuery.parse(["a"]).count == 5)
        #expect(try SQLQuery.parse(["SELECT 1"]).timeLimit == 60)
        #expect(Set(queries.map { $0.name }).count == queries.count && queries.contains { $0.name == "top" })
    }

    @Test func mistakesAreNamed() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 9, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 1)
        let store = try store(dataset, folder)
        func message(_ query: TopQuery) -> String {
            do { return "\(try query.run(in: store).count) hits" } catch { return "\(error)" }
        }
        #expect(
            message(TopQuery(neurons: ["layr2:0"])).hasPrefix("no layer is named layr2; did you mean layer2"))
        #expect(message(TopQuery(neurons: ["layer2:2"])) == "layer layer2 has no channel 2: its channels are 0 to 1")
        #expect(message(TopQuery(neurons: ["layer2:x"])) == "layer layer2 has no channel x: its channels are 0 to 1")
        #expect(message(TopQuery(neurons: ["class:dgo"])) == "no class is named dgo; did you mean dog?")
        #expect(message(TopQuery(neurons: ["layer2"], count: 0)) == "-k is 0, and has to be at least 1")
        #expect(message(TopQuery(neurons: [])).hasPrefix("name a neuron"))
        let refused = [
            "lable = 'cat'": "no such column: lable; did you mean label?",
            "1) UNION SELECT (id": #"--where "1) UNION SELECT (id": near ")": syntax error"#,
            "id IN (SELECT image_id FROM top_activation)": "would read top_activation",
            "1); DELETE FROM image; SELECT (1": "more than one statement",
            "load_extension('x') IS NULL": "would call load_extension",
        ]
        for (condition, reason) in refused {
            let found = message(TopQuery(neurons: ["layer2"], condition: condition))
            #expect(found.contains(reason), "\(condition): \(found)")
        }
        #expect(try store.imageCount() == 9)
    }
}

@Suite struct SQLQueryTests {
    @Test func readsAndOnlyReads() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 20, layers: RecordedDataset.layers(), seed: 1)
        try dataset.write(path)
        let store = try Store.open(path: path)
        let table = try SQLQuery(statement: "SELECT count(*) AS n, 1.5, 'a', NULL, x'01ff' FROM image;").run(in: store)
        #expect(table.columns == ["n", "1.5", "'a'", "NULL", "x'01ff'"])
        #expect(table.rows == [[.integer(20), .real(1.5), .text("a"), .null, .blob(Data([1, 255]))]])
        #expect(
            try String(decoding: JSONEncoder().encode(table.rows), as: UTF8.self) == #"[[20,1.5,"a",null,"01ff"]]"#)

        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let refused = [
            "DELETE FROM image", "UPDATE image SET width = 1", "INSERT INTO label VALUES (9, 'x', NULL)", "DROP TABLE image",
            "CREATE TABLE t(a)", "CREATE TEMP TABLE t(a)", "ATTACH 'x.sqlite' AS x", "PRAGMA journal_mode = WAL",
            "PRAGMA user_version", "VACUUM", "VACUUM INTO '\(folder.file("v.sqlite"))'", "BEGIN", "ANALYZE", "REINDEX",
            "SELECT load_extension('x')",
            "WITH a AS (SELECT 1) DELETE FROM image",
        ]
        for sql in refused {
            do {
                _ = try SQLQuery(statement: sql).run(in: store)
                Issue.record("\(sql) ran")
            } catch {
                guard case .forbidden = error as? QueryError else {
                    Issue.record("\(sql): \(error)")
                    continue
                }
            }
        }
        #expect(throws: QueryError.emptySQL) { try SQLQuery(statement: " -- nothing").run(in: store) }
        #expect(throws: QueryError.severalStatements(sql: "SELECT 1; SELECT 2")) {
            try SQLQuery(statement: "SELECT 1; SELECT 2").run(in: store)
        }
        #expect(throws: QueryError.wrongSQL(sql: "SELEC", reason: #"near "SELEC": syntax error"#)) {
            try SQLQuery(statement: "SELEC").run(in: store)
        }
        #expect(throws: QueryError.outOfTime(seconds: 0.05)) {
            try SQLQuery(
                statement: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", timeLimit: 0.05
            ).run(in: store)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.sqlite"])
    }
}
