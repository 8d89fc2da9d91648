import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// Removed, replaced, renamed, compacted, merged: a store is what one run over the images that are left would have made.
@Suite struct GrowthTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let run = RunRecord(toolVersion: "test")

    /// A random dataset with small blocks.
    private func dataset(_ round: Int, _ random: inout SeededGenerator, images: Int? = nil) -> RecordedDataset {
        RecordedDataset(
            images: images ?? Int.random(in: 1...80, using: &random), layers: RecordedDataset.layers(),
            classes: ["cat", "dog", "b", "c", "d"], blockImages: [1, 2, 7, 16, 33, 64][Int.random(in: 0..<6, using: &random)],
            topCount: Int.random(in: 1...12, using: &random), seed: UInt64(round))
    }

    private func subset(_ dataset: RecordedDataset, _ kept: [Int]) -> RecordedDataset {
        var part = dataset
        part.images = kept.map { dataset.images[$0] }
        part.values = kept.map { dataset.values[$0] }
        part.positions = kept.map { dataset.positions[$0] }
        part.means = kept.map { dataset.means[$0] }
        return part
    }

    @Test func compactedIsAsIfItHadNeverBeen() throws {
        var random = SeededGenerator(seed: 77)
        for round in 0..<60 {
            let dataset = dataset(round, &random)
            let (path, fresh) = (folder.file("\(round)a.sqlite"), folder.file("\(round)b.sqlite"))
            try dataset.write(path)
            let gone = dataset.images.indices.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            let kept = dataset.images.indices.filter { !gone.contains($0) }
            let store = try Store.open(path: path)
            #expect(try store.remove(images: gone + [5000]) == gone.count)
            #expect(try store.remove(images: gone) == 0)
            #expect(try store.imageCount() == kept.count && store.imageIDs() == kept)
            #expect(try store.verify().findings == [], "round \(round)")
            try expectStatistics(store, subset(dataset, kept))
            if let first = gone.first { #expect(try store.activations(ofImage: first) == nil) }
            try Store.compact(path: path, run: run)
            try subset(dataset, kept).write(fresh)
            // Labels that are no more keep no row.
            #expect(try StoreDump(path).differences(from: StoreDump(fresh)) == [], "round \(round)")
            let compacted = try Store.open(path: path)
            #expect(try compacted.verify().findings == [])
            #expect(try compacted.isDerivedComplete() || kept.isEmpty)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { $0.hasSuffix(".sqlite") })
    }

    private func expectStatistics(_ store: Store, _ dataset: RecordedDataset) throws {
        let statistics = try store.statistics(neurons: 0..<dataset.description.neuronCount)
        for neuron in 0..<dataset.description.neuronCount {
            let values = dataset.values.map { $0[neuron] }
            #expect(statistics[neuron].count == values.count)
            #expect(statistics[neuron].nanCount == values.count { $0.isNaN })
            #expect(statistics[neuron].zeroCount == values.count { $0 == 0 })
            #expect(statistics[neuron].maximum == values.filter { !$0.isNaN }.max())
        }
    }

    @Test func aStoreWithHolesGrows() throws {
        var random = SeededGenerator(seed: 5)
        for round in 0..<40 {
            let dataset = dataset(round, &random, images: 60)
            let (path, fresh) = (folder.file("\(round)a.sqlite"), folder.file("\(round)b.sqlite"))
            let first = try dataset.open(path)
            try dataset.append(0..<30, to: first)
            try first.finish()
            // The last ones too, so that ids must not be used again.
            try Store.open(path: path).remove(images: [3, 4, 20, 28, 29])
            do {
                let second = try dataset.open(path)
                #expect(second.imageCount == 30)
                try dataset.append(30..<60, to: second)
                // Or it ends as if it was killed.
                if round % 2 == 0 { try second.finish() }
            }
            let store = try Store.open(path: path)
            #expect(try store.verify().findings == [], "round \(round)")
            if round % 2 == 1 {
                let third = try dataset.open(path)
                let images = third.imageCount
                try dataset.append(images..<60, to: third)
                try third.finish()
            }
            try Store.compact(path: path, run: run)
            try subset(dataset, (0..<60).filter { ![3, 4, 20, 28, 29].contains($0) }).write(fresh)
            #expect(try StoreDump(path).differences(from: StoreDump(fresh)) == [], "round \(round)")
        }
    }

    @Test func aReplacedImageGoesWithTheBlockOfItsSuccessor() throws {
        let dataset = RecordedDataset(images: 30, layers: RecordedDataset.layers(), blockImages: 8, seed: 3)
        let path = folder.file("s.sqlite")
        let writer = try dataset.open(path)
        try dataset.append(0..<29, to: writer)
        try writer.finish()
        let again = try dataset.open(path)
        var changed = dataset.images[29]
        changed.path = dataset.images[4].path
        try dataset.values[29].withUnsafeBufferPointer { values in
            try dataset.positions[29].withUnsafeBufferPointer { positions in
                try dataset.means[29].withUnsafeBufferPointer { means in
                    try again.append(image: changed, values: values, positions: positions, means: means, replacing: 4)
                }
            }
        }
        // Not committed: a kill now would leave the old one.
        #expect(try Store.open(path: path).image(path: changed.path)?.id == 4)
        try again.finish()
        let store = try Store.open(path: path)
        #expect(try store.image(path: changed.path)?.id == 29)
        #expect(try store.image(id: 4) == nil)
        #expect(try store.imageCount() == 29 && store.removedCount() == 1)
        #expect(try store.activations(ofImage: 29)?.values.map(\.bitPattern) == dataset.values[29].map(\.bitPattern))
        #expect(try store.verify().findings == [])
    }

    @Test func explanationsGoWithTheirImage() throws {
        let dataset = RecordedDataset(images: 6, layers: RecordedDataset.layers(), seed: 3)
        let path = folder.file("s.sqlite")
        try dataset.write(path)
        let store = try Store.open(path: path)
        for id in [1, 2] {
            try store.keep(
                ExplanationRecord(
                    key: Data(repeating: UInt8(id), count: 32), method: "cam", arguments: [], target: "t",
                    image: dataset.images[id].path, imageSHA256: dataset.images[id].sha256, value: 0, note: nil, channels: 1,
                    height: 1, width: 1, isSigned: false, map: [1], picture: Data([1]), seconds: 0, toolVersion: "t"))
        }
        try store.remove(images: [1])
        #expect(try store.explanations().map(\.image) == [dataset.images[2].path])
        try Store.compact(path: path, run: run)
        let compacted = try Store.open(path: path)
        #expect(try compacted.explanations().map(\.image) == [dataset.images[2].path])
        #expect(try compacted.summary().runs.map(\.status) == ["done", "done"])
    }

    /// Read by one connection, or layer by layer by several.
    @Test(arguments: [1, 4]) func mergedIsASingleRun(_ readers: Int) throws {
        var random = SeededGenerator(seed: 99)
        for round in 0..<60 {
            let dataset = dataset(round, &random)
            let count = Int.random(in: 1...5, using: &random)
            var paths: [String] = []
            for index in 1...count {
                let shard = Shard(index, of: count)
                var part = subset(dataset, Array(shard.range(of: dataset.images.count)))
                part.description = dataset.description.part(shard)
                paths.append(folder.file("\(round)-\(index).sqlite"))
                try part.write(paths[index - 1])
            }
            let (merged, whole) = (folder.file("\(round)m.sqlite"), folder.file("\(round)w.sqlite"))
            let shards = try paths.shuffled(using: &random).map { try Store.open(path: $0, readers: readers, smallestShare: 1) }
            try Store.merge(shards, into: merged, run: run)
            try dataset.write(whole)
            #expect(try StoreDump(merged).differences(from: StoreDump(whole)) == [], "round \(round)")
            #expect(try Store.open(path: merged).description == dataset.description)
        }
    }

    @Test func whatCannotBeMergedIsRefused() throws {
        var random = SeededGenerator(seed: 1)
        let dataset = dataset(0, &random, images: 20)
        func write(_ name: String, _ shard: Shard?, _ images: Range<Int>, _ change: (inout RecordedDataset) -> Void = { _ in })
            throws -> String
        {
            var part = subset(dataset, Array(images))
            if let shard { part.description = dataset.description.part(shard) }
            change(&part)
            let path = folder.file(name)
            try part.write(path)
            return path
        }
        let one = try write("1.sqlite", Shard(1, of: 3), 0..<6)
        let two = try write("2.sqlite", Shard(2, of: 3), 6..<13)
        let three = try write("3.sqlite", Shard(3, of: 3), 13..<20)
        let copy = try write("2b.sqlite", Shard(2, of: 3), 6..<13)
        let none = try write("n.sqlite", nil, 6..<13)
        let other = try write("4.sqlite", Shard(1, of: 4), 0..<5)
        let out = folder.file("out.sqlite")
        func message(_ shards: [String]) -> String {
            do {
                try Store.merge(shards, into: out, run: run)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message([one, three]) == "cannot merge: shard 2 of 3 is missing; name all, or merge with --partial")
        #expect(message([one, two, copy, three]).hasPrefix("cannot merge: shard 2/3 comes twice"))
        #expect(message([one, none, three]) == "cannot merge: \(none) is no shard, and the others are")
        #expect(message([one, other]) == "cannot merge: \(other) is shard 1/4, and \(one) is one of 3")
        #expect(message([none, none]).contains("is in \(out)-merging already"))
        #expect(!FileManager.default.fileExists(atPath: out))
        try Store.merge([three, one], into: out, isPartial: true, run: run)
        #expect(try Store.open(path: out).imageCount() == 13)
        #expect(message([one, two, three]) == "\(out) exists already; remove it, or write to another file")

        let database = try DatabaseQueue(path: two)
        try database.write {
            try $0.execute(sql: "UPDATE activation_block SET value = zeroblob(length(value)) WHERE id = 3")
        }
        try database.close()
        try FileManager.default.removeItem(atPath: out)
        #expect(
            message([one, two, three]).hasPrefix(
                "\(two) is damaged: the row of layer0:3 in block 0 of activation_block has another checksum"))
        #expect(!FileManager.default.fileExists(atPath: out))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!left.contains { $0.contains("merging") })
    }

    @Test func renamedImagesKeepTheirActivations() throws {
        let dataset = RecordedDataset(images: 12, layers: RecordedDataset.layers(), blockImages: 8, seed: 3)
        let path = folder.file("s.sqlite")
        try dataset.write(path)
        let writer = try dataset.open(path)
        try writer.rename([(3, "elsewhere/3.png", "new", nil, 5), (11, "elsewhere/11.png", nil, "test", 6)])
        #expect(throws: StoreError.duplicateImage(path: path, image: "elsewhere/3.png")) {
            try writer.rename([(4, "elsewhere/3.png", nil, nil, 0)])
        }
        try writer.finish()
        let store = try Store.open(path: path)
        let image = try #require(try store.image(path: "elsewhere/3.png"))
        #expect((image.id, image.label, image.split, image.modified) == (3, "new", nil, 5))
        #expect(try store.image(path: dataset.images[3].path) == nil)
        #expect(try store.image(path: "elsewhere/11.png")?.split == "test")
        #expect(try store.verify().findings == [] && store.isDerivedComplete())
    }
}

extension StoreDescription {
    /// The same, of a part of the dataset.
    fileprivate func part(_ shard: Shard) -> StoreDescription {
        StoreDescription(
            model: model, preprocessing: preprocessing, preprocessingHash: preprocessingHash, layers: layers, classes: classes,
            blockImages: blockImages, topCount: topCount, shard: shard)
    }
}
