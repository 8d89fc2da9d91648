public import ActivationStore
public import ArgumentParser
import Foundation
import Indexing
public import Support

/// How often the network is right: over all images, by class with precision and recall, or by any group, with 95 % intervals.
///
/// Counted are the images whose label is the name of a class; an answer is right where its class has that name.
public struct AccuracyQuery: Query {
    public static let name = "accuracy"
    public static let abstract = "Count how often the network is right, by class or any group, with 95 % intervals."
    public static let discussion = """
        Examples:

          neurodex accuracy shop.sqlite
          neurodex accuracy shop.sqlite --by split --where "width >= 64"
          neurodex accuracy shop.sqlite --by "substr(path, 1, 4)" --format csv

        Without --by a row is a class: accuracy is then its recall, the share of its images that are answered with it; precision is the share \
        of these answers that are right. With --by a row is a group, the smallest first; --groups names a table \
        whose columns it takes too, such as camera or site. Intervals are Wilson's.
        """

    @Option(
        help: ArgumentHelp(
            "Count by this column (split, label, width …) or SQL expression of columns; may be repeated (default: by class).",
            valueName: "column"))
    public var by: [String] = []

    @Option(
        help: ArgumentHelp(
            "A table of more columns for --by: file, and others such as camera or site.", valueName: "csv"),
        completion: .file(extensions: ["csv", "tsv"]))
    public var groups: String?

    @Option(name: .customLong("where"), help: "Only images that meet this SQL condition, as in top.")
    public var condition: String?

    /// For the argument parser; a query made so answers nothing until it is parsed.
    public init() {}

    public init(by: [String] = [], groups: String? = nil, condition: String? = nil) {
        (self.by, self.groups, self.condition) = (by, groups, condition)
    }

    public static func samples(_ ground: SampleGround) -> [AccuracyQuery] {
        guard ground.className != nil else { return [] }
        return [
            AccuracyQuery(condition: nil),
            AccuracyQuery(by: ["split", "width > 40"], condition: "-1 < id AND \(ground.condition)"),
        ]
    }

    public var options: [String] {
        Spelling.option("--by", by) + Spelling.option("--groups", groups) + Spelling.option("--where", condition)
    }

    public func check(isDrawn: Bool) throws {
        guard groups == nil || !by.isEmpty else { throw ValidationError("--groups has columns for --by; name one") }
    }

    /// Images that are counted together.
    public struct Group: Hashable, TableRow {
        /// What they have in common: `all`, `class`, or a column.
        public var by: String
        /// Its value; nil where it is NULL, or there is none.
        public var group: String?
        /// The share of the images that were answered right; nil of a class without images.
        public var accuracy: Proportion?
        /// Of a class, the share of the answers with it that are right; nil where it was never answered.
        public var precision: Proportion?
        /// Of a class.
        public var f1: Double?

        public static let columns: [ListColumn<Group>] = list {
            column("by", \.by).shortened
            column("group", \.group).shortened
            column("images") { $0.accuracy?.total ?? 0 }
            column("right") { $0.accuracy?.count ?? 0 }
            column("accuracy", title: "accuracy %") { $0.accuracy?.share }.shown { $0.accuracy.cell(\.share) }
            column("low", title: "95 % from") { $0.accuracy?.low }.shown { $0.accuracy.cell(\.low) }
            column("high", title: "to") { $0.accuracy?.high }.shown { $0.accuracy.cell(\.high) }
            column("answered") { $0.precision?.total }.hidden { $0.precision != nil }
            column("precision", title: "precision %") { $0.precision?.share }.hidden { $0.precision != nil }
                .shown { $0.precision.cell(\.share) }
            column("precision_low", title: "95 % from ") { $0.precision?.low }.hidden { $0.precision != nil }
                .shown { $0.precision.cell(\.low) }
            column("precision_high", title: "to ") { $0.precision?.high }.hidden { $0.precision != nil }
                .shown { $0.precision.cell(\.high) }
            column("f1", title: "F1", \.f1).hidden { $0.f1 != nil }
        }
    }

    /// All images first; then classes in the network's order, or groups, the smallest first, ties by name.
    /// - Throws: ``StoreError``; `DatasetError` of the table; ``QueryError/noScores(reason:)`` where no answer can be right or wrong.
    public func run(in store: Store) throws -> Findings<Group> {
        let classes = store.description.classes
        guard !classes.isEmpty else { throw QueryError.noScores(reason: "the names of the network's classes are not known") }
        let chosen = try store.read { try $0.filledMask(where: condition) }
        let images = try store.images().filter { image in chosen.map { $0[image.id] != 0 } ?? true }
        let known = Set(classes)
        let judged = images.filter { image in
            image.label.map(known.contains) == true && image.predictedClass.map(classes.indices.contains) == true
        }
        guard !judged.isEmpty else {
            let labelled = images.compactMap(\.label)
            throw QueryError.noScores(
                reason: labelled.isEmpty ? "no image has a label" : "no label is a class of the network, such as \(labelled[0])")
        }
        let matrix = ConfusionMatrix(judged, classes: classes)
        var groups = [Group(by: "all", accuracy: .of(matrix.right, in: matrix.judged))]
        if by.isEmpty {
            groups += matrix.classFigures.map {
                Group(by: "class", group: $0.name, accuracy: $0.recall, precision: $0.precision, f1: $0.f1)
            }
        }
        let table = try self.groups.map { try ImageTable(contentsOf: $0) }
        var remarks = Self.remarks(images, judged)
        for column in by {
            let values = try store.read { try ImageGroups(column, of: judged, in: $0, table) }
            groups += Self.groups(of: judged, by: column, values.values, classes: classes)
            remarks += values.remarks.filter { !remarks.contains($0) }
        }
        return Findings(groups, remarks: remarks)
    }

    private static func groups(
        of images: [StoredImage], by column: String, _ values: [Int: String?], classes: [String]
    ) -> [Group] {
        let members = Dictionary(grouping: images) { values[$0.id] ?? nil }
        return members.map { value, images in
            let right = images.count { image in image.predictedClass.map { classes[$0] == image.label } == true }
            return Group(by: column, group: value, accuracy: .of(right, in: images.count))
        }.sorted { a, b in
            (a.accuracy?.total ?? 0, a.group == nil ? 1 : 0, a.group ?? "")
                < (b.accuracy?.total ?? 0, b.group == nil ? 1 : 0, b.group ?? "")
        }
    }

    private static func remarks(_ images: [StoredImage], _ judged: [StoredImage]) -> [Remark] {
        let counted = Set(judged.map(\.id))
        guard let example = images.first(where: { !counted.contains($0.id) }) else { return [] }
        let reason =
            example.label.map { "its label, \($0), is no class of the network, or it has no answer" } ?? "it has no label"
        return [
            .notJudged(images: images.count - judged.count, of: images.count, example: example.path, reason: reason)
        ]
    }
}

extension Proportion? {
    /// In percent; nothing where there is none.
    func cell(_ part: KeyPath<Proportion, Double>) -> TextTable.Cell {
        map { .number(String(format: "%.1f", 100 * $0[keyPath: part])) } ?? .nothing
    }
}
