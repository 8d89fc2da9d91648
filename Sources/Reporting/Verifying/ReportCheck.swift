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
        guard Self.isPage(file), let data = FileManager.default.contents(atPath: file) else { return nil }
        let page = String(decoding: data, as: UTF8.self)
        guard let facts = Self.facts(in: page) else { return nil }
        (self.page, self.facts) = (page, facts)
        files = isFolder ? Self.files(below: path) : nil
    }

    /// Reports begin so; nothing more is read of a store.
    private static func isPage(_ path: String) -> Bool {
        guard isRegular(path), let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let start = (try? file.read(upToCount: 15)) ?? Data()
        return start.elementsEqual("<!doctype html>".utf8)
    }

    /// A pipe would be waited for.
    private static func isRegular(_ path: String) -> Bool {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return (try? FileManager.default.attributesOfItem(atPath: real)[.type] as? FileAttributeType) == .typeRegular
    }

    private static func facts(in page: String) -> ReportFacts? {
        guard let start = page.range(of: "<footer data-report=\"", options: .backwards) else { return nil }
        let rest = page[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return try? JSONDecoder().decode(ReportFacts.self, from: Data(PageTokens.unescaped(String(rest[..<end])).utf8))
    }

    /// By name; of what is no file, such as a pipe, no bytes.
    private static func files(below folder: String) -> [String: Data] {
        var files: [String: Data] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? FileManager.DirectoryEnumerator() {
            let path = folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { continue }
            files[name] = isRegular(path) ? FileManager.default.contents(atPath: path) ?? Data() : Data()
        }
        return files
    }

    /// Compares section by section, block by block, text by text. Where files are missing now, only what was made of them is passed over.
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
            let isSummary = section == "summary" && !again.isWhole
            var compared = SectionComparison(
                isSummary ? "" : section, title: title, isSummary ? PageTokens("") : old, isSummary ? PageTokens("") : new,
                made: again.sections.first { $0.id == section })
            if isSummary {
                let part = PageTokens.Part(section: section, block: "")
                compared.compareFindings(
                    MissingNow.Pair(old: old.parts[part] ?? [], new: new.parts[part] ?? []), of: again.sections, again.findings)
            }
            outcome.differ += compared.comparison.differences
            if !compared.unchecked.isEmpty {
                outcome.notMade.append("\(title): \(compared.unchecked.joined(separator: "; "))")
            } else if compared.comparison.differences.isEmpty {
                outcome.agree.append(title)
            }
        }
        if let files { try FolderComparison(old: files, again, card).compare(&outcome) }
        return outcome
    }

    private static func sections(_ old: PageTokens, _ new: PageTokens) -> [String] {
        var seen: Set<String> = []
        return (new.order + old.order).map(\.section).filter { seen.insert($0).inserted }
    }
}
