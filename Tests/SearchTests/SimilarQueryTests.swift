import ActivationStore
import Search
import TestSupport
import Testing

@Suite struct SimilarQueryTests {
    private func distance(_ metric: Metric, _ a: [Float], _ b: [Float]) -> Double {
        let pairs = zip(a, b).map { (Double($0), Double($1)) }
        switch metric {
        case .l1: return pairs.reduce(0) { $0 + abs($1.1 - $1.0) }
        case .l2: return pairs.reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) }.squareRoot()
        case .linf: return pairs.contains { abs($0.1 - $0.0).isNaN } ? .nan : pairs.map { abs($0.1 - $0.0) }.max() ?? 0
        case .cosine:
            let product = pairs.reduce(0) { $0 + $1.1 * $1.0 }
            let squares = (pairs.reduce(0) { $0 + $1.0 * $1.0 }, pairs.reduce(0) { $0 + $1.1 * $1.1 })
            let distance = 1 - product / (squares.0 * squares.1).squareRoot()
            return distance.isNaN ? .nan : min(max(distance, 0), 2)
        }
    }

    @Test func equalsSortingEverything() throws {
        let folder = try TemporaryFolder()
        var compared = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let layer = dataset.layer(seed % 4)
            let own = seed % dataset.values.count
            let reference = layer.neurons.map { dataset.values[own][$0] }
            for metric in Metric.allCases {
                let scores = dataset.values.map { row in distance(metric, reference, layer.neurons.map { row[$0] }) }
                let isComparable =
                    !reference.contains { $0.isNaN }
                    && (metric != .cosine || reference.allSatisfy(\.isFinite) && reference.contains { $0 != 0 })
                for (count, condition) in [(3, nil), (1000, RecordedDataset.condition)] {
                    let query = SimilarQuery(
                        image: "\(own)", layer: [layer.name], metric: metric, count: count, condition: condition)
                    guard isComparable else {
                        #expect(throws: QueryError.self) { try query.run(in: store).hits }
                        continue
                    }
                    let wanted = RecordedDataset.sorted(scores.map { -$0 }) {
                        $0 != own && (condition == nil || dataset.meetsCondition($0))
                    }.prefix(count)
                    compared += wanted.count
                    #expect(
                        try query.run(in: store).hits
                            == wanted.enumerated().map { index, image in
                                SimilarQuery.Hit(
                                    rank: index + 1, image: dataset.images[image].path, imageID: image,
                                    label: dataset.images[image].label, distance: scores[image])
                            }, "\(metric) in store \(seed)")
                }
            }
        }
        #expect(compared > 4000)
    }

    /// An image that is given, not stored, is compared with all; the default is the last layer before the scores.
    @Test func aGivenImage() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 30, layers: RecordedDataset.layers(), blockImages: 7, seed: 3, hard: false)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        let given = GivenImage(values: dataset.values[11], positions: dataset.positions[11].map { Int($0) })
        let found = try SimilarQuery(image: "elsewhere.png", count: 30, given: given).run(in: store)
        #expect(found.count == 30)
        #expect(found[0].imageID == 11 && found[0].distance == 0)
        #expect(
            try SimilarQuery(image: "11", layer: ["layer2"], count: 30).run(in: store).map(\.imageID)
                == found.dropFirst().map(\.imageID))
        #expect(throws: StoreError.self) { try SimilarQuery(image: "elsewhere.png").run(in: store) }
        #expect(throws: QueryError.wrongCount(0)) { try SimilarQuery(image: "1", count: 0).run(in: store) }
    }
}
