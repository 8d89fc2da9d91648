/// Text on pictures, in X11's fixed font of 7×13 pixels (public domain): Latin, Greek, and some symbols.
public struct Font: Sendable {
    /// Every glyph is this wide, in pixels.
    public static let glyphWidth = 7
    /// A line's height, in pixels, without space between lines.
    public static let lineHeight = 13

    public static let regular = Font(FontGlyphs.regular)
    public static let bold = Font(FontGlyphs.bold)

    /// Code point → 13 rows, the leftmost pixel in the highest bit.
    private let glyphs: [UInt32: [UInt8]]
    private let missing: [UInt8]

    private init(_ table: String) {
        let bytes = Hexadecimal.bytes(table)
        let length = 2 + Font.lineHeight
        glyphs = Dictionary(
            stride(from: 0, to: bytes.count - length + 1, by: length).map { start in
                (UInt32(bytes[start]) << 8 | UInt32(bytes[start + 1]), Array(bytes[start + 2..<start + length]))
            }, uniquingKeysWith: { first, _ in first })
        missing = glyphs[0xFFFD] ?? glyphs[0x3F] ?? [UInt8](repeating: 0xFC, count: Font.lineHeight)
    }

    /// The width of a text, in pixels.
    public func width(of text: String) -> Int { text.count * Font.glyphWidth }

    /// The text if it is no wider than `width` pixels, else its beginning and end with “…” between.
    public func shortened(_ text: String, toWidth width: Int) -> String {
        let room = max(width / Font.glyphWidth, 0)
        if text.count <= room { return text }
        if room <= 1 { return room == 1 ? "…" : "" }
        return "\(text.prefix(room / 2))…\(text.suffix(room - 1 - room / 2))"
    }

    /// The rows of a character; those the font lacks are drawn as the replacement character.
    func rows(of character: Character) -> [UInt8] {
        let scalars = character.unicodeScalars
        if scalars.count == 1, let scalar = scalars.first { return glyphs[scalar.value] ?? missing }
        // A letter with combining marks: the letter alone says more than a box.
        return scalars.first.flatMap { glyphs[$0.value] } ?? missing
    }
}

extension Image {
    /// Writes a line of text with its top left corner at (x, y); control characters are drawn as spaces.
    public mutating func write(_ text: String, x: Int, y: Int, font: Font = .regular, color: Color = .black) {
        var left = x
        for character in text {
            let isBlank = character.isWhitespace || character.unicodeScalars.first.map { $0.value < 32 } ?? true
            if !isBlank { draw(font.rows(of: character), x: left, y: y, color: color) }
            left += Font.glyphWidth
        }
    }

    private mutating func draw(_ rows: [UInt8], x: Int, y: Int, color: Color) {
        for (line, bits) in rows.enumerated() where bits != 0 && y + line >= 0 && y + line < height {
            for column in 0..<8 where bits & (0x80 >> UInt8(column)) != 0 && x + column >= 0 && x + column < width {
                self[x + column, y + line] = color
            }
        }
    }
}
