import ActivationStore
import Foundation
import Search
import TestSupport
import Testing

/// Formulas of neurons beside a search of all there are, from all pairs of images.
@Suite struct ConceptsQueryTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let dataset: RecordedDataset
    private let attributes: [Attribute]

    init() throws {
        folder = try TemporaryFolder()
        dataset = RecordedDataset(images: 60, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 3)
        try dataset.write(folder.file("s.sqlite"))
        store = try Store.open(path: folder.file("s.sqlite"))
        var random = SeededGenerator(seed: 5)
        attributes = [
            Attribute(name: "age", kind: .number, values: (0..<60).map { _ in Double(Int.random(in: 0..<9, using: &random)) }),
            Attribute(
                name: "cat", kind: .binary,
                values: (0..<60).map { image -> Double in
                    image % 9 == 4 ? .nan : Double(Int.random(in: 0...1, using: &random))
                }),
            Attribute(name: "everywhere", kind: .binary, values: [Double](repeating: 1, count: 60)),
        ]
        try store.keep(attributes, numbering: store.imageNumbering())
    }

    /// A literal by what it is in SQL, with its concept.
    private typealias Literal = (concept: String, condition: String)

    private func literals(_ searched: [Int]) -> [Literal] {
        let labels = ["cat", "dog", "it''s"].flatMap { [($0, "label = '\($0)'"), ($0, "label <> '\($0)'")] }
        let known = searched.compactMap { attributes[0][image: $0] }.sorted()
        let ages = Set((1...3).map { Int(known[(known.count - 1) * $0 / 4]) }).flatMap {
            [("age \($0)", "age > \($0)"), ("age \($0)", "age <= \($0)")]
        }
        return labels + ages + [("attribute", "has('cat')"), ("attribute", "NOT has('cat')")]
    }

    private func auroc(_ holds: Set<Int>, among images: [Int], _ neuron: Int) -> Double? {
        let (own, rest) = (images.filter { holds.contains($0) }, images.filter { !holds.contains($0) })
        guard !own.isEmpty, !rest.isEmpty else { return nil }
        return SelectivityQueryTests.auroc(own.map { dataset.values[$0][neuron] }, rest.map { dataset.values[$0][neuron] })
    }

    @Test func areTheBestOfAllFormulas() throws {
        let query = ConceptsQuery(neurons: dataset.description.layers.map(\.name), length: 2, beam: 100, gain: 0)
        let (searched, heldOut) = query.halves(Array(0..<60))
        #expect(searched.count == 30 && Set(searched + heldOut).count == 60)
        let literals = literals(searched)
        let sets = try literals.map { Set(try store.imageIDs(where: $0.condition)) }
        let hits = try query.run(in: store)
        #expect(hits.count == dataset.description.neuronCount)
        for (neuron, hit) in hits.enumerated() {
            var best = 0.0
            for (a, own) in zip(literals, sets) {
                best = max(best, auroc(own, among: searched, neuron) ?? 0)
                for (b, other) in zip(literals, sets) where b.concept != a.concept {
                    for both in [own.intersection(other), own.union(other)] {
                        best = max(best, auroc(both, among: searched, neuron) ?? 0)
                    }
                }
            }
            guard let condition = hit.condition else {
                #expect(Set(searched.map { dataset.values[$0][neuron] }).count == 1)
                continue
            }
            #expect(hit.auroc == best)
            let holds = Set(try store.imageIDs(where: condition))
            #expect(auroc(holds, among: searched, neuron) == hit.auroc && auroc(holds, among: heldOut, neuron) == hit.heldOut)
            #expect(hit.share == Double(holds.count) / 60)
            let count = Double(literals.count)
            let p = min(1, (count + 2 * count * count) * tail(holds, searched, neuron))
            #expect(abs((hit.p ?? .nan) - p) < 1e-9 * max(p, 1e-3), "\(hit)")
        }
    }

    /// One-sided, from the definition: the variance of U with ties is n·m/12 · (N + 1 − Σ(t³ − t) / (N(N − 1))).
    private func tail(_ holds: Set<Int>, _ images: [Int], _ neuron: Int) -> Double {
        let values = images.map { dataset.values[$0][neuron] }
        let all = Double(images.count)
        let n = Double(images.count { holds.contains($0) })
        let groups = Dictionary(grouping: values) { $0.isNaN ? "nan" : "\($0 + 0)" }
        let ties = groups.values.reduce(0.0) { sum, group in
            let t = Double(group.count)
            return sum + t * t * t - t
        }
        let variance = n * (all - n) / 12 * (all + 1 - ties / (all * (all - 1)))
        let pairs = n * (all - n)
        let u = (auroc(holds, among: images, neuron) ?? 0) * pairs
        return 0.5 * erfc((u - pairs / 2 - 0.5) / variance.squareRoot() / 2.0.squareRoot())
    }

    /// A neuron that is made to answer to a formula of three is said to.
    @Test func aPlantedFormulaIsFound() throws {
        var planted = RecordedDataset(
            images: 400, layers: RecordedDataset.layers(), classes: ["cat", "dog"], seed: 4, hard: false)
        var random = SeededGenerator(seed: 6)
        let values: [[Double]] = (0..<6).map { _ in
            (0..<400).map { _ in Double(Int.random(in: 0...1, using: &random)) }
        }
        for image in 0..<400 {
            let holds = (values[0][image] == 1 && values[1][image] == 0) || values[2][image] == 1
            let base: Float = holds ? 5 : 1
            planted.values[image][2] = base + Float.random(in: 0..<3, using: &random)
            planted.values[image][3] = Float.random(in: 0..<3, using: &random)
        }
        try planted.write(folder.file("p.sqlite"))
        let store = try Store.open(path: folder.file("p.sqlite"))
        let attributes = values.enumerated().map { Attribute(name: "a\($0)", kind: .binary, values: $1) }
        try store.keep(attributes, numbering: store.imageNumbering())
        let hits = try ConceptsQuery(neurons: ["layer0:2", "layer0:3"], beam: 100).run(in: store)
        let wanted = Set(try store.imageIDs(where: "(a0 AND NOT a1) OR a2"))
        #expect(try Set(store.imageIDs(where: hits[0].condition ?? "0")) == wanted)
        #expect(hits[0].auroc == 1 && hits[0].heldOut == 1 && (hits[0].p ?? 1) < 1e-20)
        // A neuron that answers to nothing has a formula all the same, which does not hold up.
        #expect((hits[1].p ?? 0) > 0.05 && abs((hits[1].heldOut ?? 0.5) - 0.5) < 0.15)
        // One word is not enough for it; two are worth the second.
        let one = try ConceptsQuery(neurons: ["layer0:2"], length: 1).run(in: store)
        #expect(one[0].formula == "a2")
        #expect(try ConceptsQuery(neurons: ["layer0:2"], gain: 1).run(in: store)[0].formula == "a2")
    }

    private struct Reference: Decodable {
        struct Best: Decodable {
            var formulas: [String]
            var auroc: Double
            var heldOut: [Double?]
        }
        var values: [[Float]]
        var attributes: [[Double]]
        var best: [Best]
    }

    /// Made by Tools/make-concepts-reference.py, which tries all formulas of two attributes.
    @Test func equalScikitLearn() throws {
        let file = URL(fileURLWithPath: Fixtures.path("expected/concepts.json"))
        let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
        let count = reference.values[0].count
        var dataset = RecordedDataset(images: count, layers: RecordedDataset.layers(), seed: 9, hard: false)
        for image in 0..<count {
            dataset.images[image].label = nil
            for neuron in reference.values.indices { dataset.values[image][neuron] = reference.values[neuron][image] }
        }
        try dataset.write(folder.file("r.sqlite"))
        let store = try Store.open(path: folder.file("r.sqlite"))
        let attributes = reference.attributes.enumerated().map { Attribute(name: "a\($0)", kind: .binary, values: $1) }
        try store.keep(attributes, numbering: store.imageNumbering())
        let hits = try ConceptsQuery(neurons: ["layer0"], length: 2, beam: 100, gain: 0).run(in: store)
        #expect(hits.count == reference.best.count)
        for (hit, best) in zip(hits, reference.best) {
            let place = try #require(best.formulas.firstIndex { $0 == hit.formula }, "\(hit)")
            #expect(abs((hit.auroc ?? .nan) - best.auroc) < 1e-12, "\(hit)")
            #expect(abs((hit.heldOut ?? .nan) - (best.heldOut[place] ?? .nan)) < 1e-12, "\(hit)")
        }
    }

    @Test func namesAndRefusalsAreClear() throws {
        let hits = try ConceptsQuery(neurons: ["layer0"], length: 1).run(in: store)
        // The label and the attribute of one name are told apart.
        #expect(hits.allSatisfy { hit in hit.formula.map { !$0.hasSuffix(" it's") || $0.hasPrefix("NOT") } ?? true })
        #expect(hits.remarks.contains { "\($0)".contains("such as everywhere") })
        for wrong in [
            ConceptsQuery(length: 4), ConceptsQuery(beam: 0), ConceptsQuery(share: 0.9), ConceptsQuery(count: 0),
            ConceptsQuery(neurons: ["nothing"]), ConceptsQuery(condition: "id < 0"),
        ] {
            #expect(throws: (any Error).self) { try wrong.run(in: store) }
        }
        #expect(throws: QueryError.self) { try ConceptsQuery(condition: "id = 1").run(in: store) }
    }
}
