import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import Search
import Support

/// Whether neurons tell a label by a fixed place of the picture.
struct ShortcutsSection: SectionMaker {
    let id = "shortcuts"
    let title = "Shortcuts"
    let explanation = """
        A network may be right for a wrong reason: a watermark, a price tag, a frame that comes with one label. Such a mark is in the same place \
        of many pictures, and an animal is not. So neurons were looked for that tell a label and have their maximum in one place of the \
        picture far more often than chance and other images explain.
        """

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let mapped = ground.description.layers.filter { $0.height >= 4 && $0.width >= 4 }
        let neurons = mapped.reduce(0) { $0 + $1.channels }
        let asked = ShortcutsQuery(kind: [.place], auroc: 0.75, share: 0.8, rate: 0.05, count: 20)
        let hits = try asked.run(in: ground.store)
        section.add("test", Self.tested(asked, neurons: neurons, layers: mapped.count, of: ground.description.neuronCount))
        section.add(hits.remarks)
        guard let first = hits.first else {
            return nothingFound(hits.remarks, neurons: neurons, &section)
        }
        section.add("found", ReportTable("Shortcuts that were found, the clearest first", hits.hits))
        let labels = Set(hits.map(\.label)).sorted()
        let units = hits.reduce(0) { $0 + 1 + $1.copies.count }
        let gallery = try Self.gallery(ground, Array(hits.prefix(3)), named: "shortcut")
        section.add("pictures", gallery)
        let marks = try marks(ground, first)
        if !marks.isEmpty { section.add("marks", .list(marks)) }
        let front = Gallery(caption: gallery.caption, rows: Array(gallery.rows.prefix(1)))
        let start = "A shortcut was found for \(labels.joined(separator: ", ")): \(counted(units, "neuron")) tell it by one "
        return [Finding(.alarm, start + Self.sentences(first, marks), gallery: front)]
    }

    /// What is said of the clearest shortcut, behind how many there are.
    private static func sentences(_ first: ShortcutsQuery.Hit, _ marks: [String]) -> String {
        "place of the picture. "
            + "\(first.neuronText) has its maximum \(place(first)) on \(percent(first.share)) of the images of "
            + "\(first.label), "
            + "where \(percent(first.expected)) would be expected (AUROC \(String(format: "%.3f", first.auroc)), "
            + "q \(String(format: "%.2g", first.q))). "
            + (marks.isEmpty ? "Look at what is there in the pictures below." : marks.joined(separator: " "))
    }

    private static func tested(_ asked: ShortcutsQuery, neurons: Int, layers: Int, of all: Int) -> ReportTable {
        ReportTable(
            "What was tested",
            [
                Fact(
                    "Neurons",
                    "\(neurons) of \(all): those with a map of 4 × 4 cells and more, in \(counted(layers, "layer"))"),
                Fact("A neuron tells a label", "AUROC of \(asked.auroc) and more against all other labels"),
                Fact("A place", "the corners, the border, or one spot of a quarter's height and width"),
                Fact(
                    "Named are",
                    "neurons with \(percent(asked.share)) of a label's maxima in the place, at a false discovery "
                        + "rate of \(percent(asked.rate)) (Benjamini and Hochberg; binomial tail against other "
                        + "images and the area)"
                ),
                Fact("Cannot be found so", "what has no fixed place: of it, marks and tints are looked for in the next section"),
            ])
    }

    /// That nothing was found is good news only of labels that could be searched.
    private func nothingFound(_ remarks: [Remark], neurons: Int, _ section: inout ReportSection) -> [Finding] {
        for case .fewImages(let few, let all, let fewest, _, _, _) in remarks {
            guard few < all else {
                section.add("found", .text("No label could be searched."))
                return [
                    Finding(
                        .notice,
                        "Shortcuts could not be looked for: all \(counted(all, "label")) have fewer than \(fewest) images.")
                ]
            }
            section.add(
                "found", .text("No shortcut was found for \(all - few) of \(all) labels; the others have too few images."))
            return [
                Finding(
                    .notice,
                    "No shortcut was found for \(all - few) of \(all) labels; the other \(few) have fewer than \(fewest) images "
                        + "and could not be searched.")
            ]
        }
        section.add("found", .text("No shortcut was found."))
        return [
            Finding(
                .good,
                "No shortcut was found: of \(neurons) neurons, none tells a label by a fixed place of the picture.")
        ]
    }

    /// On how many images of the label the neuron is strongest on something that the user has boxes of, a sentence each.
    private func marks(_ ground: ReportGround, _ hit: ShortcutsQuery.Hit) throws -> [String] {
        guard let path = ground.options.truth,
            let layer = ground.description.layers.first(where: { $0.name == hit.layer }), layer.receptiveField != nil
        else { return [] }
        let all = try TopQuery(neurons: [hit.neuronText], count: 1_000_000, condition: "label = \(Spelling.sql(hit.label))").run(
            in: ground.store)
        let known = Dictionary(uniqueKeysWithValues: ground.images.map { ($0.id, $0) })
        return try ground.options.marks.map { prefix, name in
            let table = try BoxTable(contentsOf: path, prefix: prefix)
            var (asked, on) = (0, 0)
            for one in all {
                guard let image = known[one.imageID], let file = ground.archive.files.file(of: image) else { continue }
                let boxes = table.rows(of: file).compactMap(\.box)
                let seen = ground.field(of: layer, y: one.y, x: one.x, in: Size(width: image.width, height: image.height))
                let (x, y) = (seen.x + seen.width / 2, seen.y + seen.height / 2)
                guard !boxes.isEmpty else { continue }
                asked += 1
                if boxes.contains(where: { $0.x <= x && x <= $0.x + $0.width && $0.y <= y && y <= $0.y + $0.height }) { on += 1 }
            }
            return
                "On \(on) of \(asked) images of \(hit.label) that have a \(name), the middle of what it sees lies on the \(name)."
        }
    }

    private static func place(_ hit: ShortcutsQuery.Hit) -> String {
        switch hit.place {
        case .corner: "in the corners"
        case .border: "on the border"
        case .spot: "in one spot"
        case .anywhere: "on one patch of pixels"
        case .everywhere: "of one tint"
        }
    }

    private static func note(_ hit: ShortcutsQuery.Hit) -> String {
        switch hit.place.kind {
        case .place: "\(percent(hit.share)) of its maxima \(place(hit)), expected \(percent(hit.expected))"
        case .mark: "\(percent(hit.share)) of its maxima \(place(hit)), and \(percent(hit.expected)) on other images"
        case .tint: "\(percent(hit.share)) of the images \(place(hit)), and \(percent(hit.expected)) of others"
        }
    }

    static func gallery(_ ground: ReportGround, _ hits: [ShortcutsQuery.Hit], named name: String) throws -> Gallery {
        var rows: [Gallery.Row] = []
        for (number, hit) in hits.enumerated() {
            let top = try TopQuery(neurons: [hit.neuronText], count: 6, condition: "label = \(Spelling.sql(hit.label))").run(
                in: ground.store)
            let pictures = try top.enumerated().map { index, one in
                let caption = [
                    "\(hit.label)", String(format: "activation %.4g", Double(one.value)),
                    fileName(one.image),
                ]
                return try ground.picture(
                    SheetPlan.Picture(
                        imageID: one.imageID, path: one.image, note: "", label: nil,
                        place: .init(layer: one.layer, channel: one.channel, y: one.y, x: one.x)),
                    named: "\(name)-\(number + 1)-\(index + 1)", isWhole: true, side: 96,
                    alternative:
                        "\(caption[2]), of \(hit.label); a frame marks what \(hit.neuronText) sees where it is strongest",
                    caption: caption)
            }
            rows.append(
                Gallery.Row(
                    title: "\(hit.neuronText) tells \(hit.label)",
                    note: note(hit),
                    pictures: pictures))
        }
        return Gallery(caption: "What these neurons see: the frame is the part of the picture behind their maximum", rows: rows)
    }
}

extension NeuronRow {
    /// `LAYER:CHANNEL`.
    var neuronText: String { "\(layer):\(channel)" }
}
