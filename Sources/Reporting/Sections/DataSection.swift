import ActivationStore
import Foundation
import Search
import Support

/// Which images the network was judged on.
struct DataSection: SectionMaker {
    let id = "data"
    let title = "Data"
    let explanation = """
        A figure is about the pictures it was measured on, and about no others. This section says which those were, which files could not be \
        read, and which pictures are in the data twice: a picture that is in two splits makes a network look better than it is.
        """

    private struct Count: TableRow {
        var split: String?
        var label: String?
        var images: Int

        static let columns: [ListColumn<Count>] = list {
            column("split", \.split)
            column("label", \.label)
            column("images", \.images)
        }
    }

    private struct Skipped: TableRow {
        var path: String
        var reason: String

        static let columns: [ListColumn<Skipped>] = list {
            column("file", \.path)
            column("reason", \.reason)
        }
    }

    private struct Copy: TableRow {
        var first: StoredImage
        var second: StoredImage
        var isExact: Bool

        static let columns: [ListColumn<Copy>] = list {
            column("image") { $0.first.path }
            column("split") { $0.first.split }
            column("label") { $0.first.label }
            column("other") { $0.second.path }
            column("other_split", title: "its split") { $0.second.split }
            column("other_label", title: "its label") { $0.second.label }
            column("same") { $0.isExact ? "every byte" : "nearly" }
        }

        var isLeak: Bool { first.split != second.split }
        var isContradiction: Bool { first.label != second.label }
    }

    private struct Entry: TableRow {
        var image: StoredImage

        static let columns: [ListColumn<Entry>] = list {
            column("sha256", \.image.sha256.hexadecimal)
            column("path", \.image.path)
            column("label", \.image.label)
            column("split", \.image.split)
            column("width", \.image.width)
            column("height", \.image.height)
            column("bytes", \.image.bytes)
        }
    }

    func make(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let images = ground.images
        guard !images.isEmpty else {
            section.gaps.append("The store has no image.")
            return [Finding(.alarm, "The store has no image.")]
        }
        section.add("facts", ReportTable("The images", Self.facts(images)))
        let groups = Dictionary(grouping: images) { [$0.split, $0.label] }
        let counts = groups.map { Count(split: $0.key[0], label: $0.key[1], images: $0.value.count) }
            .sorted { ($0.split ?? "", -$0.images, $0.label ?? "") < ($1.split ?? "", -$1.images, $1.label ?? "") }
        section.add("counts", ReportTable("Images by split and label", counts, limit: 40))
        var findings = try skipped(ground, &section)
        findings += try copies(ground, &section)
        section.add(
            "manifest",
            ReportTable("Manifest: every image by the SHA-256 of its file", images.map { Entry(image: $0) }, limit: 12))
        return findings
    }

    private static func facts(_ images: [StoredImage]) -> [Fact] {
        let labelled = images.count { $0.label != nil }
        let formats = Dictionary(grouping: images) { ($0.path as NSString).pathExtension.lowercased() }
            .map { ($0.key.isEmpty ? "no ending" : $0.key, $0.value.count) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        func range(_ values: [Int]) -> String {
            let sorted = values.sorted()
            guard let low = sorted.first, let high = sorted.last else { return "none" }
            return low == high ? "\(low)" : "\(low) to \(high), median \(sorted[sorted.count / 2])"
        }
        return [
            Fact("Images", "\(images.count)"), Fact("Labels", "\(Set(images.compactMap(\.label)).count), on \(labelled) images"),
            Fact(
                "Splits",
                Set(images.compactMap(\.split)).isEmpty
                    ? "none" : Set(images.compactMap(\.split)).sorted().joined(separator: ", ")),
            Fact("Width in pixels", range(images.map(\.width))), Fact("Height in pixels", range(images.map(\.height))),
            Fact("Bytes of a file", range(images.map(\.bytes))),
            Fact("Endings", formats.map { "\($0.0): \($0.1)" }.joined(separator: ", ")),
        ]
    }

    private func skipped(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let files = try ground.store.skipped()
        guard !files.isEmpty else {
            section.add("skipped", .text("No file was skipped: all could be read."))
            return []
        }
        section.add(
            "skipped",
            ReportTable("Files that could not be read", files.map { Skipped(path: $0.path, reason: $0.reason) }, limit: 20))
        return [
            Finding(
                .notice, "\(counted(files.count, "file")) could not be read, and \(files.count == 1 ? "is" : "are") in no figure."
            )
        ]
    }

    private func copies(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Finding] {
        let copies = try pairs(ground, &section)
        guard !copies.isEmpty else {
            section.add(
                "copies",
                .text(
                    "No image is in the data twice, neither exactly nor nearly (to the network's last layer before the scores)."))
            return []
        }
        section.add("copies", ReportTable("Images that are in the data twice", copies, limit: 30))
        let (leaks, contradictions) = (copies.count(where: \.isLeak), copies.count(where: \.isContradiction))
        let exact = copies.count(where: \.isExact)
        section.add(
            "copies-sentence",
            .text(
                "\(counted(exact, "exact copy", "exact copies")) and "
                    + "\(counted(copies.count - exact, "near copy", "near copies")) were found; "
                    + "\(leaks) of these pairs are in two splits, and \(contradictions) have two labels."))
        return leaks == 0
            ? []
            : [
                Finding(
                    .alarm,
                    "\(counted(leaks, "picture is", "pictures are")) in two splits: figures of these splits are not independent.")
            ]
    }

    /// Exact copies and near ones, those of two splits first.
    private func pairs(_ ground: ReportGround, _ section: inout ReportSection) throws -> [Copy] {
        var copies: [Copy] = []
        for group in Dictionary(grouping: ground.images, by: \.sha256).values where group.count > 1 {
            copies += group.dropFirst().map { Copy(first: group[0], second: $0, isExact: true) }
        }
        if ground.images.count <= NearDuplicates.mostImages {
            let byID = Dictionary(uniqueKeysWithValues: ground.images.map { ($0.id, $0) })
            copies += try NearDuplicates(among: ground.images.map(\.id), in: ground.store).pairs.compactMap { pair in
                guard let first = byID[pair.first], let second = byID[pair.second], first.sha256 != second.sha256 else {
                    return nil
                }
                return Copy(first: first, second: second, isExact: false)
            }
        } else {
            section.gaps.append(
                "Near duplicates were not looked for: there are more than \(NearDuplicates.mostImages) images, and every "
                    + "pair would have to be compared."
            )
        }
        return copies.sorted {
            ($0.isLeak ? 0 : 1, $0.isExact ? 0 : 1, $0.first.id, $0.second.id) < (
                $1.isLeak ? 0 : 1, $1.isExact ? 0 : 1, $1.first.id, $1.second.id
            )
        }
    }
}
