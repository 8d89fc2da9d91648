public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// Neurons that tell a label by something that is no part of the object: by what is at the edge of the picture, or always in
/// the same spot (a watermark, a price tag, a frame), by a mark that moves about, or by a tint.
///
/// **Places.** What varies with the object has its maxima in many places; what does not is no part of it. For every neuron with
/// a map of at least 4×4 cells and every label that it tells (AUROC), the share of the label's images whose maximum lies in a
/// place is compared with what is expected: the share of other images, or of the map's area, whichever is larger. Places are
/// the corners (outer quarters of rows and columns), the border (the outer eighth on every side, at least a cell) and the spot
/// (of a quarter's height and width) that holds most of the label's maxima. p is the binomial tail, times the number of places
/// that were tried; q is Benjamini and Hochberg's over all pairs of neuron and label. Images on which the neuron is 0 or NaN
/// have no place.
///
/// **Marks.** Of the neurons that tell a label best, what is at their maxima is compared: a mark is the same patch of pixels on
/// nearly all of the label's pictures, and on hardly any other (``PatchSearch``). **Tints.** The mean colour of whichever part
/// of the picture tells the label (``TintFinding``). Both are judged on pictures that did not say what to look for; p is
/// Fisher's exact test, and q over all that were looked for of the kind. They are looked for if the question is given
/// ``pictures``.
///
/// Neurons that see the same spot are one finding: those of one label whose maxima lie at the same place of the same pictures
/// (``Spot``). A mark that stays in one place is a place.
public struct ShortcutsQuery: PictureQuery {
    public static let name = "shortcuts"
    public static let abstract = "Find neurons that predict a label from a watermark, a mark that moves about or a tint."
    public static let figureKind: AnswerFigure.Kind? = .sheet
    public static let discussion = """
        Examples:

          neurodex shortcuts shop.sqlite
          neurodex shortcuts shop.sqlite --sheet shortcuts.png --format json
          neurodex shortcuts shop.sqlite --kind place

        A neuron is named where it tells a label and, of a place, its maxima on that label's images lie at the corners, on the \
        border or in one spot far more often than on other images and than by chance: a watermark, a price tag, a frame; of a \
        mark, the same patch of pixels is at these maxima, wherever they are, and not on other images; of a tint, whichever \
        part of the image has the label's colour. share is that of the label's images of which this holds, expected that of \
        others, or what chance makes of it. Marks and tints are looked for in the images' files, or their thumbnails, of at \
        most 60 images a label and 64 labels; labels with fewer than 10 images are not judged by them. Neurons that see the \
        same spot of the same images are one row (--copies: a row each). --sheet outlines what it saw.
        """

    @Option(
        help: ArgumentHelp("Only neurons of this layer, or LAYER:CHANNEL; may be repeated (default: all).", valueName: "layer"),
        completion: .neurons)
    public var layer: [String] = []

    @Option(help: "Only shortcuts of this kind; may be repeated (default: all). Places are found without looking at any image.")
    public var kind: [Kind] = []

    @Option(help: "Only neurons that tell a label at least so well, as AUROC.")
    public var auroc = 0.75

    @Option(help: "Only where this holds of at least so large a share of the label's images.")
    public var share = 0.8

    @Option(help: "Only at this false discovery rate.")
    public var rate = 0.05

    @Option(name: .customShort("k"), help: "How many.")
    public var count = 20

    @Flag(help: "List neurons that see the same spot in rows of their own, instead of once.")
    public var copies = false

    /// Nil where no pictures are to be had: then places alone are looked for.
    public var pictures: GivenPictures?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        layer: [String] = [], kind: [Kind] = [], auroc: Double = 0.75, share: Double = 0.8, rate: Double = 0.05, count: Int = 20,
        copies: Bool = false, pictures: GivenPictures? = nil
    ) {
        self.layer = layer
        self.kind = kind
        self.pictures = pictures
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
        Spelling.option("--layer", layer) + Spelling.option("--kind", kind.map(\.rawValue))
            + Spelling.option("--auroc", "\(auroc)") + Spelling.option("--share", "\(share)")
            + Spelling.option("--rate", "\(rate)")
            + Spelling.option("-k", "\(count)")
            + Spelling.flag("--copies", copies)
    }

    /// What makes it a shortcut.
    public enum Kind: String, CaseIterable, ExpressibleByArgument, Hashable, Sendable, Codable {
        case place, mark, tint
    }

    public enum Place: String, Hashable, Sendable, Encodable {
        case corner, border, spot
        /// Of a mark.
        case anywhere
        /// Of a tint.
        case everywhere

        public var kind: Kind {
            switch self {
            case .corner, .border, .spot: .place
            case .anywhere: .mark
            case .everywhere: .tint
            }
        }
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
            column("kind", \.place.kind.rawValue)
            column("place", \.place.rawValue)
            column("share", \.share)
            column("expected", \.expected)
            column("q", \.q)
            copiesColumn(of: "one spot", \.copies)
        }
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
        var search = try places(in: store)
        if isWanted(.mark) || isWanted(.tint) { try lookAtPictures(&search, in: store) }
        search.found.sort(by: Shortcut.isBefore)
        if search.found.isEmpty { search.remarks.append(contentsOf: nothing(search)) }
        let hits = groups(search.found).enumerated().map { index, group in
            let one = search.found[group.leader]
            let (layer, channel) = description.name(ofNeuron: one.neuron)
            return Hit(
                rank: index + 1, layer: layer, channel: channel, label: search.labels.names[one.label], auroc: one.auroc,
                place: one.place, share: one.share, expected: one.expected, q: one.q,
                copies: group.members.map { NeuronName(search.found[$0].neuron, description) })
        }
        return Findings(hits, remarks: search.remarks)
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

    /// The first findings, each with the others of its label that see the same spot.
    private func groups(_ found: [Shortcut]) -> [Copies.Group] {
        guard !copies else { return found.indices.prefix(count).map { Copies.Group(leader: $0) } }
        var groups: [Copies.Group] = []
        for (index, one) in found.enumerated() {
            let group = groups.firstIndex { group in
                let leader = found[group.leader]
                guard leader.label == one.label, leader.place.kind == one.place.kind else { return false }
                guard let spot = leader.spot, let own = one.spot else { return false }
                return spot.isSame(as: own)
            }
            if let group {
                groups[group].members.append(index)
            } else if groups.count < count {
                groups.append(Copies.Group(leader: index))
            }
        }
        return groups
    }
}
