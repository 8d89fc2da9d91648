import Foundation
import Search
import Support

/// Makes one section; what it cannot make, it says in the section's gaps, or throws, which becomes one.
protocol SectionMaker: Sendable {
    var id: String { get }
    var title: String { get }
    var explanation: String { get }
    /// - Returns: what belongs on the first page.
    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding]
}

/// The sections, in the order of the report.
let sectionMakers: [any SectionMaker] = [
    IdentitySection(), DataSection(), AccuracySection(), CalibrationSection(), GroupsSection(), ErrorsSection(),
    ShortcutsSection(), MarksSection(), NeuronsSection(), ExplanationsSection(), ChangesSection(), IdleNeuronsSection(),
    LimitsSection(), PeopleSection(),
]

extension ReportSection {
    mutating func add(_ name: String, _ content: Block.Content, isIncomplete: Bool = false) {
        blocks.append(Block(id + "-" + name, content, isIncomplete: isIncomplete))
    }

    mutating func add(_ name: String, _ table: ReportTable, isIncomplete: Bool = false) {
        add(name, .table(table), isIncomplete: isIncomplete)
    }

    mutating func add(_ name: String, _ gallery: Gallery) { add(name, .gallery(gallery)) }

    mutating func add(_ remarks: [Remark]) {
        if !remarks.isEmpty { add("remarks", .list(remarks.map { "\($0)." })) }
    }
}

/// "98.3 % (59 of 60; 95 % interval 91.1 to 99.7 %)".
func inWords(_ share: Proportion) -> String {
    "\(percent(share.share)) (\(share.count) of \(share.total); 95 % interval \(tenths(share.low)) to \(percent(share.high)))"
}

func percent(_ share: Double) -> String { tenths(share) + " %" }

private func tenths(_ share: Double) -> String {
    ((share * 1000).rounded() / 10).shortText
}

func counted(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number) \(number == 1 ? one : many ?? one + "s")"
}

func fileName(_ path: String) -> String { (path as NSString).lastPathComponent }
