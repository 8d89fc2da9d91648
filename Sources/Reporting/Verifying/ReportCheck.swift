import Foundation
import Pages
import Search
import Support

/// A report that was made, beside the same report made again.
public struct ReportCheck {
    /// What the report says of how it was made.
    public let facts: ReportFacts
    private let page: String
    /// Of a folder, all its files.
    private let files: [String: Data]?

    /// What came of it.
    public struct Outcome: Equatable, Sendable {
        /// Sections that are the same, by title.
        public var agree: [String] = []
        /// What differs, a sentence each.
        public var differ: [String] = []
        /// What cannot be made now, a sentence each.
        public var notMade: [String] = []
    }

    /// Nil for what is no report.
    public init?(path: String) {
        let inFolder = path + "/report.html"
        let isFolder = FileManager.default.fileExists(atPath: inFolder)
        let file = isFolder ? inFolder : path
        guard isFolder || Self.isPage(path), let data = FileManager.default.contents(atPath: file) else { return nil }
        let page = String(decoding: data, as: UTF8.self)
        guard let facts = Self.facts(in: page) else { return nil }
        (self.page, self.facts) = (page, facts)
        files = isFolder ? Self.files(below: path) : nil
    }

    /// Reports begin so; nothing more is read of a store.
    private static func isPage(_ path: String) -> Bool {
        // A pipe would be waited for.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let type = try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType
        guard type == .typeRegular, let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let start = (try? file.read(upToCount: 15)) ?? Data()
        return start.elementsEqual("<!doctype html>".utf8)
    }

    private static func facts(in page: String) -> ReportFacts? {
        guard let start = page.range(of: "<footer data-report=\"", options: .backwards) else { return nil }
        let rest = page[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return try? JSONDecoder().decode(ReportFacts.self, from: Data(PageTokens.unescaped(String(rest[..<end])).utf8))
    }

    private static func files(below folder: String) -> [String: Data] {
        var files: [String: Data] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? FileManager.DirectoryEnumerator() {
            if let data = FileManager.default.contents(atPath: folder + "/" + name) { files[name] = data }
        }
        return files
    }

    /// Compares section by section, block by block, text by text.
    /// - Parameter again: made anew with the report's own arguments and facts.
    public func outcome(_ again: ReportContent, card: ModelCard) throws -> Outcome {
        let old = PageTokens(page)
        let new = PageTokens(try ReportPage(again, pictures: files == nil ? .inline : .files).document.text)
        var outcome = Outcome()
        let titles = Dictionary(again.sections.map { ($0.id, $0.title) }) { first, _ in first }
        for section in Self.sections(old, new) {
            let title =
                titles[section]
                ?? (section.isEmpty ? "the page around the sections" : section == "summary" ? "In short" : section)
            var comparison = PartComparison(title: title)
            let made = again.sections.first { $0.id == section }
            let parts = Set(old.order + new.order).filter { $0.section == section }.sorted { $0.block < $1.block }
            // Where pictures or files are missing now, their blocks cannot be compared, and sentences about them differ.
            let hasGaps = made.map { !$0.gaps.isEmpty } ?? (section == "summary" && !again.isWhole)
            for part in parts {
                let isIncomplete = made?.blocks.first { $0.id == part.block }?.isIncomplete ?? false
                let isAbsent = new.parts[part] == nil
                let canExcuse = hasGaps && (isIncomplete || isAbsent || part.block.isEmpty)
                comparison.compare(old.parts[part] ?? [], new.parts[part] ?? [], block: part.block, isExcused: canExcuse)
            }
            outcome.differ += comparison.differences
            if comparison.isExcused {
                let reasons = made?.gaps ?? ["what it names could not be made"]
                outcome.notMade.append("\(title): \(reasons.joined(separator: " "))")
            } else if comparison.differences.isEmpty {
                outcome.agree.append(title)
            }
        }
        if let files { try compare(files, try ReportFolder(again, card: card).files, isWhole: again.isWhole, &outcome) }
        return outcome
    }

    private static func sections(_ old: PageTokens, _ new: PageTokens) -> [String] {
        var seen: Set<String> = []
        return (new.order + old.order).map(\.section).filter { seen.insert($0).inserted }
    }

    private func compare(_ old: [String: Data], _ new: [String: Data], isWhole: Bool, _ outcome: inout Outcome) throws {
        for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] && name != "report.html" {
            // What depends on files that are missing now; the page's blocks have said which.
            guard isWhole else {
                outcome.notMade.append("\(name): it cannot be made whole again")
                continue
            }
            switch (old[name], new[name]) {
            case (nil, _): outcome.differ.append("\(name) is missing from the folder")
            case (_, nil): outcome.differ.append("\(name) is no part of the report")
            case (let one?, let other?):
                let lines = Self.firstDifference(one, other)
                outcome.differ.append("\(name): \(lines)")
            }
        }
    }

    private static func firstDifference(_ one: Data, _ other: Data) -> String {
        guard let old = String(data: one, encoding: .utf8), let new = String(data: other, encoding: .utf8) else {
            return "other bytes than made anew"
        }
        let (oldLines, newLines) = (
            old.split(separator: "\n", omittingEmptySubsequences: false),
            new.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for index in 0..<max(oldLines.count, newLines.count) {
            let (a, b) = (index < oldLines.count ? oldLines[index] : "", index < newLines.count ? newLines[index] : "")
            if a != b {
                return
                    "line \(index + 1) says '\(PartComparison.short(String(a)))', made anew it is "
                    + "'\(PartComparison.short(String(b)))'"
            }
        }
        return "other bytes than made anew"
    }
}

/// Compares the pieces of a block, and says what differs.
struct PartComparison {
    let title: String
    private(set) var differences: [String] = []
    private(set) var isExcused = false

    /// Of one section as many are listed.
    private static let most = 20

    init(title: String) { self.title = title }

    mutating func compare(_ old: [String], _ new: [String], block: String, isExcused: Bool) {
        guard old != new else { return }
        if isExcused {
            self.isExcused = true
            return
        }
        let place = block.isEmpty ? title : "\(title), \(block)"
        var (removed, inserted) = ([(at: Int, text: String)](), [(at: Int, text: String)]())
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, let element, _): removed.append((offset, element))
            case .insert(let offset, let element, _): inserted.append((offset, element))
            }
        }
        for index in 0..<max(removed.count, inserted.count) {
            guard differences.count < Self.most else {
                differences.append("\(title): and more")
                return
            }
            let was = index < removed.count ? Self.words(removed[index].text) : nil
            let now = index < inserted.count ? Self.words(inserted[index].text) : nil
            let context = index < removed.count ? Self.context(old, before: removed[index].at) : ""
            let sentence =
                switch (was, now) {
                case (let was?, let now?): "\(place)\(context): the report says \(was), made anew it is \(now)"
                case (let was?, nil): "\(place)\(context): the report says \(was), made anew it is not there"
                case (nil, let now?): "\(place): the report lacks \(now)"
                case (nil, nil): place
                }
            differences.append(sentence)
        }
    }

    /// What stands before it in the row of a table.
    private static func context(_ tokens: [String], before index: Int) -> String {
        guard
            let row = tokens[..<index].lastIndex(where: { $0.hasPrefix("<tr") || $0.hasPrefix("<p") || $0.hasPrefix("<figure") }),
            tokens[row].hasPrefix("<tr")
        else { return "" }
        let words = tokens[row..<index].filter { !$0.hasPrefix("<") }.prefix(2).map(PageTokens.unescaped)
        return words.isEmpty ? "" : " (\(words.joined(separator: " ")))"
    }

    /// A text in quotes; of a tag, what it is.
    private static func words(_ token: String) -> String {
        guard token.hasPrefix("<") else { return "'\(short(PageTokens.unescaped(token)))'" }
        if token.hasPrefix("<img") {
            return "a picture (\(short(PageTokens.value("alt", in: token) ?? "")))"
        }
        return "'\(short(PageTokens.unescaped(token)))'"
    }

    static func short(_ text: String) -> String {
        let line = text.replacing("\n", with: " ").trimmingCharacters(in: .whitespaces)
        return line.count > 90 ? line.prefix(87) + "…" : line
    }
}
