public import ActivationStore
public import ArgumentParser
import Foundation
public import Support

/// Which labels are answered with which classes, the most frequent mistakes first: the confusion matrix as a list.
public struct ConfusionQuery: Query {
    public static let name = "confusion"
    public static let abstract = "List which labels are answered with which classes, the most frequent mistakes first."
    public static let discussion = """
        Examples:

          neurodex confusion shop.sqlite -k 10
          neurodex confusion shop.sqlite --right --where "split = 'test'" --format csv

        'neurodex predict STORE --matrix FILE' draws the same as a matrix.
        """

    @Flag(help: "List right answers too: every cell of the matrix that is not empty.")
    public var right = false

    @Option(name: .customShort("k"), help: "How many (default: all).")
    public var count: Int?

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(right: Bool = false, count: Int? = nil, condition: String? = nil) {
        (self.right, self.count, self.condition) = (right, count, condition)
    }

    public static func samples(_ ground: SampleGround) -> [ConfusionQuery] {
        guard ground.className != nil else { return [] }
        return [ConfusionQuery(right: true), ConfusionQuery(right: false, count: 3, condition: ground.condition)]
    }

    public func check(isDrawn: Bool) throws { if let count, count < 1 { throw QueryError.wrongCount(count) } }

    public var options: [String] {
        Spelling.flag("--right", right) + Spelling.option("-k", count.map { "\($0)" }) + Spelling.option("--where", condition)
    }

    public struct Cell: Hashable, TableRow {
        public var label: String
        /// The class that was answered.
        public var answer: String
        public var images: Int
        /// Of the label's images, 0 … 1.
        public var share: Double

        public static let columns: [ListColumn<Cell>] = list {
            column("label", \.label).shortened
            column("answer", \.answer).shortened
            column("images", \.images)
            column("share", title: "% of label", \.share).shown { .number(String(format: "%.1f", 100 * $0.share)) }
        }
    }

    /// The most frequent first, ties in the network's order.
    /// - Throws: ``StoreError``; ``QueryError``.
    public func run(in store: Store) throws -> Findings<Cell> {
        if let count, count < 1 { throw QueryError.wrongCount(count) }
        let classes = store.description.classes
        guard !classes.isEmpty else { throw QueryError.noScores(reason: "the names of the network's classes are not known") }
        let chosen = try store.read { try $0.filledMask(where: condition) }
        let matrix = ConfusionMatrix(
            try store.images().filter { image in chosen.map { $0[image.id] != 0 } ?? true }, classes: classes)
        let cells = matrix.labels.indices.flatMap { row in
            let total = matrix.counts[row].reduce(0, +)
            return matrix.classes.indices.compactMap { column -> Cell? in
                let (label, answer, images) = (matrix.labels[row], matrix.classes[column], matrix.counts[row][column])
                guard images > 0, right || label != answer else { return nil }
                return Cell(label: label, answer: answer, images: images, share: Double(images) / Double(total))
            }
        }
        let order = cells.indices.sorted { (-cells[$0].images, $0) < (-cells[$1].images, $1) }
        return Findings(order.prefix(count ?? .max).map { cells[$0] }, remarks: remarks(cells, matrix))
    }

    private func remarks(_ cells: [Cell], _ matrix: ConfusionMatrix) -> [Remark] {
        guard cells.isEmpty else { return [] }
        let images = matrix.counts.joined().reduce(0, +)
        return [
            .nothing(
                lookedAt: "\(images) images with a label and an answer",
                because: images == 0 ? "so there is nothing to compare" : "every answer is the label")
        ]
    }
}
