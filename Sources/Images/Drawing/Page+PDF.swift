import Foundation

/// Pages as PDF 1.4, for papers: lines stay lines, and texts are the outlines of their letters, so that no font is needed.
/// Pictures are the packed rows of their PNGs.
extension Page {
    /// The file, with texts about it; the same page and texts make the same bytes.
    /// - Throws: `ImageError` where a picture cannot be encoded.
    public func pdfData(text: [(String, String)] = []) throws(ImageError) -> [UInt8] {
        var drawing = PDFDrawing(page: self)
        drawing.fill(Rectangle(x: 0, y: 0, width: width, height: height), with: Palette.ground)
        for mark in marks { try drawing.draw(mark) }
        return drawing.file(text: text)
    }
}

/// The marks of a page in PDF's operators, and what they refer to.
private struct PDFDrawing {
    private let width: Double
    private let height: Double
    /// Points a unit.
    private let scale: Double
    private var content: [String] = []
    private var pictures: [[UInt8]] = []
    private var glyphs: [String] = []
    /// Of a glyph's outlines.
    private var numbers: [String: Int] = [:]

    /// A unit is a 96th of an inch, as in SVG; PDF has no pages of more than 14 400 points.
    init(page: Page) {
        (width, height) = (page.width, page.height)
        scale = min(0.75, 14_400 / max(page.width, page.height))
        // From the top, as pages are.
        content = ["\(number(scale)) 0 0 \(number(-scale)) 0 \(number(height * scale)) cm"]
    }

    mutating func draw(_ mark: Page.Mark) throws(ImageError) {
        switch mark {
        case .area(let frame, let color): fill(frame, with: color)
        case .outline(let frame, let thickness, let color):
            // A stroke lies on both sides of its line.
            content.append(
                "\(name(color)) RG \(number(thickness)) w \(number(frame.x + thickness / 2)) \(number(frame.y + thickness / 2)) "
                    + "\(number(max(frame.width - thickness, 0))) \(number(max(frame.height - thickness, 0))) re S")
        case .picture(let image, let frame, let isPixelated):
            content.append(
                "q \(number(frame.width)) 0 0 \(number(-frame.height)) \(number(frame.x)) \(number(frame.y + frame.height)) cm "
                    + "/P\(pictures.count) Do Q")
            pictures.append(try Self.picture(image, isSmooth: !isPixelated))
        case .text(let text, let x, let y, let font, let color): write(text, x: x, y: y, font, color)
        case .line(let points, let thickness, let color):
            guard let first = points.first else { return }
            let rest = points.dropFirst().map { "\(number($0.x)) \(number($0.y)) l" }.joined(separator: " ")
            content.append("\(name(color)) RG \(number(thickness)) w \(number(first.x)) \(number(first.y)) m \(rest) S")
        }
    }

    mutating func fill(_ frame: Rectangle, with color: Color) {
        content.append(
            "\(name(color)) rg \(number(frame.x)) \(number(frame.y)) \(number(frame.width)) \(number(frame.height)) re f")
    }

    private mutating func write(_ text: String, x: Double, y: Double, _ font: Font, _ color: Color) {
        content.append("\(name(color)) rg")
        let size = font.size / Outlines.unitsPerEm
        var pen = x
        for glyph in font.glyphs(of: text) {
            let path = Self.path(glyph)
            if !path.isEmpty {
                let index = numbers[path] ?? glyphs.count
                if index == glyphs.count {
                    numbers[path] = index
                    glyphs.append(path)
                }
                let factor = String(format: "%.5f", size)
                content.append("q \(factor) 0 0 -\(factor) \(number(pen)) \(number(y + font.ascent)) cm /G\(index) Do Q")
            }
            pen += Double(glyph.advance) * size
        }
    }

    /// In units of the font; a quadratic curve is a cubic one whose handles are two thirds of the way to its point.
    private static func path(_ glyph: Outlines.Glyph) -> String {
        var lines: [String] = []
        for points in glyph.contours where !points.isEmpty {
            lines.append("\(points[0].x) \(points[0].y) m")
            var (place, index) = (points[0], 1)
            while index <= points.count {
                let point = points[index % points.count]
                guard index < points.count, !point.isOnCurve else {
                    lines.append("\(point.x) \(point.y) l")
                    (place, index) = (point, index + 1)
                    continue
                }
                let end = points[(index + 1) % points.count]
                func handle(_ from: Int, _ by: Int) -> String { number(Double(from) + 2 * Double(by - from) / 3) }
                lines.append(
                    "\(handle(place.x, point.x)) \(handle(place.y, point.y)) \(handle(end.x, point.x)) \(handle(end.y, point.y)) "
                        + "\(end.x) \(end.y) c")
                (place, index) = (end, index + 2)
            }
            lines.append("h")
        }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\nf"
    }

    private static func picture(_ image: Image, isSmooth: Bool) throws(ImageError) -> [UInt8] {
        let png = try image.pngData()
        var data: [UInt8] = []
        png.withUnsafeBytes { bytes in
            PNG.forEachChunk(bytes) { chunk in
                if chunk.type == "IDAT" { data += chunk.data }
                return true
            }
        }
        return stream(
            "/Type /XObject /Subtype /Image /Width \(image.width) /Height \(image.height) /ColorSpace /DeviceRGB /BitsPerComponent 8 "
                + "/Interpolate \(isSmooth) /Filter /FlateDecode "
                + "/DecodeParms << /Predictor 15 /Colors 3 /BitsPerComponent 8 /Columns \(image.width) >>", data)
    }

    private static func stream(_ entries: String, _ data: [UInt8]) -> [UInt8] {
        Array("<< \(entries) /Length \(data.count) >>\nstream\n".utf8) + data + Array("\nendstream".utf8)
    }

    /// Everything, with the texts in front.
    func file(text: [(String, String)]) -> [UInt8] {
        let first = 6
        let names =
            pictures.indices.map { "/P\($0) \(first + $0) 0 R" }
            + glyphs.indices.map { "/G\($0) \(first + pictures.count + $0) 0 R" }
        let info = text.map { "/\(PDF.name($0)) <\(PDF.hexadecimal($1))>\n" }.joined()
        let objects: [[UInt8]] =
            [
                Array("<<\n\(info)>>".utf8), Array("<< /Type /Catalog /Pages 3 0 R >>".utf8),
                Array("<< /Type /Pages /Kids [4 0 R] /Count 1 >>".utf8),
                Array(
                    ("<< /Type /Page /Parent 3 0 R /MediaBox [0 0 \(number(width * scale)) \(number(height * scale))] "
                        + "/Resources << /XObject << \(names.joined(separator: " ")) >> >> /Contents 5 0 R >>").utf8),
                Self.stream("", Array(content.joined(separator: "\n").utf8)),
            ] + pictures + glyphs.map(Self.form)
        var bytes = PDF.signature + Array("1.4\n%".utf8) + [0xE2, 0xE3, 0xCF, 0xD3, 0x0A]
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(bytes.count)
            bytes += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let table = places.map { String(format: "%010d 00000 n \n", $0) }.joined()
        bytes +=
            Array(
                ("xref\n0 \(objects.count + 1)\n0000000000 65535 f \n\(table)trailer\n<< /Size \(objects.count + 1) /Root 2 0 R /Info 1 0 R >>\n"
                    + "startxref\n\(bytes.count)\n%%EOF\n").utf8)
        return bytes
    }

    private static func form(_ path: String) -> [UInt8] {
        // As large as any letter.
        stream("/Type /XObject /Subtype /Form /BBox [-1024 -1024 2048 2048]", Array(path.utf8))
    }

    private func name(_ color: Color) -> String {
        [color.red, color.green, color.blue].map { String(format: "%.3f", Double($0) / 255) }.joined(separator: " ")
    }
}

/// To a hundredth.
private func number(_ value: Double) -> String { Page.number(value) }

/// The texts of a PDF file.
public enum PDF {
    /// How every file begins.
    public static let signature = Array("%PDF-".utf8)

    /// Those that `Page.pdfData` wrote, in order; none of another file.
    public static func text(in bytes: [UInt8]) -> [PNGText] {
        guard bytes.starts(with: signature) else { return [] }
        let start = String(decoding: bytes.prefix(1 << 24), as: UTF8.self)
        guard let open = start.range(of: "1 0 obj\n<<\n"), let close = start[open.upperBound...].range(of: ">>\nendobj") else {
            return []
        }
        return start[open.upperBound..<close.lowerBound].split(separator: "\n").compactMap { line in
            guard line.hasPrefix("/"), line.hasSuffix(">"), let middle = line.range(of: " <") else { return nil }
            let name = line[line.index(after: line.startIndex)..<middle.lowerBound]
            guard let text = text(ofHexadecimal: line[middle.upperBound...].dropLast()) else { return nil }
            return (plain(name), text)
        }
    }

    /// All that is drawn: not the texts, and not the places of objects, which texts move.
    package static func drawing(in bytes: [UInt8]) -> ArraySlice<UInt8> {
        let file = Data(bytes)
        guard let start = file.range(of: Data("\nendobj\n".utf8)),
            let end = file.range(of: Data("\nxref\n".utf8), options: .backwards)
        else { return bytes[...] }
        return start.upperBound <= end.lowerBound ? bytes[start.upperBound..<end.lowerBound] : bytes[...]
    }

    /// UTF-16 with a byte order mark, as PDF has text.
    static func hexadecimal(_ text: String) -> String {
        "FEFF" + text.utf16.map { String(format: "%04X", $0) }.joined()
    }

    private static func text(ofHexadecimal digits: some StringProtocol) -> String? {
        let bytes = Array(digits.utf8)
        guard bytes.count % 4 == 0, bytes.starts(with: Array("FEFF".utf8)) else { return nil }
        let units = stride(from: 4, to: bytes.count, by: 4).map {
            UInt16(String(decoding: bytes[$0..<$0 + 4], as: UTF8.self), radix: 16)
        }
        let known = units.compactMap { $0 }
        return known.count == units.count ? String(decoding: known, as: UTF16.self) : nil
    }

    /// A keyword as a name: what a name has not is written as its code.
    static func name(_ keyword: String) -> String {
        keyword.utf8.map { byte in
            let isPlain = byte > 0x20 && byte < 0x7F && !"#/()<>[]{}%".utf8.contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : String(format: "#%02X", byte)
        }.joined()
    }

    private static func plain(_ name: some StringProtocol) -> String {
        var (bytes, rest) = ([UInt8](), Array(name.utf8)[...])
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "#"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
