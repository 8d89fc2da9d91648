import ActivationStore
import Foundation
import TestSupport
import Testing

@Suite struct SummaryTests {
    @Test func countsWhatWasWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(
            images: 70, layers: RecordedDataset.layers(), classes: ["cat", "dog", "b", "c", "d"], blockImages: 16, seed: 3)
        let first = try dataset.open(path)
        try dataset.append(0..<40, to: first)
        try first.appendSkipped(SkippedRecord(path: "z.png", reason: "cut short"))
        let early = try Store.open(path: path).summary()
        #expect(early.images == 32 && early.skipped == 0 && !early.isDerivedComplete && early.runs.map(\.status) == ["running"])
        try first.finish(status: .interrupted)
        let second = try dataset.open(path)
        try dataset.append(40..<70, to: second)
        try second.finish()

        let summary = try Store.open(path: path).summary()
        #expect(summary.images == 70 && summary.skipped == 1 && summary.isDerivedComplete)
        let labels = Dictionary(grouping: dataset.images.compactMap(\.label)) { $0 }.mapValues(\.count)
        #expect(Dictionary(uniqueKeysWithValues: summary.labels.map { ($0.name, $0.images) }) == labels)
        #expect(summary.labels.map(\.images) == summary.labels.map(\.images).sorted(by: >))
        #expect(summary.unlabelled == dataset.images.count { $0.label == nil })
        let validation = dataset.images.count { $0.split == "val" }
        #expect(summary.splits.map(\.name) == ["train", "val"])
        #expect(summary.splits.map(\.images) == [70 - validation, validation])
        let known = dataset.images.filter { $0.label == "cat" || $0.label == "dog" }
        #expect(summary.answers == known.count)
        #expect(summary.rightAnswers == known.count { ["cat", "dog"][safe: $0.predictedClass ?? 9] == $0.label })
        #expect(summary.bytes == (try Data(contentsOf: URL(fileURLWithPath: path)).count))
        #expect(summary.runs.map(\.status) == ["interrupted", "done"])
        #expect(summary.runs.map(\.imagesDone) == [40, 30] && summary.runs.map(\.imagesSkipped) == [1, 0])
        #expect(summary.runs[0].arguments == ["index"] && summary.runs[0].jobs == 2 && summary.runs[0].finished != nil)
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
