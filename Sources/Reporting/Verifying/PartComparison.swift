import Foundation

/// Compares the pieces of a block, and says what differs.
struct PartComparison {
    let title: String
    private(set) var differences: [String] = []

    /// Of one section as many are listed.
    private static let most = 20

    init(title: String) { self.title = title }

    /// Pieces in a part of a report times those in the other, up to which it is looked for which of them differ.
    private static let mostWork = 200_000_000

    mutating func compare(_ old: [String], _ new: [String], block: String) {
        guard old != new else { return }
        let place = block.isEmpty ? title : "\(title), \(block)"
        var (removed, inserted) = ([(at: Int, text: String)](), [(at: Int, text: String)]())
        guard old.count.multipliedReportingOverflow(by: max(new.count, 1)).partialValue <= Self.mostWork else {
            differences.append("\(place): the report has \(old.count) pieces, made anew it has \(new.count)")
            return
        }
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
