public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// What neurons stand for, in words: for each the formula over labels and attributes that tells its strong images from its
/// weak ones best (``ConceptSearch``).
///
/// Formulas are searched on one half of the images, drawn by lot; the AUROC on the other half stands beside, so that a
/// formula that only fits by chance shows. p is that of Mann and Whitney's rank test, one-sided (normal approximation with
/// tie and continuity correction), times the number of formulas that there are (Bonferroni).
public struct ConceptsQuery: Query {
    public static let name = "concepts"
    public static let abstract = "Say in words what neurons stand for: formulas of labels and attributes."
    public static let usage = "[<neurons> ...]"
    public static let figureKind: AnswerFigure.Kind? = .crops
    public static let discussion = """
        Examples:

          neurodex concepts shop.sqlite conv4:38
          neurodex concepts shop.sqlite conv4 -k 10 --length 1
          neurodex concepts shop.sqlite --where "split = 'test'" --format csv

        For each neuron: the formula (AND, OR, NOT of labels and attributes; numbers above their quartiles) whose images it tells best from the others, by AUROC; \
        the share of images it holds for; AUROC on images that the search did not see; and p, corrected for every formula that could have been tried. A formula that is longer has to be better by \
        --gain for each literal more. neurodex attributes gives images attributes.
        """

    @Argument(
        help: "LAYER:CHANNEL, LAYER, or class:NAME (default: the last layer before the class scores).", completion: .neurons)
    public var neurons: [String] = []

    @Option(help: ArgumentHelp("How many labels and attributes a formula has at most: 1 to 3.", valueName: "count"))
    public var length = 3

    @Option(help: ArgumentHelp("How many formulas the search goes on from at each length.", valueName: "count"))
    public var beam = 3

    @Option(
        help: ArgumentHelp("How much better in AUROC a formula has to be for each label or attribute more.", valueName: "auroc"))
    public var gain = 0.01

    @Option(
        help: ArgumentHelp(
            "The smallest share of the images that a formula holds for, or does not hold for.", valueName: "share"))
    public var share = 0.005

    @Option(
        name: .customShort("k"), help: "Only so many neurons, those that formulas tell best first (default: all, by neuron).")
    public var count: Int?

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    @Option(help: "Of the lots that part the images into halves.")
    public var seed = 0

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        neurons: [String] = [], length: Int = 3, beam: Int = 3, gain: Double = 0.01, share: Double = 0.005, count: Int? = nil,
        condition: String? = nil, seed: Int = 0
    ) {
        (self.neurons, self.length, self.beam, self.gain) = (neurons, length, beam, gain)
        (self.share, self.count, self.condition, self.seed) = (share, count, condition, seed)
    }

    public static func samples(_ ground: SampleGround) -> [ConceptsQuery] {
        [
            ConceptsQuery(neurons: ground.layers, length: 2), ConceptsQuery(neurons: [ground.neuron], gain: 0),
            ConceptsQuery(length: 1, count: 4, condition: ground.condition),
        ]
    }

    public func check(isDrawn: Bool) throws {
        if let count, count < 1 { throw QueryError.wrongCount(count) }
        for (option, value, range) in [("--length", length, 1...3), ("--beam", beam, 1...100)] where !range.contains(value) {
            throw QueryError.outside(
                option: option, value: "\(value)", range: "\(range.lowerBound) to \(range.upperBound)")
        }
        guard (0...0.5).contains(share) else { throw QueryError.outside(option: "--share", value: "\(share)", range: "0 to 0.5") }
        guard (0...1).contains(gain) else { throw QueryError.outside(option: "--gain", value: "\(gain)", range: "0 to 1") }
    }

    public var options: [String] {
        Spelling.option("--length", "\(length)") + Spelling.option("--beam", "\(beam)") + Spelling.option("--gain", "\(gain)")
            + Spelling.option("--share", "\(share)") + Spelling.option("-k", count.map { "\($0)" })
            + Spelling.option("--where", condition) + Spelling.option("--seed", "\(seed)")
    }
    public var operands: [String] { neurons }

    public struct Hit: Hashable, NeuronRow {
        public var layer: String
        public var channel: Int
        /// Nil of a neuron that no formula tells, as of one that is constant.
        public var formula: String?
        /// The same in SQL, for `--where`.
        public var condition: String?
        /// Of the images, 0 … 1, for which it holds.
        public var share: Double?
        /// Over the half that was searched, and over the other; nil where the formula holds for all of it, or for none.
        public var auroc: Double?
        public var heldOut: Double?
        /// Corrected for the search.
        public var p: Double?

        public static let columns: [ListColumn<Hit>] = list {
            neuronColumn
            layerColumn
            channelColumn
            column("formula", \.formula).shortened
            column("share", \.share)
            column("auroc", title: "AUROC", \.auroc)
            column("held_out", title: "held out", \.heldOut)
            column("p", \.p)
            column("condition", \.condition).forPrograms
        }
    }

    /// Hits by neuron; with `count`, by AUROC on the held-out half, the largest first.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> { try answer(in: store, mostWork: .infinity) ?? Findings([]) }

    /// As ``run(in:)``; nil where the search takes more than so many comparisons of 64 images.
    func answer(in store: Store, mostWork: Double) throws -> Findings<Hit>? {
        try check(isDrawn: false)
        let references = neurons.isEmpty ? [store.description.descriptiveLayer.name] : neurons
        let chosen = try NeuronSet(references, in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let mask = try snapshot.filledMask(where: condition)
            let (searched, heldOut) = halves((0..<fold.images).filter { mask == nil || mask?[$0] == 1 })
            let concepts = try ConceptSet(snapshot, lanes: fold.images, searched: searched, heldOut: heldOut)
            guard !concepts.literals.isEmpty else { throw QueryError.noConcepts(idle: concepts.idle) }
            let search = ConceptSearch(
                concepts: concepts, images: searched.count, beam: beam, length: length,
                least: max(1, Int((share * Double(searched.count)).rounded(.up))), gain: gain)
            guard Double(chosen.count) * search.work <= mostWork else { return nil }
            var hits: [Hit] = []
            try RankPass(fold, images: searched).visit(chosen) { sorter, column in
                Self.judge(sorter, column, search, heldOut)
            } body: { neuron, judged in
                hits.append(hit(neuron, judged, concepts, (searched.count, heldOut.count), store.description))
            }
            if let count {
                let order = largest(hits.map { $0.heldOut ?? .nan }, mask: nil, count: count)
                hits = order.map { hits[$0] }
            }
            return Findings(hits, remarks: remarks(concepts, hits, searched.count, heldOut.count))
        }
    }

    /// Every image has a lot, by its place among the chosen ones, which stays what it is when a store is compacted; the half
    /// with the smaller lots is searched.
    package func halves(_ images: [Int]) -> (searched: [Int], heldOut: [Int]) {
        let lots = images.indices.map { Chooser.lot(seed, $0) }
        let order = images.indices.sorted { (lots[$0], $0) < (lots[$1], $1) }
        let half = (images.count + 1) / 2
        return (order.prefix(half).sorted().map { images[$0] }, order.dropFirst(half).sorted().map { images[$0] })
    }

    private struct Judged {
        var found: ConceptSearch.Found?
        var p: Double?
        var heldOut: Double?
        var heldOutCount = 0
    }

    /// On several threads.
    private static func judge(
        _ sorter: Sorter, _ column: UnsafePointer<Float>, _ search: ConceptSearch, _ heldOut: [Int]
    ) -> Judged {
        var ranks = [Float](repeating: 0, count: (search.images + 63) / 64 * 64)
        let squares = ranks.withUnsafeMutableBufferPointer { ranks in ranks.baseAddress.map(sorter.centredRanks(to:)) ?? 0 }
        // A constant neuron tells nothing.
        guard squares > 0, let found = search.best(ranks) else { return Judged() }
        var judged = Judged(found: found)
        let formulas = search.concepts.formulas(length: search.length)
        judged.p = min(1, formulas * tail(found, images: search.images, squares: squares))
        let mask = found.formula.mask { search.concepts.literals[$0].heldOut }
        judged.heldOutCount = mask.count
        guard mask.count > 0, mask.count < heldOut.count else { return judged }
        let other = Sorter(images: heldOut)
        other.sort(column)
        var others = [Float](repeating: 0, count: (heldOut.count + 63) / 64 * 64)
        _ = others.withUnsafeMutableBufferPointer { ranks in ranks.baseAddress.map(other.centredRanks(to:)) }
        judged.heldOut = auroc(of: mask.sum(others, with: mask), images: heldOut.count)
        return judged
    }

    /// That so large a U comes about by chance, once.
    /// - Parameter squares: the sum of the squares of 2 · midrank − (N + 1), which has the ties in it.
    private static func tail(_ found: ConceptSearch.Found, images: Int, squares: Double) -> Double {
        let (n, m, all) = (Double(found.count), Double(images - found.count), Double(images))
        let variance = n * m / (all * (all - 1)) * squares / 4
        guard variance > 0 else { return 1 }
        return 0.5 * erfc((Double(found.sum) / 2 - 0.5) / variance.squareRoot() / 2.0.squareRoot())
    }

    private func hit(
        _ neuron: Int, _ judged: Judged, _ concepts: ConceptSet, _ halves: (Int, Int), _ description: StoreDescription
    ) -> Hit {
        let (layer, channel) = description.name(ofNeuron: neuron)
        guard let found = judged.found else { return Hit(layer: layer, channel: channel) }
        return Hit(
            layer: layer, channel: channel, formula: found.formula.text { concepts.literals[$0].name },
            condition: found.formula.text { concepts.literals[$0].condition },
            share: Double(found.count + judged.heldOutCount) / Double(halves.0 + halves.1), auroc: found.auroc,
            heldOut: judged.heldOut, p: judged.p)
    }

    /// Images that a half needs to tell anything.
    private static let fewest = 20

    private func remarks(_ concepts: ConceptSet, _ hits: [Hit], _ searched: Int, _ heldOut: Int) -> [Remark] {
        var remarks: [Remark] = [
            .plain(
                "searched on \(searched) images, held out \(heldOut); labels and attributes in formulas: \(concepts.concepts)"
            )
        ]
        if let example = concepts.idle.first {
            remarks.append(
                .plain(
                    "labels and attributes that hold for all searched images or none: \(concepts.idle.count), such as \(example)"
                ))
        }
        if searched < Self.fewest {
            remarks.append(
                .smallSet(
                    name: "the searched half", images: searched, fewest: Self.fewest,
                    consequence: "chance alone may make formulas"))
        }
        let silent = hits.filter { $0.formula == nil }
        if let example = silent.first {
            remarks.append(
                .plain(
                    "\(silent.count) of \(hits.count) neurons have no formula, such as \(example.neuron): constant, or no formula holds for enough images"
                ))
        }
        return remarks
    }

    public func figure(of hits: Findings<Hit>, in store: Store) throws -> AnswerFigure? {
        try Self.sheet(hits.compactMap { hit in hit.formula.map { (hit.neuron, $0) } }, condition: condition, in: store)
    }

    /// The strongest images of neurons, each with what was found of it.
    static func sheet(
        _ told: [(neuron: NeuronName, text: String)], condition: String?, in store: Store
    ) throws -> AnswerFigure? {
        guard !told.isEmpty else { return nil }
        let top = TopQuery(neurons: told.map(\.neuron.description), count: 6, condition: condition)
        var rows = try SheetPlan.rows(of: top.run(in: store), in: store)
        for (index, told) in zip(rows.indices, told) {
            rows[index].title += ": \(told.text)"
            rows[index].neuron = nil
        }
        return .sheet(SheetPlan(rows, advice: "name fewer neurons or give -k"))
    }
}
