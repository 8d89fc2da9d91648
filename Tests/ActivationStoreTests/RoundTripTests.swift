import ActivationStore
import Foundation
import GRDB
import Support
import TestSupport
import Testing

/// Every row of every table but `run`, whose times differ.
func rows(_ path: String) throws -> [String: [[DatabaseValue]]] {
    let queue = try DatabaseQueue(path: path)
    return try queue.read { database in
        let tables = try String.fetchAll(
            database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'run'")
        var all: [String: [[DatabaseValue]]] = [:]
        for table in tables {
            all[table] = try Row.fetchAll(database, sql: "SELECT * FROM \(table) ORDER BY 1, 2").map { Array($0.databaseValues) }
        }
        return all
    }
}

/// Compares a store with the arrays it was made from, by the plainest means.
func expectEqual(_ store: Store, _ dataset: RecordedDataset) throws {
    #expect(try store.imageCount() == dataset.images.count)
    #expect(store.description == dataset.description)
    for (id, image) in try store.images().enumerated() {
        let wanted = dataset.images[id]
        #expect(image.id == id && image.path == wanted.path && image.sha256 == wanted.sha256 && image.label == wanted.label)
        #expect(image.split == wanted.split && image.bytes == wanted.bytes && image.modified == wanted.modified)
        #expect(image.predictedClass == wanted.predictedClass)
    }
    let statistics = try store.statistics(neurons: 0..<dataset.description.neuronCount)
    for neuron in 0..<dataset.description.neuronCount {
        let column = try store.column(neuron: neuron)
        #expect(column.values.map(\.bitPattern) == dataset.values.map { $0[neuron].bitPattern })
        #expect(column.positions == dataset.positions.map { $0[neuron] })
        expectEqual(statistics[neuron], dataset.values.map { $0[neuron] })
    }
    for id in Set([0, dataset.images.count / 2, dataset.images.count - 1]) where id >= 0 && id < dataset.images.count {
        let activations = try #require(try store.activations(ofImage: id))
        #expect(activations.values.map(\.bitPattern) == dataset.values[id].map(\.bitPattern))
        #expect(activations.positions == dataset.positions[id])
    }
    #expect(try store.activations(ofImage: dataset.images.count) == nil)
    for layer in dataset.description.layers where layer.hasMean {
        #expect(try store.means(layer: layer.name) == dataset.means.flatMap { $0 })
    }
}

private func expectEqual(_ statistics: NeuronStatistics, _ values: [Float]) {
    let finite = values.filter(\.isFinite).map { Double($0) }
    #expect(statistics.count == values.count)
    #expect(statistics.nanCount == values.count { $0.isNaN })
    #expect(statistics.infiniteCount == values.count { $0.isInfinite })
    #expect(statistics.zeroCount == values.count { $0 == 0 })
    #expect(statistics.minimum == values.filter { !$0.isNaN }.min())
    #expect(statistics.maximum == values.filter { !$0.isNaN }.max())
    #expect(statistics.histogram.reduce(0) { $0 + Int($1) } == values.count { !$0.isNaN })
    for (index, count) in statistics.histogram.enumerated() where index > 0 && index < 255 && index != 127 && index != 128 {
        let bounds = NeuronStatistics.bucketBounds(index)
        // A negative bucket holds its lower bound's mirror: it is open below and closed above in magnitude.
        let held = values.filter { index >= 128 ? bounds.contains($0) : $0 > bounds.lowerBound && $0 <= bounds.upperBound }
        #expect(Int(count) == held.count)
    }
    guard !finite.isEmpty else {
        #expect(statistics.mean == nil && statistics.m2 == nil)
        return
    }
    let mean = finite.reduce(0, +) / Double(finite.count)
    let m2 = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    #expect(abs((statistics.mean ?? .nan) - mean) <= 1e-9)
    #expect(abs((statistics.m2 ?? .nan) - m2) <= 1e-9 * max(1, m2))
}

@Suite struct RoundTripTests {
    @Test(arguments: [1, 16, 17, 639, 640, 641, 1300])
    func storeSaysWhatWasWritten(images: Int) throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: images, layers: RecordedDataset.layers(), classes: ["cat", "dog", "b", "c", "d"], seed: UInt64(images))
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        try expectEqual(store, dataset)
        let check = try store.verify()
        #expect(check.findings == [])
        #expect(check.images == images && check.statistics == 14)
        #expect(check.activationRows == 14 * ((images + 639) / 640))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["s.sqlite"])
    }

    @Test func emptyStoreOpens() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 0, layers: RecordedDataset.layers(), seed: 1)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        #expect(try store.imageCount() == 0)
        #expect(try store.verify().findings == [])
    }

    /// 1200 bytes of lists a neuron, and five or six bytes an image of the block.
    @Test(arguments: [
        (small: 9, large: 5, top: 100, images: 640),
        (small: 18_000, large: 8_560, top: 100, images: 640),
        (small: 30_000, large: 14_000, top: 100, images: 256),
        (small: 20_000, large: 10_000, top: 100, images: 448),
        (small: 20_000, large: 10_000, top: 10, images: 640),
        (small: 20_000, large: 10_000, top: 1_000, images: 256),
    ])
    func networksOfManyNeuronsGetSmallBlocks(_ network: (small: Int, large: Int, top: Int, images: Int)) {
        let layers = RecordedDataset.layers(channels: [network.small, network.large])
        #expect(layers.map(\.positionBytes) == [1, 2])
        #expect(StoreDescription.blockImages(layers: layers, topCount: network.top) == network.images)
    }

    @Test func fullBlocksTakeFewBytes() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: 640, layers: RecordedDataset.layers(channels: [200, 200]), topCount: 1, seed: 5, hard: false)
        try dataset.write(folder.file("s.sqlite"))
        let bytes = try DatabaseQueue(path: folder.file("s.sqlite")).read {
            try Int.fetchOne(
                $0, sql: "SELECT sum(length(value) + length(position)) FROM activation_block")
        }
        #expect(bytes == 640 * 200 * 5 + 640 * 200 * 6)
        let pages = try DatabaseQueue(path: folder.file("s.sqlite")).read {
            try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0
        }
        // 40 pages of five rows, 50 of four; the rest is images, means, statistics and lists.
        #expect(pages <= 90 + 80 + 40)
    }

    @Test func viewsGiveNames() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 50, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 3)
        try dataset.write(folder.file("s.sqlite"))
        try DatabaseQueue(path: folder.file("s.sqlite")).read { database in
            let row = try #require(
                try Row.fetchOne(
                    database,
                    sql: "SELECT * FROM top_image WHERE layer = 'layer1' AND channel = 2 AND rank = 1"))
            let best = try #require(dataset.ranking(neuron: 6).first)
            #expect(row["path"] as String == dataset.images[best].path)
            #expect((row["y"] as Int) * 20 + (row["x"] as Int) == Int(dataset.positions[best][6]))
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM neuron_info") == 14)
            #expect(try String.fetchOne(database, sql: "SELECT predicted FROM image_info WHERE id = 3") == "dog")
        }
    }

    @Test func skippedFilesAreKeptUntilTheyDecode() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 5, layers: RecordedDataset.layers(), seed: 3)
        let writer = try dataset.open(folder.file("s.sqlite"))
        try writer.appendSkipped(SkippedRecord(path: dataset.images[4].path, reason: "no picture", bytes: 3, modified: 4))
        try writer.appendSkipped(SkippedRecord(path: "z.png", reason: "cut short"))
        try dataset.append(0..<4, to: writer)
        try writer.finish()
        #expect(
            try Store.open(path: folder.file("s.sqlite")).skipped().map(\.path).sorted()
                == ["z.png", dataset.images[4].path].sorted())
        let again = try dataset.open(folder.file("s.sqlite"))
        #expect(try again.knownSkipped()["z.png"]?.reason == "cut short")
        #expect(try again.knownImages()[ExactString(dataset.images[2].path)]?.id == 2)
        try dataset.append(4..<5, to: again)
        try again.finish()
        #expect(try Store.open(path: folder.file("s.sqlite")).skipped().map(\.path) == ["z.png"])
    }
}
