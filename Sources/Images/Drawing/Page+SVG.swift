import Foundation

/// Pages as SVG 1.1: text stays text, and is set in Inter's widths with whatever font a reader has; pictures are PNGs within.
extension Page {
    /// The file, with texts about it; the same page and texts make the same bytes.
    /// - Throws: `ImageError` where a picture cannot be encoded.
    public func svgData(text: [(String, String)] = []) throws(ImageError) -> [UInt8] {
        let (across, down) = (Self.number(width), Self.number(height))
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
                + "width=\"\(size.width)\" height=\"\(size.height)\" viewBox=\"0 0 \(across) \(down)\">",
            "<metadata>",
        ]
        for (keyword, text) in text {
            lines.append("<desc id=\"\(SVG.escaped(keyword))\">\(SVG.escaped(text))</desc>")
        }
        lines.append("</metadata>")
        lines.append("<rect width=\"\(across)\" height=\"\(down)\" fill=\"\(Self.name(Palette.ground))\"/>")
        for mark in marks { lines.append(try element(mark)) }
        lines.append("</svg>")
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private func element(_ mark: Mark) throws(ImageError) -> String {
        switch mark {
        case .area(let frame, let color): return "<rect \(Self.place(frame)) fill=\"\(Self.name(color))\"/>"
        case .outline(let frame, let thickness, let color):
            // A stroke lies on both sides of its line.
            let inner = Rectangle(
                x: frame.x + thickness / 2, y: frame.y + thickness / 2, width: max(frame.width - thickness, 0),
                height: max(frame.height - thickness, 0))
            return
                "<rect \(Self.place(inner)) fill=\"none\" stroke=\"\(Self.name(color))\" stroke-width=\"\(Self.number(thickness))\"/>"
        case .picture(let image, let frame, let isPixelated):
            let data = Data(try image.pngData()).base64EncodedString()
            let rendering = isPixelated ? " style=\"image-rendering:pixelated\"" : ""
            return
                "<image \(Self.place(frame)) preserveAspectRatio=\"none\"\(rendering) xlink:href=\"data:image/png;base64,\(data)\"/>"
        case .text(let text, let x, let y, let font, let color):
            return
                "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y + font.ascent))\" textLength=\"\(Self.number(font.width(of: text)))\" "
                + "lengthAdjust=\"spacingAndGlyphs\" font-family=\"Inter, Helvetica, Arial, sans-serif\" font-size=\"\(Self.number(font.size))\" "
                + "font-weight=\"\(font.weight == .bold ? 600 : 400)\" fill=\"\(Self.name(color))\">\(SVG.escaped(text))</text>"
        case .line(let points, let thickness, let color):
            let places = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
            return
                "<polyline points=\"\(places)\" fill=\"none\" stroke=\"\(Self.name(color))\" stroke-width=\"\(Self.number(thickness))\"/>"
        }
    }

    private static func place(_ frame: Rectangle) -> String {
        "x=\"\(number(frame.x))\" y=\"\(number(frame.y))\" width=\"\(number(frame.width))\" height=\"\(number(frame.height))\""
    }

    private static func name(_ color: Color) -> String { String(format: "#%02x%02x%02x", color.red, color.green, color.blue) }

    /// To a hundredth.
    static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
        let digits = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : String(format: ".%02d", rest)
        return (hundredths < 0 ? "-" : "") + "\(whole)\(digits)"
    }
}

/// The texts of an SVG file.
public enum SVG {
    /// How a file of ours begins.
    public static let signature = Array("<svg ".utf8)

    /// Those that `Page.svgData` wrote, in order; none of a file without.
    public static func text(in bytes: [UInt8]) -> [PNGText] {
        guard bytes.starts(with: signature) else { return [] }
        let file = String(decoding: bytes.prefix(1 << 20), as: UTF8.self)
        guard let end = file.range(of: "</metadata>") else { return [] }
        return file[..<end.lowerBound].components(separatedBy: "<desc id=\"").dropFirst().compactMap { part in
            guard let middle = part.range(of: "\">"), let close = part.range(of: "</desc>") else { return nil }
            return (plain(String(part[..<middle.lowerBound])), plain(String(part[middle.upperBound..<close.lowerBound])))
        }
    }

    private static let entities = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")]

    /// As it stands between tags or quotes; control characters, which XML has not, are written as their codes.
    static func escaped(_ text: String) -> String {
        let safe = text.unicodeScalars.map { scalar in
            scalar.value < 0x20 && ![0x9, 0xA, 0xD].contains(scalar.value) ? Font.code(of: scalar) : String(scalar)
        }.joined()
        return entities.reduce(safe) { $0.replacing($1.0, with: $1.1) }
    }

    private static func plain(_ text: String) -> String {
        entities.reversed().reduce(text) { $0.replacing($1.1, with: $1.0) }
    }
}
