public import ActivationStore
public import ArgumentParser
public import Support

/// `top`: the images that activate each neuron most, or with `--by` those that activate all of them together most.
public struct TopQuestion: StreamedQuery {
    public static let name = TopQuery.name
    public static let abstract = TopQuery.abstract
    public static let usage = "<neurons> ..."
    public static let figureKind: AnswerFigure.Kind? = .crops
    public static let discussion = """
        Examples:

          neurodex top shop.sqlite conv4:17 -k 9 --sheet top.png
          neurodex top shop.sqlite class:cat --where "label <> 'cat'"
          neurodex top shop.sqlite conv4 -k 1 --format csv
          neurodex top shop.sqlite conv4:3 --from decile -k 4 --sheet spread.png
          neurodex top shop.sqlite conv4:3 conv4:17 --by sum

        With --by, images are ranked by what all the named neurons come to together, and drawn whole. --distinct tells images \
        apart by the last layer before the class scores: they are nearly the same if they differ there by a tenth of their length.
        --sheet draws the part of each image that the neuron saw where it was strongest: the receptive field of its maximum.
        """

    @OptionGroup public var each: TopQuery

    @Option(help: ArgumentHelp("Rank images by the neurons together.", valueName: "sum|mean|min|max|l2"))
    public var by: Combination?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(_ each: TopQuery, by: Combination? = nil) {
        self.each = each
        self.by = by
    }

    public static func samples(_ ground: SampleGround) -> [TopQuestion] {
        let (all, neuron) = (ground.layers, ground.neuron)
        let each = [
            TopQuery(neurons: all, count: 5), TopQuery(neurons: all, count: 3, lowest: true),
            TopQuery(neurons: [neuron], count: 1000), TopQuery(neurons: [neuron], count: 2, from: .decile),
            TopQuery(neurons: [neuron], count: 4, from: .near(1)), TopQuery(neurons: [neuron], count: 4, distinct: true),
            TopQuery(neurons: all, count: 3, condition: ground.condition),
        ]
        let named = ground.className.map {
            [
                TopQuery(neurons: ["class:\($0)"], count: 3, condition: ground.condition),
                TopQuery(neurons: all, count: 3, condition: "correct"),
            ]
        }
        return (each + (named ?? [])).map { TopQuestion($0) } + [
            TopQuestion(TopQuery(neurons: [ground.layer], count: 6), by: .sum),
            TopQuestion(TopQuery(neurons: [ground.layer], count: 6, lowest: true), by: .min),
        ]
    }

    public func check(isDrawn: Bool) throws { _ = try each.checkedChoice() }

    public var options: [String] { each.options + Spelling.option("--by", by?.rawValue) }
    public var operands: [String] { each.operands }

    private var asked: any Query {
        guard let by else { return each }
        return GroupQuery(by: by, options: each)
    }

    /// - Throws: ``StoreError`` and ``QueryError``.
    public func run(in store: Store) throws -> Report { try asked.report(from: store) }

    /// Neurons one by one are listed as they are found, in any number.
    public func report(from store: Store, keeping rows: Int, part: (any Printable) throws -> Void) throws -> Report? {
        guard by == nil else { return nil }
        // One is kept to tell an answer from none.
        let room = max(rows, 1)
        var kept: [TopQuery.Hit] = []
        try each.visit(store) { hits in
            for start in stride(from: 0, to: hits.count, by: 4096) {
                try part(Rows(hits[start..<min(start + 4096, hits.count)]))
            }
            kept += hits.prefix(room - kept.count)
        }
        var report = try each.report(on: kept, in: store)
        report.listing = Rows<TopQuery.Hit>([])
        return report
    }
}
