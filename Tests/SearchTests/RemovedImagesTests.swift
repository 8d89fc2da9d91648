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
            for query in Self.queries(dataset, image: dataset.images[own].path) {
                // A label that no image has any more is still a label until the store is compacted.
                let isLabelled = (0..<dataset.images.count).contains { !gone.contains($0) && dataset.images[$0].label == "cat" }
                if !isLabelled, (query as? SelectivityQuery)?.label != nil { continue }
                #expect(
                    Self.answer(query, store) == Self.answer(query, compact), "store \(seed) without \(gone): \(query)")
                asked += 1
            }
        }
        #expect(asked > 2000)
    }

    private static func queries(_ dataset: RecordedDataset, image: String) -> [any Query] {
        let (layer, neuron) = (dataset.layer(1).name, "layer0:0")
        let all = dataset.description.layers.map(\.name)
        return [
            TopQuery(neurons: all, count: 5), TopQuery(neurons: all, count: 3, lowest: true),
            TopQuery(neurons: [neuron], count: 2, from: .decile), TopQuery(neurons: [neuron], count: 4, from: .near(1)),
            TopQuery(neurons: [neuron], count: 4, distinct: true),
            TopQuery(neurons: all, count: 3, condition: RecordedDataset.condition),
            GroupQuery(by: .sum, options: TopQuery(neurons: [layer], count: 6)),
            GroupQuery(by: .min, options: TopQuery(neurons: [layer], count: 6, lowest: true)),
            SimilarQuery(image: image, layer: [layer], count: 4), ProfileQuery(image: image, count: 8),
            NeuronsQuery(reverse: false), HistogramQuery(neuron: neuron, bins: 5), DuplicatesQuery(threshold: 0.2),
            SelectivityQuery(count: 6), SelectivityQuery(label: "cat", count: 6),
            ContrastQuery(a: "label = 'cat'", count: 6), SuspectsQuery(layer: layer, count: 4),
            SuspectsQuery(layer: layer, by: .network, count: 4), SuspectsQuery(layer: layer, by: .regression, count: 4),
            SuspectsQuery(layer: layer, by: .neurons, count: 4), ContrastQuery(a: "label = 'cat'", count: 6, copies: true),
            ShortcutsQuery(auroc: 0.5, share: 0.3, rate: 1),
        ]
    }

    /// As JSON without the ids, which differ; or the error.
    private static func answer(_ query: some Query, _ store: Store) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            let json = String(decoding: try encoder.encode(query.run(in: store)), as: UTF8.self)
            // The moments of other blocks, joined, may differ in the last bits.
            return json.replacing(#/"image_?[iI][dD]":\d+,?/#, with: "").replacing(#/"(mean|deviation)":(-?[0-9.e-]+)/#) {
                match in
                let number = Double(match.output.2).map { ($0 * 1e9).rounded() / 1e9 } ?? .nan
                return "\"\(match.output.1)\":\(number + 0)"
            }
        } catch {
            return "\(error)"
        }
    }
}
