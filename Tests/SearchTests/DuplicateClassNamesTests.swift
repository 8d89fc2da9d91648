import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// Two classes of one name, as ImageNet's two cranes: an answer of either is right for a label of that name.
@Suite struct DuplicateClassNamesTests {
    private static let classes = ["crane", "tench", "crane", "heron", "Emu"]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func store(_ name: String, answers: [Int], labels: [String]) throws -> Store {
        var dataset = RecordedDataset(
            images: answers.count, layers: RecordedDataset.layers(), classes: Self.classes, blockImages: 16, seed: 5)
        for (id, answer) in answers.enumerated() {
            (dataset.images[id].predictedClass, dataset.images[id].label) = (answer, labels[id])
        }
        try dataset.write(folder.file(name))
        return try Store.open(path: folder.file(name))
    }

    @Test func eitherIsRight() throws {
        let labels = ["crane", "crane", "crane", "tench", "heron"]
        let a = try store("a.sqlite", answers: [0, 2, 1, 1, 3], labels: labels)
        let b = try store("b.sqlite", answers: [2, 2, 2, 0, 3], labels: labels)
        let agreement = try a.labelAgreement()
        #expect((agreement.judged, agreement.right) == (5, 4))
        let summary = try a.summary()
        #expect((summary.answers, summary.rightAnswers) == (5, 4))
        #expect(agreement.doubles.map(\.name) == ["crane"] && agreement.doubles.map(\.channels) == [[0, 2]])
        let answers = try DiffQuery(count: 10).run(from: a, to: b, withImages: true).predictions
        #expect(answers.accuracyInA == 0.8 && answers.accuracyInB == 0.8)
        #expect(answers.changed == 2 && answers.mended == 1 && answers.broken == 1)
        #expect(answers.changes.map(\.inA) == ["tench", "tench"] && answers.changes.map(\.inB) == ["crane", "crane"])
    }

    /// Also in a store of an earlier version, once it is written to.
    @Test func correctGoesByName() throws {
        func right(_ store: Store) throws -> Int? {
            try store.read { try $0.int("SELECT sum(correct) FROM image_info") }
        }
        let new = try store("a.sqlite", answers: [0, 2, 1, 1, 3], labels: ["crane", "crane", "crane", "tench", "heron"])
        #expect(try right(new) == 4)
        try makeOlder(folder.file("a.sqlite"), version: 3)
        let old = try Store.open(path: folder.file("a.sqlite"))
        #expect(try right(old) == 3)
        #expect(try old.summary().rightAnswers == 4)
        _ = try old.relabel(Relabelling(edits: [4: LabelEdit(label: .set("tench"))]))
        let migrated = try Store.open(path: folder.file("a.sqlite"))
        #expect(try right(migrated) == 3)
        #expect(try migrated.verify().findings == [])
        _ = try migrated.relabel(Relabelling(edits: [4: LabelEdit(label: .set("heron"))]))
        #expect(try right(migrated) == 4)
    }

    @Test func aNameOfTwoClassesAsksWhich() throws {
        let description = try store("a.sqlite", answers: [0], labels: ["crane"]).description
        for name in ["crane", "CRANE"] {
            #expect(throws: StoreError.ambiguousClass(name: name, choices: ["class:0", "class:2"])) {
                try NeuronReference("class:\(name)", in: description)
            }
        }
        #expect(
            StoreError.ambiguousClass(name: "crane", choices: ["class:0", "class:2"]).description
                == "2 classes are named crane: class:0 and class:2; say which")
        for (name, channel) in [("0", 0), ("2", 2), ("tench", 1), ("emu", 4)] {
            let reference = try NeuronReference("class:\(name)", in: description)
            #expect(reference.neurons == reference.layer.firstNeuron + channel..<reference.layer.firstNeuron + channel + 1)
        }
    }
}
