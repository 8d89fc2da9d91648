import ActivationStore
import Search
import TestSupport
import Testing

@Suite struct ProfileQueryTests {
    /// From the definition: 2 · below + equal of n images, NaN below everything.
    private func wanted(
        _ dataset: RecordedDataset, _ values: [Float], _ positions: [Int], neurons: [Int], count: Int
    ) -> [ProfileQuery.Hit] {
        let standings = neurons.filter { !values[$0].isNaN }.map { neuron -> (neuron: Int, standing: Int) in
            let column = dataset.values.map { $0[neuron] }
            return (neuron, column.reduce(0) { $0 + ($1 == values[neuron] ? 1 : $1 > values[neuron] ? 0 : 2) })
        }
        let ranking = standings.sorted { $0.standing == $1.standing ? $0.neuron < $1.neuron : $0.standing > $1.standing }
        return ranking.prefix(count).enumerated().map { index, found in
            let layer = dataset.description.layer(ofNeuron: found.neuron)
            return ProfileQuery.Hit(
                layer: layer.name, channel: found.neuron - layer.firstNeuron, rank: index + 1,
                percentile: Double(found.standing) / Double(2 * dataset.values.count), value: values[found.neuron],
                y: positions[found.neuron] / layer.width, x: positions[found.neuron] % layer.width)
        }
    }

    @Test func equalsCountingEverything() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let own = seed % dataset.values.count
            let positions = dataset.positions[own].map { Int($0) }
            let all = Array(0..<dataset.description.neuronCount)
            for count in [1, 3, 7, 1000] {
                #expect(
                    try ProfileQuery(image: "\(own)", count: count).run(in: store)
                        == wanted(dataset, dataset.values[own], positions, neurons: all, count: count), "store \(seed)")
                let layer = dataset.layer(seed % 4)
                #expect(
                    try ProfileQuery(image: "\(own)", layer: [layer.name, "layer0:0"], count: count).run(in: store)
                        == wanted(
                            dataset, dataset.values[own], positions, neurons: Set(Array(layer.neurons) + [0]).sorted(),
                            count: count))
                // Not of the store: between its values, and beyond them.
                var random = SeededGenerator(seed: UInt64(seed))
                let other = all.map { _ in Float.random(in: -5...12, using: &random) }
                #expect(
                    try ProfileQuery(image: "x.png", count: count, given: GivenImage(values: other, positions: positions))
                        .run(in: store) == wanted(dataset, other, positions, neurons: all, count: count))
            }
        }
    }

    /// Enough images for buckets of histograms to hold many, and for values to stand within and beyond the kept lists.
    @Test func equalsCountingWhereListsAndHistogramsDecide() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(
            images: 700, layers: RecordedDataset.layers(channels: [30, 20, 40, 10]), blockImages: 64, topCount: 20, seed: 5)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        for own in stride(from: 0, to: 700, by: 23) {
            for count in [1, 5, 25] {
                #expect(
                    try ProfileQuery(image: "\(own)", count: count).run(in: store)
                        == wanted(
                            dataset, dataset.values[own], dataset.positions[own].map { Int($0) }, neurons: Array(0..<100),
                            count: count))
            }
        }
    }
}
