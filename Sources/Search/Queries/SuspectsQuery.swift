public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// Images whose label is likely wrong, with the neurons that say so.
///
/// Images are ranked by the probability of their label, the least first, and listed where another label is likelier. The
/// probability is the network's own (``NetworkJudge``) or that of a cross-validated logistic regression on the maxima of a
/// layer (``RegressionJudge``): whichever agrees with the labels of more of the images that both can judge. An image that only
/// one of them can judge is judged by that. Where neither can judge any, the neurons that tell each label best are asked
/// (``NeuronJudge``).
///
/// The neurons named with an image are those of a layer that tell the suggested label best, by AUROC (ties by neuron).
public struct SuspectsQuery: Query {
    public static let name = "suspects"
    public static let abstract = "Find images whose label is likely wrong, and the neurons that say so."
    public static let figureKind: AnswerFigure.Kind? = .sheet
    public static let discussion = """
        Examples:

          neurodex suspects shop.sqlite -k 12 --sheet suspects.png
          neurodex suspects shop.sqlite --layer pool_3 --where "split = 'train'" --format json

        Images come by the probability of their label, the least first, where another label is likelier. The probability is the network's \
        own, or that of a logistic regression on the maxima of one layer, cross-validated in five parts: the one that agrees with more of the labels. \
        A line on standard error says which, and what could not be judged. Where neither can be had, as no label is a class of the network or has five images, \
        the neurons that tell each label best are asked. Beside an image stand the neurons that tell the suggested label best.
        """

    /// What says how likely a label is.
    public enum Judge: String, CaseIterable, Sendable, Encodable, ExpressibleByArgument {
        case network, regression, neurons
    }

    @Option(
        help: ArgumentHelp("The layer to ask (default: the last one before the class scores).", valueName: "layer"),
        completion: .layers)
    public var layer: String?

    @Option(
        help: ArgumentHelp(
            "Rank by the network's probability, by a cross-validated regression on the layer's maxima, or by the neurons that "
                + "know a label (default: the better of the first two).", valueName: "network|regression|neurons"))
    public var by: Judge?

    @Option(help: "How many neurons speak for each label.")
    public var witnesses = 5

    @Option(name: .customShort("k"), help: "How many images.")
    public var count = 10

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    @Option(
        help: ArgumentHelp("Images for which this binary attribute is likely wrong, instead of the label.", valueName: "name"))
    public var attribute: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        layer: String? = nil, by: Judge? = nil, witnesses: Int = 5, count: Int = 10, condition: String? = nil,
        attribute: String? = nil
    ) {
        self.attribute = attribute
        self.layer = layer
        self.by = by
        self.witnesses = witnesses
        self.count = count
        self.condition = condition
    }

    public static func samples(_ ground: SampleGround) -> [SuspectsQuery] {
        ([nil] + Judge.allCases).map { SuspectsQuery(layer: ground.layer, by: $0, count: 4) }
    }

    public func check(isDrawn: Bool) throws { guard count >= 1 else { throw QueryError.wrongCount(count) } }

    public var options: [String] {
        Spelling.option("--layer", layer) + Spelling.option("--by", by?.rawValue)
            + Spelling.option("--witnesses", "\(witnesses)") + Spelling.option("-k", "\(count)")
            + Spelling.option("--where", condition) + Spelling.option("--attribute", attribute)
    }

    public struct Witness: Hashable, Sendable, ColumnElement {
        public var layer: String
        public var channel: Int
        /// Of this image on this neuron, 0 … 1.
        public var percentile: Double
        /// Neurons that say the same of all images.
        public var copies: [NeuronName]

        public var description: String { "\(layer):\(channel)" }
    }

    public struct Hit: Hashable, TableRow {
        /// From 1.
        public var rank: Int
        /// Path.
        public var image: String
        public var imageID: Int
        public var label: String
        /// The likeliest other label.
        public var suggested: String
        /// 1 less the probability of the label; of neurons, what those of `suggested` say less what those of `label` say. 0 … 1.
        public var score: Double
        /// The neurons that tell `suggested` best, the loudest on this image first; none where it has too few images.
        public var witnesses: [Witness]
        /// Of `label` and of `suggested`, 0 … 1; nil where neurons are asked.
        public var probability: Double?
        public var suggestedProbability: Double?
        public var rankedBy: Judge

        public static let columns: [ListColumn<Hit>] = list {
            column("rank", \.rank)
            column("image", \.image).shortened
            column("image_id", \.imageID).forPrograms
            column("label", \.label).shortened
            column("suggested", \.suggested).shortened
            column("score", \.score)
            column("witnesses", title: "say", \.witnesses).shortened.shown { .text($0.speakers) }
            column("probability", \.probability).forPrograms
            column("suggested_probability", \.suggestedProbability).forPrograms
            column("ranked_by", \.rankedBy.rawValue).forPrograms
        }

        /// The first of the neurons, each with the number of its copies.
        private var speakers: String {
            witnesses.prefix(3).map { $0.description + ($0.copies.isEmpty ? "" : " (+\($0.copies.count))") }
                .joined(separator: " ")
        }
    }

    /// Hits by the probability of the label (of neurons, by score), the most suspect first, ties by image; only those of which
    /// another label is likelier.
    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Findings<Hit> {
        guard count >= 1 else { throw QueryError.wrongCount(count) }
        guard witnesses >= 1 else { throw QueryError.outside(option: "--witnesses", value: "\(witnesses)", range: "1 and more") }
        let layer = layer ?? store.description.descriptiveLayer.name
        let neurons = try NeuronSet([layer], in: store.description)
        return try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let labels = try labelled(store, fold)
            let found = try TellingNeurons(4 * witnesses, labels, neurons, fold)
            let panel = try JudgePanel(labels, neurons, layer: layer, found, witnesses: witnesses, by: by, fold)
            let names = try ImageNames(snapshot)
            var remarks = panel.remarks + labels.fewImages(TellingNeurons.fewest, so: "no neurons are named for them")
            if let example = panel.unjudged.first {
                remarks.append(
                    .notJudged(
                        images: panel.unjudged.count, of: labels.images.count, example: try names.of(labels.images[example]).path,
                        reason: panel.reasonUnjudged))
            }
            let places = panel.ranking.prefix(count)
            if places.isEmpty {
                remarks.append(
                    .nothing(
                        lookedAt: "\(labels.images.count - panel.unjudged.count) labelled images",
                        because: "no other label is likelier for any of them"))
            }
            var reasons = SuspectReasons(found, labels, fold, count: witnesses)
            return Findings(
                try places.enumerated().map { index, place in
                    try hit(index + 1, place, panel, labels, names, &reasons)
                }, remarks: remarks)
        }
    }

    public func figure(of hits: Findings<Hit>, in store: Store) -> AnswerFigure? {
        guard !hits.isEmpty else { return nil }
        let rows = stride(from: 0, to: hits.count, by: 6).map { start in
            SheetPlan.Row(
                title: start == 0 ? "labels that are likely wrong" : "ranks from \(start + 1)",
                pictures: hits[start..<min(start + 6, hits.count)].map {
                    SheetPlan.Picture(imageID: $0.imageID, note: "\($0.label) → \($0.suggested)?", label: nil)
                })
        }
        return .sheet(SheetPlan(rows))
    }

    /// The images that meet the condition and have a label.
    private func labelled(_ store: Store, _ fold: BlockFold) throws -> ImageLabels {
        var mask = try fold.snapshot.filledMask(where: condition) ?? Array(repeating: 1, count: fold.images)
        let everything = try ImageLabels(fold.snapshot, images: fold.images, mask: nil)
        if let attribute { return try everything.told(by: attribute, store, fold, mask: mask) }
        for (image, label) in everything.numbers.enumerated() where label == UInt32(everything.names.count) {
            mask[image] = 0
        }
        let labels = try ImageLabels(fold.snapshot, images: fold.images, mask: mask)
        guard labels.counts.count(where: { $0 > 0 }) > 1 else { throw QueryError.noLabels }
        return labels
    }

    private func hit(
        _ rank: Int, _ place: Int, _ panel: JudgePanel, _ labels: ImageLabels, _ names: ImageNames,
        _ reasons: inout SuspectReasons
    ) throws -> Hit {
        let (judge, suggested, opinion) = panel.opinion(place)
        let image = labels.images[place]
        let isProbability = judge != .neurons
        return Hit(
            rank: rank, image: try names.of(image).path, imageID: image, label: labels.names[Int(labels.numbers[place])],
            suggested: suggested, score: isProbability ? -expm1(opinion.own) : opinion.other - opinion.own,
            witnesses: try reasons.witnesses(of: suggested, on: place), probability: isProbability ? exp(opinion.own) : nil,
            suggestedProbability: isProbability ? exp(opinion.other) : nil, rankedBy: judge)
    }
}

extension SuspectsQuery.Judge {
    /// For people.
    func name(layer: String?) -> String {
        switch self {
        case .network: "the network's probability of the label"
        case .regression: "a cross-validated logistic regression on the maxima of \(layer ?? "a layer")"
        case .neurons: "the neurons of \(layer ?? "a layer") that tell each label best"
        }
    }
}

extension ImageLabels {
    /// Images by whether they have an attribute.
    /// - Throws: ``QueryError`` for one that is not there, is a number, or does not part the images.
    fileprivate func told(by name: String, _ store: Store, _ fold: BlockFold, mask: [UInt8]) throws -> ImageLabels {
        let known = try fold.snapshot.attributeNames()
        guard known.contains(where: { $0.name == name && $0.kind == .binary }),
            let attribute = try fold.snapshot.attributes(named: [name]).first
        else {
            throw QueryError.unknownAttribute(name: name, known: known.filter { $0.kind == .binary }.map(\.name))
        }
        let labels = ImageLabels(attribute, images: fold.images, mask: mask)
        guard labels.counts.count(where: { $0 > 0 }) > 1 else {
            throw QueryError.nothingToTell(label: name, images: labels.counts[0], of: labels.images.count)
        }
        return labels
    }
}
