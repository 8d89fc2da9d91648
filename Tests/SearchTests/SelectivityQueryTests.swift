import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

@Suite struct SelectivityQueryTests {
    /// The share of pairs of which the first has the larger value, ties half, NaN lowest: from all pairs.
    static func auroc(_ a: [Float], _ b: [Float]) -> Double {
        var won = 0
        for x in a {
            for y in b { won += x == y || x.isNaN && y.isNaN ? 1 : y.isNaN || x > y ? 2 : 0 }
        }
        return Double(won) / Double(2 * a.count * b.count)
    }

    /// Mean over the positives of the precision among all that are at least as strong.
    static func averagePrecision(_ a: [Float], _ b: [Float]) -> Double {
        let precisions = a.map { x -> Double in
            func reaches(_ y: Float) -> Bool { x.isNaN || y >= x }
            let positives = a.count { reaches($0) }
            return Double(positives) / Double(positives + b.count { reaches($0) })
        }
        return precisions.reduce(0, +) / Double(a.count)
    }

    @Test func equalsTheDefinition() throws {
        let folder = try TemporaryFolder()
        var rated = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let condition = seed % 2 == 0 ? nil : RecordedDataset.condition
            let images = dataset.images.indices.filter {
                $0 < dataset.values.count && (condition == nil || dataset.meetsCondition($0))
            }
            let labels = Set(dataset.images.prefix(dataset.values.count).compactMap(\.label)).sorted()
            func split(_ neuron: Int, _ label: String) -> (own: [Float], rest: [Float]) {
                (
                    images.filter { dataset.images[$0].label == label }.map { dataset.values[$0][neuron] },
                    images.filter { dataset.images[$0].label != label }.map { dataset.values[$0][neuron] }
                )
            }
            func check(_ hit: SelectivityQuery.Hit) throws {
                let layer = try #require(dataset.description.layers.first { $0.name == hit.layer })
                let (own, rest) = split(layer.firstNeuron + hit.channel, hit.label)
                #expect(hit.images == own.count)
                #expect(hit.auroc == Self.auroc(own, rest))
                #expect(abs(hit.averagePrecision - Self.averagePrecision(own, rest)) < 1e-12)
                func mean(_ values: [Float]) -> Double? {
                    let finite = values.filter { $0.isFinite }
                    return finite.isEmpty ? nil : finite.reduce(0) { $0 + Double($1) } / Double(finite.count)
                }
                if let own = mean(own), let rest = mean(rest) {
                    #expect(abs((hit.gap ?? .nan) - (own - rest)) < 1e-9)
                } else {
                    #expect(hit.gap == nil)
                }
                rated += 1
            }
            for label in labels {
                let (own, rest) = split(0, label)
                let query = SelectivityQuery(label: label, count: 1000, condition: condition, copies: true)
                guard !own.isEmpty, !rest.isEmpty else {
                    #expect(throws: QueryError.self) { try query.run(in: store) }
                    continue
                }
                let hits = try query.run(in: store)
                #expect(hits.count == dataset.description.neuronCount)
                for hit in hits { try check(hit) }
                for (one, next) in zip(hits, hits.dropFirst()) { #expect(one.auroc >= next.auroc) }
                #expect(
                    try SelectivityQuery(label: label, count: 2, condition: condition, copies: true).run(in: store).hits
                        == Array(hits.prefix(2)))
                checkCopies(
                    try SelectivityQuery(label: label, count: 1000, condition: condition).run(in: store).map {
                        ($0.layer, $0.channel, $0.copies)
                    }, of: hits.map { ($0.layer, $0.channel) }, dataset, images)
            }
            guard !labels.isEmpty else { continue }
            // By neuron: the same figures, in the order of the neurons.
            let hits = try SelectivityQuery(count: 1000, condition: condition).run(in: store)
            for hit in hits { try check(hit) }
            let best = try SelectivityQuery(layer: ["layer1:0"], count: 1, condition: condition).run(in: store)
            let all = hits.filter { $0.layer == "layer1" && $0.channel == 0 }
            #expect(best.first?.auroc == all.map(\.auroc).max())
        }
        #expect(rated > 5000)
    }

    /// Neurons of a list in its order, grouped by comparing all pairs: every neuron is in one row, as its leader or as a copy
    /// of the first leader that it is a copy of.
    private func checkCopies(
        _ rows: [(layer: String, channel: Int, copies: [NeuronName])], of order: [(layer: String, channel: Int)],
        _ dataset: RecordedDataset, _ images: [Int]
    ) {
        func column(_ layer: String, _ channel: Int) -> [Float] {
            let first = dataset.description.layers.first { $0.name == layer }?.firstNeuron ?? 0
            return images.map { dataset.values[$0][first + channel] }
        }
        func areCopies(_ a: [Float], _ b: [Float]) -> Bool {
            guard let correlation = spearman(a, b) else { return false }
            return images.count < 20 ? zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN } : correlation >= 0.99
        }
        var wanted: [(name: String, column: [Float], copies: [String])] = []
        for (layer, channel) in order {
            let own = column(layer, channel)
            if let leader = wanted.firstIndex(where: { areCopies($0.column, own) }) {
                wanted[leader].copies.append("\(layer):\(channel)")
            } else {
                wanted.append(("\(layer):\(channel)", own, []))
            }
        }
        #expect(rows.map { "\($0.layer):\($0.channel)" } == wanted.map(\.name))
        #expect(rows.map { $0.copies.map(\.description) } == wanted.map(\.copies))
    }

    /// A convolution, the concatenation that it goes into and the pooling after it are one finding.
    @Test func copiesAreListedOnce() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(
            images: 60, layers: RecordedDataset.layers(channels: [3, 4, 4, 2]), seed: 6, hard: false)
        for image in 0..<60 {
            dataset.images[image].label = image % 3 == 0 ? "cat" : "dog"
            let value = Float(image % 3 == 0 ? 50 : 10) + Float(image) / 100
            dataset.values[image][0] = value  // layer0:0
            dataset.values[image][4] = value  // layer1:1, a concatenation
            dataset.values[image][8] = 2 * value + 1  // layer2:1, a scaling
            dataset.values[image][1] = value + Float(image * 37 % 60) / 3  // layer0:1, not the same
        }
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        let copies = [NeuronName(layer: "layer1", channel: 1), NeuronName(layer: "layer2", channel: 1)]
        let selective = try SelectivityQuery(label: "cat", count: 2).run(in: store)
        #expect(selective.map { "\($0.layer):\($0.channel)" } == ["layer0:0", "layer0:1"])
        #expect(selective.map(\.copies) == [copies, []] && selective.remarks.isEmpty)
        let contrast = try ContrastQuery(a: "label = 'cat'", count: 2).run(in: store)
        #expect(contrast.map { "\($0.layer):\($0.channel)" } == ["layer0:0", "layer0:1"] && contrast.map(\.rank) == [1, 2])
        #expect(contrast.map(\.copies) == [copies, []])
        // q is over all neurons, whichever rows they are in.
        let all = try ContrastQuery(a: "label = 'cat'", count: 20, copies: true).run(in: store)
        #expect(all.count == 13 && all.allSatisfy { $0.copies.isEmpty })
        #expect(all[0].q == contrast[0].q)
        // All four tell the label without an error: they come in the order of their numbers.
        #expect(all.prefix(4).map { "\($0.layer):\($0.channel)" } == ["layer0:0", "layer0:1", "layer1:1", "layer2:1"])
    }

    /// An answer from a few images says so.
    @Test func fewImagesAreSaid() throws {
        let folder = try TemporaryFolder()
        var dataset = RecordedDataset(images: 40, layers: RecordedDataset.layers(), seed: 2, hard: false)
        for image in 0..<40 { dataset.images[image].label = image < 3 ? "bird" : "n\(image)" }
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        func remarks<Hit>(_ found: Findings<Hit>) -> [String] { found.remarks.map(\.description) }
        #expect(
            try remarks(SelectivityQuery(label: "bird").run(in: store))
                == ["label bird has 3 images, fewer than 5: chance alone may tell it"])
        let all = "38 of 38 labels have fewer than 5 images, such as bird with 3: "
        #expect(try remarks(SelectivityQuery(count: 1).run(in: store)) == [all + "chance alone may tell them"])
        let shortcuts = try ShortcutsQuery(count: 20).run(in: store)
        #expect(shortcuts.isEmpty && remarks(shortcuts)[0] == all + "no shortcut can be found for them")
        #expect(remarks(shortcuts)[1].contains("not looked for: the question was given no pictures"))
        #expect(remarks(shortcuts).count == 3 && remarks(shortcuts)[2].hasPrefix("looked at 9 neurons: "))
        // U = 3 · 37 at most: (111 / 2 − ½) / √(3 · 37 · 41 / 12) deviations.
        let contrast = try ContrastQuery(a: "label = 'bird'", rate: 1e-6).run(in: store)
        #expect(contrast.isEmpty && remarks(contrast)[0].hasPrefix("--a has 3 images, fewer than 5: p is 0.0047 or more"))
        #expect(remarks(contrast)[1].contains("none is found at the false discovery rate 1e-06; the smallest is"))
        let suspects = try SuspectsQuery(count: 10).run(in: store)
        #expect(suspects.isEmpty && remarks(suspects).contains(all + "no neurons are named for them"))
    }

    @Test func mistakesAreNamed() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 40, layers: RecordedDataset.layers(), seed: 2)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        func message(_ query: some Query) -> String {
            do { return "\(try query.run(in: store))" } catch { return "\(error)" }
        }
        #expect(message(SelectivityQuery(label: "catt")).hasPrefix("no image has the label catt; did you mean cat?"))
        #expect(message(SelectivityQuery(label: "cat", condition: "label = 'cat'")).contains("nothing to tell it from"))
        #expect(message(ContrastQuery(a: "label = 'cat'", b: "split = 'val'")).contains("both --a and --b"))
        #expect(message(ContrastQuery(a: "0")).hasPrefix("no image meets --a \"0\""))
        #expect(message(ContrastQuery(a: "1")) == "no image is left for --b, as every one meets --a")
        #expect(message(ContrastQuery(a: "lable = 'cat'")).contains("--a \"lable = 'cat'\""))
        #expect(message(ContrastQuery(a: "id IN (SELECT image_id FROM top_activation)")).contains("is refused"))
    }
}

@Suite struct ContrastQueryTests {
    @Test func equalsTheDefinition() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let (a, b) = ("label = 'cat'", seed % 2 == 0 ? nil : "label = 'dog'")
            let images = dataset.images.prefix(dataset.values.count)
            let inA = images.indices.filter { images[$0].label == "cat" }
            let inB = images.indices.filter { b == nil ? images[$0].label != "cat" : images[$0].label == "dog" }
            guard !inA.isEmpty, !inB.isEmpty else {
                #expect(throws: QueryError.self) { try ContrastQuery(a: a, b: b).run(in: store) }
                continue
            }
            let hits = try ContrastQuery(a: a, b: b, count: 1000, copies: true).run(in: store)
            let all = dataset.description.neuronCount
            #expect(hits.map(\.rank) == Array(1...all))
            var tested: [(name: String, auroc: Double, p: Double)] = []
            for neuron in 0..<all {
                let layer = dataset.description.layer(ofNeuron: neuron)
                let (x, y) = (inA.map { dataset.values[$0][neuron] }, inB.map { dataset.values[$0][neuron] })
                let auroc = SelectivityQueryTests.auroc(x, y)
                tested.append(("\(layer.name):\(neuron - layer.firstNeuron)", auroc, Self.p(x, y, auroc)))
            }
            for hit in hits {
                let one = try #require(tested.first { $0.name == "\(hit.layer):\(hit.channel)" })
                #expect(hit.auroc == one.auroc)
                #expect(abs(hit.p - one.p) < 1e-12)
                // Benjamini and Hochberg from their rule: at rate q this hypothesis is rejected, a little below it is not.
                func isRejected(at rate: Double) -> Bool {
                    let sorted = tested.map(\.p).sorted()
                    let last = sorted.indices.last { sorted[$0] <= rate * Double($0 + 1) / Double(all) }
                    return last.map { one.p <= sorted[$0] + 1e-15 } ?? false
                }
                #expect(
                    isRejected(at: hit.q * (1 + 1e-9)) && (hit.q == 0 || !isRejected(at: hit.q * (1 - 1e-9))), "store \(seed)")
            }
            for (one, next) in zip(hits, hits.dropFirst()) { #expect(abs(one.auroc - 0.5) >= abs(next.auroc - 0.5) - 1e-12) }
            let controlled = try ContrastQuery(a: a, b: b, count: 1000, rate: 0.2, copies: true).run(in: store)
            #expect(
                Set(controlled.map { "\($0.layer):\($0.channel)" })
                    == Set(hits.filter { $0.q <= 0.2 }.map { "\($0.layer):\($0.channel)" }))
        }
    }

    /// Mann and Whitney's test by the normal approximation, from the formula with groups of ties.
    private static func p(_ x: [Float], _ y: [Float], _ auroc: Double) -> Double {
        let (n, m) = (Double(x.count), Double(y.count))
        var groups: [String: Double] = [:]
        for value in x + y { groups[value.isNaN ? "NaN" : "\(value + 0)", default: 0] += 1 }
        let ties = groups.values.reduce(0) { $0 + $1 * $1 * $1 - $1 }
        let variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
        guard variance > 0 else { return 1 }
        return min(1, erfc(max(0, abs(auroc * n * m - n * m / 2) - 0.5) / variance.squareRoot() / 2.0.squareRoot()))
    }

    /// By hand: U = ½ + 0 + 1 + 0 + 2 + 6 + 0 + 3 of 56 pairs; ties of 2, 2, 3 and 3; variance 56/12 · (16 − 60/210).
    @Test func equalsAnExampleByHand() throws {
        let folder = try TemporaryFolder()
        let values: [Float] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
        var dataset = RecordedDataset(images: values.count, layers: RecordedDataset.layers(), seed: 1, hard: false)
        for (image, value) in values.enumerated() {
            dataset.values[image][0] = value
            dataset.images[image].split = image < 8 ? "a" : "b"
        }
        try dataset.write(folder.file("s.sqlite"))
        let hit = try #require(
            try ContrastQuery(a: "split = 'a'", layer: ["layer0:0"]).run(in: Store.open(path: folder.file("s.sqlite"))).first)
        #expect(hit.auroc == 12.5 / 56)
        #expect(abs(hit.p - 0.07984) < 1e-5 && hit.q == hit.p)
    }
}
