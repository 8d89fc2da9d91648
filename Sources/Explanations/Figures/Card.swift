public import Images

/// Pages put together into one: in rows from the left, under a title.
public struct Card: Sendable {
    public var title: String
    public var subtitle: String
    public var rows: [[Page]]

    private static let margin = 20.0
    private static let gap = 20.0

    public init(title: String, subtitle: String, rows: [[Page]]) {
        (self.title, self.subtitle, self.rows) = (title, subtitle, rows)
    }

    public func page(scale: Double) -> Page {
        let widths = rows.map { $0.reduce(-Self.gap) { $0 + $1.width + Self.gap } }
        let heights = rows.map { $0.map(\.height).max() ?? 0 }
        let inner = max(widths.max() ?? 0, 480)
        let titles = Font.title.wrapped(title, toWidth: inner)
        let subtitles = Font.regular.wrapped(subtitle, toWidth: inner)
        let head =
            Double(titles.count) * (Font.title.lineHeight + 2) + Double(subtitles.count) * (Font.regular.lineHeight + 1) + 12
        var page = Page(
            width: inner + 2 * Self.margin,
            height: heights.reduce(2 * Self.margin + head - Self.gap) { $0 + $1 + Self.gap }, scale: scale)
        var y = Self.margin
        for line in titles {
            page.write(line, x: Self.margin, y: y, font: .title)
            y += Font.title.lineHeight + 2
        }
        for line in subtitles {
            page.write(line, x: Self.margin, y: y, color: Page.Palette.quiet)
            y += Font.regular.lineHeight + 1
        }
        y += 12
        for (row, height) in zip(rows, heights) {
            var x = Self.margin
            for part in row {
                page.add(part, x: x, y: y)
                x += part.width + Self.gap
            }
            y += height + Self.gap
        }
        return page
    }
}

/// Parts of cards.
extension Page {
    /// A picture with lines under it.
    public static func photograph(_ image: Image, lines: [String], scale: Double) -> Page {
        let place = Rectangle(x: 0, y: 0, width: 224, height: 224).fitting(Size(width: image.width, height: image.height))
        let wrapped = lines.enumerated().flatMap { index, line in
            (index == 0 ? Font.bold : .regular).wrapped(line, toWidth: 224).map { (index == 0, $0) }
        }
        var page = Page(width: 224, height: place.y + place.height + 6 + 16 * Double(wrapped.count), scale: scale)
        page.place(image, in: place, isPixelated: max(image.width, image.height) * 3 <= 224)
        for (index, (isName, line)) in wrapped.enumerated() {
            page.write(
                line, x: 0, y: place.y + place.height + 6 + 16 * Double(index), font: isName ? .bold : .regular,
                color: isName ? Palette.ink : Palette.quiet)
        }
        return page
    }

    /// Names with bars and what these are, the longest bar for 1.
    public static func bars(_ heading: String, _ entries: [(name: String, share: Double, text: String)], scale: Double) -> Page {
        let width = 300.0
        var page = Page(width: width, height: 24 + 34 * Double(entries.count), scale: scale)
        page.write(heading, x: 0, y: 0, font: .bold)
        for (index, entry) in entries.enumerated() {
            let y = 24 + 34 * Double(index)
            let room = width - Font.regular.width(of: entry.text) - 8
            page.write(Font.regular.shortened(entry.name, toWidth: room), x: 0, y: y)
            page.write(entry.text, x: width - Font.regular.width(of: entry.text), y: y, color: Palette.quiet)
            page.fill(x: 0, y: y + 17, width: width, height: 6, with: Palette.mat)
            page.fill(x: 0, y: y + 17, width: max(width * min(max(entry.share, 0), 1), 0.5), height: 6, with: Palette.came)
        }
        return page
    }
}
