import ActivationStore
import Foundation
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

    /// The neurons alone: from all pairs, with percentiles counted one by one.
    @Test func neuronsEqualTheDefinition() throws {
        let folder = try TemporaryFolder()
        var listed = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let images = dataset.values.indices.filter { dataset.images[$0].label != nil }
            let labels = Set(images.compactMap { dataset.images[$0].label }).sorted()
            let query = SuspectsQuery(layer: "layer1", by: .neurons, witnesses: 2, count: 1000)
            guard labels.count > 1 else {
                #expect(throws: QueryError.noLabels) { try query.run(in: store) }
                continue
            }
            let neurons = Array(dataset.layer(1).neurons)
            func column(_ neuron: Int, _ chosen: [Int]) -> [Float] { chosen.map { dataset.values[$0][neuron] } }
            let witnesses = labels.map { label -> [Int] in
                let own = images.filter { dataset.images[$0].label == label }
                let rest = images.filter { dataset.images[$0].label != label }
                guard own.count >= 5 else { return [] }
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
            let known = labels.indices.filter { !witnesses[$0].isEmpty }
            var wanted: [(image: Int, suggested: String, score: Double)] = []
            for image in images {
                let own = labels.firstIndex(of: dataset.images[image].label ?? "") ?? 0
                let scores = labels.indices.map { known.contains($0) ? said($0, image) : -1 }
                guard known.contains(own),
                    let other = known.filter({ $0 != own }).max(by: {
                        scores[$0] == scores[$1] ? $0 > $1 : scores[$0] < scores[$1]
                    })
                else { continue }
                let excess = scores[other] - scores[own]
                if excess > 0 { wanted.append((image, labels[other], excess)) }
            }
            wanted.sort { $0.score == $1.score ? $0.image < $1.image : $0.score > $1.score }
            let hits = try query.run(in: store)
            #expect(hits.map(\.imageID) == wanted.map(\.image), "store \(seed)")
            #expect(hits.map(\.suggested) == wanted.map(\.suggested))
            #expect(hits.map(\.score) == wanted.map(\.score))
            for hit in hits {
                #expect(hit.label == dataset.images[hit.imageID].label && hit.rankedBy == .neurons && hit.probability == nil)
                for witness in hit.witnesses where hit.witnesses.allSatisfy({ $0.copies.isEmpty }) {
                    let neuron = dataset.layer(1).firstNeuron + witness.channel
                    #expect(witness.percentile == percentile(dataset.values[hit.imageID][neuron], column(neuron, images)))
                }
            }
            listed += hits.count
        }
        #expect(listed > 200)
    }

    /// The network alone: the softmax of its scores, as its definition has it.
    @Test func networkEqualsTheSoftmax() throws {
        let folder = try TemporaryFolder()
        var listed = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let layer = dataset.layer(3)
            let names = layer.neurons.enumerated().map { $0.offset < 2 ? ["cat", "dog"][$0.offset] : "layer3:\($0.offset)" }
            let images = dataset.values.indices.filter { dataset.images[$0].label != nil }
            let query = SuspectsQuery(by: .network, count: 1000)
            guard Set(images.compactMap { dataset.images[$0].label }).count > 1 else {
                #expect(throws: QueryError.noLabels) { try query.run(in: store) }
                continue
            }
            var wanted: [(image: Int, suggested: String, probability: Double)] = []
            for image in images {
                let scores = layer.neurons.map { Double(dataset.values[image][$0]) }
                let largest = scores.max() ?? 0
                let exponentials = scores.map { exp($0 - largest) }
                let shares = exponentials.map { $0 / exponentials.reduce(0, +) }
                guard let own = names.firstIndex(of: dataset.images[image].label ?? ""), scores.count > 1,
                    scores.allSatisfy({ !$0.isNaN && $0 != .infinity }), scores.contains(where: \.isFinite)
                else { continue }
                let other = scores.indices.filter { $0 != own }.max {
                    scores[$0] == scores[$1] ? $0 > $1 : scores[$0] < scores[$1]
                }
                guard let other, shares[other] > shares[own] else { continue }
                wanted.append((image, names[other], shares[own]))
            }
            let hits = try query.run(in: store)
            let found = Dictionary(uniqueKeysWithValues: hits.map { ($0.imageID, $0) })
            #expect(Set(found.keys) == Set(wanted.map(\.image)), "store \(seed)")
            for one in wanted {
                let hit = try #require(found[one.image])
                #expect(hit.suggested == one.suggested && abs((hit.probability ?? -1) - one.probability) < 1e-12)
                #expect(abs(hit.score - (1 - one.probability)) < 1e-12 && hit.rankedBy == .network)
            }
            for (one, next) in zip(hits, hits.dropFirst()) { #expect((one.probability ?? 2) <= (next.probability ?? -1)) }
            listed += hits.count
        }
        #expect(listed > 300)
    }

    /// 90 images of three labels that neurons 0 … 11 of layer 2 tell, and the network's scores as far as `skill` says; labels
    /// of three were exchanged.
    private func exchanged(_ folder: TemporaryFolder, _ name: String, classes: [String], skill: Float) throws -> Store {
        var dataset = RecordedDataset(
            images: 90, layers: RecordedDataset.layers(channels: [12, 12, 12, 3]), classes: classes, seed: 8, hard: false)
        var random = SeededGenerator(seed: 4)
        for image in 0..<90 {
            dataset.images[image].label = Self.labels[image % 3]
            for channel in 0..<12 {
                let neuron = dataset.layer(2).firstNeuron + channel
                dataset.values[image][neuron] = Float.random(in: 0...1, using: &random) + (channel % 3 == image % 3 ? 1.5 : 0)
            }
            for channel in 0..<3 {
                let neuron = dataset.layer(3).firstNeuron + channel
                dataset.values[image][neuron] = Float.random(in: -2...2, using: &random) + (channel == image % 3 ? skill : 0)
            }
        }
        for image in [7, 40, 65] { dataset.images[image].label = Self.labels[(image + 1) % 3] }
        try dataset.write(folder.file(name))
        return try Store.open(path: folder.file(name))
    }

    private static let labels = ["cat", "dog", "cow"]

    /// Labels that were exchanged are found, by whichever way there is.
    @Test func exchangedLabelsComeFirst() throws {
        let folder = try TemporaryFolder()
        let store = try exchanged(folder, "blind.sqlite", classes: Self.labels, skill: 0)
        for judge in [nil, SuspectsQuery.Judge.regression, .neurons] {
            let hits = try SuspectsQuery(by: judge, count: 3).run(in: store)
            #expect(Set(hits.map(\.imageID)) == [7, 40, 65])
            #expect(hits.allSatisfy { $0.suggested == Self.labels[$0.imageID % 3] && !$0.witnesses.isEmpty })
            #expect(hits.allSatisfy { $0.rankedBy == judge ?? .regression })
        }
        let seeing = try exchanged(folder, "seeing.sqlite", classes: Self.labels, skill: 9)
        let hits = try SuspectsQuery(count: 90).run(in: seeing)
        #expect(Set(hits.map(\.imageID)) == [7, 40, 65] && hits.allSatisfy { $0.rankedBy == .network })
    }

    /// The answer says what it was ranked by, and why not by the other.
    @Test func saysWhoJudges() throws {
        let folder = try TemporaryFolder()
        func remark(_ store: Store) throws -> String { try SuspectsQuery(count: 3).run(in: store).remarks[0].description }
        let blind = try remark(exchanged(folder, "blind.sqlite", classes: Self.labels, skill: 0))
        #expect(blind.hasPrefix("ranked by: a cross-validated logistic regression on the maxima of layer2 (it agrees with 9"))
        #expect(blind.contains("of 90 labels, the network's probability of the label with"))
        let seeing = try remark(exchanged(folder, "seeing.sqlite", classes: Self.labels, skill: 9))
        let agreement = "the network's probability of the label (it agrees with 96.7 % of 90 labels, a cross-"
        #expect(seeing.hasPrefix("ranked by: " + agreement))
        let unnamed = try remark(exchanged(folder, "unnamed.sqlite", classes: [], skill: 9))
        let reason = "the names of the network's classes are not known"
        #expect(unnamed.contains("not by the network's probability of the label: " + reason))
        let foreign = try exchanged(folder, "foreign.sqlite", classes: ["x", "y", "z"], skill: 9)
        #expect(try remark(foreign).contains("no label is a class of the network"))
        #expect(throws: QueryError.cannotJudge(.network, reason: "no label is a class of the network")) {
            try SuspectsQuery(by: .network).run(in: foreign)
        }
    }

    /// One image a label: no regression and no neurons, but the network can judge; without it, nobody can, which is said.
    @Test func labelsOfOneImage() throws {
        let folder = try TemporaryFolder()
        func store(_ name: String, classes: [String]) throws -> Store {
            var dataset = RecordedDataset(
                images: 12, layers: RecordedDataset.layers(channels: [4, 3, 2, 12]), classes: classes, seed: 3, hard: false)
            for image in 0..<12 {
                dataset.images[image].label = "n\(image == 3 ? 4 : image == 4 ? 3 : image)"
                for channel in 0..<12 { dataset.values[image][dataset.layer(3).firstNeuron + channel] = channel == image ? 8 : 0 }
            }
            try dataset.write(folder.file(name))
            return try Store.open(path: folder.file(name))
        }
        let named = try SuspectsQuery(count: 10).run(in: store("named.sqlite", classes: (0..<12).map { "n\($0)" }))
        #expect(Set(named.map(\.image)).count == 2 && Set(named.map(\.imageID)) == [3, 4])
        #expect(named.map(\.suggested) == ["n3", "n4"] && named.allSatisfy { $0.witnesses.isEmpty })
        let few = "12 of 12 labels have fewer than 5 images, such as n0 with 1: no neurons are named for them"
        #expect(named.remarks.map(\.description).contains(few))
        let unnamed = try SuspectsQuery(count: 10).run(in: store("unnamed.sqlite", classes: []))
        #expect(unnamed.isEmpty && unnamed.remarks.map(\.description).contains(few))
        #expect(unnamed.remarks.contains { $0.description.hasPrefix("12 of 12 images are not judged, such as pets/") })
    }

    /// What the network's file makes of scores is kept, and asked for.
    @Test func scoresBeforeASigmoid() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: 20, layers: RecordedDataset.layers(channels: [4, 3, 2, 2]), classes: ["cat", "dog"], seed: 3, hard: false)
        for image in 0..<20 {
            dataset.images[image].label = image % 2 == 0 ? "cat" : "dog"
            dataset.values[image][9] = image % 2 == 0 ? 3 : -3
            dataset.values[image][10] = image % 2 == 0 ? -2 : 2
        }
        // Both classes are likely, and neither.
        (dataset.values[6][9], dataset.values[6][10], dataset.values[8][9], dataset.values[8][10]) = (2, 4, -4, -3)
        for (form, six, eight) in [(AnswerForm.sigmoid, 0.8808, 0.018), (.softmax, 0.1192, 0.2689), (nil, 0.1192, 0.2689)] {
            let name = folder.file("\(form?.rawValue ?? "none").sqlite")
            var model = dataset.description.model
            model.answer = form
            let old = dataset.description
            dataset.description = StoreDescription(
                model: model, preprocessing: old.preprocessing, preprocessingHash: old.preprocessingHash, layers: old.layers,
                classes: old.classes, blockImages: old.blockImages, topCount: old.topCount)
            try dataset.write(name)
            let store = try Store.open(path: name)
            #expect(store.description.model.answer == form)
            let hits = try SuspectsQuery(by: .network).run(in: store)
            func probability(_ image: Int) -> Double { hits.first { $0.imageID == image }?.probability ?? -1 }
            #expect(abs(probability(6) - six) < 1e-3 && abs(probability(8) - eight) < 1e-3, "\(hits)")
        }
    }

    /// Scores between 0 and 1 are what a sigmoid makes, and probabilities already.
    @Test func scoresOfASigmoid() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: 20, layers: RecordedDataset.layers(channels: [4, 3, 2, 2]), classes: ["cat", "dog"], seed: 3, hard: false)
        for image in 0..<20 {
            dataset.images[image].label = image % 2 == 0 ? "cat" : "dog"
            dataset.values[image][9] = image % 2 == 0 ? 0.9 : 0.1
            dataset.values[image][10] = image % 2 == 0 ? 0.2 : 0.8
        }
        dataset.values[6][9] = 0.3
        dataset.values[6][10] = 0.75
        try dataset.write(folder.file("s.sqlite"))
        let hits = try SuspectsQuery(by: .network).run(in: Store.open(path: folder.file("s.sqlite")))
        #expect(hits.map(\.imageID) == [6])
        #expect(abs((hits[0].probability ?? 0) - 0.3) < 1e-6 && abs((hits[0].suggestedProbability ?? 0) - 0.75) < 1e-6)
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
