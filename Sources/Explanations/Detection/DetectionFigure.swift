public import Images

/// Pictures with the boxes that a detector found on them, in a grid under a heading.
///
/// The same figure always makes the same pixels.
public struct DetectionFigure: Sendable {
    public struct Picture: Sendable {
        /// Upright, of any size: boxes are in `size`.
        public var image: Image
        /// Of the upright picture that the boxes are in, in pixels.
        public var size: Size
        public var title: String
        public var detections: [Detection]

        public init(image: Image, size: Size, title: String, detections: [Detection]) {
            (self.image, self.size, self.title, self.detections) = (image, size, title, detections)
        }
    }

    public static let defaultSize = 640
    /// Pictures that fit into one figure.
    public static let most = 64
    /// Lines are this many units of a page.
    private static let scale = 2.0
    private static let gap = 14.0

    private let heading: String
    private let note: String
    private let pictures: [Picture]
    private let side: Double

    /// - Parameters:
    ///   - note: under the heading.
    ///   - size: of a picture's longer side, in pixels.
    /// - Precondition: there are 1 to `most` pictures.
    public init(heading: String, note: String, pictures: [Picture], size: Int = DetectionFigure.defaultSize) {
        precondition((1...Self.most).contains(pictures.count), "a figure has 1 to \(Self.most) pictures, not \(pictures.count)")
        (self.heading, self.note, self.pictures, side) = (heading, note, pictures, Double(size) / Self.scale)
    }

    /// The figure, drawn.
    public func page() -> Page {
        let columns = Int(Double(pictures.count).squareRoot().rounded(.up))
        let rows = stride(from: 0, to: pictures.count, by: columns).map {
            Array(pictures[$0..<min($0 + columns, pictures.count)])
        }
        let heights = rows.map { row in row.map { frame(of: $0, x: 0, y: 0).height }.max() ?? 0 }
        let text = Font.regular.lineHeight
        let width = Double(columns) * (side + Self.gap) + Self.gap
        let lines = Font.regular.wrapped(note, toWidth: width - 2 * Self.gap)
        let top = 42.0 + Double(lines.count) * text
        let height = top + heights.reduce(0) { $0 + $1 + text + 8 + Self.gap }
        var page = Page(width: width, height: height, scale: Self.scale)
        page.write(Font.title.shortened(heading, toWidth: width - 2 * Self.gap), x: Self.gap, y: 14, font: .title)
        for (index, line) in lines.enumerated() {
            page.write(line, x: Self.gap, y: 34 + Double(index) * text, color: Page.Palette.quiet)
        }
        var y = top
        for (row, height) in zip(rows, heights) {
            for (column, picture) in row.enumerated() {
                draw(picture, x: Self.gap + Double(column) * (side + Self.gap), y: y, on: &page)
            }
            y += height + text + 8 + Self.gap
        }
        return page
    }

    private func frame(of picture: Picture, x: Double, y: Double) -> Rectangle {
        let longer = Double(max(picture.size.width, picture.size.height))
        return Rectangle(
            x: x, y: y, width: max(side * Double(picture.size.width) / longer, 1),
            height: max(side * Double(picture.size.height) / longer, 1))
    }

    private func draw(_ picture: Picture, x: Double, y: Double, on page: inout Page) {
        let frame = frame(of: picture, x: x, y: y)
        page.place(picture.image, in: frame)
        // The strongest last, above all others.
        for detection in picture.detections.reversed() {
            let box = frame.part(detection.box, of: picture.size)
            let color = Self.colors[detection.classIndex % Self.colors.count]
            page.outlineTwice(box, with: color)
            draw(label(of: detection), over: box, in: frame, color, on: &page)
        }
        let count = picture.detections.count
        let title = "\(picture.title)  \(count) \(count == 1 ? "box" : "boxes")"
        page.write(Font.regular.shortened(title, toWidth: side), x: x, y: frame.y + frame.height + 4)
    }

    private func label(of detection: Detection) -> String {
        "\(detection.rank) \(detection.label) \(Int((100 * detection.score).rounded())) %"
    }

    /// A name above its box, or within where there is no room, on a ground of the box's colour.
    private func draw(_ text: String, over box: Rectangle, in frame: Rectangle, _ color: Color, on page: inout Page) {
        let font = Font.regular
        let shown = font.shortened(text, toWidth: max(frame.width - 4, 1))
        let (width, height) = (min(font.width(of: shown) + 4, frame.width), font.lineHeight)
        let left = min(max(box.x, frame.x), frame.x + frame.width - width)
        let above = box.y - height
        let top = above >= frame.y ? above : min(box.y, max(frame.y + frame.height - height, frame.y))
        page.fill(x: left, y: top, width: width, height: height, with: color)
        page.write(shown, x: left + 2, y: top, font: font)
    }

    /// Told apart by everybody (Okabe and Ito 2008), all with dark text on them.
    private static let colors = [0xFFC53D, 0x56B4E9, 0x2FBF8F, 0xF0E442, 0xE79AC4, 0xF28C4A, 0xBBBBBB].map { Color(hex: $0) }
}
