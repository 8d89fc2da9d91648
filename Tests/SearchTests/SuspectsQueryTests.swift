import ActivationStore
import Search
import TestSupport
import Testing

@Suite struct SuspectsQueryTests {
    /// The share of `all` below, ties half, NaN lowest.
    private func percentile(_ value: Float, _ all: [Float]) -> Double {
        let twice = all.reduce(0) {
            $0 + ($1 == value || $1.isNaN && value.isNaN ? 1 : value.isNaN ? 0 : $1.isNaN || $1 < value ? 2 : 0)
        }
        return Double(twice) / Double(2 * all.count)
    }

    @Test func equalsTheDefinition() throws {
        let folder = try TemporaryFolder()
        var listed = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let images = dataset.values.indices.filter { dataset.images[$0].label != nil }
            let labels = Set(images.compactMap { dataset.images[$0].label }).sorted()
            let query = SuspectsQuery(layer: "layer1", witnesses: 2, count: 1000)
            guard labels.count > 1 else {
                #expect(throws: QueryError.noLabels) { try query.run(in: store) }
                continue
            }
            let neurons = Array(dataset.layer(1).neurons)
            func column(_ neuron: Int, _ chosen: [Int]) -> [Float] { chosen.map { dataset.values[$0][neuron] } }
            let witnesses = labels.map { label -> [Int] in
                let own = images.filter { dataset.images[$0].label == label }
                let rest = images.filter { dataset.images[$0].label != label }
                let rated = neurons.map { SelectivityQueryTests.auroc(column($0, own), column($0, rest)) }
                return Array(
                    neurons.indices.sorted { rated[$0] == rated[$1] ? $0 < $1 : rated[$0] > rated[$1] }.prefix(2).map {
                        neurons[$0]
                    })
            }
            func said(_ label: Int, _ image: Int) -> Double {
                witnesses[label].reduce(0) { $0 + percentile(dataset.values[image][$1], column($1, images)) }
                    / Double(witnesses[label].count)
            }
            var wanted: [(image: Int, suggested: String, score: Double)] = []
            for image in images {
                let scores = labels.indices.map { said($0, image) }
                let own = labels.firstIndex(of: dataset.images[image].label ?? "") ?? 0
                let other =
                    labels.indices.filter { $0 != own }.max { scores[$0] == scores[$1] ? $0 > $1 : scores[$0] < scores[$1] } ?? 0
                let excess = scores[other] - scores[own]
                if excess > 0 { wanted.append((image, labels[other], excess)) }
            }
            wanted.sort { $0.score == $1.score ? $0.image < $1.image : $0.score > $1.score }
            let hits = try query.run(in: store)
            #expect(hits.map(\.imageID) == wanted.map(\.image), "store \(seed)")
            #expect(hits.map(\.suggested) == wanted.map(\.suggested))
            #expect(hits.map(\.score) == wanted.map(\.score))
            for hit in hits {
                #expect(hit.label == dataset.images[hit.imageID].label)
                for witness in hit.witnesses {
                    let neuron = dataset.layer(1).firstNeuron + witness.channel
                    #expect(witnesses[labels.firstIndex(of: hit.suggested) ?? 0].contains(neuron))
                    #expect(witness.percentile == percentile(dataset.values[hit.imageID][neuron], column(neuron, images)))
                }
            }
            listed += hits.count
        }
        #expect(listed > 500)
    }

    /// Labels that were exchanged are found.
    @Test func exchangedLabelsComeFirst() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: 90, layers: RecordedDataset.layers(channels: [12, 12, 12, 3]), seed: 8, hard: false)
        var random = SeededGenerator(seed: 4)
        let labels = ["cat", "dog", "cow"]
        for image in 0..<90 {
            dataset.images[image].label = labels[image % 3]
            for channel in 0..<12 {
                let neuron = dataset.layer(2).firstNeuron + channel
                dataset.values[image][neuron] = Float.random(in: 0...1, using: &random) + (channel % 3 == image % 3 ? 0.7 : 0)
            }
        }
        for image in [7, 40, 65] { dataset.images[image].label = labels[(image + 1) % 3] }
        try dataset.write(folder.file("s.sqlite"))
        let hits = try SuspectsQuery(count: 3).run(in: Store.open(path: folder.file("s.sqlite")))
        #expect(Set(hits.map(\.imageID)) == [7, 40, 65])
        #expect(hits.allSatisfy { $0.suggested == labels[$0.imageID % 3] })
    }
}

@Suite struct ShortcutsQueryTests {
    /// 60 images of three labels; on those of one, one neuron is strong and its maximum where `place` says.
    private func store(_ folder: TemporaryFolder, _ name: String, place: (Int, inout SeededGenerator) -> (y: Int, x: Int)) throws
        -> Store
    {
        let layers = RecordedDataset.layers(channels: [6, 4, 2, 3])
        var dataset = RecordedDataset(images: 60, layers: layers, blockImages: 16, seed: 5, hard: false)
        var random = SeededGenerator(seed: 9)
        for image in 0..<60 {
            dataset.images[image].label = ["cat", "dog", "it's"][image % 3]
            let neuron = dataset.layer(1).firstNeuron + 2  // of a map of 20×20
            guard image % 3 == 2 else { continue }
            dataset.values[image][neuron] = Float.random(in: 20...30, using: &random)
            let (y, x) = place(image, &random)
            dataset.positions[image][neuron] = UInt32(y * 20 + x)
        }
        try dataset.write(folder.file(name))
        return try Store.open(path: folder.file(name))
    }

    @Test func namesWhatIsAlwaysAtTheEdge() throws {
        let folder = try TemporaryFolder()
        let corners = try store(folder, "corner") { image, random in
            (image % 2 * 16 + Int.random(in: 0...3, using: &random), image / 2 % 2 * 16 + Int.random(in: 0...3, using: &random))
        }
        let hits = try ShortcutsQuery(layer: []).run(in: corners)
        #expect(hits.map { "\($0.layer):\($0.channel) \($0.label) \($0.place.rawValue)" } == ["layer1:2 it's corner"])
        #expect(hits[0].auroc == 1 && hits[0].share == 1 && hits[0].q < 0.001 && hits[0].expected >= 0.25)

        let border = try store(folder, "border") { image, random in
            (image % 2 == 0 ? 0 : 19, Int.random(in: 4...15, using: &random))
        }
        #expect(try ShortcutsQuery(layer: []).run(in: border).map(\.place) == [.border])

        let spot = try store(folder, "spot") { _, random in
            (Int.random(in: 8...10, using: &random), Int.random(in: 11...13, using: &random))
        }
        #expect(try ShortcutsQuery(layer: []).run(in: spot).map(\.place) == [.spot])
        // A spot of 5×5 cells of 20×20, or what others have there.
        #expect(try ShortcutsQuery(layer: []).run(in: spot)[0].expected >= 1.0 / 16)

        let varying = try store(folder, "varying") { _, random in
            (Int.random(in: 0...19, using: &random), Int.random(in: 0...19, using: &random))
        }
        #expect(try ShortcutsQuery(layer: []).run(in: varying).isEmpty)
    }

    /// A rectifier that lets nothing through has its maximum in the first cell, which says nothing.
    @Test func zerosHaveNoPlace() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(images: 60, layers: RecordedDataset.layers(), seed: 5, hard: false)
        for image in 0..<60 {
            dataset.images[image].label = image % 2 == 0 ? "cat" : "dog"
            dataset.values[image][4] = image % 2 == 0 ? 0 : -1
            dataset.positions[image][4] = 0
        }
        try dataset.write(folder.file("s.sqlite"))
        #expect(try ShortcutsQuery(layer: []).run(in: Store.open(path: folder.file("s.sqlite"))).isEmpty)
    }
}
