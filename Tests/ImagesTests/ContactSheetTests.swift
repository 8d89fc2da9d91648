import Foundation
import Images
import TestSupport
import Testing

@Suite struct ContactSheetTests {
    @Test func sizeAndBytesAreThoseOfItsParts() {
        let area = Rectangle(x: 2, y: 2, width: 9, height: 9)
        let cell = ContactSheet.Cell(image: noise(30, 20), caption: ["a", "b"], rectangle: area)
        let sheet = ContactSheet(title: "t", rows: [.init(title: "r", cells: [cell, cell]), .init(cells: [cell])], cellSize: 60)
        let picture = sheet.rendered(scale: 1)
        #expect(picture.width == 280 + 2 * 20)
        #expect(picture == sheet.rendered(scale: 1))
        #expect(sheet.rendered().width == 2 * picture.width && sheet.rendered().height == 2 * picture.height)
        #expect(ContactSheet(rows: []).rendered().width > 0)
        // Both rows of the first column show the same cell.
        let plain = ContactSheet(cells: [cell, cell], columns: 1, cellSize: 60).rendered(scale: 1)
        let first = plain.cropped(columns: 20..<80, rows: 20..<80)
        let second = 20 + 60 + 5 + 2 * 16 + 10
        #expect(plain.cropped(columns: 20..<80, rows: second..<second + 60) == first)
    }

    /// What belongs to the row above stays in its column.
    @Test func pairsOfRowsAreNotParted() {
        let cell = ContactSheet.Cell(image: noise(4, 4), caption: ["a"])
        func size(_ isBound: Bool) -> Size {
            let rows = (0..<9).map { index in
                var row = ContactSheet.Row(title: "\(index)", cells: [cell])
                row.belongsAbove = isBound && index > 0
                return row
            }
            return ContactSheet(rows: rows).page(scale: 1).size
        }
        // All in one column, or in several.
        #expect(size(true).width == 320 && size(false).width > 320)
        #expect(size(true).height > size(false).height)
    }

    /// A sheet of very many rows stands in columns, and is refused only where even these are too many.
    @Test func manyRowsStandInColumns() {
        let cell = ContactSheet.Cell(image: noise(4, 4), caption: ["a"])
        let rows = (0..<512).map { ContactSheet.Row(title: "conv:\($0)", cells: [cell, cell, cell]) }
        let sheet = ContactSheet(rows: rows)
        let size = sheet.page().size
        #expect(size.height <= 3 * size.width && size.width <= 3 * size.height)
        #expect(size.width * size.height < 1 << 27 && !sheet.isTooLarge)
        #expect(ContactSheet(rows: [ContactSheet.Row](repeating: rows[0], count: 4096)).isTooLarge)
    }

    /// Writes a sheet to look at, where NEURODEX_SHEET says.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["NEURODEX_SHEET"] != nil && Shared.has(PhotographTests.photos),
            "set NEURODEX_SHEET to a file to write a sheet of shared photographs to look at"))
    func aSheetToLookAt() throws {
        let names = try Shared.names(in: PhotographTests.photos).filter { $0.hasSuffix("JPEG") }
        let reader = ImageReader()
        let rows = try (0..<3).map { row in
            let cells = try (0..<5).map { column in
                let name = names[row * 50 + column * 7]
                let image = try reader.decode(contentsOf: Shared.path("\(PhotographTests.photos)/\(name)"))
                let map = (0..<49).map { Float($0 % 7) * Float($0 / 7) }
                let shown =
                    row == 2
                    ? Overlay.picture(of: map, width: 7, height: 7, over: image, colormap: column % 2 == 0 ? .viridis : .turbo)
                    : image
                return ContactSheet.Cell(
                    image: shown, caption: [name, "12.\(column)5  at (3, 9)"],
                    rectangle: row == 1 ? nil : Rectangle(x: 60, y: 40, width: 120, height: 120),
                    border: row == 1 ? Color(hex: column == 2 ? 0xC4432B : 0x2E8B57) : nil)
            }
            return ContactSheet.Row(title: "features.12.expand3x3:\(row)", subtitle: "5 of 240 images · mean 0.42", cells: cells)
        }
        let sheet = ContactSheet(title: "Top images — SqueezeNet 1.1", rows: rows).rendered()
        let path = try #require(ProcessInfo.processInfo.environment["NEURODEX_SHEET"])
        try Data(sheet.pngData()).write(to: URL(fileURLWithPath: path))
    }
}
