import Explanations
import Foundation
import Search
import Support

/// Classes with probabilities as they are listed.
struct PredictionTable: Printable {
    struct Prediction: Encodable {
        struct Candidate: Encodable {
            var rank: Int
            var index: Int
            var name: String?
            var probability: Double
            var score: Float
        }

        var image: String
        var label: String?
        /// Whether the first class is the label; none where there is no label, or it names no class.
        var correct: Bool?
        var classes: [Candidate]

        init(_ subject: InputImage, _ standing: ClassRanking, label: String?, count: Int) {
            (image, self.label) = (subject.name, label)
            correct = standing.isRight(label)
            classes = standing.order.prefix(count).enumerated().map { rank, index in
                Candidate(
                    rank: rank + 1, index: index, name: standing.names.indices.contains(index) ? standing.names[index] : nil,
                    probability: standing.probabilities[index], score: standing.scores[index])
            }
        }
    }

    var predictions: [Prediction]

    func encode(to encoder: any Encoder) throws { try predictions.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: ["image", "label", "rank", "class", "probability", "score"], shortened: ["image", "label", "class"],
            rows: predictions.flatMap { prediction in
                prediction.classes.map { candidate in
                    [
                        candidate.rank == 1 ? .text(prediction.image) : .text(""),
                        candidate.rank == 1 ? .optional(prediction.label) : .nothing, .value(candidate.rank),
                        .text(candidate.name ?? "\(candidate.index)"), .number(ClassRanking.percent(candidate.probability)),
                        .value(candidate.score),
                    ]
                }
            })
    }

    var fields: [[String]] {
        [["image", "label", "correct", "rank", "index", "class", "probability", "score"]]
            + predictions.flatMap { prediction in
                prediction.classes.map {
                    [
                        prediction.image, prediction.label ?? "", prediction.correct.map { "\($0)" } ?? "", "\($0.rank)",
                        "\($0.index)",
                        $0.name ?? "", "\($0.probability)", "\($0.score)",
                    ]
                }
            }
    }
}

/// How often each label was answered right, as it is listed.
struct AccuracyTable: Printable {
    var shares: [ConfusionMatrix.Share]

    func encode(to encoder: any Encoder) throws { try shares.encode(to: encoder) }

    private func percent(_ right: Int?, _ images: Int) -> TextTable.Cell {
        right.map { .number(String(format: "%.1f %%", 100 * Double($0) / Double(max(images, 1)))) } ?? .nothing
    }

    var table: TextTable {
        let judged = shares.filter { $0.right != nil }
        let (all, right) = (judged.map(\.images).reduce(0, +), judged.compactMap(\.right).reduce(0, +))
        let total: [[TextTable.Cell]] =
            judged.count < 2 ? [] : [[.text("all"), .nothing, .value(all), .value(right), percent(right, all)]]
        return TextTable(
            columns: ["label", "split", "images", "right", "accuracy"], shortened: ["label"],
            rows: shares.map {
                [
                    .text($0.label), .optional($0.split), .value($0.images), $0.right.map { .value($0) } ?? .nothing,
                    percent($0.right, $0.images),
                ]
            } + total)
    }

    var fields: [[String]] {
        [["label", "split", "images", "right"]]
            + shares.map { [$0.label, $0.split ?? "", "\($0.images)", $0.right.map { "\($0)" } ?? ""] }
    }
}
