import ActivationStore
import ArgumentParser
import Foundation
import Images
import NeuralNetwork
import Support

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what a store was made from, and what is in it.",
        discussion: """
            Example:

              neurodex info shop.sqlite

            Bytes an activation are those of the file without the explanations that it keeps.
            """)

    @Argument(help: "The store.", completion: .file())
    var store: String

    @OptionGroup var output: FormatOption

    func run() throws {
        let info = try StoreInfo(try Store.open(path: store))
        guard output.format == .table else { return printOut(try info.rendered(as: output.format)) }
        printOut(info.table.rendered(width: terminalWidth(), wrapping: "value"))
    }
}

/// The facts of a store: objects for programs, a line each for people.
struct StoreInfo: Printable {
    private let description: StoreDescription
    private let summary: StoreSummary
    /// Nil for one that this version does not know; its text is shown then.
    private let preprocessing: Preprocessing?
    private let path: String

    /// - Parameter isQuick: whether thumbnails, and what the file has beside them for each activation, are left out, as they are slow to count.
    init(_ store: Store, isQuick: Bool = false) throws {
        (description, path) = (store.description, store.path)
        summary = try store.summary(countsThumbnails: !isQuick)
        preprocessing = try? Preprocessing(json: description.preprocessing)
    }

    /// What can be said of whether all that was asked for is there.
    private enum State: String, Encodable {
        case complete, writing, interrupted, removed
    }

    private var state: State {
        if summary.isBeingWritten { return .writing }
        let isCutShort = summary.planned.map { summary.images < $0 } ?? (summary.runs.last?.status != "done")
        if isCutShort || !summary.isDerivedComplete && summary.removed == 0 { return .interrupted }
        return summary.removed > 0 ? .removed : .complete
    }

    private var stateText: String {
        let images = summary.planned.map { ": \(summary.images) of \($0) images" } ?? ""
        switch state {
        case .complete: return "complete"
        case .writing: return "being written\(images); every answer is exact all the same"
        case .interrupted: return "interrupted\(images); the same index command goes on, and every answer is exact all the same"
        case .removed: return "images were removed; every answer is exact all the same, and compact makes them quick again"
        }
    }

    /// Nil where there is no activation.
    private var bytesPerActivation: Double? {
        let activations = (summary.images + summary.removed) * description.neuronCount
        guard activations > 0, let thumbnails = summary.thumbnails else { return nil }
        return Double(summary.bytes - summary.explanationBytes - thumbnails.bytes - summary.freeBytes)
            / Double(activations)
    }
}

extension StoreInfo {
    private struct Entry: Encodable {
        struct Model: Encodable {
            var name: String
            var path: String
            var sha256: String
            var output: String?
            var otherOutputs: [String]?
            var precision: String
        }
        struct Input: Encodable {
            var channels: Int
            var height: Int
            var width: Int
        }
        /// Sizes are height × width.
        struct Recipe: Encodable {
            var resize: String
            var crop: String
            var padding: String
            var interpolation: Interpolation
            var channels: ChannelOrder
            var divisor: Double
            var mean: [Double]
            var deviation: [Double]

            init(_ recipe: Preprocessing) {
                resize = recipe.resize.description
                crop = "\(recipe.crop.height)x\(recipe.crop.width)"
                padding = recipe.padding.description
                (interpolation, channels, divisor) = (recipe.interpolation, recipe.channels, recipe.divisor)
                (mean, deviation) = (recipe.mean, recipe.deviation)
            }
        }
        struct Answers: Encodable {
            var right: Int
            var of: Int
        }
        struct Bytes: Encodable {
            var file: Int
            var explanations: Int
            var thumbnails: Int
            var free: Int
            var perActivation: Double?

            enum CodingKeys: String, CodingKey {
                case file, explanations, thumbnails, free
                case perActivation = "per_activation"
            }
        }

        var store: String
        var model: Model
        var input: Input
        var preprocessing: Recipe?
        var shard: String?
        var layers: Int
        var neurons: Int
        var images: Int
        var planned: Int?
        var skippedFiles: Int
        var thumbnails: Int
        var removed: Int
        var labels: [String: Int]
        var unlabelled: Int
        var splits: [String: Int]
        var answers: Answers?
        var bytes: Bytes
        var keptList: Int
        var state: State

        enum CodingKeys: String, CodingKey {
            case store, model, input, preprocessing, shard, layers, neurons, images, planned
            case skippedFiles = "skipped_files"
            case thumbnails, removed, labels, unlabelled, splits, answers, bytes
            case keptList = "kept_list"
            case state
        }
    }

    func encode(to encoder: any Encoder) throws {
        let model = description.model
        func counts(_ counts: [StoreSummary.Count]) -> [String: Int] {
            Dictionary(counts.map { ($0.name, $0.images) }) { first, _ in first }
        }
        try Entry(
            store: path,
            model: Entry.Model(
                name: model.name, path: model.path, sha256: model.sha256, output: model.output,
                otherOutputs: model.others.isEmpty ? nil : model.others,
                precision: model.precision ?? "float32"),
            input: Entry.Input(channels: model.inputChannels, height: model.inputHeight, width: model.inputWidth),
            preprocessing: preprocessing.map { Entry.Recipe($0) }, shard: description.shard.map { "\($0)" },
            layers: description.layers.count,
            neurons: description.neuronCount, images: summary.images, planned: summary.planned,
            skippedFiles: summary.skipped, thumbnails: summary.thumbnails?.count ?? 0, removed: summary.removed,
            labels: counts(summary.labels),
            unlabelled: summary.unlabelled, splits: counts(summary.splits),
            answers: summary.answers > 0 ? Entry.Answers(right: summary.rightAnswers, of: summary.answers) : nil,
            bytes: Entry.Bytes(
                file: summary.bytes, explanations: summary.explanationBytes, thumbnails: summary.thumbnails?.bytes ?? 0,
                free: summary.freeBytes,
                perActivation: bytesPerActivation),
            keptList: description.topCount, state: state
        ).encode(to: encoder)
    }

    var table: TextTable {
        TextTable(columns: ["fact", "value"], rows: facts.map { [.text($0.name), .text($0.value)] })
    }

    var fields: [[String]] { [["fact", "value"]] + facts.map { [$0.name, $0.value] } }

    private var facts: [(name: String, value: String)] {
        let model = description.model
        var facts = [
            ("store", path), ("model", "\(model.name) (\(model.path))"), ("model hash", model.sha256),
            ("input", "\(model.inputChannels)×\(model.inputHeight)×\(model.inputWidth)"),
        ]
        if let output = model.output { facts.append(("output", output)) }
        if !model.others.isEmpty { facts.append(("other outputs", model.others.joined(separator: ", "))) }
        if !model.outputNames.isEmpty { facts.append(("answers with", model.outputNames.joined(separator: ", "))) }
        if let precision = model.precision { facts.append(("precision", precision)) }
        facts.append(("preprocessing", preprocessingText))
        if let shard = description.shard { facts.append(("shard", "\(shard)")) }
        facts += [
            ("layers", "\(description.layers.count)"), ("neurons", "\(description.neuronCount)"),
            ("images", "\(summary.images)"), ("skipped files", "\(summary.skipped)"),
        ]
        if !summary.labels.isEmpty { facts.append(("labels", labelsText)) }
        if !summary.splits.isEmpty {
            facts.append(("splits", summary.splits.map { "\($0.name) \($0.images)" }.joined(separator: ", ")))
        }
        if summary.answers > 0 {
            let share = 100 * Double(summary.rightAnswers) / Double(summary.answers)
            facts.append(
                ("right answers", String(format: "%d of %d (%.1f %%)", summary.rightAnswers, summary.answers, share)))
        }
        let each = bytesPerActivation.map { String(format: ", %.2f an activation", $0) } ?? ""
        if let thumbnailsText { facts.append(("thumbnails", thumbnailsText)) }
        let beside = [
            (summary.explanationBytes, "of explanations"), (summary.thumbnails?.bytes ?? 0, "of thumbnails"),
            (summary.freeBytes, "free"),
        ].filter { $0.0 > 0 }
        let parts = beside.map { ", \($0.0) of them \($0.1)" }.joined()
        facts.append(("file", "\(summary.bytes) bytes\(parts)\(each)"))
        facts.append(("kept list", "the \(description.topCount) strongest images of every neuron"))
        if summary.removed > 0 { facts.append(("removed", "\(summary.removed)")) }
        facts.append(("state", stateText))
        return facts
    }

    /// Nil where there are none.
    private var thumbnailsText: String? {
        let size = description.thumbnailSide.map { "at most \($0) pixels wide and high" }
        guard let thumbnails = summary.thumbnails else { return size }
        let (count, bytes) = (thumbnails.count, thumbnails.bytes)
        guard count > 0 else { return nil }
        let side = size.map { ", \($0)" } ?? ""
        return
            "of \(count == summary.images ? "all" : "\(count) of \(summary.images)") images, \(bytes / count) bytes each\(side)"
    }

    private var labelsText: String {
        var labels = summary.labels.map { "\($0.name) \($0.images)" }
        if summary.unlabelled > 0 { labels.append("(none) \(summary.unlabelled)") }
        return labels.prefix(8).joined(separator: ", ") + (labels.count > 8 ? ", … (\(labels.count) labels)" : "")
    }

    private var preprocessingText: String {
        guard let preprocessing else { return "not known to this version: \(description.preprocessing)" }
        func list(_ values: [Double]) -> String { values.map { String(format: "%.6g", $0) }.joined(separator: ",") }
        var parts = [
            "resize \(preprocessing.resize.description)", "crop \(preprocessing.crop.height)×\(preprocessing.crop.width)",
        ]
        if preprocessing.padsWithZeros {
            parts.append("padded with zeros")
        } else if preprocessing.padding != .black {
            parts.append("padded with \(preprocessing.padding)")
        }
        if let window = preprocessing.levels.window { parts.append("window \(window)") }
        if preprocessing.levels.areNumbers { parts.append("pictures of 16 bits as numbers") }
        parts += [
            preprocessing.interpolation.rawValue, preprocessing.channels.rawValue,
            "divisor \(list([preprocessing.divisor]))", "mean \(list(preprocessing.mean))",
            "std \(list(preprocessing.deviation))",
        ]
        return parts.joined(separator: ", ")
    }
}
