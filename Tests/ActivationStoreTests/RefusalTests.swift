import ActivationStore
import Foundation
import GRDB
import Support
import TestSupport
import Testing

@Suite struct RefusalTests {
    private let folder: TemporaryFolder
    private let path: String
    private let dataset: RecordedDataset

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sqlite")
        dataset = RecordedDataset(images: 30, layers: RecordedDataset.layers(), blockImages: 16, seed: 4)
    }

    private func failure(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test func aSecondWriterIsRefusedAndReadersAreNot() throws {
        let writer = try dataset.open(path)
        try dataset.append(0..<20, to: writer)
        #expect(failure { _ = try dataset.open(path) } == .beingWritten(path: path))
        #expect(try Store.open(path: path).imageCount() == 16)
        try writer.finish()
        try dataset.open(path).finish()
    }

    @Test func anotherModelIsRefused() throws {
        try dataset.write(path)
        var model = dataset.description.model
        model.sha256 = String(repeating: "cd", count: 32)
        let old = dataset.description
        func variant(
            model: ModelRecord? = nil, hash: String? = nil, layers: [LayerRecord]? = nil, top: Int? = nil
        ) -> StoreDescription {
            StoreDescription(
                model: model ?? old.model, preprocessing: "{}", preprocessingHash: hash ?? old.preprocessingHash,
                layers: layers ?? old.layers, blockImages: 16, topCount: top ?? old.topCount)
        }
        let cases: [(StoreDescription, String, String)] = [
            (variant(model: model), "model", "SHA-256 abababababab"),
            (variant(hash: "beef"), "preprocessing", "resize 8"),
            (variant(layers: Array(old.layers.dropLast())), "layer list", "4 layers"),
            (
                variant(layers: RecordedDataset.layers(channels: [4, 4, 2, 5])), "layer list",
                "layer1 (3×20×20 of t1, with means)"
            ),
            (variant(top: 7), "--top", "100"),
        ]
        for (description, property, found) in cases {
            let error = failure {
                _ = try StoreWriter.open(path: path, description: description, run: RunRecord(toolVersion: "t"))
            }
            guard case .differs(_, property, _, let text) = error else {
                Issue.record("\(property): \(String(describing: error))")
                continue
            }
            #expect(text.contains(found))
        }
    }

    /// Whichever way a store's text has them.
    @Test func sizesAreSaidWithTheHeightFirst() throws {
        func description(_ recipe: String) -> StoreDescription {
            let old = dataset.description
            return StoreDescription(
                model: old.model, preprocessing: recipe, preprocessingHash: recipe, layers: old.layers, classes: old.classes,
                blockImages: old.blockImages, topCount: old.topCount)
        }
        var stored = dataset
        stored.description = description(#"{"resize":"20x12"}"#)
        try stored.write(path)
        let wanted = description(#"{"pillow":13,"resize":"30x20"}"#)
        let error = failure {
            _ = try StoreWriter.open(path: path, description: wanted, run: RunRecord(toolVersion: "t"))
        }
        #expect(
            error
                == .differs(
                    path: path, property: "preprocessing", expected: "pillow 13, resize 30x20", found: "pillow none, resize 12x20"
                ))
    }

    @Test func whatIsNoStoreIsRefused() throws {
        #expect(failure { _ = try Store.open(path: path) } == .missing(path: path))
        #expect(failure { _ = try Store.open(path: folder.path) } == .isDirectory(path: folder.path))
        #expect(failure { _ = try dataset.open(folder.path) } == .isDirectory(path: folder.path))
        try Data("hello".utf8).write(to: URL(fileURLWithPath: path))
        #expect(failure { _ = try Store.open(path: path) } == .notAStore(path: path, found: "a file of another kind"))
        #expect(failure { _ = try dataset.open(path) } == .notAStore(path: path, found: "a file of another kind"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("hello".utf8))
        try FileManager.default.removeItem(atPath: path)
        let other = try DatabaseQueue(path: path)
        try other.write { try $0.execute(sql: "CREATE TABLE t(a)") }
        try other.close()
        #expect(failure { _ = try dataset.open(path) } == .notAStore(path: path, found: "a SQLite file of another program"))
        let nowhere = folder.file("no/such/s.sqlite")
        guard case .notWritable = failure({ _ = try dataset.open(nowhere) }) else {
            Issue.record("a store was made in a folder that does not exist")
            return
        }
    }

    @Test func aNewerStoreIsRefused() throws {
        try dataset.write(path)
        try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 7") }
        let wanted = StoreError.newerVersion(path: path, found: 7, supported: 6)
        #expect(failure { _ = try Store.open(path: path) } == wanted)
        #expect(failure { _ = try dataset.open(path) } == wanted)
        #expect("\(wanted)" == "\(path) is a store of version 7, and this neurodex knows versions up to 6; use a newer neurodex")
    }

    @Test func aTruncatedStoreSaysSo() throws {
        try dataset.write(path)
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: path))
        guard case .damaged(_, let detail) = failure({ _ = try Store.open(path: path) }) else {
            Issue.record("a truncated store was opened")
            return
        }
        #expect(detail.hasSuffix("its header tells of \(data.count) bytes, and it has \(data.count / 2)"))
        guard case .damaged = failure({ _ = try dataset.open(path) }) else {
            Issue.record("a truncated store was opened for writing")
            return
        }
    }

    @Test func verifyFindsAFlippedByte() throws {
        try dataset.write(path)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let value = dataset.values[0..<16].map { $0[1] }.withUnsafeBytes { Data($0) }
        let place = try #require(data.range(of: value))
        data[place.lowerBound + 9] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        #expect(
            try Store.open(path: path).verify().findings == [
                "A checksum of block 0 differs: the activations of layer0:1 on images 0 to 15 are lost."
            ])
    }

    @Test(arguments: [
        ("DELETE FROM activation_block WHERE id = (1 << 20) + 2", "A row of block 1 is missing: the activations of layer0:2"),
        ("UPDATE activation_block SET value_max = -9 WHERE id = 0", "The maximum of layer0:0 in block 0"),
        (
            "UPDATE top_list SET list = json_set(list, '$[1][1]', 99) WHERE neuron_id = 5",
            "The list of the strongest images of layer1:1"
        ),
        ("UPDATE neuron_statistics SET mean = 4.5 WHERE neuron_id = 13", "The statistics of layer3:4"),
        ("DELETE FROM mean_block WHERE id = 4", "A row of means of block 0 is missing: the means of layer1:0"),
        ("DELETE FROM image WHERE id = 4", "Image ids go up to 29 but there are 29 images: 1 are lost."),
        ("UPDATE image SET split = 'x' WHERE id = 3", "The row of image 3 (pets/"),
    ])
    func verifyFindsWhatWasChanged(sql: String, finding: String) throws {
        try dataset.write(path)
        try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
        let findings = try Store.open(path: path).verify().findings
        #expect(findings.count == 1)
        #expect(findings.first?.hasPrefix(finding) == true, "\(findings)")
    }

    @Test func aKilledTransactionIsRolledBackByAReader() throws {
        try dataset.write(path)
        let before = try rows(path)
        // What a kill leaves: the file half changed, and the journal to undo it.
        let queue = try DatabaseQueue(path: path)
        let (half, journal) = try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA cache_size = 1; BEGIN IMMEDIATE; DELETE FROM activation_block")
            try database.execute(sql: "PRAGMA cache_spill = 1; UPDATE image SET width = width + 1, path = path || 'x'")
            let files = try (
                Data(contentsOf: URL(fileURLWithPath: path)), Data(contentsOf: URL(fileURLWithPath: path + "-journal"))
            )
            try database.execute(sql: "ROLLBACK")
            return files
        }
        try queue.close()
        try half.write(to: URL(fileURLWithPath: path))
        try journal.write(to: URL(fileURLWithPath: path + "-journal"))
        #expect(try Store.open(path: path).imageCount() == 30)
        #expect(try rows(path) == before)
    }

    @Test func aPathHasOnePlace() throws {
        let writer = try dataset.open(path)
        try dataset.append(0..<20, to: writer)
        for image in [3, 18] {
            #expect(throws: StoreError.duplicateImage(path: path, image: dataset.images[image].path)) {
                try dataset.append(image..<image + 1, to: writer)
            }
        }
        #expect(writer.imageCount == 20)
    }

    @Test(.enabled(if: getuid() != 0, "the superuser may write anywhere"))
    func aReadOnlyFolderIsRefused() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path) }
        #expect(failure { _ = try dataset.open(path) } == .notWritable(path: path, reason: "Permission denied"))
    }

    @Test func imagesAreFoundByName() throws {
        try dataset.write(path)
        let store = try Store.open(path: path)
        let wanted = dataset.images[7].path
        #expect(try store.image(named: wanted).id == 7)
        #expect(try store.image(named: "7").id == 7)
        #expect(try store.image(named: "7.png").id == 7)
        let error = failure { _ = try store.image(named: wanted + "x") }
        guard case .unknownImage(_, let suggestions) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(suggestions.first == wanted)
    }
}

@Suite struct SuggestionTests {
    @Test func nearestFirst() {
        let layers = ["features.0", "features.12.expand3x3", "features.12.expand1x1", "classifier.1"]
        #expect(Suggestion.nearest(to: "features.12.expnad3x3", among: layers).first == "features.12.expand3x3")
        #expect(Suggestion.nearest(to: "CLASSIFIER.1", among: layers) == ["classifier.1"])
        #expect(Suggestion.nearest(to: "expand1x1", among: layers).first == "features.12.expand1x1")
        #expect(Suggestion.nearest(to: "zebra", among: layers) == [])
        #expect(
            Suggestion.nearest(to: "expand3", among: ["fire3/concat", "expnad4", "fire2/expand", "fire3/expand"]).first
                == "fire3/expand")
        #expect(
            Suggestion.nearest(to: "fire3.expand", among: ["fire2/expand", "fire4/expand", "fire3/expand"]).first
                == "fire3/expand")
        #expect(
            Suggestion.nearest(to: "layer1.conv9", among: ["layer2.0.conv1", "layer1.0.conv1", "layer1.0.relu", "fc"]).first
                == "layer1.0.conv1")
        #expect(
            Suggestion.nearest(to: "retriever, golden", among: ["golden eagle", "golden retriever"]).first == "golden retriever")
        #expect(Suggestion.nearest(to: "cnov1", among: ["fc1", "pool_1", "conv1"]).first == "conv1")
        #expect(Suggestion.clause(["a", "b", "c"]) == "; did you mean a, b or c?")
    }
}
