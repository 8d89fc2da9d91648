import ActivationStore
import Search
import TestSupport
import Testing

@Suite struct GroupQueryTests {
    /// The combination from its definition.
    private func score(_ combination: Combination, _ values: [Float]) -> Double {
        let numbers = values.map { Double($0) }
        if numbers.contains(where: { $0.isNaN }) { return .nan }
        switch combination {
        case .sum: return numbers.reduce(0, +)
        case .mean: return numbers.reduce(0, +) / Double(numbers.count)
        case .min: return numbers.sorted()[0]
        case .max: return numbers.sorted(by: >)[0]
        case .l2: return numbers.map { $0 * $0 }.reduce(0, +).squareRoot()
        }
    }

    @Test func equalsSortingEverything() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let layer = dataset.layer(seed % 4)
            let other = dataset.layer((seed + 1) % 4)
            // A whole layer, one neuron of another, and that one again.
            let names = [layer.name, "\(other.name):0", "\(other.name):0"]
            let neurons = (Array(layer.neurons) + [other.firstNeuron]).sorted()
            for combination in Combination.allCases {
                let scores = dataset.values.map { row in score(combination, neurons.map { row[$0] }) }
                for (count, lowest, condition) in [(3, false, nil), (1000, true, nil), (5, false, RecordedDataset.condition)] {
                    let found = try GroupQuery(
                        by: combination, options: TopQuery(neurons: names, count: count, lowest: lowest, condition: condition)
                    ).run(in: store)
                    let wanted = RecordedDataset.sorted(lowest ? scores.map { -$0 } : scores) {
                        condition == nil || dataset.meetsCondition($0)
                    }.prefix(count)
                    #expect(
                        found
                            == wanted.enumerated().map { index, image in
                                GroupQuery.Hit(
                                    rank: index + 1, image: dataset.images[image].path, imageID: image,
                                    label: dataset.images[image].label, value: scores[image])
                            }, "\(combination) in store \(seed)")
                }
            }
        }
    }
}

@Suite struct ChoiceTests {
    private func run(_ query: TopQuery, _ store: Store) throws -> [[Int]] {
        try query.run(in: store).reduce(into: []) { parts, hit in
            if hit.rank == 1 { parts.append([]) }
            parts[parts.count - 1].append(hit.imageID)
        }
    }

    @Test func equalsTheDefinition() throws {
        let folder = try TemporaryFolder()
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let layer = dataset.layer(seed % 4)
            let column = dataset.values.map { Double($0[layer.firstNeuron]) }
            let isKept: (Int) -> Bool = { seed % 2 == 0 || dataset.meetsCondition($0) }
            func query(_ choice: Choice, count: Int, random: Int = 0) -> TopQuery {
                TopQuery(
                    neurons: ["\(layer.name):0"], count: count, condition: seed % 2 == 0 ? nil : RecordedDataset.condition,
                    from: choice, seed: random)
            }
            let ranking = RecordedDataset.sorted(column, where: isKept)
            // Tenths of the ranking, the middle ones of as many equal parts of a tenth as are asked for.
            let tenths = (0..<10).map { part in
                Array(ranking[ranking.count * part / 10..<ranking.count * (part + 1) / 10])
            }
            for count in [1, 2, 50] {
                let wanted = tenths.map { tenth in
                    count >= tenth.count ? tenth : (0..<count).map { tenth[(2 * $0 + 1) * tenth.count / (2 * count)] }
                }
                let hits = try query(.decile, count: count).run(in: store)
                for (index, tenth) in wanted.enumerated() {
                    #expect(hits.filter { $0.decile == 10 - index }.map(\.imageID) == tenth)
                }
                #expect(hits.count == wanted.reduce(0) { $0 + $1.count })
            }
            for value in [0, 1.3, -2.0] {
                let near = RecordedDataset.sorted(column.map { -abs($0 - value) }, where: isKept)
                #expect(try run(query(.near(value), count: 4), store) == (near.isEmpty ? [] : [Array(near.prefix(4))]))
            }
            let drawn = try run(query(.random, count: 3, random: seed), store).first ?? []
            #expect(try run(query(.random, count: 3, random: seed), store).first ?? [] == drawn)
            #expect(drawn == ranking.filter { drawn.contains($0) } && drawn.count == min(3, ranking.count))
            #expect(try run(query(.random, count: 1000), store).first ?? [] == ranking)
        }
    }

    /// Every image is drawn about as often as any other.
    @Test func randomIsFair() throws {
        let folder = try TemporaryFolder()
        let dataset = RecordedDataset(images: 20, layers: RecordedDataset.layers(), seed: 1, hard: false)
        try dataset.write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        var counts = [Int](repeating: 0, count: 20)
        for seed in 0..<1000 {
            for hit in try TopQuery(neurons: ["layer0:0"], from: .random, seed: seed).run(in: store) { counts[hit.imageID] += 1 }
        }
        // 250 each, with a deviation of 14.
        #expect(counts.allSatisfy { (180...320).contains($0) }, "\(counts)")
    }

    /// Keeps an image unless it is nearly one kept before it.
    @Test func distinctEqualsTheDefinition() throws {
        func areNear(_ a: [Float], _ b: [Float]) -> Bool {
            if zip(a, b).contains(where: { ($0.isFinite == false || $1.isFinite == false) && !($0 == $1 || $0.isNaN && $1.isNaN) }
            ) {
                return false
            }
            let pairs = zip(a, b).filter { $0.isFinite && $1.isFinite }.map { (Double($0), Double($1)) }
            let distance = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return distance <= 0.01 * max(pairs.reduce(0) { $0 + $1.0 * $1.0 }, pairs.reduce(0) { $0 + $1.1 * $1.1 })
        }
        let folder = try TemporaryFolder()
        var dropped = 0
        for seed in RandomStores.seeds {
            let (store, dataset) = try RandomStores.make(seed, folder)
            let signatures = dataset.values.map { row in dataset.layer(2).neurons.map { row[$0] } }
            for lowest in [false, true] {
                let ranking = dataset.ranking(neuron: 0, lowest: lowest)
                var kept: [Int] = []
                for image in ranking where !kept.contains(where: { areNear(signatures[$0], signatures[image]) }) {
                    kept.append(image)
                }
                dropped += ranking.count - kept.count
                for count in [1, 3, 100] {
                    let found = try run(TopQuery(neurons: ["layer0:0"], count: count, lowest: lowest, distinct: true), store)
                    #expect(found.first ?? [] == Array(kept.prefix(count)))
                }
            }
        }
        #expect(dropped > 100)
    }

    @Test func choicesAreRead() throws {
        #expect(Choice(argument: "near:-1.5") == .near(-1.5))
        #expect(Choice(argument: "decile") == .decile)
        for wrong in ["near:", "near:nan", "near:inf", "best", ""] { #expect(Choice(argument: wrong) == nil) }
        let folder = try TemporaryFolder()
        try RecordedDataset(images: 3, layers: RecordedDataset.layers(), seed: 1).write(folder.file("s.sqlite"))
        let store = try Store.open(path: folder.file("s.sqlite"))
        #expect(throws: QueryError.conflict("--lowest", "--from")) {
            try TopQuery(neurons: ["layer0"], lowest: true, from: .decile).run(in: store)
        }
        #expect(throws: QueryError.conflict("--distinct", "--from decile")) {
            try TopQuery(neurons: ["layer0"], from: .decile, distinct: true).run(in: store)
        }
    }
}
