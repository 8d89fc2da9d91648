import Foundation
public import Images

/// The picture of explanations: a row an image, with the original, the map over it, and the scale of its colours with numbers.
///
/// The same figure always makes the same pixels.
public struct Figure: Sendable {
    /// One map over its image.
    public struct Panel: Sendable {
        public var map: ExplanationMap
        /// Above the panel, such as the target and its value.
        public var title: String
        /// Below it, such as a warning; shortened to the panel's width.
        public var note: String?
        /// What speaks against the map, a line each, under the note.
        public var warnings: [String]
        /// What the map was checked for, drawn under these lines.
        public var checks: MapChecks?
        /// In the network's input frame, outlined.
        public var boxes: [Rectangle]
        /// Coloured by itself, even where the others share a scale: a mask, say.
        public var isApart: Bool

        public init(
            map: ExplanationMap, title: String, note: String? = nil, warnings: [String] = [], boxes: [Rectangle] = [],
            isApart: Bool = false, checks: MapChecks? = nil
        ) {
            self.map = map
            self.title = title
            self.note = note
            self.warnings = warnings
            self.boxes = boxes
            self.isApart = isApart
            self.checks = checks
        }

        fileprivate var lines: [(text: String, isWarning: Bool)] {
            (note.map { [($0, false)] } ?? []) + warnings.map { ($0, true) }
        }
    }

    public struct Row: Sendable {
        /// In the network's input frame.
        public var image: Image
        /// Above the image.
        public var title: String
        /// Beside the image, from the left.
        public var panels: [Panel]

        public init(image: Image, title: String, panels: [Panel]) {
            self.image = image
            self.title = title
            self.panels = panels
        }
    }

    public var rows: [Row]
    public var colormap: Colormap?
    /// All panels coloured on one scale, instead of each on its own.
    public var sharesScale: Bool
    /// How much of the map's colour covers the image, 0...1.
    public var opacity: Float

    private static let side = 224
    private static let margin = 20
    private static let gap = 16
    private static let barWidth = 12
    private static let numberWidth = 9 * Font.glyphWidth
    private static let titleHeight = Font.lineHeight + 6
    private static let noteHeight = Font.lineHeight + 6
    static let ink = Color(hex: 0x1F2328)
    static let alarm = Color(hex: 0xB42318)
    static let quiet = Color(hex: 0x6A7078)
    private static let page = Color(hex: 0xFBFBFA)
    private static let outline = Color(hex: 0xFFC53D)

    public init(rows: [Row], colormap: Colormap? = nil, sharesScale: Bool = false, opacity: Float = 0.65) {
        self.rows = rows
        self.colormap = colormap
        self.sharesScale = sharesScale
        self.opacity = opacity
    }

    /// - Throws: `ExplanationError.notFinite` for a map that holds NaN or an infinity.
    public func rendered() throws -> Image {
        for panel in rows.flatMap(\.panels) where panel.map.values.contains(where: { !$0.isFinite }) {
            throw ExplanationError.notFinite(what: "the map of \(panel.title)")
        }
        let panelWidth = Self.side + 6 + Self.barWidth + 4 + Self.numberWidth
        let panels = rows.map(\.panels.count).max() ?? 0
        let lines = rows.flatMap(\.panels).map(\.lines.count).max() ?? 0
        let areChecked = rows.flatMap(\.panels).contains { $0.checks != nil }
        let rowHeight =
            Self.titleHeight + Self.side + lines * Self.noteHeight + (areChecked ? ChecksDrawing.height + Self.gap / 2 : 0)
        var page = Image(
            width: 2 * Self.margin + Self.side + panels * (Self.gap + panelWidth),
            height: 2 * Self.margin + max(1, rows.count) * rowHeight + max(0, rows.count - 1) * Self.gap, fill: Self.page)
        let common = sharesScale ? Self.range(of: rows.flatMap(\.panels).filter { !$0.isApart }.map(\.map)) : nil
        for (index, row) in rows.enumerated() {
            let top = Self.margin + index * (rowHeight + Self.gap)
            page.write(Font.bold.shortened(row.title, toWidth: Self.side), x: Self.margin, y: top, font: .bold, color: Self.ink)
            page.blit(Self.enlarged(row.image), x: Self.margin, y: top + Self.titleHeight)
            for (column, panel) in row.panels.enumerated() {
                let x = Self.margin + Self.side + Self.gap + column * (panelWidth + Self.gap)
                let own = common == nil || panel.isApart
                try draw(
                    panel, over: row.image, range: own ? Self.range(of: [panel.map]) : common ?? (0, 1), x: x, y: top,
                    width: panelWidth, on: &page)
            }
        }
        return page
    }

    /// Zero to the largest where nothing is below zero; else evenly about zero.
    private static func range(of maps: [ExplanationMap]) -> (low: Float, high: Float) {
        let values = maps.flatMap(\.plane)
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        guard low < 0 else { return (0, high > 0 ? high : 1) }
        let largest = max(abs(low), abs(high))
        return (-largest, largest)
    }

    private func draw(
        _ panel: Panel, over image: Image, range: (low: Float, high: Float), x: Int, y: Int, width: Int, on page: inout Image
    ) throws {
        let colormap = colormap ?? (range.low < 0 ? .diverging : .inferno)
        let base = Self.enlarged(image)
        var picture = Overlay.picture(
            of: panel.map.plane, width: panel.map.width, height: panel.map.height, over: base, colormap: colormap,
            scaling: .fixed(low: range.low, high: range.high), opacity: opacity)
        let scale = Double(picture.width) / Double(image.width)
        for box in panel.boxes {
            let area = Rectangle(x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale)
                .pixels(in: Size(width: picture.width, height: picture.height))
            picture.outline(
                x: area.columns.lowerBound, y: area.rows.lowerBound, width: area.columns.count, height: area.rows.count,
                thickness: 2,
                with: Self.outline)
        }
        page.write(Font.bold.shortened(panel.title, toWidth: width), x: x, y: y, font: .bold, color: Self.ink)
        let top = y + Self.titleHeight
        page.blit(picture, x: x, y: top)
        let bar = x + Self.side + 6
        for row in 0..<Self.side {
            page.fill(
                x: bar, y: top + row, width: Self.barWidth, height: 1,
                with: colormap.color(at: 1 - Float(row) / Float(Self.side - 1)))
        }
        let numbers = [
            (range.high, top), ((range.low + range.high) / 2, top + Self.side / 2 - 6),
            (range.low, top + Self.side - Font.lineHeight),
        ]
        for (value, y) in numbers { page.write(Self.number(value), x: bar + Self.barWidth + 4, y: y, color: Self.quiet) }
        for (index, line) in panel.lines.enumerated() {
            page.write(
                Font.regular.shortened(line.text, toWidth: width), x: x, y: top + Self.side + 5 + index * Self.noteHeight,
                color: line.isWarning ? Self.alarm : Self.quiet)
        }
        if let checks = panel.checks {
            let top = top + Self.side + Self.gap / 2 + panel.lines.count * Self.noteHeight
            ChecksDrawing(checks).draw(x: x, y: top, width: width, on: &page)
        }
    }

    /// As large as a panel; small images by their pixels, not blurred.
    private static func enlarged(_ image: Image) -> Image {
        image.fitted(
            into: Size(width: side, height: side), interpolation: max(image.width, image.height) * 3 <= side ? .nearest : .bicubic
        )
    }

    static func number(_ value: Float) -> String {
        let text = String(format: "%.3g", Double(value))
        return text == "-0" ? "0" : text
    }
}
