import ActivationStore
import Foundation
import Pages
import Search
import Support

extension Explorer {
    /// A page with the bar at its top.
    func document(_ page: Answer, as form: PageForm = .served) throws -> Document {
        if form != .served { return try fileDocument(page, as: form) }
        let body = try page.body()
        return Document(
            title: "\(page.title) · neurodex", kind: "page page-\(page.kind)", assets: ServedAssets.document(kind: page.kind)
        ) {
            HTML(.a, .class("skip"), .href(.fragment("main"))) { "To the answer" }
            bar(kind: page.kind)
            HTML(.main, .id("main")) {
                HTML(.div, .class("head")) {
                    Self.headline(page)
                    if let address = page.address { tools(page, address) }
                }
                body
            }
            HTML(.div, .id("keys"), .hidden) {
                for key in page.keys { HTML(.a, Attribute("data-key", key.name), .href(key.address)) { key.name } }
            }
        }
    }

    private func bar(kind: String) -> HTML {
        let shown = ["contrast", "suspects", "shortcuts", "sql"]
        let questions = commands.questions.map { $0.name }.filter(shown.contains).map { ($0, Self.title(of: $0), Address($0)) }
        let places =
            [("overview", "Overview", Address()), ("images", "Images", Address("images"))] + questions
            + [
                ("explanations", "Explanations", Address("explanations")), ("review", "Review", Address("review")),
                ("drop", "Drop", Address("drop")),
            ] + (others.isEmpty ? [] : [("diff", "Diff", Address("diff"))])
        return HTML(.header, .class("bar")) {
            HTML(.a, .class("brand"), .href(Address())) { "neurodex" }
            HTML(.nav, .label("Pages")) {
                for (name, title, address) in places {
                    HTML(.a, .href(address), name == kind ? Attribute("aria-current", "page") : nil) { title }
                }
            }
            if !others.isEmpty { storeChoice() }
            HTML(.form, Attribute("action", Address("find")), Attribute("role", "search")) {
                HTML(
                    .input, .type("search"), .name("text"), .label("Find layers, neurons, classes, labels and images"),
                    Attribute("placeholder", "Find a layer, conv4:17, a class, an image"), Attribute("autocomplete", "off"))
            }
        }
    }

    static func title(of question: String) -> String {
        question == "sql" ? "SQL" : question.prefix(1).uppercased() + question.dropFirst()
    }

    private func tools(_ page: Answer, _ address: Address) -> HTML {
        func format(_ ending: String) -> Address {
            var other = address
            other.query.removeAll { Wanted.isOfPage($0.name) }
            if other.path.isEmpty { other.path = ["." + ending] } else { other.path[other.path.count - 1] += "." + ending }
            return other
        }
        return HTML(.div, .class("tools")) {
            HTML(.button, .type("button"), Attribute("data-copy-link"), .hidden) { "Copy link" }
            HTML(.button, .type("button"), Attribute("data-copy", page.command), .title(page.command), .hidden) { "Copy command" }
            HTML(.a, .class("button"), .href(format("json"))) { "JSON" }
            if page.text == nil { HTML(.a, .class("button"), .href(format("csv"))) { "CSV" } }
            HTML(.a, .class("button"), .href(format("html")), .title("This page as one file, with its pictures")) { "File" }
            HTML(.noscript) { HTML(.code) { page.command } }
        }
    }

    func remarks(_ remarks: [Remark]) -> HTML {
        HTML(remarks.map { remark in HTML(.p, .class("note")) { remark.description } })
    }

    static func field(
        _ title: String, _ name: String, _ value: String?, type: String = "text", hint: String = "", isLong: Bool = false
    ) -> HTML {
        HTML(.label, isLong ? .class("long") : nil) {
            title
            HTML(
                .input, .type(type), .name(name), .value(value ?? ""), Attribute("placeholder", hint),
                Attribute("autocomplete", "off"), Attribute("spellcheck", "false"))
        }
    }

    static func choice(_ title: String, _ name: String, _ value: String?, _ values: [(String, String)]) -> HTML {
        HTML(.label) {
            title
            HTML(.select, .name(name)) {
                for one in values { HTML(.option, .value(one.0), one.0 == value ? Attribute("selected") : nil) { one.1 } }
            }
        }
    }

    static func facts(_ facts: [(String, String)]) -> HTML {
        HTML(.dl, .class("facts")) {
            for (name, value) in facts {
                HTML(.dt) { name }
                HTML(.dd) { value }
            }
        }
    }

    static func chip(_ name: String, _ note: String, _ address: Address, isCurrent: Bool = false) -> HTML {
        HTML(.li) {
            HTML(.a, .class("chip"), .href(address), isCurrent ? Attribute("aria-current", "true") : nil) {
                name
                HTML(.small) { note }
            }
        }
    }

    // MARK: Tables

    /// Rows that a page shows of a listing; the formats for programs have them all.
    private static let mostRows = 500

    /// Any listing: neurons and images lead to their pages.
    func table(_ listing: any Printable) -> HTML {
        let table = listing.table
        let numeric = table.columns.indices.map { column in
            table.rows.contains { if case .number = $0[column] { true } else { false } }
        }
        return HTML(.div, .class("scroll")) {
            HTML(.table) {
                HTML(.thead) {
                    HTML(.tr) {
                        for (column, name) in table.columns.enumerated() {
                            HTML(.th, numeric[column] ? .class("number") : nil, Attribute("scope", "col")) { name }
                        }
                    }
                }
                HTML(.tbody) {
                    for row in table.rows.prefix(Self.mostRows) {
                        HTML(.tr) {
                            for (column, cell) in row.enumerated() {
                                HTML(.td, numeric[column] ? .class("number") : nil) { shown(cell, table.columns[column]) }
                            }
                        }
                    }
                }
            }
            if table.rows.count > Self.mostRows {
                HTML(.p, .class("note")) { "The first \(Self.mostRows) of \(table.rows.count) rows; JSON and CSV have them all." }
            }
        }
    }

    private func shown(_ cell: TextTable.Cell, _ column: String) -> HTML {
        switch cell {
        case .nothing: return HTML()
        case .number(let text): return HTML(text)
        case .text(let text):
            if column == "neuron" || column == "other" {
                let name = notedName(text).map { " “\($0)”" } ?? ""
                return HTML(.a, .href(Address("neuron", text))) { text + name }
            }
            guard column == "image", let image = try? store.image(path: text) else { return HTML(text) }
            return HTML(.a, .href(Address("image", "\(image.id)"))) {
                HTML(
                    .img, .src(Self.address(ofPicture: image.id, size: 96)), .alt(""), .width(48), .height(48),
                    Attribute("loading", "lazy"))
                Self.fileName(text)
            }
        }
    }

    private func notedName(_ neuron: String) -> String? {
        guard let note = (try? reviews.read())?.neurons.first(where: { $0.neuron == neuron }), !note.name.isEmpty else {
            return nil
        }
        return note.name
    }

    static func fileName(_ path: String) -> String { path.split(separator: "/").last.map { String($0) } ?? path }

    /// A picture with its lines below it.
    func tile(_ id: Int, _ place: PictureShelf.Place? = nil, alt: String, lines: [String]) -> HTML {
        HTML(.figure, .class("tile")) {
            HTML(.a, .class("frame"), .href(Address("image", "\(id)"))) {
                HTML(
                    .img, .src(Self.address(ofPicture: id, size: 320, place)), .alt(alt), .width(160), .height(160),
                    Attribute("loading", "lazy"),
                    place == nil ? nil : Attribute("data-whole", picture: Self.address(ofPicture: id, size: 320)))
            }
            HTML(.figcaption) {
                for (index, line) in lines.enumerated() {
                    HTML(.span, .title(line)) { index == 0 ? HTML(.b) { line } : HTML(line) }
                }
            }
        }
    }

    /// What a page is called, and what it is part of.
    static func headline(_ page: Answer) -> HTML {
        HTML(.div) {
            if !page.crumbs.isEmpty { HTML(.div, .class("crumbs")) { page.crumbs } }
            HTML(.h1) { page.title }
            if let subtitle = page.subtitle { HTML(.small) { subtitle } }
        }
    }

    static func images(where condition: String) -> Address { Address("images", query: [Address.Field("where", condition)]) }

    static func images(label: String) -> Address { images(where: "label = \(Spelling.sql(label))") }
}
