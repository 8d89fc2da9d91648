public import Foundation
public import Support

/// What a report says, before it is a page: sections of blocks, each section with its sentence in plain words, and with what is missing.
public struct ReportContent: Sendable {
    public var facts: ReportFacts
    /// What a reader must know who reads one page only.
    public var findings: [Finding]
    public var sections: [ReportSection]
    /// Bytes of the pictures, by the names that galleries give them.
    public var pictures: [String: Data]

    /// Whether every section could be made whole.
    public var isWhole: Bool { sections.allSatisfy { $0.gaps.isEmpty } }
}

/// What is taken as it is when a report is made again: who made it, of what, when, and with which arguments.
public struct ReportFacts: Codable, Equatable, Sendable {
    public var title: String
    public var by: String?
    public var recipient: String?
    /// ISO 8601, UTC.
    public var date: String
    public var host: String
    public var toolVersion: String
    /// Of `neurodex`, defaults spelt out, without the file that is written.
    public var arguments: [String]

    public init(
        title: String, by: String?, recipient: String?, date: String, host: String, toolVersion: String, arguments: [String]
    ) {
        (self.title, self.by, self.recipient, self.date) = (title, by, recipient, date)
        (self.host, self.toolVersion, self.arguments) = (host, toolVersion, arguments)
    }

    enum CodingKeys: String, CodingKey {
        case title, by
        case recipient = "for"
        case date, host
        case toolVersion = "tool_version"
        case arguments
    }
}

/// One sentence for the first page, and the section that says more.
public struct Finding: Encodable, Equatable, Sendable {
    public enum Level: String, Encodable, Sendable {
        /// Something that may be wrong, something to know, and something that was looked for and not found.
        case alarm, notice, good
    }

    public var level: Level
    public var text: String
    /// Filled in by the maker.
    public var section = ""
    /// Shown with it on the first page.
    public var gallery: Gallery?
    /// Whether it would say something else if nothing were missing.
    var isIncomplete = false

    enum CodingKeys: String, CodingKey { case level, text, section, gallery }

    public init(_ level: Level, _ text: String, gallery: Gallery? = nil) {
        (self.level, self.text, self.gallery) = (level, text, gallery)
    }
}

public struct ReportSection: Encodable, Sendable {
    /// Its anchor.
    public var id: String
    public var title: String
    /// In plain words, what the section shows and how to read it.
    public var explanation: String
    public var blocks: [Block] = []
    /// What could not be made, and why, a sentence each.
    public var gaps: [String] = []

    public init(id: String, title: String, explanation: String) {
        (self.id, self.title, self.explanation) = (id, title, explanation)
    }
}

/// A piece of a section.
public struct Block: Sendable, Encodable {
    /// Its anchor, and the name of its files.
    public var id: String
    public var content: Content
    /// Whether it would say something else if nothing were missing; a picture that is missing alone says so itself.
    public var isIncomplete = false

    public enum Content: Sendable {
        case text(String)
        case list([String])
        case table(ReportTable)
        case gallery(Gallery)
        /// Empty fields that people complete: name, and what belongs there.
        case fields([Field])
    }

    public init(_ id: String, _ content: Content, isIncomplete: Bool = false) {
        (self.id, self.content, self.isIncomplete) = (id, content, isIncomplete)
    }

    enum CodingKeys: String, CodingKey { case id, kind, text, items, table, gallery, fields }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        func encode(_ kind: String, _ value: some Encodable, _ key: CodingKeys) throws {
            try container.encode(kind, forKey: .kind)
            try container.encode(value, forKey: key)
        }
        switch content {
        case .text(let text): try encode("text", text, .text)
        case .list(let items): try encode("list", items, .items)
        case .table(let table): try encode("table", table, .table)
        case .gallery(let gallery): try encode("gallery", gallery, .gallery)
        case .fields(let fields): try encode("fields", fields, .fields)
        }
    }
}

/// What a person fills in.
public struct Field: Codable, Equatable, Sendable {
    public var name: String
    public var hint: String

    public init(_ name: String, _ hint: String) { (self.name, self.hint) = (name, hint) }
}

/// Rows in all forms: shown to people, as CSV, and as JSON.
public struct ReportTable: Sendable, Encodable {
    public var caption: String
    /// Said where rows are left out.
    public var note: String?
    public var shown: TextTable
    /// The header first.
    public var fields: [[String]]
    private let encodeRows: @Sendable (any Encoder) throws -> Void

    /// - Parameter limit: rows that are shown; all are written to CSV and JSON.
    public init<Row: TableRow>(_ caption: String, _ rows: [Row], limit: Int = 60) {
        self.init(caption, rows, showing: Array(rows.prefix(limit)), "The first \(limit) of")
    }

    /// - Parameters:
    ///   - some: those that are shown; all are written to CSV and JSON.
    ///   - which: of them these are, as in "The first 20 of", where some are left out.
    public init<Row: TableRow>(_ caption: String, _ rows: [Row], showing some: [Row], _ which: String) {
        self.caption = caption
        shown = Rows(some).table
        fields = Rows(rows).fields
        note = rows.count > some.count ? "\(which) \(rows.count) rows; report.json and the folder's CSV have all." : nil
        encodeRows = { try rows.encode(to: $0) }
    }

    enum CodingKeys: String, CodingKey { case caption, rows }

    private struct AnyRows: Encodable {
        let encodeRows: (any Encoder) throws -> Void
        func encode(to encoder: any Encoder) throws { try encodeRows(encoder) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(caption, forKey: .caption)
        try container.encode(AnyRows(encodeRows: encodeRows), forKey: .rows)
    }
}

/// A name and a value, for tables of facts.
struct Fact: TableRow {
    var name: String
    var value: String

    init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }

    static let columns: [ListColumn<Fact>] = list {
        column("fact", title: "", \.name)
        column("value", title: "", \.value)
    }
}

/// Pictures with what is said of them.
public struct Gallery: Encodable, Equatable, Sendable {
    public struct Picture: Encodable, Equatable, Sendable {
        /// The name of its file; nil where it could not be made.
        public var file: String?
        /// Of the file.
        public var sha256: String?
        public var width: Int
        public var height: Int
        /// What it shows, for those who do not see it.
        public var alternative: String
        /// Under it, a line each; the first stands out.
        public var caption: [String]
    }

    public struct Row: Encodable, Equatable, Sendable {
        public var title: String
        public var note: String?
        public var pictures: [Picture]
    }

    public var caption: String
    public var rows: [Row]
}
