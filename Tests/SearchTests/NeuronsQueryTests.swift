import ActivationStore
import Search
import TestSupport
import Testing

@Suite struct NeuronsQueryTests {
    @Test func equalsTheDefinitions() throws {
        let folder = try TemporaryFolder()
        var found = [0, 0, 0]
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let all = try NeuronsQuery(layer: []).run(in: store)
            let columns = (0..<dataset.description.neuronCount).map { neuron in dataset.values.map { $0[neuron] } }
            #expect(all.count == columns.count)
            for (neuron, column) in columns.enumerated() {
                let hit = all[neuron]
                let layer = dataset.description.layer(ofNeuron: neuron)
                let numbers = column.filter { !$0.isNaN }
                let finite = numbers.filter { $0.isFinite }.map { Double($0) }
                let mean = finite.reduce(0, +) / Double(finite.count)
                #expect(hit.layer == layer.name && hit.channel == neuron - layer.firstNeuron && hit.images == column.count)
                #expect(hit.minimum == numbers.min() && hit.maximum == numbers.max() && hit.nans == column.count - numbers.count)
                #expect(hit.zeroShare == Double(column.count { $0 == 0 }) / Double(column.count))
                if finite.isEmpty {
                    #expect(hit.mean == nil && hit.deviation == nil)
                } else {
                    let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count)
                    #expect(abs((hit.mean ?? .nan) - mean) < 1e-6 && abs((hit.deviation ?? .nan) - variance.squareRoot()) < 1e-6)
                }
            }
            func names(_ isWanted: (Int, [Float]) -> Bool) -> [String] {
                columns.indices.filter { isWanted($0, columns[$0]) }.map { neuron in
                    let layer = dataset.description.layer(ofNeuron: neuron)
                    return "\(layer.name):\(neuron - layer.firstNeuron)"
                }
            }
            func asked(_ query: NeuronsQuery) throws -> [String] { try query.run(in: store).map { "\($0.layer):\($0.channel)" } }
            let isConstant = { (column: [Float]) in column.allSatisfy { $0 == column[0] } }
            let dead = names { $1.allSatisfy { $0 == 0 } }
            let constant = names { isConstant($1) }
            let saturated = names { _, column in
                let most = column.filter { !$0.isNaN }.max()
                return !isConstant(column) && 2 * column.count { $0 == most } >= column.count
            }
            #expect(try asked(NeuronsQuery(dead: true)) == dead)
            #expect(try asked(NeuronsQuery(constant: true)) == constant)
            #expect(try asked(NeuronsQuery(saturated: true)) == saturated, "store \(seed)")
            #expect(try asked(NeuronsQuery(dead: true, saturated: true)).sorted() == (dead + saturated).sorted())
            found[0] += dead.count
            found[1] += constant.count
            found[2] += saturated.count

            let largest = columns.indices.sorted { a, b in
                let (one, other) = (columns[a].filter { !$0.isNaN }.max(), columns[b].filter { !$0.isNaN }.max())
                guard let one, let other else { return one == nil && other == nil ? a < b : one != nil }
                return one == other ? a < b : one > other
            }
            #expect(
                try asked(NeuronsQuery(sort: .maximum, count: 5)) == largest.prefix(5).map { i in names { n, _ in n == i }[0] })
        }
        #expect(found.allSatisfy { $0 > 50 }, "\(found)")
    }

    @Test func histogramsCountEveryImage() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let column = dataset.values.map { $0[0] }
            for bins in [1, 7] {
                let histogram = try HistogramQuery(neuron: "layer0:0", bins: bins).run(in: store)
                let finite = column.filter { $0.isFinite }.map { Double($0) }
                #expect(histogram.nans == column.count { $0.isNaN } && histogram.infinite == column.count { $0.isInfinite })
                #expect(histogram.zeros == column.count { $0 == 0 })
                #expect(histogram.edges.first == finite.min() && histogram.edges.last == finite.max())
                for (bin, count) in histogram.counts.enumerated() {
                    let isLast = bin == histogram.counts.count - 1
                    #expect(
                        count
                            == finite.count {
                                histogram.edges[bin] <= $0
                                    && ($0 < histogram.edges[bin + 1] || isLast && $0 == histogram.edges[bin + 1])
                            })
                }
                #expect(histogram.counts.reduce(0, +) == finite.count)
            }
            let filtered = try HistogramQuery(neuron: "layer0:0", condition: RecordedDataset.condition).run(in: store)
            #expect(
                filtered.counts.reduce(0, +) == column.indices.count { column[$0].isFinite && dataset.meetsCondition($0) })
        }
        let (store, _) = try RandomStores.make(1000, folder)
        #expect(throws: QueryError.oneNeuron("layer0")) { try HistogramQuery(neuron: "layer0").run(in: store) }
        #expect(throws: QueryError.self) { try HistogramQuery(neuron: "layer0:0", bins: 0).run(in: store) }
    }
}

@Suite struct DuplicatesQueryTests {
    @Test func equalsTheDefinition() throws {
        let folder = try TemporaryFolder()
        var pairs = 0
        for seed in RandomStores.seeds {
            var (store, dataset) = try RandomStores.make(seed, folder)
            if seed % 3 == 0, dataset.layer(1).channels > 2 {
                // One neuron says the same as another, in other numbers.
                let first = dataset.layer(1).firstNeuron
                for image in dataset.values.indices {
                    let value = dataset.values[image][first]
                    dataset.values[image][first + 2] = value.isNaN ? value : value * 2 + 1
                }
                let path = folder.file("twins-\(seed).sqlite")
                try dataset.write(path)
                store = try Store.open(path: path)
            }
            for threshold in [0.3, 0.999999] {
                let hits = try DuplicatesQuery(threshold: threshold).run(in: store)
                var wanted: [String: Double] = [:]
                for layer in dataset.description.layers {
                    for a in 0..<layer.channels {
                        for b in a + 1..<max(layer.channels, a + 1) {
                            let columns = [a, b].map { c in dataset.values.map { $0[layer.firstNeuron + c] } }
                            guard let rho = spearman(columns[0], columns[1]) else { continue }
                            // Not near the threshold, where the last bit of the other computation would decide.
                            if abs(rho - threshold) > 1e-9, rho > threshold { wanted["\(layer.name):\(a):\(b)"] = rho }
                        }
                    }
                }
                let found = Dictionary(
                    uniqueKeysWithValues: hits.map { ("\($0.layer):\($0.channel):\($0.other)", $0.correlation) })
                #expect(Set(wanted.keys).isSubset(of: found.keys))
                for (name, rho) in found { #expect(rho >= threshold && abs(rho - (wanted[name] ?? threshold)) < 1e-9, "\(name)") }
                for (one, next) in zip(hits, hits.dropFirst()) { #expect(one.correlation >= next.correlation) }
                pairs += hits.count
            }
        }
        #expect(pairs > 500)
    }
}
