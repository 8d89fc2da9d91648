import ActivationStore
import Foundation
import Search
import TestSupport

/// The samples of every question, asked of a whole store and again of one that was damaged.
struct Questionnaire {
    let queries: [any Query]

    init(_ dataset: RecordedDataset) { self.init(SampleGround(dataset)) }

    init(_ ground: SampleGround) {
        func samples<Q: Query>(_: Q.Type) -> [any Query] { Q.samples(ground) }
        queries = Search.queries.flatMap { samples($0) }
    }

    /// What a store says to each question: an answer as JSON, or why there is none.
    func answers(of path: String) -> [Result<String, any Error>] {
        do {
            return answers(of: try Store.open(path: path))
        } catch {
            return queries.map { _ in .failure(error) }
        }
    }

    func answers(of store: Store) -> [Result<String, any Error>] {
        queries.map { query in Result { try Self.answer(query, store) } }
    }

    static func answer(_ query: some Query, _ store: Store) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(query.report(from: store).listing), as: UTF8.self)
    }
}

extension SampleGround {
    /// - Parameter image: another than the one in the middle.
    init(_ dataset: RecordedDataset, image: String? = nil) {
        self.init(
            layers: dataset.description.layers.map(\.name), image: image ?? dataset.images[dataset.images.count / 2].path,
            label: "cat", className: dataset.description.classes.last)
    }
}
