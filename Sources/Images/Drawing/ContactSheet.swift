/// A page of small pictures in rows, with captions: the top images of neurons, one neuron a row.
public struct ContactSheet: Sendable {
    /// One picture with what is said of it.
    public struct Cell: Sendable {
        public var image: Image
        /// Lines under the picture; what is too wide is shortened in its middle.
        public var caption: [String]
        /// An area of `image` to outline, in its pixels.
        public var rectangle: Rectangle?
        /// A frame around the picture, for what its caption says too.
        public var border: Color?

        public init(image: Image, caption: [String] = [], rectangle: Rectangle? = nil, border: Color? = nil) {
            self.image = image
            self.caption = caption
            self.rectangle = rectangle
            self.border = border
        }

        /// Frames the picture, and begins its caption with what the frame says.
        public mutating func add(_ mark: Mark) {
            border = mark.color
            if caption.isEmpty { caption = [""] }
            caption[0] = "\(mark.text)  \(caption[0])"
        }
    }

    /// What sets a picture apart: a frame, and the word for it, as not everybody sees its colour.
    public struct Mark: Sendable {
        public var color: Color
        public var text: String

        public init(color: Color, text: String) { (self.color, self.text) = (color, text) }
    }

    /// A row of cells under a title.
    public struct Row: Sendable {
        public var title: String?
        /// Set behind the title, in a quieter colour.
        public var subtitle: String?
        /// A line under the title.
        public var note: String?
        public var cells: [Cell]
        /// Whether it goes on with the row above, and stands in one column with it, as every row without a title does.
        public var belongsAbove = false

        public init(title: String? = nil, subtitle: String? = nil, note: String? = nil, cells: [Cell]) {
            self.title = title
            self.subtitle = subtitle
            self.note = note
            self.cells = cells
        }
    }

    private typealias Palette = Page.Palette
    private static let gap = 12.0
    private static let rowGap = 24.0
    /// Before a row that goes on with the one above.
    private static let innerGap = 10.0
    private static let columnGap = 36.0
    private static let captionGap = 5.0
    private static let lineHeight = Font.regular.lineHeight + 1
    private static let titleHeight = Font.bold.lineHeight + 9
    private static let noteHeight = lineHeight + 3
    /// The least width of a row: its title has to be read.
    private static let leastWidth = 280.0

    public var title: String?
    /// Under the title.
    public var subtitle: String?
    public var rows: [Row]
    /// Small pictures are blended, not shown by their pixels.
    public var isSmooth = false
    /// Around all of it; none in a page that has its own.
    public var margin = 20.0
    /// Every picture is fitted into a square of this side, in units of the page; at least 16.
    public var cellSize: Double

    public init(title: String? = nil, subtitle: String? = nil, rows: [Row], cellSize: Double = 160) {
        self.title = title
        self.subtitle = subtitle
        self.rows = rows
        self.cellSize = max(cellSize, 16)
    }

    /// A sheet of cells without rows of their own, `columns` beside each other.
    public init(title: String? = nil, subtitle: String? = nil, cells: [Cell], columns: Int, cellSize: Double = 160) {
        let columns = max(columns, 1)
        let rows = stride(from: 0, to: cells.count, by: columns).map { start in
            Row(cells: Array(cells[start..<min(start + columns, cells.count)]))
        }
        self.init(title: title, subtitle: subtitle, rows: rows, cellSize: cellSize)
    }

    /// Its units, captions counted as 90 rows.
    private var area: Double {
        Double(rows.count) * (cellSize + 90) * Double(rows.map(\.cells.count).max() ?? 1) * cellSize
    }

    /// Whether the picture would have more pixels than a sheet should, 2²⁷, even at a pixel a unit.
    public var isTooLarge: Bool { area >= Double(1 << 27) }

    /// Two pixels a unit, fewer for a sheet that would have more than 2²⁶ pixels.
    private var fittingScale: Double { min(2, max(1, (Double(1 << 26) / max(area, 1)).squareRoot())) }

    /// The picture of the sheet.
    /// - Parameter scale: pixels a unit; nil for two, and fewer for a sheet of very many pictures.
    public func rendered(scale: Double? = nil) -> Image { page(scale: scale).rendered() }

    /// The sheet: its rows one under the other, in columns where they would be more than three times as high as wide.
    public func page(scale: Double? = nil) -> Page {
        let scale = scale ?? fittingScale
        let cells = Double(max(rows.map(\.cells.count).max() ?? 0, 1))
        let inner = max(cells * cellSize + (cells - 1) * Self.gap, Self.leastWidth)
        let columns = columns(of: inner)
        let width = Double(columns.count) * (inner + Self.columnGap) - Self.columnGap
        let titles = Font.title.wrapped(title ?? "", toWidth: width)
        let subtitles = Font.regular.wrapped(subtitle ?? "", toWidth: width)
        let titleHeight = Double(titles.count) * (Font.title.lineHeight + 2)
        let heading = titleHeight + Double(subtitles.count) * Self.lineHeight + (titles.isEmpty ? 0 : 10)
        let tallest =
            columns.map { rows in rows.indices.reduce(0.0) { $0 + gap(before: $1, in: rows) + height(rows[$1]) } }.max() ?? 0
        var page = Page(
            width: width + 2 * margin, height: max(tallest, 1) + heading + 2 * margin, scale: scale)
        for (line, text) in titles.enumerated() {
            page.write(text, x: margin, y: margin + Double(line) * (Font.title.lineHeight + 2), font: .title)
        }
        for (line, text) in subtitles.enumerated() {
            let y = margin + titleHeight + Double(line) * Self.lineHeight
            page.write(text, x: margin, y: y, color: Palette.quiet)
        }
        for (column, rows) in columns.enumerated() {
            var y = margin + heading
            for (index, row) in rows.enumerated() {
                y += gap(before: index, in: rows)
                draw(row, x: margin + Double(column) * (inner + Self.columnGap), y: y, width: inner, on: &page)
                y += height(row)
            }
        }
        return page
    }

    /// The rows in columns of nearly equal height, read downwards.
    private func columns(of width: Double) -> [[Row]] {
        Columns.split(heights: rows.map(height), gap: Self.rowGap, width: width, columnGap: Self.columnGap) { index in
            rows[index].belongsAbove || rows[index].title == nil && rows[index].subtitle == nil
        }.map { Array(rows[$0]) }
    }

    private func gap(before index: Int, in rows: [Row]) -> Double {
        guard index > 0 else { return 0 }
        return rows[index].title == nil && rows[index].subtitle == nil ? Self.innerGap : Self.rowGap
    }

    private func height(_ row: Row) -> Double {
        let lines = row.cells.map(\.caption.count).max() ?? 0
        return (row.title == nil && row.subtitle == nil ? 0 : Self.titleHeight) + (row.note == nil ? 0 : Self.noteHeight)
            + cellSize
            + (lines == 0 ? 0 : Self.captionGap + Double(lines) * Self.lineHeight)
    }

    private func draw(_ row: Row, x: Double, y: Double, width: Double, on page: inout Page) {
        var y = y
        if row.title != nil || row.subtitle != nil {
            let title = Font.bold.shortened(row.title ?? "", toWidth: width)
            page.write(title, x: x, y: y, font: .bold)
            let used = title.isEmpty ? 0 : Font.bold.width(of: title) + 10
            let subtitle = Font.regular.shortened(row.subtitle ?? "", toWidth: width - used)
            page.write(subtitle, x: x + used, y: y, color: Palette.quiet)
            page.fill(x: x, y: y + Font.bold.lineHeight + 3, width: width, height: 0.5, with: Palette.rule)
            y += Self.titleHeight
        }
        if let note = row.note {
            page.write(Font.regular.shortened(note, toWidth: width), x: x, y: y - 3)
            y += Self.noteHeight
        }
        for (column, cell) in row.cells.enumerated() {
            draw(cell, x: x + Double(column) * (cellSize + Self.gap), y: y, on: &page)
        }
    }

    private func draw(_ cell: Cell, x: Double, y: Double, on page: inout Page) {
        let frame = Rectangle(x: x, y: y, width: cellSize, height: cellSize)
        page.fill(x: x, y: y, width: cellSize, height: cellSize, with: Palette.mat)
        let edge = cell.border == nil ? 0 : 3.0
        let room = cellSize - 2 * edge
        let size = Size(width: cell.image.width, height: cell.image.height)
        let place = Rectangle(x: x + edge, y: y + edge, width: room, height: room).fitting(size)
        // Small pictures (digits, CIFAR) are shown with their pixels, not blurred.
        let isSmall = !isSmooth && Double(max(size.width, size.height)) * 2 <= room
        page.place(cell.image, in: place, isPixelated: isSmall)
        if let rectangle = cell.rectangle { page.outlineTwice(place.part(rectangle.clipped(to: size), of: size)) }
        if let border = cell.border { page.outline(frame, thickness: edge, with: border) }
        for (line, text) in cell.caption.enumerated() {
            page.write(
                Font.regular.shortened(text, toWidth: cellSize), x: x,
                y: y + cellSize + Self.captionGap + Double(line) * Self.lineHeight,
                color: line == 0 ? Palette.ink : Palette.quiet)
        }
    }
}
