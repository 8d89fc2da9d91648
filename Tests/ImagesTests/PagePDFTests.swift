import Foundation
import Images
import Testing

/// Pages as PDF: that a reader finds every object, that texts come back, and that the same page makes the same bytes.
@Suite struct PagePDFTests {
    private func page() -> Page {
        var page = Page(width: 200, height: 120)
        page.fill(x: 10, y: 10, width: 50, height: 20, with: Page.Palette.came)
        page.outline(Rectangle(x: 70, y: 10, width: 50, height: 20), thickness: 2, with: Page.Palette.ink)
        page.place(Image(width: 3, height: 2, pixels: [UInt8](0..<18)), in: Rectangle(x: 10, y: 40, width: 30, height: 20))
        page.stroke([Page.Point(10, 80), Page.Point(60, 90), Page.Point(110, 80)], thickness: 1, with: Page.Palette.went)
        page.write("score 12.7, Größe ≥ 3", x: 10, y: 95, font: .bold)
        return page
    }

    private let texts = [
        ("Software", "neurodex"), ("neurodex:arguments", "[\"top\",\"Größe/層 (1) <2>.sqlite\"]"),
        ("odd key/#1", "a\nb \u{1F41F}"),
    ]

    @Test func everyObjectIsWhereTheTableSays() throws {
        let bytes = try page().pdfData(text: texts)
        #expect(try page().pdfData(text: texts) == bytes)
        let file = String(decoding: bytes.map { $0 < 128 && $0 != 13 ? $0 : 63 }, as: UTF8.self)
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.lastIndex(of: "startxref"))
        let table = try #require(Int(lines[start + 1]))
        let rows = file.dropFirst(table).split(separator: "\n").prefix { $0 != "trailer" }
        #expect(rows.first == "xref" && rows.dropFirst().first == "0 \(rows.count - 2)")
        for (number, row) in rows.dropFirst(3).enumerated() {
            let place = try #require(Int(row.prefix(10)))
            #expect(file.dropFirst(place).hasPrefix("\(number + 1) 0 obj\n"))
        }
        #expect(file.contains("/MediaBox [0 0 150 90]") && file.contains("/Width 3 /Height 2"))
        // The letters of the text, each once: s c o r e 1 2 . 7 , G ö ß ≥ 3
        #expect(file.components(separatedBy: "/Subtype /Form").count - 1 == 15)
    }

    @Test func itsTextsComeBack() throws {
        let bytes = try page().pdfData(text: texts)
        let found = PDF.text(in: bytes)
        #expect(found.map(\.keyword) == texts.map(\.0) && found.map(\.text) == texts.map(\.1))
        #expect(PDF.text(in: Array("%PDF-1.7\n1 0 obj\n<<\n/A (b)\n".utf8)).isEmpty)
        #expect(PDF.text(in: try page().svgData(text: texts)).isEmpty)
        // Other texts leave the drawing as it is.
        let other = try page().pdfData(text: [("Software", "another")])
        #expect(other != bytes && PDF.drawing(in: other) == PDF.drawing(in: bytes))
        var changed = page()
        changed.fill(x: 0, y: 0, width: 1, height: 1, with: .black)
        #expect(PDF.drawing(in: try changed.pdfData(text: texts)) != PDF.drawing(in: bytes))
    }
}
