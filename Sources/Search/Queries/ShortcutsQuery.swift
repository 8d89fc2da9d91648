public import ActivationStore
public import ArgumentParser
import CKernels
import Foundation
public import Support

/// Neurons that tell a label by something at the edge of the picture, or always in the same spot: a watermark, a price tag, a
/// frame. What varies with the object has its maxima in many places; what does not is no part of it.
///
/// For every neuron with a map of at least 4×4 cells and every label that it tells (AUROC), the share of the label's images
/// whose maximum lies in a place is compared with what is expected: the share of other images, or of the map's area, whichever
/// is larger. Places are the corners (outer quarters of rows and columns), the border (the outer eighth on every side, at least
/// a cell) and the spot (of a quarter's height and width) that holds most of the label's maxima. p is the binomial tail, times
/// the number of places that were tried; q is Benjamini and Hochberg's over all pairs of neuron and label. Images on which the
/// neuron is 0 or NaN have no place.
///
/// Neurons that see the same spot are one finding: those of one label whose maxima lie at the same place of the same pictures
/// (``Spot``).
public struct ShortcutsQuery: Query {
    public static let name = "shortcuts"
    public static let abstract = "Find neurons that predict a label from a fixed place in the image, such as a watermark."
    public static let figureKind: AnswerFigure.Kind? = .sheet
    public static let discussion = """
        Examples:

          neurodex shortcuts shop.sqlite
          neurodex shortcuts shop.sqlite --sheet shortcuts.png --format json

        A neuron is named where it tells a label and its maxima on that label's images lie at the corners, on the border or in one \
        spot far more often than on other images and than by chance: a watermark, a price tag, a frame. Neurons that see the same spot of the same \
        pictures are one row (--copies: a row each). --sheet outlines what it saw. What it cannot see: a tint, a mark that moves about.
        """

    @Option(
        help: ArgumentHelp("Only neurons of this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Option(help: "Only neurons that tell a label at least so well, as AUROC.")
    public var auroc = 0.75

    @Option(help: "Only where at least this share of the label's images have their maximum in the place.")
    public var share = 0.8

    @Option(help: "Only at this false discovery rate.")
    public var rate = 0.05

    @Option(name: .customShort("k"), help: "How many.")
    public var count = 20

    @Flag(help: "List neurons that see the same spot in rows of their own, instead of once.")
    public var copies = false

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        layer: [String] = [], auroc: Double = 0.75, share: Double = 0.8, rate: Double = 0.05, count: Int = 20,
        copies: Bool = false
    ) {
        self.layer = layer
        self.auroc = auroc
        self.share = share
        self.rate = rate
        self.count = count
        self.copies = copies
    }

    public static func samples(_ ground: SampleGround) -> [ShortcutsQuery] {
        [ShortcutsQuery(auroc: 0.5, share: 0.3, rate: 1)]
    }

    public func check(isDrawn: Bool) throws { guard count >= 1 else { throw QueryError.wrongCount(count) } }

    public var options: [String] {
        Spelling.option("--layer", layer) + Spelling.option("--auroc", "\(auroc)") + Spelling.option("--share", "\(share)")
            + Spelling.option("--rate", "\(rate)")
            + Spelling.option("-k", "\(count)")
            + Spelling.flag("--copies", copies)
    }

    public enum Place: String, Hashable, Sendable, Encodable {
        case corner, border, spot
    }

    public struct Hit: Hashable, NeuronRow {
        /// From 1.
        public var rank: Int
        public var layer: String
        public var channel: Int
        public var label: String
        /// How well the neuron tells the label.
        public var auroc: Double
        public var place: Place
        /// Of the label's images.
        public var share: Double
        /// What it would be without a shortcut.
        public var expected: Double
        public var q: Double
        /// Neurons that see the same spot, and come after this one.
        public var copies: [NeuronName]

        public static let columns: [ListColumn<Hit>] = list {
            layerColumn
            channelColumn
            column("rank", \.rank)
            neuronColumn
            column("label", \.label).shortened
            column("auroc", title: "AUROC", \.auroc)
            column("place", \.place.rawValue)
            column("share", \.share)
            column("expected", \.expected)
            column("q", \.q)
            copiesColumn(of: "one spot", \.copies)
        }
    }

    private struct Suspect {
        var neuron: Int
        var label: Int
        var auroc: Double
        var finding: PlaceFinding
        var spot: Spot
        var q = 1.0
    }

    /// Hits by share less expected share, the largest first, ties by AUROC, then by neuron and label. Of neurons that see the
    /// same spot, the first stands for all, unless `copies` lists them.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        for (option, value) in [("--auroc", auroc), ("--share", share), ("--rate", rate)] where !(0...1).contains(value) {
            throw QueryError.outside(option: option, value: "\(value)", range: "0 to 1")
        }
        let description = store.description
        let references = layer.isEmpty ? description.layers.map { $0.name } : layer
        let asked = try NeuronSet(references, in: description)
        let neurons = NeuronSet(
            description.layers.filter { $0.height >= 4 && $0.width >= 4 }.flatMap { layer in
                asked.ranges.map { $0.clamped(to: layer.neurons) }
            })
        return try store.read { database in
            let fold = try BlockFold(store, database)
            let labels = try ImageLabels(store, database, images: fold.images, mask: fold.presence)
            guard labels.counts.count(where: { $0 > 0 }) > 1 else { throw QueryError.noLabels }
            let tellers = try tellers(neurons, labels, fold)
            var suspects = try tellers.compactMap { neuron, told in try places(of: neuron, told, labels, fold) }.flatMap { $0 }
            var remarks = labels.fewImages(PlaceFinding.fewest, so: "no shortcut can be found for them")
            let judged = suspects.count
            Self.control(&suspects)
            suspects = suspects.filter { $0.q <= rate && $0.finding.share >= share && $0.finding.excess > 0 }
            suspects.sort { a, b in
                (b.finding.excess, b.auroc, a.neuron, a.label) < (a.finding.excess, a.auroc, b.neuron, b.label)
            }
            if suspects.isEmpty {
                remarks.append(nothing(neurons.count, of: asked.count, tellers.reduce(0) { $0 + $1.told.count }, judged))
            }
            return Findings(
                groups(suspects).enumerated().map { index, group in
                    let one = suspects[group.leader]
                    let (layer, channel) = description.name(ofNeuron: one.neuron)
                    return Hit(
                        rank: index + 1, layer: layer, channel: channel, label: labels.names[one.label], auroc: one.auroc,
                        place: one.finding.place, share: one.finding.share, expected: one.finding.expected, q: one.q,
                        copies: group.members.map { NeuronName(suspects[$0].neuron, description) })
                }, remarks: remarks)
        }
    }

    /// What the neurons saw on images of the label.
    public func figure(of hits: Findings<Hit>, in store: Store) throws -> AnswerFigure? {
        let shown = try hits.flatMap { hit in
            try TopQuery(
                neurons: [hit.neuron.description], count: 6, condition: "label = \(Spelling.sql(hit.label))"
            ).run(in: store)
        }
        guard !shown.isEmpty else { return nil }
        return .sheet(
            SheetPlan(
                try SheetPlan.rows(of: shown, in: store), advice: "name fewer neurons or a smaller -k", isWhole: true))
    }

    /// Why there is no finding.
    private func nothing(_ mapped: Int, of asked: Int, _ pairs: Int, _ judged: Int) -> Remark {
        guard mapped > 0 else {
            return .nothing(
                lookedAt: "0 of \(asked) neurons", because: "only those with a map of 4×4 cells and more have places")
        }
        let (neurons, bound) = ("\(mapped) neurons", String(format: "%g", auroc))
        guard pairs > 0 else {
            return .nothing(lookedAt: neurons, because: "none tells a label with an AUROC of \(bound) or more")
        }
        guard judged > 0 else {
            return .nothing(
                lookedAt: neurons,
                because: "\(pairs) pairs of neuron and label have an AUROC of \(bound) or more, but no neuron has a place on "
                    + "\(PlaceFinding.fewest) images of its label")
        }
        return .nothing(
            lookedAt: neurons,
            because: "of \(judged) pairs of neuron and label with an AUROC of \(bound) or more, "
                + "none has its maxima in one place on "
                + String(format: "%g %% of the label's images and at a false discovery rate of %g", 100 * share, rate))
    }

    /// The first findings, each with the others of its label that see the same spot.
    private func groups(_ suspects: [Suspect]) -> [Copies.Group] {
        guard !copies else { return suspects.indices.prefix(count).map { Copies.Group(leader: $0) } }
        var groups: [Copies.Group] = []
        for (index, one) in suspects.enumerated() {
            let group = groups.firstIndex { group in
                let leader = suspects[group.leader]
                return leader.label == one.label && leader.spot.isSame(as: one.spot)
            }
            if let group {
                groups[group].members.append(index)
            } else if groups.count < count {
                groups.append(Copies.Group(leader: index))
            }
        }
        return groups
    }

    /// The neurons that tell a label, and how well.
    private func tellers(
        _ neurons: NeuronSet, _ labels: ImageLabels, _ fold: BlockFold
    ) throws -> [(neuron: Int, told: [(label: Int, auroc: Double)])] {
        let counts = labels.counts
        let classes = RankPass.Classes(numbers: labels.numbers, count: labels.names.count + 1)
        var found: [(Int, [(Int, Double)])] = []
        try RankPass(fold, images: labels.images).visit(neurons, classes) { neuron, results, _ in
            let rated = SelectivityQuery.aurocs(results, counts, of: labels.images.count)
            let told = labels.names.indices.filter { rated[$0] >= auroc }.map { ($0, rated[$0]) }
            if !told.isEmpty { found.append((neuron, told)) }
        }
        return found
    }

    private func places(
        of neuron: Int, _ told: [(label: Int, auroc: Double)], _ labels: ImageLabels, _ fold: BlockFold
    ) throws -> [Suspect] {
        let layer = fold.store.description.layer(ofNeuron: neuron)
        // The map cell of each image; nil where the neuron says nothing.
        var cells = [Int?](repeating: nil, count: fold.images)
        try fold.rows(NeuronSet([neuron..<neuron + 1])) { first, row in
            for lane in 0..<row.count {
                let value = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                if value != 0, !value.isNaN { cells[first + lane] = Int(ndx_position(row.positions, row.width, lane)) }
            }
        }
        return told.compactMap { label, auroc in
            var (own, rest, all) = ([Int](), [Int](), [Int32]())
            for (image, number) in zip(labels.images, labels.numbers) {
                if number == UInt32(label) { all.append(cells[image].map { Int32($0) } ?? -1) }
                guard let cell = cells[image] else { continue }
                if number == UInt32(label) { own.append(cell) } else { rest.append(cell) }
            }
            return PlaceFinding(own: own, rest: rest, height: layer.height, width: layer.width).map { finding in
                // q is no smaller than p.
                let isFound = finding.p <= rate && finding.share >= share && finding.excess > 0
                return Suspect(
                    neuron: neuron, label: label, auroc: auroc, finding: finding,
                    spot: Spot(cells: isFound ? all : [], height: layer.height, width: layer.width))
            }
        }
    }

    private static func control(_ suspects: inout [Suspect]) {
        let rates = falseDiscoveryRates(suspects.map { $0.finding.p })
        for index in suspects.indices { suspects[index].q = rates[index] }
    }
}
