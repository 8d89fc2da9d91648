import Explanations
import Images
import Support

/// Explanations as they are listed.
struct ExplanationTable: Printable {
    private struct Entry: Encodable {
        var image: String
        var model: String
        var target: String
        var value: Float
        var method: String
        /// None of a map that is the same everywhere.
        var peakY: Int?
        var peakX: Int?
        /// x, y, width, height in the network's input frame.
        var boxes: [[Double]]
        var isHit: Bool?
        var evidence: Double?
        var segment: Finding.Segment?
        var checks: MapChecks?

        enum CodingKeys: String, CodingKey {
            case image, model, target, value, method
            case peakY = "peak_y"
            case peakX = "peak_x"
            case boxes
            case isHit = "hit"
            case evidence, segment, checks
        }

        init(_ explanation: Explanation, _ finding: Finding, model: String) {
            (image, target, value) = (explanation.image, explanation.target.text, explanation.value)
            (method, self.model) = (explanation.method, model)
            (peakY, peakX) = (explanation.map.peak?.y, explanation.map.peak?.x)
            boxes = explanation.boxes.map { [$0.x, $0.y, $0.width, $0.height] }
            (isHit, evidence) = (finding.isHit, finding.evidence)
            (segment, checks) = (finding.segment, explanation.checks)
        }
    }

    private var entries: [Entry] = []
    private let findings: FindingsOptions

    init(answers: [Answer], findings: FindingsOptions) {
        self.findings = findings
        for answer in answers { add(answer) }
    }

    mutating func add(_ answer: Answer) {
        entries += zip(answer.models, zip(answer.explanations, answer.findings)).map { Entry($1.0, $1.1, model: $0) }
    }

    func encode(to encoder: any Encoder) throws { try entries.encode(to: encoder) }

    /// What there is beside what all have: a name, and each entry's text.
    private var extras: [(name: String, text: (Entry) -> String)] {
        var extras: [(String, (Entry) -> String)] = []
        if findings.truth != nil {
            extras.append(("in box", { $0.isHit.map { $0 ? "yes" : "no" } ?? "" }))
            extras.append(("evidence", { $0.evidence.map { FindingsOptions.percent([$0]) } ?? "" }))
        }
        if findings.isSegmented {
            extras.append(("segment", { $0.segment.map { "\(($0.share * 1000).rounded() / 10) %" } ?? "" }))
        }
        if findings.isSegmented, findings.truth != nil {
            extras.append(("IoU", { $0.segment?.iou.map { "\(($0 * 1000).rounded() / 1000)" } ?? "" }))
        }
        if findings.check { extras.append(("checks", { $0.checks?.verdict ?? "" })) }
        return extras
    }

    var table: TextTable {
        let extras = extras
        return TextTable(
            columns: ["image", "model", "target", "value", "method", "peak y", "x"] + extras.map(\.name), shortened: ["image"],
            rows: entries.map { entry in
                [
                    .text(entry.image), .text(entry.model), .text(entry.target), .value(entry.value), .text(entry.method),
                    entry.peakY.map { .value($0) } ?? .text(""), entry.peakX.map { .value($0) } ?? .text(""),
                ] + extras.map { .text($0.text(entry)) }
            })
    }

    var fields: [[String]] {
        let extras = extras
        return [["image", "model", "target", "value", "method", "peak_y", "peak_x"] + extras.map(\.name)]
            + entries.map { entry in
                [
                    entry.image, entry.model, entry.target, "\(entry.value)", entry.method,
                    entry.peakY.map { "\($0)" } ?? "", entry.peakX.map { "\($0)" } ?? "",
                ] + extras.map { $0.text(entry) }
            }
    }
}
