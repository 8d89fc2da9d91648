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
        /// Standard deviations above the mean, over the finite values, to a millionth.
        func deviations(_ neuron: Int) -> Double {
            let finite = dataset.values.map { Double($0[neuron]) }.filter(\.isFinite)
            guard !finite.isEmpty else { return 0 }
            let mean = finite.reduce(0, +) / Double(finite.count)
            let isConstant = finite.allSatisfy { $0 == finite[0] }
            let deviation = (finite.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(finite.count)).squareRoot()
            let distance = Double(values[neuron]) - (isConstant ? finite[0] : mean)
            let ratio = distance == 0 ? 0 : distance / (isConstant ? 0 : deviation)
            return ratio.isFinite ? (ratio * 1e6).rounded() / 1e6 + 0 : ratio
        }
        let ranking = standings.sorted { a, b in
            guard a.standing == b.standing else { return a.standing > b.standing }
            let (one, other) = (deviations(a.neuron), deviations(b.neuron))
            return one == other ? a.neuron < b.neuron : one > other
        }
        return ranking.prefix(count).enumerated().map { index, found in
            let layer = dataset.description.layer(ofNeuron: found.neuron)
            return ProfileQuery.Hit(
                layer: layer.name, channel: found.neuron - layer.firstNeuron, rank: index + 1,
                percentile: Double(found.standing) / Double(2 * dataset.values.count), value: values[found.neuron],
                y: positions[found.neuron] / layer.width, x: positions[found.neuron] % layer.width,
                deviations: deviations(found.neuron),
                className: layer.isLogits && found.neuron - layer.firstNeuron < dataset.description.classes.count
                    ? dataset.description.classes[found.neuron - layer.firstNeuron] : nil)
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

    /// Of neurons that nothing else excites as much, the one that the image is furthest above the rest on comes first; scores
    /// have their class's name.
    @Test func tiesGoByDistance() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: 30, layers: RecordedDataset.layers(), classes: ["a", "b", "c"], seed: 5, hard: false)
        for neuron in [1, 5, 10] { dataset.values[7][neuron] = neuron == 1 ? 12 : neuron == 5 ? 90 : 40 }
        try dataset.write(folder.file("s.sqlite"))
        let hits = try ProfileQuery(image: "7", count: 3).run(in: Store.open(path: folder.file("s.sqlite")))
        #expect(hits.map { "\($0.layer):\($0.channel)" } == ["layer1:1", "layer3:1", "layer0:1"])
        #expect(hits.map(\.className) == [nil, "b", nil] && Set(hits.map(\.percentile)) == [59.0 / 60])
        #expect(hits[0].deviations > hits[1].deviations && hits[1].deviations > hits[2].deviations && hits[2].deviations > 1)
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
