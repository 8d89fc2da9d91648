import Foundation

/// What a report made again cannot have where files are missing now: it is taken out of both, and all else has to be equal.
enum MissingNow {
    /// A part of both reports, without what cannot be compared.
    struct Pair {
        var old: [String]
        var new: [String]
    }

    private static let picture = "a picture"

    /// Without the paragraphs that say what is missing.
    static func withoutGaps(_ tokens: [String]) -> [String] {
        var kept: [String] = []
        var isGap = false
        for token in tokens {
            if token == "<p class=\"gap\">" { isGap = true }
            if !isGap { kept.append(token) }
            if token == "</p>" { isGap = false }
        }
        return kept
    }

    /// The sentences of these paragraphs.
    static func gaps(_ tokens: [String]) -> [String] {
        tokens.indices.filter { tokens[$0] == "<p class=\"gap\">" }.map { start in
            tokens[start...].prefix { $0 != "</p>" }.filter { !$0.hasPrefix("<") }.map(PageTokens.unescaped).joined()
        }
    }

    /// Without the pictures whose files are missing now; what is said under them stays. Nil where there are more or fewer pictures.
    static func withoutMissingPictures(_ pair: Pair) -> Pair? {
        let (old, new) = (figures(pair.old), figures(pair.new))
        guard old.count == new.count else { return nil }
        var result = pair
        for (one, other) in zip(old, new).reversed() {
            guard let gone = shown(pair.new, other), pair.new[gone.lowerBound] == "<p class=\"missing\">",
                let there = shown(pair.old, one)
            else { continue }
            result.new.replaceSubrange(gone, with: [picture])
            result.old.replaceSubrange(there, with: [picture])
        }
        return result
    }

    private static func figures(_ tokens: [String]) -> [Range<Int>] {
        tokens.indices.filter { tokens[$0] == "<figure>" }.map { start in
            start..<(tokens[start...].firstIndex(of: "</figure>") ?? tokens.endIndex)
        }
    }

    /// What is shown in a figure: a picture, or the paragraph that says that it is missing.
    private static func shown(_ tokens: [String], _ figure: Range<Int>) -> Range<Int>? {
        let start = figure.lowerBound + 1
        guard figure.contains(start) else { return nil }
        if tokens[start].hasPrefix("<img ") { return start..<start + 1 }
        guard tokens[start] == "<p class=\"missing\">", let end = tokens[start..<figure.upperBound].firstIndex(of: "</p>") else {
            return nil
        }
        return start..<end + 1
    }
}

/// The findings of a report's first page, by the section that each links to.
struct FindingTokens {
    /// What stands around them.
    private(set) var frame: [String] = []
    private(set) var findings: [(section: String, tokens: [String])] = []

    init(_ tokens: [String]) {
        var current: [String]?
        for token in tokens {
            if token.hasPrefix("<li") { current = [] }
            guard current != nil else {
                frame.append(token)
                continue
            }
            current?.append(token)
            guard token == "</li>", let finding = current else { continue }
            let link = finding.last { $0.hasPrefix("<a ") }.flatMap { PageTokens.value("href", in: $0) }
            findings.append((String((link ?? "").drop { $0 == "#" }), finding))
            current = nil
        }
        frame += current ?? []
    }
}
