import Explanations
import Foundation
import Images
import Search

/// What is listed and said of explanations whose maps are gone.
struct ExplanationTally<Method: ExplanationMethod> {
    private let method: Method
    /// The network's input.
    private let frame: Size
    private(set) var table: ExplanationTable
    private(set) var truth = TruthTally()
    private var mapNotes: Set<String> = []
    private var (empty, boxless): ([(String, String)], [(String, String)]) = ([], [])
    private var spread: [String] = []
    private(set) var count = 0

    init(of method: Method, _ findings: FindingsOptions, frame: Size) {
        (self.method, self.frame) = (method, frame)
        table = ExplanationTable(answers: [], findings: findings)
    }

    mutating func add(_ answer: Answer) throws {
        count += 1
        table.add(answer)
        try truth.add(answer)
        for explanation in answer.explanations {
            let name = "\(explanation.image), \(explanation.target.text)"
            if let note = explanation.map.note { mapNotes.insert(note) }
            if let reason = explanation.map.emptiness { empty.append((name, reason)) }
            if let reason = method.reasonForNoBox(of: explanation.map, in: frame) { boxless.append((name, reason)) }
        }
        spread += answer.findings.compactMap(\.spread)
    }

    /// What a reader must know, a sentence each.
    var notes: [String] { mapNotes.sorted() + Remarks.gathered(empty) + Remarks.gathered(boxless) + spread }
}

/// How many maxima are in boxes, and how much of the evidence.
struct TruthTally {
    private var game = PointingGame()
    private var shares: [Double] = []
    private var images = 0
    /// Those that the table of boxes does not name.
    private var (unknown, example) = (0, "")

    mutating func add(_ answer: Answer) throws {
        images += 1
        for (explanation, finding) in zip(answer.explanations, answer.findings) {
            try game.add(explanation.map, boxes: finding.truth, in: answer.subject.framed.placement)
        }
        shares += answer.findings.compactMap(\.evidence)
        guard answer.findings.contains(where: \.isUnknown) else { return }
        if unknown == 0 { example = answer.subject.name }
        unknown += 1
    }

    /// Beside what pointing at the middle or at random would come to.
    /// - Parameter table: the file of boxes.
    func sentences(of table: String) -> [String] {
        let gap =
            unknown == 0 ? [] : ["'\(table)' has no row for \(unknown) of \(images) images, such as \(example)"]
        guard let center = game.centerShare, let chance = game.chance else {
            return gap + ["no box is in the frame of any image"]
        }
        let points = String(
            format: "%d of %d maxima in a box; the picture's middle: %.0f %%, at random: %.0f %%", game.hits, game.asked,
            100 * center, 100 * chance)
        let empty = game.empty == 0 ? "" : "; \(game.empty) of the maps \(game.empty == 1 ? "has" : "have") no maximum"
        let evidence =
            shares.isEmpty
            ? [] : ["\(FindingsOptions.percent(shares)) of the evidence in boxes, the mean of \(shares.count) maps"]
        return gap + [points + empty] + evidence
    }
}
