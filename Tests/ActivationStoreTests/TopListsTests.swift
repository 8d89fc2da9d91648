import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct TopListsTests {
    /// The lists as the program reads them, as the view gives them, and as sorting all values does.
    @Test func listsAndViewEqualSortingEverything() throws {
        for (images, top) in [(1, 5), (60, 7), (700, 100), (900, 1)] {
            let folder = try TemporaryFolder()
            let dataset = RecordedDataset(images: images, layers: RecordedDataset.layers(), topCount: top, seed: UInt64(images))
            try dataset.write(folder.file("s.sqlite"))
            let store = try Store.open(path: folder.file("s.sqlite"))
            let database = try DatabaseQueue(path: store.path)
            try store.read { snapshot in
                let lists = try snapshot.topLists()
                for neuron in 0..<dataset.description.neuronCount {
                    let layer = dataset.description.layer(ofNeuron: neuron)
                    let wanted = Array(dataset.ranking(neuron: neuron).prefix(top))
                    let found = try lists.list(neuron: neuron)
                    #expect(found.map(\.image) == wanted)
                    #expect(found.map(\.value) == wanted.map { dataset.values[$0][neuron] })
                    #expect(found.map(\.position) == wanted.map { Int(dataset.positions[$0][neuron]) })
                    #expect(try lists.list(neuron: neuron, limit: 3) == Array(found.prefix(3)))

                    let rows = try database.read {
                        try Row.fetchAll(
                            $0, sql: "SELECT * FROM top_activation WHERE neuron_id = ? ORDER BY rank", arguments: [neuron])
                    }
                    #expect(rows.map { $0["rank"] as Int } == Array(0..<wanted.count).map { $0 + 1 })
                    #expect(rows.map { $0["image_id"] as Int } == wanted)
                    #expect(rows.map { Float($0["value"] as Double) } == found.map(\.value))
                    #expect(rows.map { ($0["y"] as Int) * layer.width + ($0["x"] as Int) } == found.map(\.position))
                }
            }
        }
    }

    /// Values whose decimals are long, short, whole, tiny or infinite come back as they were, in the list and through the view.
    @Test func everyFloatComesBack() throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 5)
        var values: [Float] = [
            .infinity, -.infinity, 0, -0.0, 1, -1, 0.1, 16_777_216, 3.402_823_5e38, -3.402_823_5e38, .leastNonzeroMagnitude,
            .leastNormalMagnitude, .pi,
        ]
        while values.count < 640 {
            let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
            if !value.isNaN { values.append(value) }
        }
        var dataset = RecordedDataset(
            images: 640, layers: RecordedDataset.layers(channels: [1]), topCount: 640, seed: 1, hard: false)
        for index in values.indices { dataset.values[index] = [values[index]] }
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        #expect(try store.verify().findings == [])
        let wanted = dataset.ranking(neuron: 0)
        let found = try store.read { try $0.topLists().list(neuron: 0) }
        #expect(found.map(\.image) == wanted)
        #expect(found.map(\.value) == wanted.map { values[$0] })
        try DatabaseQueue(path: store.path).read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT value, typeof(value) FROM top_activation ORDER BY rank")
            #expect(rows.map { Float($0[0] as Double) } == wanted.map { values[$0] })
            #expect(rows.allSatisfy { $0[1] as String == "real" })
            let list = try String.fetchOne(database, sql: "SELECT list FROM top_list") ?? ""
            #expect(list.hasPrefix("[[0,9e999,") && list.hasSuffix("]]") && list.contains(",-9e999,"))
        }
    }

    @Test(arguments: ["", "[", "[[1,2]]", "[[1,2,3],", "{}", "[[1,\"2\",3]]", "[[-1,2,3]]", "[[1,2,3][1,2,3]]"])
    func aTextThatIsNoListIsDamage(text: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 9, layers: RecordedDataset.layers(), seed: 1)
        try dataset.write(path)
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE top_list SET list = ? WHERE neuron_id = 5", arguments: [text])
        }
        func list() throws { _ = try Store.open(path: path).read { try $0.topLists().list(neuron: 5) } }
        let store = try Store.open(path: path)
        #expect(
            throws: StoreError.damaged(
                path: path, detail: "this is not the list that was written of the strongest images of layer1:1 in top_list")
        ) { try list() }
        // As somebody would do it who knows of the checksum.
        let checksum = Array(text.utf8).withUnsafeBytes { TopLists.checksum($0, neuron: 5, through: 9) }
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE top_list SET checksum = ? WHERE neuron_id = 5", arguments: [checksum])
        }
        #expect(try store.verify().findings == ["The list of the strongest images of layer1:1 is not that of its activations."])
        #expect(
            throws: StoreError.damaged(path: path, detail: "this is no list of the strongest images of layer1:1 in top_list")
        ) { try list() }
    }

    /// The view of names answers for one neuron without reading other lists, and finds a layer's by its name.
    @Test func theViewSearches() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 50, layers: RecordedDataset.layers(), seed: 3)
        try dataset.write(folder.file("s.sqlite"))
        try DatabaseQueue(path: folder.file("s.sqlite")).read { database in
            for (sql, start) in [
                ("SELECT * FROM top_activation WHERE neuron_id = 3 AND rank <= 5", "SEARCH t USING INTEGER PRIMARY KEY"),
                ("SELECT * FROM top_image WHERE layer = 'layer1' AND channel = 2 AND rank <= 5", "SEARCH l USING INDEX"),
            ] {
                let plan = try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
                #expect(plan.first?.hasPrefix(start) == true, "\(plan)")
                #expect(!plan.contains { $0.hasPrefix("SCAN t") || $0.hasPrefix("SCAN i") }, "\(plan)")
            }
        }
    }
}
