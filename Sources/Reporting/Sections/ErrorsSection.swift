import ActivationStore
import Foundation
import Search
import Support

/// Where it is wrong: errors that it was sure of, and labels that are likely wrong themselves.
struct ErrorsSection: SectionMaker {
    let id = "errors"
    let title = "Errors and doubtful labels"
    let explanation = """
        Errors that the network was sure of come first: nobody is warned of these. Some may be right answers to a wrong label, \
        so labels that are likely wrong are listed too, with what correcting them would change. A person has to look at each.
        """

    private struct Wrong: TableRow {
        var image: String
        var label: String
        var answer: String
        var probability: Double

        static let columns: [ListColumn<Wrong>] = list {
            column("image", \.image).shown { .text(fileName($0.image)) }
            column("label", \.label)
            column("answer", \.answer)
            column("probability", title: "sure %", \.probability).shown { .number(String(format: "%.1f", 100 * $0.probability)) }
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let known = Dictionary(uniqueKeysWithValues: ground.images.map { ($0.id, $0) })
        let wrong = try ground.store.answerProbabilities().filter { !$0.isRight }
            .sorted { ($1.confidence, $0.id) < ($0.confidence, $1.id) }
        let rows = wrong.compactMap { one -> Wrong? in
            guard let image = known[one.id], let label = image.label else { return nil }
            return Wrong(image: image.path, label: label, answer: ground.answer(image) ?? "", probability: one.confidence)
        }
        if rows.isEmpty {
            section.add("none", .text("No labelled image was answered wrongly."))
        } else {
            section.add("confident", ReportTable("Wrong answers, the surest first", rows, limit: 12))
            let pictures = try zip(wrong, rows).prefix(6).enumerated().map { index, pair in
                try ground.picture(
                    SheetPlan.Picture(imageID: pair.0.id, path: pair.1.image, note: "", label: nil), named: "wrong-\(index + 1)",
                    isWhole: true, side: 132,
                    alternative: "\(fileName(pair.1.image)), labelled \(pair.1.label), answered \(pair.1.answer)",
                    caption: [
                        "\(pair.1.answer) \(percent(pair.1.probability))", "label: \(pair.1.label)", fileName(pair.1.image),
                    ])
            }
            section.add("pictures", Gallery(caption: "The surest wrong answers", rows: [.init(title: "", pictures: pictures)]))
        }
        let sure = rows.count { $0.probability >= 0.9 }
        var findings =
            sure == 0 ? [] : [Finding(.notice, "\(counted(sure, "wrong answer was", "wrong answers were")) 90 % sure and more.")]
        findings += try suspects(ground, &section)
        return findings
    }

    private func suspects(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let suspects: Findings<SuspectsQuery.Hit>
        do {
            suspects = try SuspectsQuery(layer: nil, count: 100_000).run(in: ground.store)
        } catch let error as QueryError {
            section.gaps.append("Labels were not judged: \(error).")
            return []
        }
        let remarks = suspects.remarks
        if !remarks.isEmpty { section.add("judges", .list(remarks.map { "\($0)." })) }
        guard !suspects.isEmpty else { return [] }
        section.add("suspects", ReportTable("Labels that are likely wrong, the most suspect first", suspects.hits, limit: 12))
        let known = Dictionary(uniqueKeysWithValues: ground.judged.map { ($0.id, $0) })
        let right = ground.judged.count(where: ground.isRight)
        let mended = suspects.count { hit in
            known[hit.imageID].map { !ground.isRight($0) && ground.answer($0) == hit.suggested } == true
        }
        guard let now = Proportion.of(right, in: ground.judged.count),
            let then = Proportion.of(right + mended, in: ground.judged.count)
        else { return [] }
        section.add(
            "effect",
            .text(
                "If every suggested label were right, \(mended) of these answers would be too, and accuracy would be "
                    + "\(percent(then.share)) instead of "
                    + "\(percent(now.share)). That is the most that corrected labels can change, not what they will."))
        return [Finding(.notice, "\(counted(suspects.count, "label is", "labels are")) doubtful, to be looked at by a person.")]
    }
}
