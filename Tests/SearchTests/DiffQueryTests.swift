import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// What changed between two stores, beside counting it all by hand.
@Suite struct DiffQueryTests {
    static let seeds = 0..<150

    /// A neuron and its partner as their definitions have them.
    private struct Wanted {
        var correlation: Double?
        var drift = 1.0
        var shift: Double?
        var one: [Int]
        var other: [Int]

        init(_ a: [Float], _ b: [Float], strongest: Int) {
            correlation = spearman(a, b)
            func isConstant(_ column: [Float]) -> Bool { column.allSatisfy { $0 == column[0] || $0.isNaN && column[0].isNaN } }
            drift = correlation.map { 1 - $0 } ?? (isConstant(a) && isConstant(b) ? 0 : 1)
            func moments(_ column: [Float]) -> (mean: Double, deviation: Double) {
                let finite = column.filter(\.isFinite).map(Double.init)
                let mean = finite.reduce(0, +) / Double(finite.count)
                return (mean, (finite.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(finite.count)).squareRoot())
            }
            let (before, after) = (moments(a), moments(b))
            if before.deviation > 0, !after.mean.isNaN { shift = (after.mean - before.mean) / before.deviation }
            func top(_ column: [Float]) -> [Int] { Array(RecordedDataset.sorted(column.map(Double.init)).prefix(strongest)) }
            (one, other) = (top(a), top(b))
        }
    }

    private func everyNeuron(_ diff: Diff) -> [NeuronDiff] { diff.neurons + diff.died + diff.woke + diff.uncorrelated }

    private func near(_ a: Double?, _ b: Double?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return abs(a - b) <= 1e-9 * max(1, abs(b))
    }

    /// By channel of A: the channel of B, which is nil where several are as good.
    private func partners(_ table: [[Double?]], _ by: Partnering) -> [Int] {
        table.enumerated().map { channel, row in
            guard by != .index, let best = row.compactMap({ $0 }).max() else { return channel }
            // Equal ranks give equal bits in the program; here they may differ in the last.
            let equal = row.indices.filter { row[$0].map { $0 > best - 1e-12 } ?? false }
            return equal.contains(channel) ? channel : equal[0]
        }
    }

    @Test(arguments: [Partnering.correlation, .index]) func equalsTheDefinitions(by: Partnering) throws {
        let folder = try TemporaryFolder()
        var counts = [0, 0, 0, 0]
        for seed in Self.seeds {
            let fixture = try StorePairFixture(seed, folder)
            guard !fixture.images.isEmpty else {
                #expect(throws: QueryError.self) { try DiffQuery(by: by).run(from: fixture.a, to: fixture.b) }
                continue
            }
            let diff = try DiffQuery(by: by, strongest: 4, count: 1000).run(from: fixture.a, to: fixture.b, withImages: true)
            #expect(diff.images.compared == fixture.images.count)
            #expect(diff.images.onlyInA == fixture.onlyInA && diff.images.onlyInB == fixture.onlyInB)
            let all = everyNeuron(diff)
            #expect(all.count == fixture.one.description.neuronCount)
            // Neurons that live in both are ranked, and no others.
            #expect(diff.neurons.allSatisfy { $0.fate == nil && $0.correlation != nil })
            #expect(diff.died.allSatisfy { $0.fate == .died } && diff.woke.allSatisfy { $0.fate == .woke })
            #expect(diff.uncorrelated.allSatisfy { $0.fate == nil && $0.correlation == nil })
            #expect(
                diff.apart.died == diff.died.count && diff.apart.woke == diff.woke.count
                    && diff.apart.uncorrelated == diff.uncorrelated.count)
            for (index, layer) in fixture.one.description.layers.enumerated() {
                let a = layer.neurons.map { fixture.column(a: $0) }
                let b = layer.neurons.map { fixture.column(b: $0) }
                let partners = partners(a.map { column in b.map { spearman(column, $0) } }, by)
                let neurons = all.filter { $0.layer == layer.name }.sorted { $0.channel < $1.channel }
                #expect(neurons.map(\.partner) == partners, "\(seed) \(layer.name)")
                for (channel, neuron) in neurons.enumerated() {
                    let wanted = Wanted(a[channel], b[partners[channel]], strongest: 4)
                    #expect(near(neuron.correlation, wanted.correlation) && near(neuron.drift, wanted.drift))
                    #expect(near(neuron.shift, wanted.shift), "\(seed) \(layer.name):\(channel) \(neuron)")
                    let (one, other) = (Set(wanted.one), Set(wanted.other))
                    #expect(neuron.shared == one.intersection(other).count)
                    let all = Double(one.union(other).count)
                    #expect(near(neuron.jaccard, all == 0 ? nil : Double(neuron.shared) / all))
                    #expect(neuron.strongestInA.map(\.imageID) == wanted.one.map { fixture.images[$0].a })
                    #expect(neuron.strongestInB.map(\.imageID) == wanted.other.map { fixture.images[$0].b })
                    #expect(neuron.came.map(\.imageID) == wanted.other.filter { !one.contains($0) }.map { fixture.images[$0].b })
                    #expect(neuron.went.map(\.imageID) == wanted.one.filter { !other.contains($0) }.map { fixture.images[$0].a })
                    for hit in neuron.strongestInB {
                        let own = layer.firstNeuron + partners[channel]
                        #expect(hit.value == fixture.other.values[hit.imageID][own])
                        #expect(hit.y * layer.width + hit.x == Int(fixture.other.positions[hit.imageID][own]))
                        #expect(hit.image == fixture.other.images[hit.imageID].path)
                    }
                    let (wasDead, isDead) = (a[channel].allSatisfy { $0 == 0 }, b[channel].allSatisfy { $0 == 0 })
                    #expect(neuron.fate == (wasDead == isDead ? nil : isDead ? .died : .woke))
                    counts[0] += neuron.fate == .died ? 1 : 0
                    counts[1] += neuron.fate == .woke ? 1 : 0
                    counts[2] += neuron.came.count
                }
                checkSummary(diff.layers[index], neurons, a, by)
                counts[3] += diff.layers[index].kept == nil ? 0 : 1
            }
            let order = diff.neurons.map { neuron in
                (neuron.drift, diff.layers.firstIndex { $0.layer == neuron.layer } ?? 0, neuron.channel)
            }
            for (one, next) in zip(order, order.dropFirst()) {
                #expect(one.0 > next.0 || one.0 == next.0 && (one.1, one.2) < (next.1, next.2))
            }
            let few = try DiffQuery(by: by, strongest: 4, count: 3).run(from: fixture.a, to: fixture.b, withImages: true)
            #expect(few.neurons == Array(diff.neurons.prefix(3)) && few.layers == diff.layers)
            #expect(few.died == Array(diff.died.prefix(3)) && few.woke == Array(diff.woke.prefix(3)) && few.apart == diff.apart)
        }
        #expect(counts[0] > 20 && counts[1] > 5 && counts[2] > 1000 && (by == .index) == (counts[3] == 0), "\(counts)")
    }

    private func checkSummary(_ layer: LayerDiff, _ neurons: [NeuronDiff], _ a: [[Float]], _ by: Partnering) {
        let known = neurons.compactMap(\.correlation).sorted()
        #expect(layer.neurons == neurons.count && layer.correlated == known.count)
        let median = known.isEmpty ? nil : (known[(known.count - 1) / 2] + known[known.count / 2]) / 2
        #expect(near(layer.medianCorrelation, median))
        let asking = neurons.filter { neuron in
            a[neuron.channel].contains { $0 != a[neuron.channel][0] && !($0.isNaN && a[neuron.channel][0].isNaN) }
        }
        let kept = asking.count { $0.partner == $0.channel && $0.correlation != nil }
        #expect(near(layer.kept, by == .index || asking.isEmpty ? nil : Double(kept) / Double(asking.count)))
        #expect(layer.died == neurons.count { $0.fate == .died } && layer.woke == neurons.count { $0.fate == .woke })
        let overlaps = neurons.compactMap(\.jaccard)
        #expect(near(layer.overlap, overlaps.isEmpty ? nil : overlaps.reduce(0, +) / Double(overlaps.count)))
    }

    @Test func theAssignmentIsTheBest() throws {
        let folder = try TemporaryFolder()
        for seed in Self.seeds {
            let fixture = try StorePairFixture(seed, folder)
            guard !fixture.images.isEmpty else { continue }
            // Layers with unlike numbers of channels too.
            for match in [[], ["layer0=layer1", "layer1=layer2", "layer2=layer0"]] {
                let query = DiffQuery(match: match, by: .assignment, count: 1000)
                let diff = try query.run(from: fixture.a, to: fixture.b)
                for layer in diff.layers {
                    let one = try #require(fixture.one.description.layers.first { $0.name == layer.layer })
                    let other = try #require(fixture.other.description.layers.first { $0.name == layer.other })
                    let table = one.neurons.map { a in
                        other.neurons.map { spearman(fixture.column(a: a), fixture.column(b: $0)) ?? 0 }
                    }
                    let neurons = everyNeuron(diff).filter { $0.layer == layer.layer }.sorted { $0.channel < $1.channel }
                    let partners = neurons.compactMap(\.partner)
                    #expect(Set(partners).count == partners.count && partners.count == min(one.channels, other.channels))
                    let total = neurons.compactMap { neuron in neuron.partner.map { table[neuron.channel][$0] } }.reduce(0, +)
                    #expect(abs(total - AssignmentTests.exhaustive(table)) < 1e-8, "\(seed) \(layer)")
                }
            }
        }
    }

    @Test func predictionsAreCompared() throws {
        let folder = try TemporaryFolder()
        var seen = (broken: 0, mended: 0)
        for seed in Self.seeds {
            let fixture = try StorePairFixture(seed, folder)
            guard !fixture.images.isEmpty else { continue }
            let found = try DiffQuery(count: 1000).run(from: fixture.a, to: fixture.b).predictions
            let classes = fixture.one.description.classes
            let pairs = fixture.images.map { (fixture.one.images[$0.a], fixture.other.images[$0.b]) }
            let answered = pairs.filter { $0.predictedClass != nil && $1.predictedClass != nil }
            #expect(
                found.compared == answered.count && found.changed == answered.count { $0.predictedClass != $1.predictedClass })
            #expect(found.changes.count == found.changed)
            func isRight(_ image: ImageRecord) -> Bool? {
                image.label.flatMap { classes.firstIndex(of: $0) }.map { $0 == image.predictedClass }
            }
            let known = answered.filter { isRight($0) != nil && isRight($1) != nil }
            #expect(found.labelled == known.count)
            let right = (known.count { isRight($0.0) == true }, known.count { isRight($0.1) == true })
            #expect(near(found.accuracyInA, known.isEmpty ? nil : Double(right.0) / Double(known.count)))
            #expect(near(found.accuracyInB, known.isEmpty ? nil : Double(right.1) / Double(known.count)))
            #expect(found.broken == known.count { isRight($0) == true && isRight($1) == false })
            #expect(found.mended == known.count { isRight($0) == false && isRight($1) == true })
            for change in found.changes {
                let pair = try #require(pairs.first { $0.0.path == change.image })
                #expect(change.inA == classes[pair.0.predictedClass ?? 0] && change.inB == classes[pair.1.predictedClass ?? 0])
            }
            seen = (seen.broken + found.broken, seen.mended + found.mended)
        }
        #expect(seen.broken > 50 && seen.mended > 50)
    }

    /// A store of the same network over the same images in another order has not changed, nor has a store from itself.
    @Test func theSameIsTheSame() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds where seed % 9 != 4 {
            let (store, dataset) = try RandomStores.make(seed, folder)
            var turned = dataset
            turned.images.reverse()
            turned.values.reverse()
            turned.positions.reverse()
            turned.means.reverse()
            try turned.write(folder.file("turned-\(seed).sqlite"))
            let other = try Store.open(path: folder.file("turned-\(seed).sqlite"))
            for (by, other) in Partnering.allCases.flatMap({ by in [(by, other), (by, store)] }) {
                let diff = try DiffQuery(by: by, count: 1000).run(from: store, to: other, withImages: true)
                #expect(diff.isSameModel && diff.preprocessing == nil && diff.predictions.changed == 0)
                #expect(diff.died.isEmpty && diff.woke.isEmpty && everyNeuron(diff).allSatisfy { $0.drift == 0 })
                #expect(diff.neurons.allSatisfy { $0.drift == 0 && $0.partner == $0.channel && abs($0.shift ?? 0) < 1e-9 })
                #expect(diff.neurons.allSatisfy { $0.came.isEmpty && $0.went.isEmpty && $0.fate == nil })
                #expect(diff.layers.allSatisfy { ($0.kept ?? 1) == 1 && ($0.overlap ?? 1) == 1 })
            }
        }
    }

    @Test func layersAreMatchedOrSaidToBeLeftOut() throws {
        let folder = try TemporaryFolder()
        func store(_ name: String, _ layers: [(String, Int)], _ preprocessing: String = "{}") throws -> Store {
            var dataset = RecordedDataset(images: 12, layers: RecordedDataset.layers(channels: layers.map(\.1)), seed: 5)
            let description = dataset.description
            dataset.description = StoreDescription(
                model: description.model, preprocessing: preprocessing, preprocessingHash: preprocessing,
                layers: zip(description.layers, layers).map { layer, other in
                    var layer = layer
                    layer.name = other.0
                    return layer
                }, blockImages: 5, topCount: 3)
            try dataset.write(folder.file(name))
            return try Store.open(path: folder.file(name))
        }
        let a = try store("a.sqlite", [("x", 3), ("y=1", 4), ("z", 2)])
        let b = try store("b.sqlite", [("x", 3), ("y=2", 4), ("z", 5)], #"{"resize":9}"#)
        func run(_ query: DiffQuery) throws -> Diff { try query.run(from: a, to: b) }

        let plain = try run(DiffQuery(count: 10))
        #expect(plain.layers.map(\.layer) == ["x"] && plain.preprocessing == ["{}", #"{"resize":9}"#])
        #expect(plain.leftOut.map { "\($0.store) \($0.layer)" } == ["a y=1", "a z", "b y=2"])
        #expect(plain.leftOut[1].reason == "it has 2 channels in A and 5 in B")
        let matched = try run(DiffQuery(match: ["y=1=y=2", "z=z"]))
        #expect(matched.layers.map(\.other) == ["x", "y=2", "z"] && matched.leftOut.isEmpty)
        #expect(try run(DiffQuery(layer: ["x"])).leftOut.isEmpty)

        #expect(throws: QueryError.notComparable(layer: "y=1", reason: "B has no layer of this name")) {
            try run(DiffQuery(layer: ["y=1"]))
        }
        #expect(throws: QueryError.self) { try run(DiffQuery(match: ["z=z"], by: .index)) }
        #expect(throws: StoreError.unknownLayer(name: "xx", suggestions: ["x"])) { try run(DiffQuery(layer: ["xx"])) }
        #expect(throws: StoreError.unknownLayer(name: "w", suggestions: [])) { try run(DiffQuery(match: ["x=w"])) }
        #expect(throws: QueryError.wrongMatch("x", reason: "it has no equals sign between a layer of A and one of B")) {
            try run(DiffQuery(match: ["x"]))
        }
        #expect(throws: QueryError.wrongCount(0)) { try run(DiffQuery(count: 0)) }
        #expect(throws: QueryError.self) { try run(DiffQuery(strongest: 1001)) }
        #expect(throws: QueryError.noCommonLayer) {
            try DiffQuery(count: 10).run(from: a, to: store("c.sqlite", [("x", 4), ("q", 1)]))
        }
    }
}
