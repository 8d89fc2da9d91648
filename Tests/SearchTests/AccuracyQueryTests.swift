import ActivationStore
import Foundation
import Search
import Support
import TestSupport
import Testing

/// Against scikit-learn and statsmodels: fixtures/expected/accuracy.json, by Tools/make-accuracy-reference.py.
@Suite struct AccuracyQueryTests {
    private struct Reference: Decodable {
        struct Bins: Decodable {
            var bins: Int
            var images: [Int]
            var accuracy: [Double]
            var confidence: [Double]
            var error: Double
        }

        struct Group: Decodable {
            var group: String
            var images: Int
            var accuracy: Double
            var interval: [Double]
        }

        var classes: [String]
        var labels: [String]
        var groups: [String]
        var scores: [[Float]]
        var accuracy: Double
        var accuracyInterval: [Double]
        var precision: [Double?]
        var recall: [Double?]
        var f1: [Double]
        var support: [Int]
        var recallInterval: [[Double]?]
        var precisionInterval: [[Double]?]
        var confusion: [[Int]]
        var calibration: [Bins]
        var logLoss: Double
        var byGroup: [Group]
    }

    private let reference: Reference
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        reference = try decoder.decode(
            Reference.self, from: Data(contentsOf: URL(fileURLWithPath: Fixtures.folder + "/expected/accuracy.json")))
        folder = try TemporaryFolder()
        store = try Self.store(reference, in: folder)
    }

    /// Five classes' scores behind a layer of another kind; in blocks of 64.
    private static func store(
        _ reference: Reference, in folder: TemporaryFolder, change: (inout RecordedDataset) -> Void = { _ in }
    ) throws -> Store {
        var dataset = RecordedDataset(
            images: reference.labels.count, layers: RecordedDataset.layers(channels: [2, 1, 1, 5]), classes: reference.classes,
            blockImages: 64, topCount: 5, seed: 3, hard: false)
        let first = dataset.layer(3).firstNeuron
        for (image, scores) in reference.scores.enumerated() {
            dataset.values[image].replaceSubrange(first..<first + 5, with: scores)
            let answer = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
            dataset.images[image].label = reference.labels[image]
            dataset.images[image].split = reference.groups[image]
            dataset.images[image].predictedClass = answer
            dataset.images[image].predictedScore = scores[answer]
        }
        change(&dataset)
        let path = folder.file(UUID().uuidString + ".sqlite")
        try dataset.write(path)
        return try Store.open(path: path)
    }

    private func isNear(_ a: Double?, _ b: Double?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return abs(a - b) < 1e-12
    }

    private func isNear(_ a: Proportion?, _ interval: [Double]?) -> Bool {
        isNear(a?.low, interval?.first) && isNear(a?.high, interval?.last)
    }

    @Test func classesEqualScikitLearn() throws {
        let rows = try AccuracyQuery(by: []).run(in: store)
        #expect(rows.remarks.isEmpty && rows[0].by == "all")
        #expect(isNear(rows[0].accuracy?.share, reference.accuracy))
        #expect(isNear(rows[0].accuracy, reference.accuracyInterval))
        let classes = Dictionary(uniqueKeysWithValues: rows.dropFirst().map { ($0.group ?? "", $0) })
        for (index, name) in reference.classes.enumerated() {
            // What no image is and no answer, is not listed.
            let row = try #require(classes[name])
            #expect(row.by == "class" && row.accuracy?.total ?? 0 == reference.support[index])
            #expect(isNear(row.accuracy?.share, reference.recall[index]))
            #expect(isNear(row.precision?.share, reference.precision[index]))
            #expect(isNear(row.accuracy, reference.recallInterval[index]))
            #expect(isNear(row.precision, reference.precisionInterval[index]))
            #expect(isNear(row.f1, reference.f1[index]))
        }
    }

    @Test func groupsAreCountedTheSmallestFirst() throws {
        let rows = try AccuracyQuery(by: ["split", "split = 'west'"]).run(in: store).dropFirst()
        #expect(rows.prefix(3).map(\.group) == reference.byGroup.map(\.group))
        for (row, group) in zip(rows, reference.byGroup) {
            #expect(row.by == "split" && row.accuracy?.total == group.images)
            #expect(isNear(row.accuracy?.share, group.accuracy) && isNear(row.accuracy, group.interval))
        }
        #expect(rows.dropFirst(3).map(\.group) == ["1", "0"])
        let total = try AccuracyQuery(condition: "split = 'south'").run(in: store)[0].accuracy
        #expect(total?.total == reference.byGroup.first { $0.group == "south" }?.images)
    }

    @Test func confusionEqualsScikitLearn() throws {
        let cells = try ConfusionQuery(right: true).run(in: store)
        #expect(cells.map(\.images) == cells.map(\.images).sorted(by: >))
        var matrix = reference.confusion.map { $0.map { _ in 0 } }
        for cell in cells {
            let row = try #require(reference.classes.firstIndex(of: cell.label))
            matrix[row][try #require(reference.classes.firstIndex(of: cell.answer))] = cell.images
            #expect(isNear(cell.share, Double(cell.images) / Double(reference.support[row])))
        }
        #expect(matrix == reference.confusion)
        let wrong = try ConfusionQuery(count: 2).run(in: store)
        #expect(wrong.map(\.images) == [12, 10] && wrong[0].label == "ant" && wrong[0].answer == "eel")
    }

    @Test func calibrationEqualsScikitLearn() throws {
        for wanted in reference.calibration {
            let rows = try CalibrationQuery(bins: wanted.bins).run(in: store)
            #expect(isNear(rows[0].error, wanted.error) && rows[0].bin == nil)
            #expect(isNear(rows[0].logLoss, reference.logLoss))
            #expect(isNear(rows[0].accuracy.share, reference.accuracy))
            let bins = rows.dropFirst()
            #expect(bins.map(\.accuracy.total) == wanted.images)
            for (index, bin) in bins.enumerated() {
                #expect(isNear(bin.accuracy.share, wanted.accuracy[index]))
                #expect(isNear(bin.confidence, wanted.confidence[index]))
                #expect(bin.from < bin.confidence && bin.confidence <= bin.to)
            }
        }
    }

    /// Images that cannot be right or wrong are not counted, and named.
    @Test func whatIsNotJudgedIsSaid() throws {
        let store = try Self.store(reference, in: folder) { dataset in
            dataset.images[0].label = nil
            dataset.images[1].label = "unicorn"
            dataset.values[2][dataset.layer(3).firstNeuron] = .nan
        }
        let rows = try AccuracyQuery(by: []).run(in: store)
        #expect(rows[0].accuracy?.total == reference.labels.count - 2)
        let example = try path(0)
        #expect(rows.remarks.map(\.description) == ["2 of 150 images are not judged, such as \(example): it has no label"])
        let calibration = try CalibrationQuery(bins: 10).run(in: store)
        #expect(calibration[0].accuracy.total == reference.labels.count - 3)
        #expect(calibration.remarks.count == 1 && "\(calibration.remarks[0])".hasPrefix("3 of 150 images are not judged"))
    }

    private func path(_ image: Int) throws -> String { try #require(try store.image(id: image)).path }

    @Test func withoutLabelsOrClassesItSaysWhy() throws {
        let unlabelled = try Self.store(reference, in: folder) { dataset in
            for image in dataset.images.indices { dataset.images[image].label = nil }
        }
        let strange = try Self.store(reference, in: folder) { dataset in
            for image in dataset.images.indices { dataset.images[image].label = "unicorn" }
        }
        #expect(throws: QueryError.noScores(reason: "no image has a label")) { try AccuracyQuery(by: []).run(in: unlabelled) }
        #expect(throws: QueryError.noScores(reason: "no label is a class of the network, such as unicorn")) {
            try AccuracyQuery(by: []).run(in: strange)
        }
        #expect(throws: QueryError.self) { try CalibrationQuery(bins: 10).run(in: strange) }
        #expect(throws: QueryError.self) { try AccuracyQuery(by: ["kamera"]).run(in: store) }
        #expect(throws: QueryError.self) { try AccuracyQuery(by: ["split), (label"]).run(in: store) }
        #expect(throws: QueryError.self) { try AccuracyQuery(condition: "split = 'east'").run(in: store) }
    }

    /// Scores of a sigmoid are probabilities already, each by itself.
    @Test func sharesAreTakenAsTheyAre() throws {
        let store = try Self.store(reference, in: folder) { dataset in
            let first = dataset.layer(3).firstNeuron
            for image in dataset.values.indices {
                for channel in 0..<5 { dataset.values[image][first + channel] = channel == image % 5 ? 0.75 : 0.125 }
                dataset.images[image].label = reference.classes[image % 5]
            }
        }
        let rows = try CalibrationQuery(bins: 4).run(in: store)
        #expect(rows.count == 2 && rows[1].bin == 3 && rows[1].confidence == 0.75 && rows[1].accuracy.share == 1)
        #expect(rows[0].error == 0.25)
    }

    @Test func intervalsStayWithinBounds() {
        for total in 1...40 {
            for count in 0...total {
                let share = Proportion(count, of: total)
                #expect(0 <= share.low && share.low <= share.share && share.share <= share.high && share.high <= 1)
            }
        }
        #expect(Proportion(0, of: 5).low == 0 && Proportion(5, of: 5).high == 1)
    }
}
