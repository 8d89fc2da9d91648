import ActivationStore
import Foundation
import Search
import TestSupport

/// Every kind of question, asked of a whole store and again of one that was damaged.
struct Questionnaire {
    let queries: [any Query]

    init(_ dataset: RecordedDataset) {
        let (layer, neuron) = (dataset.layer(1).name, "layer0:0")
        let all = dataset.description.layers.map(\.name)
        let image = dataset.images[dataset.images.count / 2].path
        queries = [
            TopQuery(neurons: all, count: 5), TopQuery(neurons: all, count: 3, lowest: true),
            TopQuery(neurons: [neuron], count: 1000), TopQuery(neurons: [neuron], count: 2, from: .decile),
            TopQuery(neurons: [neuron], count: 4, distinct: true),
            TopQuery(neurons: ["class:dog"], count: 3, condition: RecordedDataset.condition),
            TopQuery(neurons: all, count: 3, condition: "correct"),
            GroupQuery(by: .sum, options: TopQuery(neurons: [layer], count: 6)),
            SimilarQuery(image: image, layer: [layer], count: 4), SimilarQuery(image: "3", layer: all, metric: .cosine, count: 4),
            ProfileQuery(image: image, count: 8), NeuronsQuery(sort: .mean), HistogramQuery(neuron: neuron, bins: 5),
            DuplicatesQuery(threshold: 0.2), SelectivityQuery(count: 6), SelectivityQuery(label: "cat", count: 6),
            ContrastQuery(a: "label = 'cat'", count: 6), SuspectsQuery(layer: layer, count: 4),
            SuspectsQuery(layer: layer, by: .network, count: 4), SuspectsQuery(layer: layer, by: .regression, count: 4),
            SuspectsQuery(layer: layer, by: .neurons, count: 4), ContrastQuery(a: "label = 'cat'", count: 6, copies: true),
            ShortcutsQuery(auroc: 0.5, share: 0.3, rate: 1),
        ]
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

    private static func answer(_ query: some Query, _ store: Store) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(query.run(in: store)), as: UTF8.self)
    }
}
