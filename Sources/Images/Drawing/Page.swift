/// What is drawn on a picture, in units of which one is `scale` pixels: the same page is a PNG of any size, or an SVG.
///
/// The same page always makes the same pixels.
public struct Page: Sendable {
    package enum Mark: Sendable {
        case area(Rectangle, Color)
        case outline(Rectangle, thickness: Double, Color)
        case picture(Image, Rectangle, isPixelated: Bool)
        case text(String, x: Double, y: Double, Font, Color)
        case line([Point], thickness: Double, Color)
    }

    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }

    /// The colours of all pages: ink on a very light ground. Text has a contrast of at least 4.5 : 1 on it.
    public enum Palette {
        public static let ground = Color(hex: 0xFBFBFA)
        public static let mat = Color(hex: 0xEFEFED)
        public static let rule = Color(hex: 0xDEDDD9)
        public static let ink = Color(hex: 0x1F2328)
        public static let quiet = Color(hex: 0x5F656D)
        public static let alarm = Color(hex: 0xB42318)
        public static let mark = Color(hex: 0xFFC53D)
        /// Two that are told apart by everybody, and in grey: blue and orange (Okabe and Ito 2008).
        public static let came = Color(hex: 0x0072B2)
        public static let went = Color(hex: 0xE69F00)
    }

    public let width: Double
    public let height: Double
    /// Pixels a unit.
    public let scale: Double
    package private(set) var marks: [Mark] = []

    public init(width: Double, height: Double, scale: Double = 2) {
        (self.width, self.height, self.scale) = (width, height, scale)
    }

    // MARK: Drawing

    public mutating func fill(x: Double, y: Double, width: Double, height: Double, with color: Color) {
        marks.append(.area(Rectangle(x: x, y: y, width: width, height: height), color))
    }

    /// `thickness` inwards.
    public mutating func outline(_ rectangle: Rectangle, thickness: Double, with color: Color) {
        marks.append(.outline(rectangle, thickness: thickness, color))
    }

    /// A dark line beside a light one: seen on any picture, and in grey.
    public mutating func outlineTwice(_ rectangle: Rectangle, with color: Color = Palette.mark) {
        outline(rectangle, thickness: 2.5, with: Palette.ink)
        outline(rectangle, thickness: 1.5, with: color)
    }

    /// A picture stretched over a rectangle.
    /// - Parameter isPixelated: its pixels are shown, not blurred.
    public mutating func place(_ image: Image, in rectangle: Rectangle, isPixelated: Bool = false) {
        marks.append(.picture(image, rectangle, isPixelated: isPixelated))
    }

    /// A line of text with its top left corner at (x, y).
    public mutating func write(_ text: String, x: Double, y: Double, font: Font = .regular, color: Color = Palette.ink) {
        if !text.isEmpty { marks.append(.text(text, x: x, y: y, font, color)) }
    }

    public mutating func stroke(_ points: [Point], thickness: Double, with color: Color) {
        marks.append(.line(points, thickness: thickness, color))
    }

    /// All of another page, its corner at (x, y).
    public mutating func add(_ other: Page, x: Double, y: Double) {
        func moved(_ frame: Rectangle) -> Rectangle {
            Rectangle(x: frame.x + x, y: frame.y + y, width: frame.width, height: frame.height)
        }
        marks += other.marks.map { mark in
            switch mark {
            case .area(let frame, let color): .area(moved(frame), color)
            case .outline(let frame, let thickness, let color): .outline(moved(frame), thickness: thickness, color)
            case .picture(let image, let frame, let isPixelated): .picture(image, moved(frame), isPixelated: isPixelated)
            case .text(let text, let left, let top, let font, let color): .text(text, x: left + x, y: top + y, font, color)
            case .line(let points, let thickness, let color):
                .line(points.map { Point($0.x + x, $0.y + y) }, thickness: thickness, color)
            }
        }
    }

    /// The same marks on a page of another height.
    public func resized(height: Double) -> Page {
        var page = Page(width: width, height: height, scale: scale)
        page.marks = marks
        return page
    }

    // MARK: Pixels

    /// As many pixels as a length has.
    public func pixels(_ length: Double) -> Int { max(Int((length * scale).rounded()), 1) }

    /// How many pixels the whole picture has.
    public var size: Size { Size(width: pixels(width), height: pixels(height)) }

    /// The picture.
    public func rendered() -> Image {
        var image = Image(width: size.width, height: size.height, fill: Palette.ground)
        for mark in marks {
            switch mark {
            case .area(let frame, let color):
                let (columns, rows) = cells(frame)
                image.fill(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count, with: color)
            case .outline(let frame, let thickness, let color):
                let (columns, rows) = cells(frame)
                image.outline(
                    x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count,
                    thickness: pixels(thickness), with: color)
            case .picture(let picture, let frame, let isPixelated):
                let (columns, rows) = cells(frame)
                let fitted =
                    picture.width == columns.count && picture.height == rows.count
                    ? picture
                    : picture.resized(
                        width: columns.count, height: rows.count, interpolation: isPixelated ? .nearest : .bicubic)
                image.blit(fitted, x: columns.lowerBound, y: rows.lowerBound)
            case .text(let text, let x, let y, let font, let color):
                image.write(
                    text, x: x * scale, y: y * scale, font: Font(font.weight, size: font.size * scale), color: color)
            case .line(let points, let thickness, let color):
                image.stroke(points.map { ($0.x * scale, $0.y * scale) }, thickness: thickness * scale, color: color)
            }
        }
        return image
    }

    /// The pixels of a rectangle: each edge at the nearest one, at least one of each direction.
    private func cells(_ frame: Rectangle) -> (columns: Range<Int>, rows: Range<Int>) {
        func range(_ start: Double, _ length: Double) -> Range<Int> {
            let first = Int((start * scale).rounded())
            return first..<max(Int(((start + length) * scale).rounded()), first + 1)
        }
        return (range(frame.x, frame.width), range(frame.y, frame.height))
    }
}

extension Rectangle {
    /// Where a picture of `size` goes that fits into this rectangle, its proportions kept, in the middle.
    public func fitting(_ size: Size) -> Rectangle {
        let scale = min(width / Double(size.width), height / Double(size.height))
        let (inner, tall) = (Double(size.width) * scale, Double(size.height) * scale)
        return Rectangle(x: x + (width - inner) / 2, y: y + (height - tall) / 2, width: inner, height: tall)
    }

    /// A part of a picture of `size` that is shown in this rectangle.
    public func part(_ part: Rectangle, of size: Size) -> Rectangle {
        let (across, down) = (width / Double(size.width), height / Double(size.height))
        return Rectangle(
            x: x + part.x * across, y: y + part.y * down, width: part.width * across, height: part.height * down)
    }
}
