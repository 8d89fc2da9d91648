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
                let query = SelectivityQuery(label: label, count: 1000, condition: condition)
                guard !own.isEmpty, !rest.isEmpty else {
                    #expect(throws: QueryError.self) { try query.run(in: store) }
                    continue
                }
                let hits = try query.run(in: store)
                #expect(hits.count == dataset.description.neuronCount)
                for hit in hits { try check(hit) }
                for (one, next) in zip(hits, hits.dropFirst()) { #expect(one.auroc >= next.auroc) }
                #expect(
                    try SelectivityQuery(label: label, count: 2, condition: condition).run(in: store) == Array(hits.prefix(2)))
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
        #expect(message(ContrastQuery(a: "0")) == "no image is in the set of --a")
        #expect(message(ContrastQuery(a: "1")) == "no image is in the set of --b")
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
            let hits = try ContrastQuery(a: a, b: b, count: 1000).run(in: store)
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
            let controlled = try ContrastQuery(a: a, b: b, count: 1000, rate: 0.2).run(in: store)
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
