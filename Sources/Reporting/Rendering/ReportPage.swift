public import Foundation
import Pages
import Search
import Support

/// A report as one page that loads nothing: for the screen, and for paper.
public struct ReportPage {
    /// Where pictures are: in the page, or in files beside it.
    public enum Pictures { case inline, files }

    let content: ReportContent
    let pictures: Pictures

    public init(_ content: ReportContent, pictures: Pictures = .inline) { (self.content, self.pictures) = (content, pictures) }

    /// What holds the facts in the page.
    static let factsAttribute = "data-report"
    /// The folder of pictures beside the page.
    static let pictureFolder = "pictures"

    var document: Document {
        get throws {
            let facts = try Self.json(content.facts)
            var document = Document(
                title: content.facts.title, kind: "report", assets: .inline(scripts: []), style: ReportStyle.text
            ) {
                HTML(.main) {
                    cover
                    summary
                    contents
                    content.sections.enumerated().map { section($1, number: $0 + 1) }
                    HTML(.footer, Attribute("data-report", facts)) {
                        HTML(.p) { "Made by neurodex \(content.facts.toolVersion) on \(content.facts.date) with" }
                        HTML(.pre) { Spelling.line(["neurodex"] + content.facts.arguments) }
                        HTML(.p) {
                            "Whoever has the store, the network and the pictures can make every number and figure again "
                                + "and compare:"
                        }
                        HTML(.pre) { "neurodex verify report.html" }
                    }
                }
            }
            document.hasFilesBeside = pictures == .files
            return document
        }
    }

    /// As a file.
    public func data() throws -> Data { Data(try document.text.utf8) }

    static func json(_ facts: ReportFacts) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(facts), as: UTF8.self)
    }

    private var cover: HTML {
        HTML(.header, .class("cover")) {
            HTML(.p, .class("kicker")) { "Model report" }
            HTML(.h1) { content.facts.title }
            HTML(.p, .class("made")) {
                [
                    content.facts.by.map { "by \($0)" }, content.facts.recipient.map { "for \($0)" },
                    content.facts.date.split(separator: "T").first.map(String.init), "neurodex \(content.facts.toolVersion)",
                    content.facts.host,
                ].compactMap { $0 }.joined(separator: " · ")
            }
        }
    }

    private var summary: HTML {
        HTML(.section, .id("summary"), .class("summary")) {
            HTML(.h2) { "In short" }
            HTML(.ul, .class("findings")) {
                content.findings.map { finding in
                    HTML(.li, .class(finding.level.rawValue)) {
                        HTML(.p) {
                            HTML(.b) { finding.level.word + " " }
                            finding.text + " "
                            HTML(.a, .href(.fragment(finding.section))) { title(of: finding.section) }
                        }
                        finding.gallery.map(gallery)
                    }
                }
            }
            if !content.isWhole {
                HTML(.p, .class("gap")) {
                    "Some of it could not be made; the sections say what, and why: "
                        + content.sections.filter { !$0.gaps.isEmpty }.map(\.title).joined(separator: ", ") + "."
                }
            }
        }
    }

    private func title(of section: String) -> String { content.sections.first { $0.id == section }?.title ?? section }

    private var contents: HTML {
        HTML(.nav, .class("contents"), .label("Contents")) {
            HTML(.h2) { "Contents" }
            HTML(.ol) {
                content.sections.map { section in HTML(.li) { HTML(.a, .href(.fragment(section.id))) { section.title } } }
            }
        }
    }

    private func section(_ section: ReportSection, number: Int) -> HTML {
        HTML(.section, .id(section.id)) {
            HTML(.h2) { "\(number)  \(section.title)" }
            HTML(.p, .class("explanation")) { section.explanation }
            section.gaps.map { gap in
                HTML(.p, .class("gap")) {
                    HTML(.b) { "Missing. " }
                    gap
                }
            }
            section.blocks.map { block in HTML(.div, .class("block"), .id(block.id)) { body(of: block) } }
        }
    }

    private func body(of block: Block) -> HTML {
        switch block.content {
        case .text(let text): HTML(.p) { text }
        case .list(let items): HTML(.ul) { items.map { item in HTML(.li) { item } } }
        case .table(let table): self.table(table)
        case .gallery(let gallery): self.gallery(gallery)
        case .fields(let fields): self.fields(fields)
        }
    }

    private func table(_ table: ReportTable) -> HTML {
        let isFacts = table.shown.columns.allSatisfy(\.isEmpty)
        return HTML {
            HTML(.table, .class(isFacts ? "facts" : "rows")) {
                HTML(.caption) { table.caption }
                if !isFacts {
                    HTML(.thead) { HTML(.tr) { heads(table.shown) } }
                }
                HTML(.tbody) { table.shown.rows.map { row(of: $0, isFact: isFacts) } }
            }
            table.note.map { note in HTML(.p, .class("note")) { note } }
        }
    }

    private func heads(_ table: TextTable) -> [HTML] {
        table.columns.enumerated().map { index, name in
            let isNumber = table.rows.contains { if case .number = $0[index] { true } else { false } }
            return HTML(.th, Attribute("scope", "col"), isNumber ? .class("number") : nil) {
                name.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    private func row(of cells: [TextTable.Cell], isFact: Bool) -> HTML {
        HTML(.tr) {
            cells.enumerated().map { index, cell -> HTML in
                switch cell {
                case .text(let text) where isFact && index == 0: HTML(.th, Attribute("scope", "row")) { text }
                // Broken anywhere: a path or a hash has no better place.
                case .text(let text): HTML(.td, Self.isLong(text) ? .class("long") : nil) { text }
                case .number(let text): HTML(.td, .class("number")) { text }
                case .nothing: HTML(.td) { "–" }
                }
            }
        }
    }

    private static func isLong(_ text: String) -> Bool { text.split(separator: " ").contains { $0.count > 24 } }

    private func gallery(_ gallery: Gallery) -> HTML {
        HTML(.div, .class("gallery")) {
            HTML(.p, .class("caption")) { gallery.caption }
            gallery.rows.map { row in
                HTML(.div, .class("strip")) {
                    if !row.title.isEmpty {
                        HTML(.h3) {
                            row.title
                            row.note.map { note in HTML(.small) { "  " + note } }
                        }
                    }
                    HTML(.div, .class("pictures")) { row.pictures.map(picture) }
                }
            }
        }
    }

    private func picture(_ picture: Gallery.Picture) -> HTML {
        HTML(.figure) {
            if let address = address(picture) {
                HTML(.img, .src(address), .alt(picture.alternative), .width(picture.width), .height(picture.height))
            } else {
                HTML(.p, .class("missing")) { picture.alternative }
            }
            HTML(.figcaption) {
                picture.caption.enumerated().map { index, line in index == 0 ? HTML(.b) { line } : HTML(.span) { line } }
            }
        }
    }

    private func address(_ picture: Gallery.Picture) -> Address? {
        guard let file = picture.file, let data = content.pictures[file] else { return nil }
        switch pictures {
        case .inline: return .data(type: "image/png", base64: data.base64EncodedString())
        case .files: return .beside(Self.pictureFolder, file)
        }
    }

    private func fields(_ fields: [Field]) -> HTML {
        HTML(.dl, .class("fields")) {
            fields.map { field in
                HTML {
                    HTML(.dt) {
                        field.name
                        HTML(.small) { "  " + field.hint }
                    }
                    HTML(.dd) { "" }
                }
            }
        }
    }
}

extension HTML {
    /// Pieces without an element around them.
    init(@HTMLBuilder pieces: () -> HTML) { self = pieces() }
}

extension Finding.Level {
    /// Before its sentence: not everybody sees a colour.
    var word: String {
        switch self {
        case .alarm: "Look at this."
        case .notice: "Know this."
        case .good: "Nothing found."
        }
    }
}

/// The style of reports.
enum ReportStyle {
    static let text = String(decoding: PackageResources.report_css, as: UTF8.self)
}
