import ActivationStore
import ArgumentParser
import Foundation
import GRDB

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
        let images = try store.imageCount()
        let skipped = try store.skipped().count
        let bytes = (try? FileManager.default.attributesOfItem(atPath: store.path)[.size] as? Int) ?? 0
        let activations = images * description.neuronCount
        let (labels, splits) = try store.read { database in
            (
                try Row.fetchAll(database, sql: "SELECT ifnull(label, '(none)'), count(*) FROM image_info GROUP BY 1 ORDER BY 2 DESC, 1")
                    .map { (name: $0[0] as String, count: $0[1] as Int) },
                try Row.fetchAll(database, sql: "SELECT split, count(*) FROM image WHERE split IS NOT NULL GROUP BY 1 ORDER BY 1")
                    .map { "\($0[0] as String) \($0[1] as Int)" }
            )
        }
        let accuracy = try store.read { database in
            try Row.fetchOne(database, sql: "SELECT sum(correct), count(correct) FROM image_info WHERE correct IS NOT NULL")
        }
        add("store", store.path)
        add("model", "\(model.name) (\(model.path))")
        add("model hash", model.sha256)
        add("input", "\(model.inputChannels)×\(model.inputHeight)×\(model.inputWidth)")
        add("preprocessing", description.preprocessing)
        add("layers", description.layers.count)
        add("neurons", description.neuronCount)
        add("images", images)
        add("skipped files", skipped)
        if labels.contains(where: { $0.name != "(none)" }) {
            let some = labels.prefix(8).map { "\($0.name) \($0.count)" }.joined(separator: ", ")
            add("labels", some + (labels.count > 8 ? ", … (\(labels.count) labels)" : ""))
        }
        if !splits.isEmpty { add("splits", splits.joined(separator: ", ")) }
        if let accuracy, let total = accuracy[1] as Int?, total > 0, let right = accuracy[0] as Int? {
            add("right answers", String(format: "%d of %d (%.1f %%)", right, total, 100 * Double(right) / Double(total)))
        }
        add("file", "\(bytes) bytes" + (activations > 0 ? String(format: ", %.2f an activation", Double(bytes) / Double(activations)) : ""))
        add("kept list", "the \(description.topCount) strongest images of every neuron")
        add("state", try store.isDerivedComplete() ? "complete" : "being built, or interrupted; every answer is exact all the same")
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
            if let number = numbers[fact.name] { try container.encode(number, forKey: key) } else { try container.encode(fact.value, forKey: key) }
        }
    }

    var table: TextTable { TextTable(columns: ["fact", "value"], rows: facts.map { [.text($0.name), .text($0.value)] }) }
    var fields: [[String]] { [["fact", "value"]] + facts.map { [$0.name, $0.value] } }
}
