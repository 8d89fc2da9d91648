import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// Every question about a store with removed images has the answer of one that never had them.
@Suite struct RemovedImagesTests {
    @Test func answersAreThoseOfTheCompactedStore() throws {
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 4)
        var asked = 0
        for seed in RandomStores.seeds where seed % 9 != 4 {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let gone = dataset.images.indices.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
            guard !gone.isEmpty, gone.count < dataset.images.count else { continue }
            try store.remove(images: gone)
            let copy = folder.file("\(seed)-compact.sqlite")
            try FileManager.default.copyItem(atPath: store.path, toPath: copy)
            try Store.compact(path: copy, run: RunRecord(toolVersion: "test"))
            let compact = try Store.open(path: copy)
            let own = try #require(dataset.images.indices.first { !gone.contains($0) })
            for query in Questionnaire(SampleGround(dataset, image: dataset.images[own].path)).queries {
                // Statements name ids, which are others in the compacted store.
                if query is SQLQuery { continue }
                // A label that no image has any more is still a label until the store is compacted.
                let isLabelled = (0..<dataset.images.count).contains { !gone.contains($0) && dataset.images[$0].label == "cat" }
                if !isLabelled, (query as? NeuronsQuestion)?.selective != nil || query is CalibrationQuery { continue }
                #expect(
                    Self.answer(query, store) == Self.answer(query, compact), "store \(seed) without \(gone): \(query)")
                asked += 1
            }
        }
        #expect(asked > 2000)
    }

    /// As JSON without the ids, which differ; or the error.
    private static func answer(_ query: some Query, _ store: Store) -> String {
        do {
            let json = try Questionnaire.answer(query, store)
            // The moments of other blocks, joined, may differ in the last bits.
            return json.replacing(#/"image_?[iI][dD]":\d+,?/#, with: "").replacing(#/"(mean|deviation)":(-?[0-9.e-]+)/#) {
                match in
                let number = Double(match.output.2).map { ($0 * 1e9).rounded() / 1e9 } ?? .nan
                return "\"\(match.output.1)\":\(number + 0)"
            }
        } catch {
            return "\(error)".replacing(#/; id is \d+( to \d+)?/#, with: "")
        }
    }
}
