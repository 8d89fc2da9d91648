public import ActivationStore
public import ArgumentParser
import Support

/// `neurons`: statistics of neurons, or with options the histogram of one, pairs that do the same, and what labels they tell.
public struct NeuronsQuestion: Query {
    public static let name = NeuronsQuery.name
    public static let abstract = NeuronsQuery.abstract
    public static let usage = "[<neuron>]"
    public static let figureKind: AnswerFigure.Kind? = .chart
    public static let discussion = """
        Examples:

          neurodex neurons shop.sqlite --layer conv4 --sort maximum -k 5
          neurodex neurons shop.sqlite --dead
          neurodex neurons shop.sqlite --duplicate --threshold 0.9
          neurodex neurons shop.sqlite --selective cat
          neurodex neurons shop.sqlite --of conv4:3
          neurodex neurons shop.sqlite conv4:3 -o histogram.png

        With a neuron, its histogram. --selective ranks neurons, and --of a neuron's labels, by AUROC: the chance that an image \
        of the label excites the neuron more than another does; of neurons that say the same of all images (rank correlation 0.99) one is listed, with the \
        others beside it. --duplicate lists pairs of a layer's neurons by their rank correlation.
        """

    @Argument(help: "LAYER:CHANNEL or class:NAME: draw its histogram.", completion: .neurons)
    public var neuron: String?

    @OptionGroup public var statistics: NeuronsQuery

    @Flag(help: "Pairs of neurons of a layer that rank the images alike.")
    public var duplicate = false

    @Option(help: "Of --duplicate: the smallest rank correlation (Spearman).")
    public var threshold = 0.95

    @Option(
        help: ArgumentHelp(
            "The neurons that tell this label or binary attribute best, or go along with this number (rank correlation).",
            valueName: "label"), completion: .labels)
    public var selective: String?

    @Option(help: ArgumentHelp("The labels that this neuron tells best.", valueName: "neuron"), completion: .neurons)
    public var of: String?

    @Flag(help: "With --selective: list neurons that say the same of the images in rows of their own, instead of once.")
    public var copies = false

    @Option(
        name: .customLong("where"),
        help: "With a neuron, --selective or --of: only images that meet this SQL condition, as in top.")
    public var condition: String?

    @Option(help: "Bins of the histogram.")
    public var bins = 20

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(
        neuron: String? = nil, statistics: NeuronsQuery = NeuronsQuery(reverse: false), duplicate: Bool = false,
        threshold: Double = 0.95, selective: String? = nil, of: String? = nil, copies: Bool = false, condition: String? = nil,
        bins: Int = 20
    ) {
        self.neuron = neuron
        self.statistics = statistics
        self.duplicate = duplicate
        self.threshold = threshold
        self.selective = selective
        self.of = of
        self.copies = copies
        self.condition = condition
        self.bins = bins
    }

    public static func samples(_ ground: SampleGround) -> [NeuronsQuestion] {
        [
            NeuronsQuestion(copies: false), NeuronsQuestion(statistics: NeuronsQuery(sort: .mean)),
            NeuronsQuestion(statistics: NeuronsQuery(saturated: true)), NeuronsQuestion(neuron: ground.neuron, bins: 5),
            NeuronsQuestion(duplicate: true, threshold: 0.2), NeuronsQuestion(of: ground.neuron),
            NeuronsQuestion(statistics: NeuronsQuery(count: 6), selective: ground.label),
        ]
    }

    public func check(isDrawn: Bool) throws {
        let listing = statistics.dead || statistics.constant || statistics.saturated
        let questions = [neuron != nil, duplicate, selective != nil, of != nil, listing].count { $0 }
        guard questions <= 1 else {
            throw ValidationError(
                "ask one question at a time: a neuron's histogram, --duplicate, --selective, --of, or --dead, --constant, --saturated"
            )
        }
        guard !isDrawn || neuron != nil else { throw ValidationError("-o draws the histogram of one neuron; name it") }
        guard condition == nil || neuron != nil || selective != nil || of != nil else {
            throw ValidationError("--where goes with a neuron, --selective or --of; the other figures are of all images")
        }
        if let count = statistics.count, count < 1 { throw QueryError.wrongCount(count) }
    }

    /// The one question that is asked.
    private var asked: any Query {
        if let neuron { return HistogramQuery(neuron: neuron, bins: bins, condition: condition) }
        if duplicate { return DuplicatesQuery(layer: statistics.layer, threshold: threshold, count: statistics.count) }
        guard selective != nil || of != nil else { return statistics }
        return SelectivityQuery(
            label: selective, layer: of.map { [$0] } ?? statistics.layer, count: statistics.count ?? 10, condition: condition,
            copies: copies)
    }

    public var options: [String] {
        if let histogram = asked as? HistogramQuery { return histogram.options }
        return statistics.options + Spelling.flag("--duplicate", duplicate)
            + (duplicate ? Spelling.option("--threshold", "\(threshold)") : []) + Spelling.option("--selective", selective)
            + Spelling.option("--of", of) + Spelling.flag("--copies", copies) + Spelling.option("--where", condition)
    }

    public var operands: [String] { neuron.map { [$0] } ?? [] }

    /// - Throws: ``StoreError``, ``QueryError``.
    public func run(in store: Store) throws -> Report {
        guard let selective, try store.isNumber(selective) else { return try asked.report(from: store) }
        return try CorrelationQuery(
            attribute: selective, layer: statistics.layer, count: statistics.count ?? 10, condition: condition
        ).report(from: store)
    }
}

extension Store {
    /// Whether a name is that of a numeric attribute, and of no label.
    fileprivate func isNumber(_ name: String) throws -> Bool {
        let attributes = try attributeNames()
        guard attributes.contains(where: { $0.name == name && $0.kind == .number }) else { return false }
        return try !summary(countsThumbnails: false).labels.contains { $0.name == name }
    }
}
