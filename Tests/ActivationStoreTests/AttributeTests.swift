import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// Attributes in a store: kept, replaced, and with their images when these are removed, merged, compacted or written anew.
@Suite struct AttributeTests {
    private let folder: TemporaryFolder
    private let path: String
    private let run = RunRecord(toolVersion: "test")

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("a.sqlite")
    }

    private func dataset(images: Int = 30, suffix: String = "") -> RecordedDataset {
        var dataset = RecordedDataset(images: images, layers: RecordedDataset.layers(), blockImages: 16, seed: 9)
        for image in dataset.images.indices { dataset.images[image].path += suffix }
        return dataset
    }

    private func tag(_ images: Int) -> Attribute {
        let values = (0..<images).map { image -> Double in image % 5 == 4 ? .nan : Double(image % 2) }
        return Attribute(name: "tag", kind: .binary, values: values)
    }

    private func age(_ images: Int) -> Attribute {
        let values = (0..<images).map { image -> Double in image % 7 == 0 ? .nan : Double(image) / 3 - 2e9 }
        return Attribute(name: "age", kind: .number, values: values)
    }

    @Test func areAsTheyWereWritten() throws {
        try dataset().write(path)
        let store = try Store.open(path: path)
        #expect(try store.attributes().isEmpty)
        let odd = Attribute(name: "it's", kind: .number, values: [0.1, 1e300, -5e-300, 3, .nan, 1e15, -0.0, .nan])
        try store.keep([tag(30), age(30), odd], numbering: store.imageNumbering())
        let again = try Store.open(path: path)
        for (found, wanted) in zip(try again.attributes(), [age(30), odd, tag(30)]) { #expect(isSame(found, wanted)) }
        #expect(try again.attributes()[1][image: 2] == -5e-300)
        #expect(try again.verify().attributes == 3 && again.verify().isWhole)
        // Again replaces; the others stay.
        let other = Attribute(name: "tag", kind: .binary, values: [1])  // of the first image alone
        try again.keep([other], numbering: again.imageNumbering())
        #expect(try Store.open(path: path).attributes().first { $0.name == "tag" } == other)
        #expect(try again.attributes().count == 3)
        #expect(try again.removeAttributes(named: ["tag", "none"]) == 1)
        #expect(try again.attributeNames().map(\.name) == ["age", "it's"])
    }

    /// NaN is not equal to itself.
    private func isSame(_ a: Attribute, _ b: Attribute) -> Bool {
        a.name == b.name && a.kind == b.kind && a.values.count == b.values.count
            && a.values.indices.allSatisfy { a[image: $0] == b[image: $0] }
    }

    @Test func viewHasARowForWhatIsKnown() throws {
        try dataset().write(path)
        let store = try Store.open(path: path)
        try store.keep([tag(30), age(30)], numbering: store.imageNumbering())
        try store.remove(images: [1, 29])
        let rows = try DatabaseQueue(path: path).read {
            try Row.fetchAll($0, sql: "SELECT image_id, value FROM image_attribute WHERE attribute = 'tag' ORDER BY 1")
        }
        let wanted = (0..<30).filter { $0 % 5 != 4 && $0 != 1 && $0 != 29 }
        #expect(try rows.map { try $0.decode(Int.self, atIndex: 0) } == wanted)
        #expect(try rows.map { try $0.decode(Int.self, atIndex: 1) } == wanted.map { $0 % 2 })
    }

    @Test func stayWithTheirImages() throws {
        let parts = (0..<3).map { dataset(images: 10 + $0 * 9, suffix: "-\($0)") }
        var stores: [Store] = []
        for (index, part) in parts.enumerated() {
            try part.write(folder.file("\(index).sqlite"))
            let store = try Store.open(path: folder.file("\(index).sqlite"))
            let count = part.images.count
            try store.keep(index == 1 ? [tag(count)] : [tag(count), age(count)], numbering: store.imageNumbering())
            try store.remove(images: [3])
            stores.append(store)
        }
        // A number in one part is one in the whole.
        try stores[1].keep(
            [Attribute(name: "age", kind: .binary, values: [1, 0])], numbering: stores[1].imageNumbering())
        try Store.merge(stores.map(\.path), into: path, run: run)
        let whole = try Store.open(path: path)
        let attributes = try Dictionary(uniqueKeysWithValues: whole.attributes().map { ($0.name, $0) })
        #expect(attributes["age"]?.kind == .number && attributes["tag"]?.kind == .binary && attributes.count == 2)
        for image in try whole.images() {
            let part = try #require(parts.firstIndex { $0.images.contains { $0.path == image.path } })
            let place = try #require(parts[part].images.firstIndex { $0.path == image.path })
            let old = try stores[part].attributes()
            for name in ["tag", "age"] {
                let wanted = old.first { $0.name == name }?[image: place]
                #expect(attributes[name]?[image: image.id] == wanted, "\(name) of \(image.path)")
            }
        }
        try whole.remove(images: [0, 5, 6])
        let before = try whole.images().map { image in try whole.attributes().map { $0[image: image.id] } }
        try Store.compact(path: path, run: run)
        let compact = try Store.open(path: path)
        #expect(try compact.verify().isWhole)
        #expect(try compact.images().map { image in try compact.attributes().map { $0[image: image.id] } } == before)
    }

    @Test func anImageThatIsIndexedAgainKeepsThem() throws {
        let dataset = dataset()
        try dataset.write(path)
        let store = try Store.open(path: path)
        try store.keep([tag(30), age(30)], numbering: store.imageNumbering())
        let writer = try dataset.open(path)
        var changed = dataset.images[8]
        changed.sha256 = Data(repeating: 7, count: 32)
        try dataset.values[8].withUnsafeBufferPointer { values in
            try dataset.positions[8].withUnsafeBufferPointer { positions in
                try dataset.means[8].withUnsafeBufferPointer { means in
                    try writer.append(image: changed, values: values, positions: positions, means: means, replacing: 8)
                }
            }
        }
        try writer.finish()
        let grown = try Store.open(path: path)
        let image = try #require(try grown.image(path: changed.path))
        #expect(image.id != 8)
        for (attribute, wanted) in zip(try grown.attributes(), [age(30), tag(30)]) {
            #expect(attribute[image: image.id] == wanted[image: 8] && attribute[image: 8] == nil)
            #expect(attribute[image: 9] == wanted[image: 9])
        }
        #expect(try grown.verify().isWhole)
    }

    @Test func damageIsSaid() throws {
        try dataset().write(path)
        let store = try Store.open(path: path)
        try store.keep([tag(30)], numbering: store.imageNumbering())
        try DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE attribute SET list = replace(list, '[0', '[1')") }
        let damaged = try Store.open(path: path)
        #expect(throws: StoreError.self) { try damaged.attributes() }
        #expect(try damaged.verify().findings.count == 1 && damaged.verify().findings[0].contains("tag"))
        #expect(throws: StoreError.self) { try Store.compact(path: path, run: run) }
        // Given again, it is whole.
        try damaged.keep([tag(30)], numbering: damaged.imageNumbering())
        #expect(try Store.open(path: path).verify().isWhole)
        // More values than images, under a good checksum.
        try damaged.keep([tag(100)], numbering: damaged.imageNumbering())
        #expect(try Store.open(path: path).verify().findings.count == 1)
        for list in ["[1,2]", "[1,", "", "[nan]", "[1e999]", "[,]", "{}"] {
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "UPDATE attribute SET list = ?", arguments: [list])
            }
            try reseal(path)
            #expect(throws: StoreError.self, "\(list)") { try Store.open(path: path).attributes() }
            #expect(try !Store.open(path: path).verify().isWhole, "\(list)")
        }
    }

    @Test func valuesThatNoAttributeHasAreRefused() throws {
        try dataset().write(path)
        let store = try Store.open(path: path)
        let numbering = try store.imageNumbering()
        for wrong in [
            Attribute(name: "a", kind: .binary, values: [2]), Attribute(name: "a", kind: .number, values: [.infinity]),
            Attribute(name: "", kind: .binary, values: [1]), Attribute(name: "a\0b", kind: .binary, values: [1]),
        ] {
            #expect(throws: StoreError.self) { try store.keep([tag(30), wrong], numbering: numbering) }
        }
        // Ids that were counted before a removal may be those of other images.
        try store.remove(images: [2])
        #expect(throws: StoreError.self) { try store.keep([tag(30)], numbering: numbering) }
        #expect(try store.attributes().isEmpty)
    }

    @Test func aStoreOfVersionFiveGetsThem() throws {
        try dataset().write(path)
        try makeOlder(path, version: 5)
        let store = try Store.open(path: path)
        #expect(try store.attributes().isEmpty && store.verify().isWhole)
        try store.keep([tag(30)], numbering: store.imageNumbering())
        let grown = try Store.open(path: path)
        #expect(try grown.verify().isWhole && grown.attributes().count == 1)
    }
}
