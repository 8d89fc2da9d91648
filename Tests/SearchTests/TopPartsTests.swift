import ActivationStore
import Search
import TestSupport
import Testing

/// An answer that is handed over part by part is the whole answer.
@Suite struct TopPartsTests {
    @Test func partsAreTheWhole() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: 300, layers: RecordedDataset.layers(channels: [40, 30, 20, 50]), blockImages: 64, topCount: 20, seed: 5)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"), readers: 3, smallestShare: 1)
        let neurons = ["layer0", "layer3:7", "layer1"]
        let queries = [
            TopQuery(neurons: neurons, count: 7), TopQuery(neurons: neurons, count: 20), TopQuery(neurons: neurons, count: 500),
            TopQuery(neurons: neurons, count: 9, lowest: true), TopQuery(neurons: neurons, count: 9, condition: "id % 3 = 0"),
            TopQuery(neurons: neurons, count: 2, from: .decile), TopQuery(neurons: neurons, count: 4, from: .random),
        ]
        for query in queries {
            let whole = try query.run(in: store)
            #expect(!whole.isEmpty)
            for size in [1, 10, 1000] {
                var parts: [[TopQuery.Hit]] = []
                try query.visit(store, atOnce: size) { parts.append($0) }
                #expect(parts.flatMap { $0 } == whole)
                #expect(parts.count > 1 || 2 * size >= whole.count)
                // No more than twice what was asked, and one neuron's list.
                #expect(parts.allSatisfy { $0.count < 2 * size + max(query.count, 300) })
            }
        }
    }

    /// Infinite activations leave images that cannot be compared, and some that are infinitely far: their number is told.
    @Test func similarImagesWithInfiniteActivations() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(images: 20, layers: RecordedDataset.layers(), blockImages: 7, seed: 6, hard: false)
        let neuron = dataset.description.layers[1].firstNeuron
        dataset.values[3][neuron] = .infinity
        dataset.values[5][neuron] = -.infinity
        dataset.values[9][neuron + 1] = .nan
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        let plain = try SimilarQuery(image: "0", layer: ["layer1"], count: 100).found(in: store)
        #expect((plain.unlisted, plain.infinite, plain.isInfinite) == (1, 2, false))
        #expect(plain.hits.count == 18 && plain.hits.suffix(2).map(\.imageID) == [3, 5])
        let infinite = try SimilarQuery(image: "3", layer: ["layer1"], count: 100).found(in: store)
        #expect((infinite.unlisted, infinite.infinite, infinite.isInfinite) == (1, 18, true))
    }
}
