import Foundation

/// A page of ours in pieces: tags and texts, by the section and block that they stand in.
struct PageTokens {
    /// Where a piece stands: a section's or a block's anchor; empty for the frame around all sections.
    struct Part: Hashable {
        var section: String
        var block: String
    }

    private(set) var parts: [Part: [String]] = [:]
    /// In the page's order.
    private(set) var order: [Part] = []

    /// - Parameter text: markup as ``ReportPage`` writes it: no < or > stands within a tag's values or a text.
    init(_ text: String) {
        var part = Part(section: "", block: "")
        // Elements that are open within the section and the block.
        var (sectionDepth, blockDepth) = (0, 0)
        for token in Self.pieces(text) {
            let name = Self.name(of: token)
            if name == "section" {
                part = Part(section: Self.value("id", in: token) ?? "?", block: "")
                sectionDepth += 1
            } else if name == "div" {
                if blockDepth > 0 {
                    blockDepth += 1
                } else if let block = Self.value("id", in: token) {
                    part.block = block
                    blockDepth = 1
                }
            }
            add(token, to: part)
            if name == "/div", blockDepth > 0 {
                blockDepth -= 1
                if blockDepth == 0 { part.block = "" }
            } else if name == "/section" {
                sectionDepth -= 1
                if sectionDepth <= 0 { (part, blockDepth) = (Part(section: "", block: ""), 0) }
            }
        }
    }

    private mutating func add(_ token: String, to part: Part) {
        if parts[part] == nil { order.append(part) }
        parts[part, default: []].append(token)
    }

    /// Tags as they are, and texts between them.
    private static func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "<") {
            if open > rest.startIndex { pieces.append(String(rest[..<open])) }
            let close = rest[open...].firstIndex(of: ">") ?? rest.index(before: rest.endIndex)
            pieces.append(String(rest[open...close]))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(String(rest)) }
        return pieces
    }

    /// `section`, `/section`; nil of a text.
    private static func name(of token: String) -> String? {
        guard token.hasPrefix("<") else { return nil }
        return String(token.dropFirst().prefix { $0 != " " && $0 != ">" })
    }

    /// The value of a tag's attribute, unescaped.
    static func value(_ attribute: String, in token: String) -> String? {
        guard let start = token.range(of: " \(attribute)=\"") else { return nil }
        let rest = token[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return unescaped(String(rest[..<end]))
    }

    static func unescaped(_ text: String) -> String {
        text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"").replacing(
            "&#39;", with: "'"
        )
        .replacing("&amp;", with: "&")
    }
}
