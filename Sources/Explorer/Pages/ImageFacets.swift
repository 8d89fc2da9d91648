import ActivationStore
import Pages
import Search
import Support

/// What a grid of images is narrowed by, one value of each row; together with a condition by hand, all of them hold.
struct ImageFacets {
    typealias Value = (name: String, count: Int, condition: String)

    struct Row {
        /// Of the address: `label=cat`.
        var name: String
        var title: String
        var values: [Value]
    }

    /// Counted once for each state of the file, over all images.
    var rows: [Row]
    var images: Int
    /// Why a row is not there.
    var gap: String?

    /// What the rows are called in the address.
    var names: [String] { rows.map(\.name) }

    /// - Parameter changes: how the answers of other stores differ, by the store's name.
    init(_ overview: Overview, changes: [(store: String, answers: PredictionDiff)] = []) {
        let summary = overview.summary
        images = summary.images
        gap = overview.attributesGap
        let right = summary.rightAnswers
        rows = [
            Row(
                name: "label", title: "Label",
                values: summary.labels.map { ($0.name, $0.images, "label = \(Spelling.sql($0.name))") }),
            Row(
                name: "split", title: "Split",
                values: summary.splits.map { ($0.name, $0.images, "split = \(Spelling.sql($0.name))") }),
            Row(
                name: "answer", title: "Answer",
                values: overview.answers.map { ($0.name, $0.count, "predicted = \(Spelling.sql($0.name))") }),
            Row(
                name: "right", title: "Right",
                values: summary.answers == 0
                    ? [] : [("yes", right, "correct"), ("no", summary.answers - right, "NOT correct")]),
            Row(name: "side", title: "Shorter side", values: overview.sizes),
            Row(name: "has", title: "Attribute", values: overview.attributes),
        ]
        rows += changes.map { Self.row(of: $0.answers, store: $0.store) }
    }

    /// How the answers in another store differ from those here.
    private static func row(of found: PredictionDiff, store: String) -> Row {
        let kinds = Dictionary(grouping: found.changes) { change in
            switch (change.isRightInA, change.isRightInB) {
            case (true?, false?): "broken"
            case (false?, true?): "mended"
            default: "another"
            }
        }
        let values = ["broken", "mended", "another"].compactMap { kind -> Value? in
            guard let images = kinds[kind] else { return nil }
            let ids = images.map { "\($0.imageID)" }.joined(separator: ", ")
            return (kind, images.count, "id IN (\(ids))")
        }
        return Row(name: "in-\(store)", title: "Answer in @\(store)", values: values)
    }

    /// A binary attribute as it is, a number by the quarters of its values.
    static func values(_ attribute: ActivationStore.Attribute) -> [Value] {
        let name = Spelling.sql(attribute.name)
        guard attribute.kind == .number else {
            let count = attribute.values.count { $0 == 1 }
            return count > 0 ? [(attribute.name, count, "has(\(name))")] : []
        }
        let known = attribute.values.filter { !$0.isNaN }.sorted()
        let bounds = (0...4).compactMap { known.isEmpty ? nil : known[min(known.count * $0 / 4, known.count - 1)] }
        return zip(bounds, bounds.dropFirst()).enumerated().compactMap { quarter, bound in
            let (low, high) = bound
            let isLast = quarter == 3
            let count = known.count { $0 >= low && (isLast ? $0 <= high : $0 < high) }
            guard count > 0 else { return nil }
            let upper = isLast ? "<= \(high)" : "< \(high)"
            return (
                "\(attribute.name) \(low) \(isLast ? "to" : "to below") \(high)", count,
                "attribute(\(name)) >= \(low) AND attribute(\(name)) \(upper)"
            )
        }
    }

    /// - Returns: nil where nothing is asked.
    /// - Throws: ``Refusal`` for a value that no image has.
    func condition(of address: Address) throws -> String? {
        let typed = address["where"].flatMap { $0.isEmpty ? nil : $0 }
        let chosen = try rows.compactMap { row -> String? in
            guard let value = address[row.name], !value.isEmpty else { return nil }
            guard let found = row.values.first(where: { $0.name == value }) else {
                throw Refusal(
                    sentence: "no image has the \(row.name) '\(value)'"
                        + Suggestion.clause(Suggestion.nearest(to: value, among: row.values.map(\.name), limit: 3)))
            }
            return found.condition
        }
        if chosen.isEmpty { return typed }
        return (chosen + (typed.map { ["(\($0))"] } ?? [])).joined(separator: " AND ")
    }
}

extension Overview {
    /// How many images the network answers with each class, the most frequent first.
    static func answers(_ images: [StoredImage], classes: [String]) -> [(name: String, count: Int)] {
        var counts: [Int: Int] = [:]
        for image in images { if let answer = image.predictedClass { counts[answer, default: 0] += 1 } }
        return counts.filter { classes.indices.contains($0.key) }
            .sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
            .map { (classes[$0.key], $0.value) }
    }

    /// How many images have a shorter side in each range of pixels; nothing where all are in one.
    static func sizes(_ images: [StoredImage]) -> [(name: String, count: Int, condition: String)] {
        let bounds = [0, 64, 128, 256, 512, 1024, 2048, Int.max]
        let ranges = zip(bounds, bounds.dropFirst()).map { low, high -> (name: String, count: Int, condition: String) in
            let count = images.count { (low..<high).contains(min($0.width, $0.height)) }
            let name = low == 0 ? "below \(high)" : high == .max ? "\(low) and more" : "\(low) to \(high - 1)"
            let tests =
                (low == 0 ? [] : ["min(width, height) >= \(low)"]) + (high == .max ? [] : ["min(width, height) < \(high)"])
            return (name, count, tests.joined(separator: " AND "))
        }.filter { $0.count > 0 }
        return ranges.count > 1 ? ranges : []
    }
}
