import ActivationStore
import Foundation
import GRDB
import TestSupport
import Testing

/// A store that was given other labels is the one that these would have made, row for row.
@Suite struct RelabellingTests {
    private static let classes = ["cat", "dog", "b", "c", "d"]
    private let folder: TemporaryFolder
    private let dataset = RecordedDataset(
        images: 70, layers: RecordedDataset.layers(), classes: classes, blockImages: 16, topCount: 7, seed: 3)

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.file("a.sqlite") }

    private func expectSame(_ wanted: RecordedDataset, location: SourceLocation = #_sourceLocation) throws {
        try? FileManager.default.removeItem(atPath: folder.file("wanted.sqlite"))
        try wanted.write(folder.file("wanted.sqlite"))
        let (found, expected) = (try StoreDump(path), try StoreDump(folder.file("wanted.sqlite")))
        #expect(found.differences(from: expected) == [], sourceLocation: location)
        #expect(try Store.open(path: path).verify().findings == [], sourceLocation: location)
    }

    @Test func rowsAreThoseOfTheRightLabels() throws {
        try dataset.write(path)
        var wanted = dataset
        var edits: [Int: LabelEdit] = [:]
        var counts = [0, 0, 0, 0]
        for id in stride(from: 0, to: 70, by: 3) {
            let old = (dataset.images[id].label, dataset.images[id].split)
            let new: (String?, String?) = (["cow", "cat", nil][id / 3 % 3], id.isMultiple(of: 2) ? "test" : old.1)
            edits[id] = LabelEdit(label: .set(new.0), split: id.isMultiple(of: 2) ? .set("test") : .kept)
            (wanted.images[id].label, wanted.images[id].split) = new
            if let before = old.0, let after = new.0, before != after { counts[0] += 1 }
            if old.0 == nil, new.0 != nil { counts[1] += 1 }
            if old.0 != nil, new.0 == nil { counts[2] += 1 }
            if old.1 != new.1 { counts[3] += 1 }
        }
        let dry = try Store.open(path: path).relabel(Relabelling(edits: edits), isDry: true)
        try expectSame(dataset)
        let summary = try Store.open(path: path).relabel(Relabelling(edits: edits))
        #expect(summary == dry)
        #expect([summary.changed, summary.added, summary.removed, summary.splits].map(\.count) == counts)
        #expect(summary.images == 70 && summary.changed.examples.count == 3 && summary.classes.count == 0)
        try expectSame(wanted)
        let again = try Store.open(path: path).relabel(Relabelling(edits: edits))
        #expect(again.isEmpty && again.relabelled == 0)
    }

    /// The first label's only images get another one, so that all others' ids move.
    @Test func aLabelThatNoImageHasIsForgotten() throws {
        try dataset.write(path)
        let first = try #require(dataset.images[0].label)
        var wanted = dataset
        var edits: [Int: LabelEdit] = [:]
        for (id, image) in dataset.images.enumerated() where image.label == first {
            edits[id] = LabelEdit(label: .set("d"))
            wanted.images[id].label = "d"
        }
        _ = try Store.open(path: path).relabel(Relabelling(edits: edits))
        try expectSame(wanted)
        // A writer goes on with the new ids.
        let writer = try dataset.open(path)
        var image = dataset.images[0]
        (image.path, image.label) = ("new.png", "e")
        var grown = wanted
        grown.images.append(image)
        for rows in [\RecordedDataset.values, \.means] { grown[keyPath: rows].append(dataset[keyPath: rows][0]) }
        grown.positions.append(dataset.positions[0])
        try grown.append(70..<71, to: writer)
        try writer.finish()
        try expectSame(grown)
    }

    @Test func namesOfClasses() throws {
        for (old, new) in [([], Self.classes), (Self.classes, ["dog", "cat", "c", "d", "it's"])] {
            try? FileManager.default.removeItem(atPath: path)
            var (before, after) = (dataset, dataset)
            before.description = dataset.description(classes: old)
            after.description = dataset.description(classes: new)
            try before.write(path)
            let summary = try Store.open(path: path).relabel(Relabelling(classes: new))
            #expect(summary.classes.count == 5 && summary.relabelled == 0)
            #expect(try Store.open(path: path).description.classes == new)
            try expectSame(after)
        }
    }

    @Test func aWriterRelabelsToo() throws {
        try dataset.write(path)
        let writer = try dataset.open(path)
        let summary = try writer.relabel(Relabelling(edits: [5: LabelEdit(label: .set("emu"))], source: "/labels.csv"))
        #expect(summary.relabelled == 1)
        try writer.finish()
        let store = try Store.open(path: path)
        #expect(try store.image(id: 5)?.label == "emu")
        #expect(try store.labelSource() == "/labels.csv")
        #expect(try store.verify().findings == [])
        try Store.compact(path: path, run: RunRecord(toolVersion: "test"))
        #expect(try Store.open(path: path).labelSource() == "/labels.csv")
    }

    /// é is one character or two: one label, as the first image spells it.
    @Test func accentsOfEitherForm() throws {
        var accents = dataset
        for (id, label) in ["caf\u{E9}", "cafe\u{301}"].enumerated() { accents.images[id].label = label }
        try accents.write(path)
        #expect(try Store.open(path: path).verify().findings == [])
        #expect(try Store.open(path: path).image(id: 1)?.label?.utf8.elementsEqual("caf\u{E9}".utf8) == true)
        _ = try Store.open(path: path).relabel(Relabelling(edits: [3: LabelEdit(label: .set("cafe\u{301}"))]))
        #expect(try Store.open(path: path).verify().findings == [])
    }

    @Test func nulIsRefusedBeforeAnythingIsWritten() throws {
        var names = dataset
        names.description = dataset.description(classes: ["cat", "d\0g", "b", "c", "d"])
        #expect(throws: StoreError.nulInName(owner: "the name of class 1", name: "d\0g")) { try names.open(path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        try dataset.write(path)
        let before = try StoreDump(path)
        for edit in [LabelEdit(label: .set("a\0b")), LabelEdit(split: .set("a\0b"))] {
            #expect(throws: StoreError.self) { try Store.open(path: path).relabel(Relabelling(edits: [1: edit])) }
        }
        #expect(throws: StoreError.self) {
            try Store.open(path: path).relabel(Relabelling(classes: ["a\0", "b", "c", "d", "e"]))
        }
        let writer = try dataset.open(path)
        var image = dataset
        image.images[0].path = "new.png"
        image.images[0].label = "x\0y"
        #expect(throws: StoreError.nulInName(owner: "the label of new.png", name: "x\0y")) { try image.append(0..<1, to: writer) }
        try writer.finish()
        #expect(try StoreDump(path) == before)
    }

    @Test func aDamagedRowGetsNoNewChecksum() throws {
        try dataset.write(path)
        let writer = try dataset.open(path)
        try writer.finish()
        try DatabaseQueue(path: path).write { try $0.execute(sql: "UPDATE image SET width = 999 WHERE id = 5") }
        let before = try StoreDump(path)
        #expect(throws: StoreError.self) {
            try Store.open(path: path).relabel(Relabelling(edits: [5: LabelEdit(label: .set("cow"))]))
        }
        #expect(try StoreDump(path) == before)
    }

    @Test func labelsAndAnswersMeetByName() throws {
        var answers = RecordedDataset(images: 40, layers: RecordedDataset.layers(), classes: [], seed: 3)
        let order = ["zebra", "ant", "mole", "crow", "newt"]
        for id in 0..<40 {
            answers.images[id].label = order.sorted()[id % 5]
            answers.images[id].predictedClass = id % 5
        }
        answers.images[0].label = "yak"
        answers.description = dataset.description(classes: order)
        try answers.write(path)
        let agreement = try Store.open(path: path).labelAgreement()
        #expect((agreement.judged, agreement.labelled, agreement.labels) == (39, 40, 6))
        #expect(agreement.right == answers.images.count { $0.label == order[$0.predictedClass ?? 0] })
        #expect(agreement.strangers == ["yak"] && agreement.strange == 1)
        #expect(agreement.betterOrder?.name == "alphabetical" && agreement.betterOrder?.right == 39)
        _ = try Store.open(path: path).relabel(Relabelling(classes: order.sorted()))
        let right = try Store.open(path: path).labelAgreement()
        #expect(right.right == 39 && right.betterOrder == nil)
        _ = try Store.open(path: path).relabel(Relabelling(classes: ["ant", "crow", "ant", "newt", "yak"]))
        let doubled = try Store.open(path: path).labelAgreement()
        #expect(doubled.doubles.map(\.name) == ["ant"] && doubled.doubles.map(\.channels) == [[0, 2]])
    }
}

extension RecordedDataset {
    fileprivate func description(classes: [String]) -> StoreDescription {
        StoreDescription(
            model: description.model, preprocessing: description.preprocessing,
            preprocessingHash: description.preprocessingHash, layers: description.layers, classes: classes,
            blockImages: description.blockImages, topCount: description.topCount)
    }
}
