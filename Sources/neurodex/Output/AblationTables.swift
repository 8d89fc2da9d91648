import ActivationStore
import Explanations
import Foundation
import Support

/// What the images of a run come to, set by set.
struct AblationEffects {
    /// Sums over images, of one set of neurons that are off.
    struct Sum {
        var images = 0
        /// With a label that is a class.
        var labelled = 0
        var rightBefore = 0
        var rightAfter = 0
        var changed = 0
        var score = 0.0
        var probabilityBefore = 0.0
        var probabilityAfter = 0.0

        mutating func add(_ whole: Ablation.Answer, _ without: Ablation.Answer, right: Bool?, rightAfter: Bool?) {
            images += 1
            if let right, let after = rightAfter {
                labelled += 1
                rightBefore += right ? 1 : 0
                self.rightAfter += after ? 1 : 0
            }
            changed += whole.classIndex == without.classIndex ? 0 : 1
            score += Double(without.score) - Double(whole.score)
            probabilityBefore += whole.probability
            probabilityAfter += without.probability
        }
    }

    /// An image whose answer is another without the neurons.
    struct Flip: Encodable {
        var image: String
        var label: String?
        var before: String
        var after: String
        /// Of the label, or without one of the answer before.
        var probabilityBefore: Double
        var probabilityAfter: Double

        enum CodingKeys: String, CodingKey {
            case image, label, before, after
            case probabilityBefore = "probability_before"
            case probabilityAfter = "probability_after"
        }
    }

    /// What each is called.
    let sets: [String]
    let classes: [String]
    private(set) var total: [Sum]
    /// Of the first set, by label.
    private(set) var byLabel: [String: Sum] = [:]
    /// Of the first set.
    private(set) var flips: [Flip] = []
    private(set) var images = 0
    private(set) var unlabelled = 0
    private(set) var exampleUnlabelled = ""
    var isInterrupted = false

    init(sets: [String], classes: [String]) {
        (self.sets, self.classes) = (sets, classes)
        total = sets.map { _ in Sum() }
    }

    mutating func add(_ outcome: Ablation.Outcome) {
        images += 1
        let right = outcome.isRight(outcome.whole, among: classes)
        if !outcome.isLabelled {
            if unlabelled == 0 { exampleUnlabelled = outcome.subject.name }
            unlabelled += 1
        }
        for (index, without) in outcome.without.enumerated() {
            let after = outcome.isRight(without, among: classes)
            total[index].add(outcome.whole, without, right: right, rightAfter: after)
            guard index == 0 else { continue }
            byLabel[outcome.subject.stored?.label ?? "", default: Sum()].add(
                outcome.whole, without, right: right, rightAfter: after)
            guard without.classIndex != outcome.whole.classIndex else { continue }
            flips.append(
                Flip(
                    image: outcome.subject.name, label: outcome.subject.stored?.label, before: name(outcome.whole.classIndex),
                    after: name(without.classIndex), probabilityBefore: outcome.whole.probability,
                    probabilityAfter: without.probability))
        }
    }

    private func name(_ index: Int) -> String { classes.indices.contains(index) ? classes[index] : "\(index)" }
}

/// What the answers of each label lose without the neurons, and which change.
struct AblationTable: Printable {
    private struct Row: Encodable {
        /// Nil of images without one.
        var label: String?
        var images: Int
        /// Nil where the label is no class.
        var rightBefore: Int?
        var rightAfter: Int?
        var changed: Int
        /// Mean of the score without less the score with the neurons.
        var score: Double
        var probabilityBefore: Double
        var probabilityAfter: Double

        enum CodingKeys: String, CodingKey {
            case label, images, changed, score
            case rightBefore = "right_before"
            case rightAfter = "right_after"
            case probabilityBefore = "probability_before"
            case probabilityAfter = "probability_after"
        }

        init(_ label: String?, _ sum: AblationEffects.Sum) {
            let count = Double(max(sum.images, 1))
            (self.label, images, changed) = (label, sum.images, sum.changed)
            (rightBefore, rightAfter) = sum.labelled > 0 ? (sum.rightBefore, sum.rightAfter) : (nil, nil)
            (score, probabilityBefore, probabilityAfter) = (
                sum.score / count, sum.probabilityBefore / count, sum.probabilityAfter / count
            )
        }
    }

    private let neurons: [String]
    private let substitute: String
    private let rows: [Row]
    private let total: Row
    private let flips: [AblationEffects.Flip]
    private let count: Int

    init(_ effects: AblationEffects, neurons: [String], to substitute: String, count: Int) {
        (self.neurons, self.substitute, self.count) = (neurons, substitute, count)
        // The label that loses most first.
        rows = effects.byLabel.map { Row($0.key.isEmpty ? nil : $0.key, $0.value) }.sorted {
            ($0.probabilityAfter - $0.probabilityBefore, $0.label ?? "") < (
                $1.probabilityAfter - $1.probabilityBefore, $1.label ?? ""
            )
        }
        total = Row("all", effects.total.first ?? AblationEffects.Sum())
        flips = effects.flips.sorted {
            ($0.probabilityAfter - $0.probabilityBefore, $0.image) < ($1.probabilityAfter - $1.probabilityBefore, $1.image)
        }
    }

    private enum CodingKeys: String, CodingKey { case neurons, to, labels, all, changed }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(neurons, forKey: .neurons)
        try container.encode(substitute, forKey: .to)
        try container.encode(rows, forKey: .labels)
        try container.encode(total, forKey: .all)
        try container.encode(flips, forKey: .changed)
    }

    private static let columns = [
        "label", "images", "right before", "right after", "answers changed", "score", "probability before", "after",
    ]

    var table: TextTable {
        TextTable(
            columns: Self.columns, shortened: ["label"],
            rows: (rows + (rows.count > 1 ? [total] : [])).map { row in
                [
                    .text(row.label ?? "(no label)"), .value(row.images), row.rightBefore.map { .value($0) } ?? .nothing,
                    row.rightAfter.map { .value($0) } ?? .nothing, .value(row.changed),
                    .number(String(format: "%+.3g", row.score)),
                    .number(Standing.percent(row.probabilityBefore)), .number(Standing.percent(row.probabilityAfter)),
                ]
            })
    }

    /// The images whose answers change, those that lose most first, under a line that counts them; nil where there are none.
    var changes: String? {
        guard !flips.isEmpty else { return nil }
        let heading = "\n\(flips.count == 1 ? "1 answer changes" : "\(flips.count) answers change")"
        return heading + (flips.count > count ? ", of which \(count):\n" : ":\n") + listing.rendered(width: terminalWidth())
    }

    private var listing: TextTable {
        TextTable(
            columns: ["image", "label", "before", "after", "probability before", "after"],
            shortened: ["image", "label", "before", "after"],
            rows: flips.prefix(count).map {
                [
                    .text($0.image), .optional($0.label), .text(Target.shortName($0.before)), .text(Target.shortName($0.after)),
                    .number(Standing.percent($0.probabilityBefore)), .number(Standing.percent($0.probabilityAfter)),
                ]
            })
    }

    var fields: [[String]] {
        [["label", "images", "right_before", "right_after", "changed", "score", "probability_before", "probability_after"]]
            + (rows + [total]).map {
                [
                    $0.label ?? "", "\($0.images)", $0.rightBefore.map { "\($0)" } ?? "", $0.rightAfter.map { "\($0)" } ?? "",
                    "\($0.changed)", "\($0.score)", "\($0.probabilityBefore)", "\($0.probabilityAfter)",
                ]
            }
    }
}

/// Neurons by what the loss of each costs.
struct AblationRanking: Printable {
    private struct Row: Encodable {
        var rank: Int
        var neuron: String
        var images: Int
        var rightBefore: Int
        var rightAfter: Int
        var changed: Int
        var score: Double
        var probabilityBefore: Double
        var probabilityAfter: Double

        enum CodingKeys: String, CodingKey {
            case rank, neuron, images, changed, score
            case rightBefore = "right_before"
            case rightAfter = "right_after"
            case probabilityBefore = "probability_before"
            case probabilityAfter = "probability_after"
        }
    }

    private let rows: [Row]

    init(_ effects: AblationEffects, count: Int) {
        let order = effects.sets.indices.sorted {
            let (a, b) = (effects.total[$0], effects.total[$1])
            return (a.probabilityAfter, a.score, $0) < (b.probabilityAfter, b.score, $1)
        }
        rows = order.prefix(count).enumerated().map { rank, index in
            let sum = effects.total[index]
            let images = Double(max(sum.images, 1))
            return Row(
                rank: rank + 1, neuron: effects.sets[index], images: sum.images, rightBefore: sum.rightBefore,
                rightAfter: sum.rightAfter, changed: sum.changed, score: sum.score / images,
                probabilityBefore: sum.probabilityBefore / images, probabilityAfter: sum.probabilityAfter / images)
        }
    }

    func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    var table: TextTable {
        TextTable(
            columns: [
                "rank", "neuron", "right before", "right after", "answers changed", "score", "probability before", "after",
            ],
            shortened: ["neuron"],
            rows: rows.map {
                [
                    .value($0.rank), .text($0.neuron), .value($0.rightBefore), .value($0.rightAfter), .value($0.changed),
                    .number(String(format: "%+.3g", $0.score)), .number(Standing.percent($0.probabilityBefore)),
                    .number(Standing.percent($0.probabilityAfter)),
                ]
            })
    }

    var fields: [[String]] {
        [
            [
                "rank", "neuron", "images", "right_before", "right_after", "changed", "score", "probability_before",
                "probability_after",
            ]
        ]
            + rows.map {
                [
                    "\($0.rank)", $0.neuron, "\($0.images)", "\($0.rightBefore)", "\($0.rightAfter)", "\($0.changed)",
                    "\($0.score)",
                    "\($0.probabilityBefore)", "\($0.probabilityAfter)",
                ]
            }
    }
}
