/// A page of small pictures in rows, with captions: the top images of neurons, one neuron a row.
///
/// The same sheet always makes the same pixels.
public struct ContactSheet: Sendable {
    /// One picture with what is said of it.
    public struct Cell: Sendable {
        public var image: Image
        /// Lines under the picture; what is too wide is shortened in its middle.
        public var caption: [String]
        /// An area of `image` to outline, in its pixels.
        public var rectangle: Rectangle?
        /// A frame around the picture: to tell right from wrong, say.
        public var border: Color?

        public init(image: Image, caption: [String] = [], rectangle: Rectangle? = nil, border: Color? = nil) {
            self.image = image
            self.caption = caption
            self.rectangle = rectangle
            self.border = border
        }
    }

    /// A row of cells under a title.
    public struct Row: Sendable {
        public var title: String?
        /// Set behind the title, in a quieter colour.
        public var subtitle: String?
        public var cells: [Cell]

        public init(title: String? = nil, subtitle: String? = nil, cells: [Cell]) {
            self.title = title
            self.subtitle = subtitle
            self.cells = cells
        }
    }

    /// The sheet's colours: ink on a very light page.
    private enum Palette {
        static let page = Color(hex: 0xFBFBFA)
        static let mat = Color(hex: 0xEFEFED)
        static let rule = Color(hex: 0xDEDDD9)
        static let ink = Color(hex: 0x1F2328)
        static let quiet = Color(hex: 0x6A7078)
        static let rectangle = Color(hex: 0xFFC53D)
    }

    private static let margin = 20
    private static let gap = 12
    private static let rowGap = 24
    private static let captionGap = 6
    private static let lineHeight = Font.lineHeight + 2
    private static let titleHeight = Font.lineHeight + 12

    public var title: String?
    public var rows: [Row]
    /// Every picture is fitted into a square of this many pixels; at least 16.
    public var cellSize: Int

    public init(title: String? = nil, rows: [Row], cellSize: Int = 160) {
        self.title = title
        self.rows = rows
        self.cellSize = max(cellSize, 16)
    }

    /// A sheet of cells without rows of their own, `columns` beside each other.
    public init(title: String? = nil, cells: [Cell], columns: Int, cellSize: Int = 160) {
        let columns = max(columns, 1)
        let rows = stride(from: 0, to: cells.count, by: columns).map { start in
            Row(cells: Array(cells[start..<min(start + columns, cells.count)]))
        }
        self.init(title: title, rows: rows, cellSize: cellSize)
    }

    /// Whether the picture would have more pixels than a sheet should, 2²⁷: captions counted as 90 rows.
    public var isTooLarge: Bool {
        rows.count * (cellSize + 90) * (rows.map(\.cells.count).max() ?? 1) * cellSize >= 1 << 27
    }

    /// The picture of the sheet.
    public func rendered() -> Image {
        let columns = max(rows.map(\.cells.count).max() ?? 0, 1)
        let inner = columns * cellSize + (columns - 1) * Self.gap
        let heading = title == nil ? 0 : Font.lineHeight + 16
        let rowsHeight = rows.map(height).reduce(0, +) + max(rows.count - 1, 0) * Self.rowGap
        var sheet = Image(
            width: inner + 2 * Self.margin, height: max(rowsHeight + heading, 1) + 2 * Self.margin, fill: Palette.page)
        var y = Self.margin
        if let title {
            sheet.write(Font.bold.shortened(title, toWidth: inner), x: Self.margin, y: y, font: .bold, color: Palette.ink)
            y += heading
        }
        for row in rows {
            draw(row, y: y, width: inner, on: &sheet)
            y += height(row) + Self.rowGap
        }
        return sheet
    }

    private func height(_ row: Row) -> Int {
        let lines = row.cells.map(\.caption.count).max() ?? 0
        return (row.title == nil && row.subtitle == nil ? 0 : Self.titleHeight) + cellSize
            + (lines == 0 ? 0 : Self.captionGap + lines * Self.lineHeight)
    }

    private func draw(_ row: Row, y: Int, width: Int, on sheet: inout Image) {
        var y = y
        if row.title != nil || row.subtitle != nil {
            let title = Font.bold.shortened(row.title ?? "", toWidth: width)
            sheet.write(title, x: Self.margin, y: y, font: .bold, color: Palette.ink)
            let used = title.isEmpty ? 0 : Font.bold.width(of: title) + 2 * Font.glyphWidth
            let subtitle = Font.regular.shortened(row.subtitle ?? "", toWidth: width - used)
            sheet.write(subtitle, x: Self.margin + used, y: y, color: Palette.quiet)
            sheet.fill(x: Self.margin, y: y + Font.lineHeight + 3, width: width, height: 1, with: Palette.rule)
            y += Self.titleHeight
        }
        for (column, cell) in row.cells.enumerated() {
            draw(cell, x: Self.margin + column * (cellSize + Self.gap), y: y, on: &sheet)
        }
    }

    private func draw(_ cell: Cell, x: Int, y: Int, on sheet: inout Image) {
        sheet.fill(x: x, y: y, width: cellSize, height: cellSize, with: Palette.mat)
        let frame = cell.border == nil ? 0 : 3
        let room = cellSize - 2 * frame
        let isSmall = cell.image.width * 2 <= room && cell.image.height * 2 <= room
        // Small pictures (digits, CIFAR) are shown with their pixels, not blurred.
        let picture = cell.image.fitted(
            into: Size(width: room, height: room), interpolation: isSmall ? .nearest : .bicubic)
        let left = x + (cellSize - picture.width) / 2
        let top = y + (cellSize - picture.height) / 2
        sheet.blit(picture, x: left, y: top)
        if let rectangle = cell.rectangle {
            let scale = Double(picture.width) / Double(cell.image.width)
            let scaled = Rectangle(
                x: rectangle.x * scale, y: rectangle.y * scale, width: rectangle.width * scale, height: rectangle.height * scale)
            let area = scaled.pixels(in: Size(width: picture.width, height: picture.height))
            // A dark line beside the light one: visible on any picture.
            sheet.outline(
                x: left + area.columns.lowerBound, y: top + area.rows.lowerBound, width: area.columns.count,
                height: area.rows.count, thickness: 3, with: Palette.ink)
            sheet.outline(
                x: left + area.columns.lowerBound, y: top + area.rows.lowerBound, width: area.columns.count,
                height: area.rows.count, thickness: 2, with: Palette.rectangle)
        }
        if let border = cell.border {
            sheet.outline(x: x, y: y, width: cellSize, height: cellSize, thickness: frame, with: border)
        }
        for (line, text) in cell.caption.enumerated() {
            sheet.write(
                Font.regular.shortened(text, toWidth: cellSize), x: x,
                y: y + cellSize + Self.captionGap + line * Self.lineHeight, color: line == 0 ? Palette.ink : Palette.quiet)
        }
    }
}
