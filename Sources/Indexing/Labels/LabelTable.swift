import ActivationStore
import Foundation
import Support

/// Labels and splits of files, as a table has them.
struct LabelTable {
    private struct Row {
        var file: String
        var label: String?
        var split: String?
        var line: Int
    }

    private let path: String
    /// What the rows say of images.
    private var what = "label"
    private let rows: [Row]
    /// By the file's plain name, in order.
    private var index: [Substring: [Int]] = [:]

    /// Nil for a text that is no table: its name does not say so, and its first line has not the columns.
    /// - Throws: `UnreadableText`; `DatasetError.labelColumns` for a table without them.
    init?(_ text: String, path: String) throws {
        let isNamedSo = ["csv", "tsv", "tab"].contains((path as NSString).pathExtension.lowercased())
        let first = String(text.prefix { !$0.isNewline })
        guard isNamedSo || (try? Table(first)).flatMap({ Columns($0) }) != nil else { return nil }
        let table = try Table(text)
        guard let columns = Columns(table) else { throw DatasetError.labelColumns(path: path, found: table.header) }
        self.init(table, columns, path: path)
    }

    /// With another column for the label.
    init(_ table: Table, file: Int, label: Int, path: String) {
        self.init(table, Columns(file: file, label: label), path: path)
        what = table.header[label].trimmingCharacters(in: .whitespaces)
    }

    private init(_ table: Table, _ columns: Columns, path: String) {
        self.init(
            path: path,
            rows: table.rows.compactMap { row in
                row.cell(columns.file).map { file in
                    Row(file: file, label: row.cell(columns.label), split: row.cell(columns.split), line: row.line)
                }
            })
    }

    /// Of names of files alone, which are to be found among images: in the order in which a text has them, with their lines.
    init(names: [(file: String, line: Int)], path: String) {
        self.init(path: path, rows: names.map { Row(file: $0.file, label: "", split: nil, line: $0.line) })
    }

    private init(path: String, rows: [Row]) {
        (self.path, self.rows) = (path, rows)
        for (number, row) in rows.enumerated() {
            index[Substring(FilePlace.plain(row.file)), default: []].append(number)
            guard row.file.contains("\\") else { continue }
            index[Substring(FilePlace.plain(row.file.replacingOccurrences(of: "\\", with: "/"))), default: []].append(number)
        }
    }

    private struct Columns {
        var file: Int
        var label: Int
        var split: Int?

        init(file: Int, label: Int) { (self.file, self.label) = (file, label) }

        init?(_ table: Table) {
            guard let file = table.fileColumn,
                let label = table.column(
                    "label", "class", "category", "labels", "class_name", "label_name", "classname", "target")
            else { return nil }
            (self.file, self.label, split) = (file, label, table.column("split", "subset", "set", "partition"))
        }
    }

    /// The row of each image, by its number; nil where none names it.
    /// - Throws: as ``edits(of:in:)``.
    func places(of paths: [String], in folder: String) throws -> ([Int?], LabelReport) {
        let (chosen, matching) = try choose(paths, in: folder)
        return (chosen, report(paths, chosen, matching))
    }

    /// What the table says of each image, and how it fits them.
    /// - Parameter folder: that relative paths start from: absolute.
    /// - Throws: `DatasetError.noLabelMatches` where it names none of them.
    func edits(of paths: [String], in folder: String) throws -> ([LabelEdit], LabelReport) {
        let (chosen, matching) = try choose(paths, in: folder)
        let edits = chosen.map { number in
            guard let number else { return LabelEdit() }
            return LabelEdit(label: .set(rows[number].label), split: rows[number].split.map { .set($0) } ?? .kept)
        }
        return (edits, report(paths, chosen, matching))
    }

    private func choose(_ paths: [String], in folder: String) throws -> ([Int?], Matching) {
        var matching = Matching(rows: rows.count)
        var chosen = paths.map { path in
            matching.choose(among: candidates(FilePlace.full(path, in: folder)), for: path) {
                isSame($0, FilePlace.full(path, in: folder))
            }
        }
        matchByLinks(paths, in: folder, &chosen, &matching)
        guard chosen.contains(where: { $0 != nil }) else {
            throw DatasetError.noLabelMatches(path: path, example: rows.first?.file ?? "nothing")
        }
        return (chosen, matching)
    }

    /// Groups of rows whose names a full path ends in, the longest name first. So a name is looked up for each folder of the path, and
    /// not for each row of the table.
    private func candidates(_ path: String) -> [[Int]] {
        var groups: [[Int]] = []
        if let whole = index[Substring(path)] { groups.append(whole) }
        var rest = path[...]
        while let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) {
            rest = rest[rest.utf8.index(after: slash)...]
            if let group = index[rest] { groups.append(group) }
        }
        return groups
    }

    /// Whether a row names a file by the same bytes, and not only by the same letters (é may be one character, or two).
    private func isSame(_ row: Int, _ path: String) -> Bool {
        let (name, path) = (FilePlace.plain(rows[row].file).utf8, path.utf8)
        let shared = min(name.count, path.count)
        return name.suffix(shared).elementsEqual(path.suffix(shared))
    }

    /// Full names that lead to images over links.
    private func matchByLinks(_ paths: [String], in folder: String, _ chosen: inout [Int?], _ matching: inout Matching) {
        let left = rows.indices.filter { matching.uses[$0] == 0 && rows[$0].file.hasPrefix("/") }
        guard !left.isEmpty else { return }
        var places: [String: [Int]] = [:]
        for number in left {
            if let place = FilePlace.real(rows[number].file) { places[place, default: []].append(number) }
        }
        guard !places.isEmpty else { return }
        for (item, path) in paths.enumerated() where chosen[item] == nil {
            guard let group = FilePlace.real(FilePlace.full(path, in: folder)).flatMap({ places[$0] }) else { continue }
            chosen[item] = matching.choose(among: [group], for: path) { _ in true }
        }
    }

    private func report(_ paths: [String], _ chosen: [Int?], _ matching: Matching) -> LabelReport {
        var report = LabelReport(table: path, images: paths.count, what: what)
        for (item, number) in chosen.enumerated() {
            guard let number else {
                report.unnamed.add("'\(paths[item])'")
                continue
            }
            if rows[number].label == nil { report.empty.add("'\(rows[number].file)' (line \(rows[number].line))") }
        }
        for (number, row) in rows.enumerated() {
            switch (matching.uses[number], matching.rivals[number]) {
            case (0, nil): report.idle.add("'\(row.file)' (line \(row.line))")
            case (0, let rival?):
                let other = rows[rival.row]
                if (other.label, other.split) == (row.label, row.split) {
                    report.repeated.add("'\(rival.image)' (lines \(other.line) and \(row.line))")
                } else {
                    report.contradicted.add(
                        "'\(rival.image)' is \(text(other.label)) (line \(other.line)), and not \(text(row.label)) (line \(row.line))"
                    )
                }
            case (1, _): break
            default: report.shared.add("'\(row.file)' (line \(row.line)) of \(matching.uses[number]) images")
            }
        }
        return report
    }

    private func text(_ label: String?) -> String { label.map { "'\($0)'" } ?? "without a \(what)" }
}

extension Table {
    /// The column that names files.
    var fileColumn: Int? { Self.fileColumn(of: header) }

    /// However capitals and spaces are written.
    static func fileColumn(of header: [String]) -> Int? {
        let found = header.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        let names = [
            "file", "path", "filename", "file_name", "filepath", "file_path", "image", "image_path", "images", "img", "image_id",
        ]
        return names.lazy.compactMap { found.firstIndex(of: $0) }.first
    }
}

/// Which rows were taken for images, and which were not because another was.
private struct Matching {
    /// By row: images that have its label.
    var uses: [Int]
    /// By row: an image that it names too, and the row that was taken.
    var rivals: [(row: Int, image: String)?]
    /// First rows of the groups whose rivals are known: as the group of the longest name, and as another one.
    private var settledBest: Set<Int> = []
    private var settled: Set<Int> = []

    init(rows: Int) {
        uses = [Int](repeating: 0, count: rows)
        rivals = [(row: Int, image: String)?](repeating: nil, count: rows)
    }

    /// The row that counts for an image: of the first group, the first that `isSame` holds for, or the first.
    mutating func choose(among groups: [[Int]], for image: String, isSame: (Int) -> Bool) -> Int? {
        guard let best = groups.first, let row = best.count == 1 ? best[0] : best.first(where: isSame) ?? best.first else {
            return nil
        }
        uses[row] += 1
        // Once for each group: it may be of as many rows as there are images. Rows of the same name are the nearest rivals.
        if settledBest.insert(best[0]).inserted {
            for other in best where other != row { rivals[other] = (row, image) }
        }
        for group in groups.dropFirst() where settled.insert(group[0]).inserted {
            for other in group where rivals[other] == nil { rivals[other] = (row, image) }
        }
        return row
    }
}
