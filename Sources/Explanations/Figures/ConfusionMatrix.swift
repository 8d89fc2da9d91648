import Foundation
public import Images
public import Search

extension ConfusionMatrix {
    /// The matrix as a picture: a row a label, a column an answer, shaded by the share of the row.
    public func page(scale: Double = 2) -> Page {
        let font = Font.regular
        let side = max(3, min(44, 720 / Double(max(labels.count, classes.count, 1))))
        let isNamed = side >= 14
        let names = labels.enumerated().map { "\(Target.shortName($1))  \(isNamed ? columnName($0) : "")" }
        let left = isNamed ? min(names.map { font.width(of: $0) }.max() ?? 0, 240) + 8 : 0
        let (inner, tall) = (side * Double(classes.count), side * Double(labels.count))
        let top = 72.0
        let width = max(left + inner, 360)
        var page = Page(width: width + 40, height: top + tall + 74, scale: scale)
        let total = counts.joined().reduce(0, +)
        let right = shares.compactMap(\.right).reduce(0, +)
        page.write("Labels and answers", x: 20, y: 18, font: .title)
        page.write(
            "\(total) images, \(right) right; a row is a label, a column an answer", x: 20, y: 38, color: Page.Palette.quiet)
        for (row, values) in counts.enumerated() {
            let y = top + Double(row) * side
            if isNamed {
                let name = font.shortened(names[row], toWidth: 240)
                page.write(name, x: 20 + left - 8 - font.width(of: name), y: y + (side - font.lineHeight) / 2)
            }
            draw(values, x: 20 + left, y: y, side: side, on: &page)
        }
        for column in classes.indices where isNamed {
            let name = "\(column + 1)"
            page.write(
                name, x: 20 + left + (Double(column) + 0.5) * side - font.width(of: name) / 2, y: top - font.lineHeight - 3,
                color: Page.Palette.quiet)
        }
        page.outline(Rectangle(x: 20 + left, y: top, width: inner, height: tall), thickness: 0.5, with: Page.Palette.rule)
        drawScale(on: &page, y: top + tall + 14)
        return page
    }

    /// Its number among the columns; nothing of a label that is no column.
    private func columnName(_ row: Int) -> String { classes.firstIndex(of: labels[row]).map { "\($0 + 1)" } ?? "–" }

    private func draw(_ values: [Int], x: Double, y: Double, side: Double, on page: inout Page) {
        let total = max(values.reduce(0, +), 1)
        for (column, count) in values.enumerated() where count > 0 {
            let share = Float(count) / Float(total)
            let left = x + Double(column) * side
            page.fill(x: left, y: y, width: side, height: side, with: Self.color(share))
            guard side >= 20 else { continue }
            let text = "\(count)"
            page.write(
                text, x: left + (side - Font.regular.width(of: text)) / 2, y: y + (side - Font.regular.lineHeight) / 2,
                color: share > 0.45 ? .white : Page.Palette.ink)
        }
    }

    private func drawScale(on page: inout Page, y: Double) {
        for step in 0..<50 {
            page.fill(x: 20 + 4 * Double(step), y: y, width: 4, height: 9, with: Self.color((Float(step) + 0.5) / 50))
        }
        page.write("0 %", x: 20, y: y + 11, color: Page.Palette.quiet)
        page.write("100 %", x: 220 - Font.regular.width(of: "100 %"), y: y + 11, color: Page.Palette.quiet)
        page.write("share of the label's images", x: 228, y: y - 3, color: Page.Palette.quiet)
    }

    /// White to dark blue, so that white and dark text have 4.5 : 1 on it.
    private static func color(_ share: Float) -> Color {
        let (light, dark) = (Color(hex: 0xF4F7FA), Color(hex: 0x08306B))
        // What is there at all is seen.
        return share > 0.45
            ? Color(hex: 0x1F6096).mixed(with: dark, share: (share - 0.45) / 0.55)
            : light.mixed(with: Color(hex: 0x9CC3E2), share: 0.25 + 0.75 * share / 0.45)
    }
}
