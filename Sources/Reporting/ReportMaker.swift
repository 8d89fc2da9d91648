public import ActivationStore
public import Explanations
import Foundation
import Images
import Search
import Support

/// Makes the content of a report from a store, its images and its network.
public struct ReportMaker {
    private let store: Store
    private let archive: ExplanationArchive
    private let folder: String?
    private let options: ReportOptions

    /// - Parameters:
    ///   - archive: of the store; it keeps nothing, so that a report does not change what it is about.
    ///   - images: where images that have moved are now.
    public init(_ store: Store, _ archive: ExplanationArchive, images: String?, _ options: ReportOptions) {
        (self.store, self.archive, folder, self.options) = (store, archive, images, options)
    }

    /// Every section says what it could not make; none is left out.
    /// - Throws: ``StoreError`` where not even the images can be listed.
    public func make(_ facts: ReportFacts) throws -> ReportContent {
        let ground = try ReportGround(store, archive, folder: folder, options)
        var content = ReportContent(facts: facts, findings: [], sections: [], pictures: [:])
        for maker in sectionMakers {
            var section = ReportSection(id: maker.id, title: maker.title, explanation: maker.explanation)
            let before = ground.missing.count
            let findings = try Activity.run("making the report: \(maker.title.lowercased())") {
                do {
                    return try maker.make(ground, &section)
                } catch let error where !(error is CancellationError) {
                    section.gaps.append("This could not be made: \(error).")
                    return []
                }
            }
            let gone = ground.missing.dropFirst(before)
            if let example = gone.first {
                section.gaps.append(
                    "\(counted(gone.count, "picture")) could not be shown, such as \(example): the file has gone or "
                        + "changed since it was indexed."
                )
            }
            content.findings += findings.map { finding in
                var finding = finding
                finding.section = maker.id
                return finding
            }
            content.sections.append(section)
        }
        // What may be wrong comes first; then in the order of the sections.
        content.findings = content.findings.filter { $0.level == .alarm } + content.findings.filter { $0.level != .alarm }
        content.pictures = ground.files
        return content
    }
}
