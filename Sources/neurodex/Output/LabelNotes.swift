import ActivationStore
import Foundation

extension Relabelling.Summary {
    /// What is other than before, a line each: how many, and examples.
    var lines: [String] {
        var lines: [String] = []
        func add(_ changes: Changes, _ what: (_ count: Int) -> String, _ text: (Example) -> String) {
            guard changes.count > 0 else { return }
            let rest = changes.count > changes.examples.count ? ", …" : ""
            lines.append("\(changes.count) \(what(changes.count)): " + changes.examples.map(text).joined(separator: ", ") + rest)
        }
        func plural(_ one: String, _ several: String) -> (Int) -> String { { $0 == 1 ? one : several } }
        func quoted(_ text: String?) -> String { text.map { "'\($0)'" } ?? "none" }
        func fromTo(_ example: Example) -> String { "\(example.name) from \(quoted(example.old)) to \(quoted(example.new))" }
        add(changed, plural("label changed", "labels changed"), fromTo)
        add(added, plural("label added", "labels added")) { "\($0.name) is \(quoted($0.new))" }
        add(removed, plural("label removed", "labels removed")) { "\($0.name) was \(quoted($0.old))" }
        add(splits, plural("split changed", "splits changed"), fromTo)
        add(classes, plural("name of a class changed", "names of classes changed"), fromTo)
        return lines
    }
}

extension LabelAgreement {
    /// How often the network is right, and what is odd about the names, a line each.
    func lines(classes: [String]) -> [String] {
        func list(_ names: some Sequence<String>, of count: Int) -> String {
            names.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + (count > 3 ? ", …" : "")
        }
        var lines: [String] = []
        if judged > 0 {
            lines.append("network right on \(right) of \(judged) (\(percent(Double(right) / Double(judged))))")
        }
        if let better = betterOrder {
            lines.append(
                "warning: with the class names in \(better.name) order it would be right on \(better.right) of \(judged); are the names in the order of the network's scores?"
            )
        }
        for (name, channels) in doubles.prefix(3) {
            let numbers = channels.map(String.init).joined(separator: " and ")
            let choices = channels.map { "class:\($0)" }.joined(separator: " or ")
            lines.append(
                "warning: classes \(numbers) are both named '\(name)'; either counts as right for a label of that name, and \(choices) says which"
            )
        }
        if doubles.count > 3 { lines.append("warning: \(doubles.count - 3) more names are of several classes") }
        if !classes.isEmpty, !strangers.isEmpty {
            lines.append(
                "warning: \(strangers.count) of \(labels) labels (\(strange) of \(labelled) images) \(strangers.count == 1 ? "is no class's name" : "are no class's names"), such as \(list(strangers, of: strangers.count)); the classes are \(list(classes, of: classes.count))"
            )
        }
        return lines
    }
}

/// A share, in percent with one digit: 84.6 %.
func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
