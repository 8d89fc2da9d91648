import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct ResumeTests {
    /// Writes a dataset in pieces. A piece ends with `finish`, or as if the process was killed.
    private func write(_ dataset: RecordedDataset, _ path: String, ends: [(image: Int, killed: Bool)]) throws {
        for end in ends {
            let writer = try dataset.open(path)
            let first = writer.imageCount
            if first < end.image { try dataset.append(first..<end.image, to: writer) }
            if !end.killed { try writer.finish(status: .interrupted) }
        }
        let writer = try dataset.open(path)
        try dataset.append(writer.imageCount..<dataset.images.count, to: writer)
        try writer.finish()
    }

    @Test func interruptedRunsGiveTheRowsOfAnUndisturbedOne() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 1500, layers: RecordedDataset.layers(), seed: 9)
        try dataset.write(folder.file("a.sqlite"))
        try write(
            dataset, folder.file("b.sqlite"),
            ends: [(3, false), (700, false), (1300, true), (1290, false), (1290, false), (1400, true)])
        let (a, b) = (try rows(folder.file("a.sqlite")), try rows(folder.file("b.sqlite")))
        #expect(a.keys == b.keys)
        for table in a.keys { #expect(a[table] == b[table], "table \(table)") }
        try expectEqual(Store.open(path: folder.file("b.sqlite")), dataset)
    }

    /// Small random stores with small blocks, cut at random.
    @Test func randomStoresCutAtRandom() throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 2024)
        for round in 0..<200 {
            let channels = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 1...9, using: &random) }
            let dataset = RecordedDataset(
                images: Int.random(in: 1...90, using: &random), layers: RecordedDataset.layers(channels: channels),
                blockImages: [1, 2, 7, 16, 33, 64][Int.random(in: 0..<6, using: &random)],
                topCount: Int.random(in: 1...12, using: &random), seed: UInt64(round))
            let (whole, cut) = (folder.file("\(round)a.sqlite"), folder.file("\(round)b.sqlite"))
            try dataset.write(whole)
            let ends = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                (Int.random(in: 0...dataset.images.count, using: &random), Bool.random(using: &random))
            }
            try write(dataset, cut, ends: ends)
            #expect(try rows(whole) == rows(cut), "round \(round), cut at \(ends)")
            let store = try Store.open(path: cut)
            if round % 8 == 0 { try expectEqual(store, dataset) }
            #expect(try store.verify().findings == [], "round \(round)")
            try expectLists(store, dataset)
            for path in [whole, cut] { try FileManager.default.removeItem(atPath: path) }
        }
    }

    /// So many neurons are brought back by several connections.
    @Test func largeLayers() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: 30, layers: RecordedDataset.layers(channels: [1500, 900, 2200, 1]), blockImages: 8, topCount: 5, seed: 11)
        let (whole, cut) = (folder.file("a.sqlite"), folder.file("b.sqlite"))
        try dataset.write(whole)
        try write(dataset, cut, ends: [(13, false), (21, true), (16, false), (29, false)])
        let (a, b) = (try rows(whole), try rows(cut))
        #expect(a.keys == b.keys)
        for table in a.keys { #expect(a[table] == b[table], "table \(table)") }
        let store = try Store.open(path: cut)
        #expect(try store.verify().findings == [])
        try expectLists(store, dataset)
    }

    private func expectLists(_ store: Store, _ dataset: RecordedDataset) throws {
        let rows = try DatabaseQueue(path: store.path).read {
            try Row.fetchAll($0, sql: "SELECT neuron_id, image_id FROM top_activation ORDER BY neuron_id, rank")
        }
        let lists = Dictionary(grouping: rows) { $0[0] as Int }.mapValues { $0.map { $0[1] as Int } }
        for neuron in 0..<dataset.description.neuronCount {
            #expect(lists[neuron, default: []] == Array(dataset.ranking(neuron: neuron).prefix(dataset.description.topCount)))
        }
    }

    @Test func derivedRowsThatLagAreNotTrusted() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 40, layers: RecordedDataset.layers(), blockImages: 10, seed: 4)
        let first = try dataset.open(path)
        try dataset.append(0..<15, to: first)
        try first.finish()
        do {
            let killed = try dataset.open(path)
            try dataset.append(15..<40, to: killed)
        }
        let store = try Store.open(path: path)
        #expect(try store.imageCount() == 40)
        #expect(try !store.isDerivedComplete())
        try expectEqual(store, dataset)
        #expect(try store.verify().findings == [])
    }

    @Test func aFullDiskLosesNothing() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(
            images: 64, layers: RecordedDataset.layers(channels: [90]), blockImages: 16, seed: 8)
        let writer = try dataset.open(path)
        try dataset.append(0..<31, to: writer)
        let pages = try writer.database.writeWithoutTransaction { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
            return pages
        }
        #expect(pages > 0)
        #expect(throws: StoreError.diskFull(path: path)) { try dataset.append(31..<32, to: writer) }
        #expect(try Store.open(path: path).imageCount() == 16)
        try writer.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
        // The image that met the full disk is not in the block, and is handed over again.
        #expect(writer.imageCount == 31)
        try dataset.append(31..<64, to: writer)
        try writer.finish()
        try dataset.write(folder.file("b.sqlite"))
        #expect(try rows(path) == rows(folder.file("b.sqlite")))
    }
}
