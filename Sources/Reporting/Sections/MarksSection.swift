import Explanations
import Foundation
import Search
import Support

/// Whether neurons tell a label by a mark that moves about, or by a tint. It is looked for in the pictures.
struct MarksSection: SectionMaker {
    let id = "marks"
    let title = "Marks and tints"
    let explanation = """
        A mark that comes with one label may be anywhere in the picture, and yet always looks the same: a sticker, a stamp. A \
        tint is the same all over the picture: another camera, another scanner. So what neurons see where they are strongest \
        was compared, picture by picture, and so were the colours of the pictures' parts.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let asked = ShortcutsQuery(auroc: 0.75, share: 0.8, rate: 0.05, count: 20)
        section.add("test", test(asked))
        let all = try asked.looking { ground.pictures.given }.run(in: ground.store)
        let unseen = all.remarks.compactMap { remark -> String? in
            guard case .notSeen = remark else { return nil }
            return "\(remark)"
        }
        section.gaps += unseen.map { $0 + "." }
        let hits = all.filter { $0.place.kind != .place }
        guard let first = hits.first else { return [nothingFound(all.remarks, isComplete: unseen.isEmpty, &section)] }
        let table = ReportTable("Marks and tints that were found, the clearest first", hits)
        section.add("found", table, isIncomplete: !unseen.isEmpty)
        let gallery = try ShortcutsSection.gallery(ground, Array(hits.prefix(3)), named: "mark")
        section.add("pictures", .gallery(gallery), isIncomplete: !unseen.isEmpty)
        var finding = Finding(
            .alarm, Self.sentence(hits, first), gallery: Gallery(caption: gallery.caption, rows: Array(gallery.rows.prefix(1))))
        finding.isIncomplete = !unseen.isEmpty
        return [finding]
    }

    private func test(_ asked: ShortcutsQuery) -> ReportTable {
        ReportTable(
            "What was tested",
            [
                Fact(
                    "Pictures", "at most 60 of a label, of at most 64 labels that neurons tell (AUROC of \(asked.auroc) and more)"
                ),
                Fact(
                    "A mark",
                    "one patch of pixels at a neuron's maxima, on \(percent(asked.share)) of the label's pictures "
                        + "that the patch was not "
                        + "made of, and on at most 5 % of others"
                ),
                Fact(
                    "A tint",
                    "the colour of three quarters of 4 × 4 parts tells the label, on \(percent(asked.share)) of its pictures, "
                        + "and on at most 20 % of others"
                ),
                Fact("Named are", "those found at a false discovery rate of \(percent(asked.rate)) (Fisher's exact test)"),
                Fact(
                    "Cannot be found so",
                    "a faint or transparent mark, one that changes its size, a background that comes with a label"),
            ])
    }

    private func nothingFound(_ remarks: [Remark], isComplete: Bool, _ section: inout ReportSection) -> Finding {
        var few: (few: Int, all: Int, fewest: Int)?
        for case .fewImages(let count, let all, let fewest, _, _, _) in remarks {
            few = (count, all, max(fewest, few?.fewest ?? 0))
        }
        var finding: Finding
        if let few, few.few >= few.all {
            finding = Finding(
                .notice,
                "Marks that move about and tints could not be looked for: all \(counted(few.all, "label")) have "
                    + "fewer than \(few.fewest) "
                    + "images.")
        } else if let few {
            finding = Finding(
                .notice,
                "No mark that moves about and no tint was found for \(few.all - few.few) of \(counted(few.all, "label")); "
                    + "the others have fewer than "
                    + "\(few.fewest) images and could not be searched.")
        } else if isComplete {
            finding = Finding(.good, "No mark that moves about and no tint was found.")
        } else {
            finding = Finding(.notice, "Marks that move about and tints could not be looked for on all pictures.")
        }
        section.add("found", .text(finding.text), isIncomplete: !isComplete)
        finding.isIncomplete = !isComplete
        return finding
    }

    private static func sentence(_ hits: [ShortcutsQuery.Hit], _ first: ShortcutsQuery.Hit) -> String {
        let labels = Set(hits.map(\.label)).sorted().joined(separator: ", ")
        let (share, expected) = (percent(first.share), percent(first.expected))
        let kind = first.place.kind == .tint ? "A tint" : "A mark that moves about"
        let evidence =
            first.place.kind == .tint
            ? "\(share) of the images of \(first.label) have it all over, and \(expected) of others; "
                + "\(first.neuronText) tells the label "
            : "\(first.neuronText) has its maximum on the same patch of pixels on \(share) of the images of "
                + "\(first.label), and on "
                + "\(expected) of others "
        return "\(kind) was found for \(labels): " + evidence
            + "(AUROC \(String(format: "%.3f", first.auroc)), q \(String(format: "%.2g", first.q))). "
            + "Look at what is there in the pictures below."
    }
}
