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

/// What the images of a label lose without the neurons, or all of them without one neuron.
struct AblationRow: Encodable {
    var rank: Int?
    var neuron: String?
    /// Nil of images without one.
    var label: String?
    let images: Int
    /// Nil where the label is no class.
    let rightBefore: Int?
    let rightAfter: Int?
    let changed: Int
    /// Mean of the score without less the score with the neurons.
    let score: Double
    let probabilityBefore: Double
    let probabilityAfter: Double

    enum CodingKeys: String, CodingKey {
        case rank, neuron, label, images, changed, score
        case rightBefore = "right_before"
        case rightAfter = "right_after"
        case probabilityBefore = "probability_before"
        case probabilityAfter = "probability_after"
    }

    /// - Parameter isJudged: whether any answer could have been right.
    init(_ sum: AblationEffects.Sum, isJudged: Bool) {
        let count = Double(max(sum.images, 1))
        (images, changed) = (sum.images, sum.changed)
        (rightBefore, rightAfter) = isJudged ? (sum.rightBefore, sum.rightAfter) : (nil, nil)
        score = sum.score / count
        (probabilityBefore, probabilityAfter) = (sum.probabilityBefore / count, sum.probabilityAfter / count)
    }

    static let columns = ["right before", "right after", "answers changed", "score", "probability before", "after"]

    /// Under `columns`.
    var cells: [TextTable.Cell] {
        [
            rightBefore.map { .value($0) } ?? .nothing, rightAfter.map { .value($0) } ?? .nothing, .value(changed),
            .number(String(format: "%+.3g", score)), .number(ClassRanking.percent(probabilityBefore)),
            .number(ClassRanking.percent(probabilityAfter)),
        ]
    }

    static let names = ["images", "right_before", "right_after", "changed", "score", "probability_before", "probability_after"]

    /// Under `names`.
    var fields: [String] {
        ["\(images)", rightBefore.map { "\($0)" } ?? "", rightAfter.map { "\($0)" } ?? "", "\(changed)", "\(score)"]
            + ["\(probabilityBefore)", "\(probabilityAfter)"]
    }
}

/// What the answers of each label lose without the neurons, and which change.
struct AblationTable: Printable {
    private let neurons: [String]
    private let substitute: String
    private let rows: [AblationRow]
    private let total: AblationRow
    private let flips: [AblationEffects.Flip]
    private let count: Int

    init(_ effects: AblationEffects, neurons: [String], to substitute: String, count: Int) {
        (self.neurons, self.substitute, self.count) = (neurons, substitute, count)
        // The label that loses most first.
        rows = effects.byLabel.map { Self.row($0.key.isEmpty ? nil : $0.key, $0.value) }.sorted {
            ($0.probabilityAfter - $0.probabilityBefore, $0.label ?? "") < (
                $1.probabilityAfter - $1.probabilityBefore, $1.label ?? ""
            )
        }
        total = Self.row("all", effects.total.first ?? AblationEffects.Sum())
        flips = effects.flips.sorted {
            ($0.probabilityAfter - $0.probabilityBefore, $0.image) < ($1.probabilityAfter - $1.probabilityBefore, $1.image)
        }
    }

    private static func row(_ label: String?, _ sum: AblationEffects.Sum) -> AblationRow {
        var row = AblationRow(sum, isJudged: sum.labelled > 0)
        row.label = label
        return row
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

    var table: TextTable {
        TextTable(
            columns: ["label", "images"] + AblationRow.columns, shortened: ["label"],
            rows: (rows + (rows.count > 1 ? [total] : [])).map {
                [.text($0.label ?? "(no label)"), .value($0.images)] + $0.cells
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
                    .number(ClassRanking.percent($0.probabilityBefore)), .number(ClassRanking.percent($0.probabilityAfter)),
                ]
            })
    }

    var fields: [[String]] { [["label"] + AblationRow.names] + (rows + [total]).map { [$0.label ?? ""] + $0.fields } }
}

/// Neurons by what the loss of each costs.
struct AblationRanking: Printable {
    private let rows: [AblationRow]

    init(_ effects: AblationEffects, count: Int) {
        let order = effects.sets.indices.sorted {
            let (a, b) = (effects.total[$0], effects.total[$1])
            return (a.probabilityAfter, a.score, $0) < (b.probabilityAfter, b.score, $1)
        }
        rows = order.prefix(count).enumerated().map { rank, index in
            var row = AblationRow(effects.total[index], isJudged: true)
            (row.rank, row.neuron) = (rank + 1, effects.sets[index])
            return row
        }
    }

    func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    private func place(_ row: AblationRow) -> (rank: Int, neuron: String) { (row.rank ?? 0, row.neuron ?? "") }

    var table: TextTable {
        TextTable(
            columns: ["rank", "neuron"] + AblationRow.columns, shortened: ["neuron"],
            rows: rows.map { [.value(place($0).rank), .text(place($0).neuron)] + $0.cells })
    }

    var fields: [[String]] {
        [["rank", "neuron"] + AblationRow.names] + rows.map { ["\(place($0).rank)", place($0).neuron] + $0.fields }
    }
}
