import ActivationStore
import ArgumentParser
import Foundation
import Search
import TestSupport

/// Asks a store everything, in a process of its own that may crash or hang.
struct Ask: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask", abstract: "One line for each question: its number, and the answer or why there is none.",
        shouldDisplay: false)

    @Argument var store: String
    @Flag(help: "Then write to it.") var writes = false

    /// The store that is damaged and forged.
    static let dataset = RecordedDataset(
        images: 53, layers: RecordedDataset.layers(channels: [9, 5, 3, 2]), classes: ["cat", "dog"], blockImages: 16,
        topCount: 12, seed: 8, hard: false)

    /// It, with all that a store can keep.
    static func make(_ path: String) throws {
        let writer = try dataset.open(path)
        try dataset.append(0..<dataset.images.count, to: writer)
        try writer.appendSkipped(SkippedRecord(path: "pets/broken.png", reason: "it is cut short", bytes: 7, modified: 8))
        try writer.finish()
        let store = try Store.open(path: path)
        for number: UInt8 in 1...2 {
            try store.keep(
                ExplanationRecord(
                    key: Data(repeating: number, count: 32), method: "saliency", arguments: ["--steps", "3"], target: "layer0:1",
                    image: dataset.images[3].path, imageSHA256: dataset.images[3].sha256, value: 48.37, note: "n", channels: 1,
                    height: 2, width: 3, isSigned: true, map: [1, 2, 3, 4, 5, 6], picture: Data([1, 2, 3]), record: "{}",
                    checks: "{}", seconds: 0.25, created: Date(timeIntervalSince1970: 1_700_000_000), toolVersion: "t"))
        }
        try store.keep(
            CAMHead(
                layer: "layer1", classes: ["cat", "dog"], channels: 5, weights: (0..<10).map { Float($0) }, bias: [0.5, -0.5],
                l2: 0.01, slope: 1e-8, trained: 10, judged: 5, judgedOn: "test", accuracy: 0.8, networkAccuracy: 0.9))
    }

    func run() throws {
        let questions = Questionnaire(Self.dataset)
        for (index, answer) in (questions.answers(of: store) + others()).enumerated() {
            switch answer {
            case .success(let text): say("\(index)\tanswer\t\(text.replacing("\n", with: " "))")
            case .failure(let error): say("\(index)\t\(Self.kind(error))\t\("\(error)".replacing("\n", with: " ").prefix(300))")
            }
        }
        guard writes else { return }
        attempt { try Store.open(path: store).remove(images: [5, 17]) }
        attempt { try Store.compact(path: store, run: RunRecord(toolVersion: "t")) }
        attempt {
            let writer = try Self.dataset.open(store)
            try Self.dataset.append(0..<0, to: writer)
            try writer.finish()
        }
        attempt { try Store.merge([store], into: store + "-merged", isPartial: true, run: RunRecord(toolVersion: "t")) }
    }

    private static func kind(_ error: any Error) -> String {
        error is StoreError || error is QueryError ? "refusal" : "error of another kind"
    }

    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            say("-\t\(Self.kind(error))\t\("\(error)".replacing("\n", with: " ").prefix(300))")
        }
    }

    /// What is asked of a store beside the questions.
    private func others() -> [Result<String, any Error>] {
        func ask(_ body: (Store) throws -> String) -> Result<String, any Error> { Result { try body(Store.open(path: store)) } }
        return [
            ask {
                let summary = try $0.summary()
                return
                    "\(summary.images) \(summary.labels) \(summary.splits) \(summary.answers) \(summary.rightAnswers) \(summary.runs.map(\.toolVersion)) \(summary.skipped)"
            },
            ask { "\(try $0.skipped())" }, ask { "\(try $0.explanations())" },
            ask { store in "\(try [1, 2].compactMap { try store.explanation(id: $0) })" },
            ask { "\(try $0.camHead().map { "\($0)" } ?? "none")" }, ask { "\($0.description)" },
            ask { "\(try $0.images())" }, ask { "\(try $0.image(named: "17"))" },
            ask { "\(try $0.means(layer: "layer1") ?? [])" },
            ask { "\(try $0.activations(ofImage: 20).map { "\($0)" } ?? "none")" }, ask { "\(try $0.column(neuron: 4))" },
            ask { "\(try $0.statistics(neurons: 2..<7))" },
        ]
    }
}

extension RecordedDataset {
    static let condition = "label = 'cat' OR split = 'val'"

    func layer(_ index: Int) -> LayerRecord { description.layers[index] }
}
