import Foundation
public import Images

/// The picture of explanations: under a heading that names the method a row an image, with the photograph, what was found about
/// it, and the scale of the colours with its quantity; many rows stand in columns. All panels have one colour map, which the method chooses.
///
/// The same figure always makes the same pixels.
public struct Figure: Sendable {
    /// What is shown beside the photograph.
    public struct Panel: Sendable {
        public enum Content: Sendable {
            /// A map with its boxes, in the network's input frame.
            case map(ExplanationMap, MapLook, boxes: [Rectangle])
            /// Another picture of the frame.
            case picture(Image, boxes: [Rectangle])

            /// The part of the frame that shows the picture.
            func cropped(to placement: Placement) -> Content {
                let shown = placement.shownRectangle
                func moved(_ boxes: [Rectangle]) -> [Rectangle] {
                    boxes.map { $0.clipped(to: shown) }.filter { !$0.isEmpty }.map {
                        Rectangle(x: $0.x - shown.x, y: $0.y - shown.y, width: $0.width, height: $0.height)
                    }
                }
                switch self {
                case .map(let map, let look, let boxes): return .map(map.cropped(to: placement), look, boxes: moved(boxes))
                case .picture(let image, let boxes):
                    let part = image.cropped(columns: placement.shown.columns, rows: placement.shown.rows)
                    return .picture(part, boxes: moved(boxes))
                }
            }
        }

        public var content: Content
        /// Under the panel, such as the target and its probability.
        public var title: String
        /// Under the title.
        public var notes: [String]
        /// What speaks against the map, under the notes.
        public var warnings: [String]
        /// What the map was checked for, drawn under these lines.
        public var checks: MapChecks?

        public init(_ content: Content, title: String, notes: [String] = [], warnings: [String] = [], checks: MapChecks? = nil) {
            self.content = content
            self.title = title
            self.notes = notes
            self.warnings = warnings
            self.checks = checks
        }
    }

    public struct Row: Sendable {
        /// What is drawn: the network's input frame, without padding.
        public var image: Image
        /// Under the image.
        public var title: String
        /// Under the title, such as what the network answers.
        public var notes: [String]
        /// Beside the image, from the left.
        public var panels: [Panel]

        public init(image: Image, title: String, notes: [String] = [], panels: [Panel]) {
            self.image = image
            self.title = title
            self.notes = notes
            self.panels = panels
        }

        /// Without the padding of the network's input frame, in which the panels' maps, pictures and boxes are.
        public init(image framed: FramedImage, title: String, notes: [String] = [], panels: [Panel]) {
            let placement = framed.placement
            guard placement.isPadded else {
                self.init(image: framed.image, title: title, notes: notes, panels: panels)
                return
            }
            self.init(
                image: framed.picture, title: title,
                notes: notes,
                panels: panels.map { panel in
                    var panel = panel
                    panel.content = panel.content.cropped(to: placement)
                    return panel
                })
        }
    }

    /// The method and its parameters.
    public var heading: String
    public var rows: [Row]
    /// Another colour map than the method's.
    public var colormap: Colormap?
    /// All maps coloured on one scale, instead of each on its own.
    public var sharesScale: Bool
    /// The longer side of each picture, in pixels.
    public var size: Int

    /// Twice the side of a panel.
    public static let defaultSize = 448
    static let side = 224.0
    private static let margin = 20.0
    private static let gap = 16.0
    private static let rowGap = 28.0
    private static let columnGap = 40.0
    private typealias Palette = Page.Palette

    public init(
        heading: String, rows: [Row], colormap: Colormap? = nil, sharesScale: Bool = false, size: Int = Figure.defaultSize
    ) {
        self.heading = heading
        self.rows = rows
        self.colormap = colormap
        self.sharesScale = sharesScale
        self.size = size
    }

    /// - Throws: as `page`.
    public func rendered() throws -> Image { try page().rendered() }

    /// - Throws: `ExplanationError.notFinite` for a map that holds NaN or an infinity.
    public func page() throws -> Page {
        let maps = try maps()
        let isSigned = maps.contains { $0.look.isSigned }
        let common = sharesScale ? maps.map { $0.look.limit(of: $0.map) }.max { $0.value < $1.value } : nil
        let ink = Ink(
            colormap: colormap ?? (isSigned ? .diverging : .inferno), isSigned: isSigned, limit: common,
            scale: Double(size) / Self.side)
        let rows = rows.map { row in [photograph(row, ink)] + row.panels.map { block($0, over: row.image, ink) } }
        let widths = (0..<(rows.map(\.count).max() ?? 0)).map { index in
            rows.compactMap { $0.indices.contains(index) ? $0[index].width : nil }.max() ?? 0
        }
        let heights = rows.map { $0.map(\.height).max() ?? 0 }
        let inner = widths.reduce(-Self.gap) { $0 + $1 + Self.gap }
        let columns = Columns.split(heights: heights, gap: Self.rowGap, width: inner, columnGap: Self.columnGap)
        let width = columns.reduce(-Self.columnGap) { sum, _ in sum + inner + Self.columnGap }
        let tallest = columns.map { heights[$0].reduce(-Self.rowGap) { $0 + $1 + Self.rowGap } }.max() ?? 0
        let lines = Font.title.wrapped(heading, toWidth: width)
        let head = Double(lines.count) * (Font.title.lineHeight + 2) + 10
        var page = Page(width: width + 2 * Self.margin, height: tallest + 2 * Self.margin + head, scale: ink.scale)
        for (index, line) in lines.enumerated() {
            page.write(line, x: Self.margin, y: Self.margin + Double(index) * (Font.title.lineHeight + 2), font: .title)
        }
        for (column, part) in columns.enumerated() {
            var y = Self.margin + head
            for index in part {
                var x = Self.margin + Double(column) * (inner + Self.columnGap)
                for (block, width) in zip(rows[index], widths) {
                    page.add(block, x: x, y: y)
                    x += width + Self.gap
                }
                y += heights[index] + Self.rowGap
            }
        }
        return page
    }

    /// A panel alone under a heading, for pages of several methods, each with a scale and colours of its own.
    /// - Throws: as `page`.
    public static func page(of panel: Panel, over image: Image, heading: String, scale: Double) throws -> Page {
        let figure = Figure(heading: heading, rows: [Row(image: image, title: "", panels: [panel])])
        let isSigned = try figure.maps().contains { $0.look.isSigned }
        let ink = Ink(colormap: isSigned ? .diverging : .inferno, isSigned: isSigned, limit: nil, scale: scale)
        let block = figure.block(panel, over: image, ink)
        let lines = Font.bold.wrapped(heading, toWidth: block.width)
        let head = Double(lines.count) * (Font.bold.lineHeight + 1) + 4
        var page = Page(width: block.width, height: head + block.height, scale: scale)
        for (index, line) in lines.enumerated() {
            page.write(line, x: 0, y: Double(index) * (Font.bold.lineHeight + 1), font: .bold)
        }
        page.add(block, x: 0, y: head)
        return page
    }

    private func maps() throws -> [(map: ExplanationMap, look: MapLook)] {
        try rows.flatMap(\.panels).compactMap { panel in
            guard case .map(let map, let look, _) = panel.content else { return nil }
            guard map.values.allSatisfy(\.isFinite) else {
                throw ExplanationError.notFinite(what: "the map of \(panel.title)")
            }
            return (map, look)
        }
    }

    /// What all panels are coloured with.
    private struct Ink {
        var colormap: Colormap
        /// White, or the middle of another map, at zero.
        var isSigned: Bool
        /// Of all maps, where they share one.
        var limit: MapLook.Limit?
        /// Pixels a unit.
        var scale: Double
    }

    // MARK: Blocks

    private func photograph(_ row: Row, _ ink: Ink) -> Page {
        var block = Page(width: Self.side, height: 0, scale: ink.scale)
        let place = show(row.image, x: 0, on: &block)
        var y = place.y + place.height + 5
        write([(row.title, .bold, Palette.ink)] + row.notes.map { ($0, .regular, Palette.quiet) }, y: &y, on: &block)
        return block.resized(height: y)
    }

    private func block(_ panel: Panel, over image: Image, _ ink: Ink) -> Page {
        var block = Page(width: Self.side, height: 0, scale: ink.scale)
        var y: Double
        switch panel.content {
        case .picture(let picture, let boxes):
            let place = show(picture, x: 0, on: &block)
            for box in boxes { outline(box, of: picture, in: place, on: &block) }
            y = place.y + place.height + 5
        case .map(let map, let look, let boxes):
            if look.isFine { block = Page(width: 2 * Self.side + Self.gap, height: 0, scale: ink.scale) }
            y = draw(map, look, boxes, over: image, ink, on: &block)
        }
        write(
            [(panel.title, .bold, Palette.ink)] + panel.notes.map { ($0, .regular, Palette.quiet) }
                + panel.warnings.map { ($0, .regular, Palette.alarm) }, y: &y, on: &block)
        if let checks = panel.checks {
            ChecksDrawing(checks).draw(x: 0, y: y + 6, width: block.width, on: &block)
            y += 6 + ChecksDrawing.height
        }
        return block.resized(height: y)
    }

    /// The map alone where it is fine, the map over the photograph, and under them the scale.
    /// - Returns: where the text begins.
    private func draw(
        _ map: ExplanationMap, _ look: MapLook, _ boxes: [Rectangle], over image: Image, _ ink: Ink, on block: inout Page
    ) -> Double {
        let frame = Rectangle(x: 0, y: 0, width: Self.side, height: Self.side).fitting(
            Size(width: image.width, height: image.height))
        let size = Size(width: block.pixels(frame.width), height: block.pixels(frame.height))
        let limit = ink.limit ?? look.limit(of: map)
        let levels = look.levels(of: map, limit: limit.value, isSigned: ink.isSigned)
        let isPixelated = look.isFine && isSmall(image)
        var picture = MapPicture(
            levels: levels, width: map.width, height: map.height, size: size, isPixelated: isPixelated, colormap: ink.colormap)
        picture.isSigned = ink.isSigned
        var x = 0.0
        if look.isFine {
            block.place(picture.alone, in: frame)
            block.outline(frame, thickness: 0.5, with: Palette.rule)
            x = Self.side + Self.gap
        }
        let place = Rectangle(x: frame.x + x, y: frame.y, width: frame.width, height: frame.height)
        // Single pixels hide nothing, and are lost where they are pale.
        if look.isFine { (picture.opacity, picture.strength) = (1, 1.5) }
        block.place(picture.over(enlarged(image, to: size)), in: place)
        for box in boxes { outline(box, of: image, in: place, on: &block) }
        var y = frame.y + frame.height + 6
        bar(look, limit, ink, y: &y, on: &block)
        return y
    }

    private func bar(_ look: MapLook, _ limit: MapLook.Limit, _ ink: Ink, y: inout Double, on block: inout Page) {
        let bar = ColorBar(
            colormap: ink.colormap, low: ink.isSigned ? (limit.isClipped ? "≤ " : "") + Self.number(-limit.value) : "0",
            middle: ink.isSigned ? "0" : Self.number(limit.value / 2),
            high: (limit.isClipped ? "≥ " : "") + Self.number(limit.value),
            quantity: look.quantity + (limit.isClipped ? limit.remark : ""))
        bar.draw(x: 0, y: &y, width: block.width, on: &block)
        y += 4
    }

    private func write(_ lines: [(text: String, font: Font, color: Color)], y: inout Double, on block: inout Page) {
        for line in lines {
            for text in line.font.wrapped(line.text, toWidth: block.width) {
                block.write(text, x: 0, y: y, font: line.font, color: line.color)
                y += line.font.lineHeight + 1
            }
        }
    }

    private func show(_ image: Image, x: Double, on block: inout Page) -> Rectangle {
        let place = Rectangle(x: x, y: 0, width: Self.side, height: Self.side).fitting(
            Size(width: image.width, height: image.height))
        block.place(image, in: place, isPixelated: isSmall(image))
        return place
    }

    private func outline(_ box: Rectangle, of image: Image, in place: Rectangle, on block: inout Page) {
        let size = Size(width: image.width, height: image.height)
        block.outlineTwice(place.part(box.clipped(to: size), of: size))
    }

    /// Small images are shown with their pixels, not blurred.
    private func isSmall(_ image: Image) -> Bool { Double(max(image.width, image.height)) * 3 <= Self.side }

    private func enlarged(_ image: Image, to size: Size) -> Image {
        image.resized(width: size.width, height: size.height, interpolation: isSmall(image) ? .nearest : .bicubic)
    }

    static func number(_ value: Float) -> String {
        let text = String(format: "%.3g", Double(value))
        return text.hasPrefix("-") ? "−" + (text == "-0" ? "0" : String(text.dropFirst())) : text
    }
}
