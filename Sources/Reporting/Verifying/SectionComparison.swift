import Foundation

/// A section of a report beside the same made again.
struct SectionComparison {
    private(set) var comparison: PartComparison
    /// What could not be compared, a few words each.
    private(set) var unchecked: [String] = []

    private let old: PageTokens
    private let new: PageTokens

    /// - Parameter made: made again; nil of what is no section, and of one that is there no more.
    init(_ id: String, title: String, _ old: PageTokens, _ new: PageTokens, made: ReportSection?) {
        (self.old, self.new, comparison) = (old, new, PartComparison(title: title))
        let gaps = made?.gaps ?? []
        for part in Set(old.order + new.order).filter({ $0.section == id }).sorted(by: { $0.block < $1.block }) {
            let pair = MissingNow.Pair(old: old.parts[part] ?? [], new: new.parts[part] ?? [])
            if gaps.isEmpty {
                compare(pair, block: part.block)
            } else if part.block.isEmpty {
                compareFrame(pair, gaps: gaps)
            } else {
                compareBlock(pair, part.block, made?.blocks.first { $0.id == part.block })
            }
        }
    }

    private mutating func compare(_ pair: MissingNow.Pair, block: String) {
        comparison.compare(pair.old, pair.new, block: block)
    }

    /// Title, explanation and what is missing: other files may be missing now than were then.
    private mutating func compareFrame(_ pair: MissingNow.Pair, gaps: [String]) {
        compare(MissingNow.Pair(old: MissingNow.withoutGaps(pair.old), new: MissingNow.withoutGaps(pair.new)), block: "")
        let (before, now) = (MissingNow.gaps(pair.old), MissingNow.gaps(pair.new))
        guard before != now else { return }
        unchecked += gaps.filter { gap in !before.contains { $0.hasSuffix(gap) } }
        unchecked += before.filter { !now.contains($0) }.map { "the report says '\(PartComparison.short($0))'" }
    }

    private mutating func compareBlock(_ pair: MissingNow.Pair, _ name: String, _ block: Block?) {
        // What was made of files that are missing now is another, or is not there.
        guard let block, !block.isIncomplete, !pair.old.isEmpty, let rest = MissingNow.withoutMissingPictures(pair) else {
            if pair.old != pair.new { unchecked.append("\(name) was not compared") }
            return
        }
        compare(rest, block: name)
    }

    /// The first page's findings: those of sections that are whole have to be equal, those of others as far as they are made again.
    /// - Parameter sections: made again.
    mutating func compareFindings(_ pair: MissingNow.Pair, of sections: [ReportSection], _ findings: [Finding]) {
        let (before, now) = (FindingTokens(pair.old), FindingTokens(pair.new))
        let gapped = sections.filter { !$0.gaps.isEmpty }
        compare(MissingNow.Pair(old: MissingNow.withoutGaps(before.frame), new: MissingNow.withoutGaps(now.frame)), block: "")
        let names = Set(gapped.map(\.id))
        func whole(_ tokens: FindingTokens) -> [String] {
            tokens.findings.filter { !names.contains($0.section) }.flatMap(\.tokens)
        }
        compare(MissingNow.Pair(old: whole(before), new: whole(now)), block: "")
        for section in gapped {
            func own(_ tokens: FindingTokens) -> [String] {
                tokens.findings.filter { $0.section == section.id }.flatMap(\.tokens)
            }
            let pair = MissingNow.Pair(old: own(before), new: own(now))
            let isComplete = !findings.contains { $0.section == section.id && $0.isIncomplete }
            if isComplete, pair.old.isEmpty == pair.new.isEmpty, let rest = MissingNow.withoutMissingPictures(pair) {
                compare(rest, block: "")
            } else if pair.old != pair.new {
                unchecked.append("what it says of '\(section.title)' was not compared")
            }
        }
    }
}
