import ActivationStore
import ArgumentParser
import Foundation
import NeuralNetwork

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "What a store is of, and what is in it.",
        discussion: """
            Example:

              neurodex info shop.sqlite
            """)

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var output: FormatOption

    func run() throws {
        printOut(try StoreInfo(try Store.open(path: store)).rendered(as: output.format))
    }
}

/// The facts of a store, a line each.
struct StoreInfo: Printable {
    private var facts: [(name: String, value: String)] = []
    private var numbers: [String: Int] = [:]

    init(_ store: Store) throws {
        let description = store.description
        let model = description.model
        let summary = try store.summary()
        let activations = summary.images * description.neuronCount
        add("store", store.path)
        add("model", "\(model.name) (\(model.path))")
        add("model hash", model.sha256)
        add("input", "\(model.inputChannels)×\(model.inputHeight)×\(model.inputWidth)")
        if let output = model.output { add("output", output) }
        if let precision = model.precision { add("precision", precision) }
        add("preprocessing", (try? Preprocessing(json: description.preprocessing).shownJSON()) ?? description.preprocessing)
        add("layers", description.layers.count)
        add("neurons", description.neuronCount)
        add("images", summary.images)
        add("skipped files", summary.skipped)
        if !summary.labels.isEmpty {
            var labels = summary.labels.map { "\($0.name) \($0.images)" }
            if summary.unlabelled > 0 { labels.append("(none) \(summary.unlabelled)") }
            let count = labels.count
            add("labels", labels.prefix(8).joined(separator: ", ") + (count > 8 ? ", … (\(count) labels)" : ""))
        }
        if !summary.splits.isEmpty { add("splits", summary.splits.map { "\($0.name) \($0.images)" }.joined(separator: ", ")) }
        if summary.answers > 0 {
            let share = 100 * Double(summary.rightAnswers) / Double(summary.answers)
            add("right answers", String(format: "%d of %d (%.1f %%)", summary.rightAnswers, summary.answers, share))
        }
        let each = activations > 0 ? String(format: ", %.2f an activation", Double(summary.bytes) / Double(activations)) : ""
        add("file", "\(summary.bytes) bytes\(each)")
        add("kept list", "the \(description.topCount) strongest images of every neuron")
        if summary.removed > 0 { add("removed", summary.removed) }
        let state =
            summary.isDerivedComplete
            ? "complete"
            : summary.removed > 0
                ? "images were removed; every answer is exact all the same, and compact makes them quick again"
                : "being built, or interrupted; every answer is exact all the same"
        add("state", state)
    }

    private mutating func add(_ name: String, _ value: String) { facts.append((name, value)) }
    private mutating func add(_ name: String, _ value: Int) {
        facts.append((name, String(value)))
        numbers[name] = value
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for fact in facts {
            let key = Key(stringValue: fact.name.replacingOccurrences(of: " ", with: "_"))
            if let number = numbers[fact.name] {
                try container.encode(number, forKey: key)
            } else {
                try container.encode(fact.value, forKey: key)
            }
        }
    }

    var table: TextTable { TextTable(columns: ["fact", "value"], rows: facts.map { [.text($0.name), .text($0.value)] }) }
    var fields: [[String]] { [["fact", "value"]] + facts.map { [$0.name, $0.value] } }
}
