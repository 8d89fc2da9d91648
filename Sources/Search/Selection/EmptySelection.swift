public import ActivationStore
import Foundation
import Support

/// A condition that no image meets, and what there is of the columns that it names.
public struct EmptySelection: Hashable, Sendable {
    /// The option that the condition was given with, such as `--where`.
    public let option: String
    /// As the user wrote it.
    public let condition: String
    /// Values that were perhaps meant.
    public let suggestions: [String]
    /// What the columns hold, a clause each, such as "labels are cat, dog (2)".
    public let columns: [String]
}

extension EmptySelection: CustomStringConvertible {
    public var description: String {
        let isPlain = condition.wholeMatch(of: #/\s*[A-Za-z_]\w*\s*=\s*('[^']*'|[\d.]+)\s*/#) != nil
        let start = isPlain ? "no image has \(condition)" : "no image meets \(option) \"\(condition)\""
        return ([start + Suggestion.clause(suggestions)] + columns).joined(separator: "; ")
            .replacingOccurrences(of: "?; ", with: "? ")
    }
}

extension Store {
    /// What to say of a condition that no image meets; nil where one does.
    /// - Parameter option: that the condition was given with.
    /// - Throws: ``QueryError`` for what is no condition on images; ``StoreError``.
    public func emptySelection(where condition: String, option: String = "--where") throws -> EmptySelection? {
        try read { snapshot in
            let mask = try Predicate(condition, in: snapshot, images: try snapshot.laneCount(), option: option).mask
            guard !mask.contains(1) else { return nil }
            return try EmptySelection(condition, option, in: snapshot)
        }
    }
}

extension EmptySelection {
    init(_ condition: String, _ option: String, in snapshot: Snapshot) throws {
        let literals = condition.matches(of: #/'((?:[^']|'')*)'|"([^"]*)"/#).map { match in
            String(match.output.1 ?? match.output.2 ?? "").replacingOccurrences(of: "''", with: "'")
        }
        let rest = condition.replacing(#/'(?:[^']|'')*'/#, with: " ")
        let words = Set(rest.matches(of: #/\w+/#).map { $0.output.lowercased() })
        let named = Column.all.filter { words.contains($0.name) }
        (self.option, self.condition) = (option, condition)
        var suggestions: [String] = []
        var columns: [String] = []
        for column in named {
            let values = try column.texts(snapshot)
            for literal in literals where !column.isNumber && !values.contains(literal) {
                suggestions += Suggestion.nearest(to: literal, among: values).filter { !suggestions.contains($0) }
            }
            columns.append(try column.sentence(values, snapshot))
        }
        // Quoted names are literals to the pattern above.
        let quoted = Set(literals.map { $0.lowercased() })
        for attribute in try snapshot.attributes()
        where words.contains(attribute.name.lowercased()) || quoted.contains(attribute.name.lowercased()) {
            columns.append(Self.sentence(attribute))
        }
        (self.suggestions, self.columns) = (Array(suggestions.prefix(3)), columns)
    }

    private static func sentence(_ attribute: Attribute) -> String {
        let values = attribute.values.filter { !$0.isNaN }
        guard let low = values.min(), let high = values.max() else { return "\(attribute.name) is known of no image" }
        if attribute.kind == .binary { return "\(values.count { $0 == 1 }) of \(values.count) images have \(attribute.name)" }
        return "\(attribute.name) is \(Column.text(low)) to \(Column.text(high))"
    }

    /// A column of `image_info`.
    private struct Column {
        var name: String
        var plural: String
        var isNumber = false

        static let all =
            [
                Column(name: "label", plural: "labels"), Column(name: "split", plural: "splits"),
                Column(name: "predicted", plural: "predicted classes"), Column(name: "path", plural: "paths"),
            ]
            + ["id", "width", "height", "bytes", "score", "predicted_index", "correct"].map {
                Column(name: $0, plural: $0, isNumber: true)
            }

        /// Values that a user may look for; none of a column of numbers.
        func texts(_ snapshot: Snapshot) throws -> [String] {
            guard !isNumber else { return [] }
            return try snapshot.texts(
                "SELECT DISTINCT \(name) FROM image_info WHERE \(name) IS NOT NULL ORDER BY 1 LIMIT 100000")
        }

        func sentence(_ values: [String], _ snapshot: Snapshot) throws -> String {
            if isNumber {
                var range: (low: Double, high: Double)?
                try snapshot.rows("SELECT min(\(name)), max(\(name)) FROM image_info") { row in
                    if !row.isNull(0) { range = (row.double(0), row.double(1)) }
                }
                guard let (low, high) = range else { return "no image has a \(name)" }
                return low == high ? "\(name) is \(Self.text(low))" : "\(name) is \(Self.text(low)) to \(Self.text(high))"
            }
            guard values.count > 1 else { return values.first.map { "the only \(name) is \($0)" } ?? "no image has a \(name)" }
            let shown = values.prefix(name == "path" ? 2 : 8).joined(separator: ", ")
            return "\(plural) are \(shown)\(values.count > 8 || name == "path" ? ", …" : "") (\(values.count))"
        }

        static func text(_ number: Double) -> String {
            number.wholeNumber.map { "\($0)" } ?? String(format: "%.6g", number)
        }
    }
}
