import ActivationStore
import Foundation
import GRDB
import Search
import TestSupport
import Testing

/// Answers are the same to the last bit, whatever the number of readers.
@Suite struct ReaderPoolTests {
    private func answers(_ questions: Questionnaire, _ path: String, readers: Int) throws -> [String] {
        let store = try Store.open(path: path, readers: readers, smallestShare: 1)
        return questions.answers(of: store).map { answer in
            switch answer {
            case .success(let text): text
            case .failure(let error): "\(error)"
            }
        }
    }

    @Test func asManyReadersAsThereAre() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds where seed % 3 == 0 {
            let (store, dataset) = try RandomStores.make(seed, folder)
            if seed % 4 == 2, dataset.images.count > 2 { try store.remove(images: [1]) }
            if seed % 8 == 1 {
                let database = try DatabaseQueue(path: store.path)
                _ = try database.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA journal_mode = WAL") }
                try database.close()
            }
            let questions = Questionnaire(dataset)
            let one = try answers(questions, store.path, readers: 1)
            for readers in [2, 5] { #expect(try answers(questions, store.path, readers: readers) == one, "store \(seed)") }
        }
    }

    /// Damage that a helper meets is the question's error.
    @Test func damageIsFoundByAnyReader() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("s.sqlite")
        let dataset = RecordedDataset(images: 90, layers: RecordedDataset.layers(), blockImages: 8, seed: 3)
        try dataset.write(path)
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE activation_block SET value = zeroblob(32) WHERE id = (9 << 20) + 5")
        }
        let store = try Store.open(path: path, readers: 4, smallestShare: 1)
        let damage = "the row of layer1:1 in block 9 of activation_block has another checksum"
        for _ in 0..<20 {
            #expect(throws: StoreError.damaged(path: path, detail: damage)) {
                _ = try SimilarQuery(image: "0", layer: ["layer1"]).run(in: store)
            }
        }
    }
}
