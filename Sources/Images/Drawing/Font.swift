import Foundation

/// Text on pictures, in Inter: Latin, Greek, Cyrillic, arrows and common symbols. A character that it has not is written as its
/// code, [U+6F22].
public struct Font: Sendable, Equatable {
    public enum Weight: Sendable { case regular, bold }

    public var weight: Weight
    /// The em, in units of a page.
    public var size: Double

    public init(_ weight: Weight, size: Double = 12) { (self.weight, self.size) = (weight, size) }

    public static let regular = Font(.regular)
    public static let bold = Font(.bold)
    /// For titles of whole pages.
    public static let title = Font(.bold, size: 15)

    /// From the top of a line to its baseline.
    var ascent: Double { size * 0.97 }
    /// A line's height, without space between lines.
    public var lineHeight: Double { (size * 1.25).rounded() }

    /// The width of a line of text.
    public func width(of text: String) -> Double {
        Double(glyphs(of: text).reduce(0) { $0 + $1.advance }) * size / Outlines.unitsPerEm
    }

    /// The text if it is no wider than `width`, else its beginning and end with “…” between: for names of files, which are told
    /// apart by both.
    public func shortened(_ text: String, toWidth width: Double) -> String {
        guard self.width(of: text) > width else { return text }
        let characters = Array(text)
        func cut(_ kept: Int) -> String { "\(String(characters.prefix((kept + 1) / 2)))…\(String(characters.suffix(kept / 2)))" }
        let kept = (0..<characters.count).last { self.width(of: cut($0)) <= width }
        return kept.map(cut) ?? ""
    }

    /// The text in lines no wider than `width`, broken between words; a word that is wider alone is broken where it must be.
    public func wrapped(_ text: String, toWidth width: Double) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ").map(String.init) {
            if let last = lines.last, self.width(of: last + " " + word) <= width {
                lines[lines.count - 1] = last + " " + word
                continue
            }
            lines.append("")
            for character in word {
                let line = lines[lines.count - 1] + String(character)
                if self.width(of: line) <= width || line.count == 1 {
                    lines[lines.count - 1] = line
                } else {
                    lines.append(String(character))
                }
            }
        }
        return lines
    }

    // MARK: Glyphs

    private static let outlines: [Weight: [UInt32: Outlines.Glyph]] = [
        .regular: Outlines(FontGlyphs.regular).glyphs, .bold: Outlines(FontGlyphs.bold).glyphs,
    ]

    /// A glyph for each character, or several: a letter's marks, and the letters of a code.
    func glyphs(of text: String) -> [Outlines.Glyph] {
        let known = Self.outlines[weight] ?? [:]
        return text.precomposedStringWithCanonicalMapping.flatMap { character -> [Outlines.Glyph] in
            if character.isWhitespace { return known[0x20].map { [$0] } ?? [] }
            if let glyphs = glyphs(of: character.unicodeScalars, known) { return glyphs }
            let parts = String(character).decomposedStringWithCanonicalMapping.unicodeScalars
            if let glyphs = glyphs(of: parts, known) { return glyphs }
            return character.unicodeScalars.flatMap { scalar in
                known[scalar.value].map { [$0] } ?? Self.code(of: scalar).unicodeScalars.compactMap { known[$0.value] }
            }
        }
    }

    /// What is written of a text as codes, as the font has no glyph for it.
    public func codes(in text: String) -> [String] {
        let known = Self.outlines[weight] ?? [:]
        return text.precomposedStringWithCanonicalMapping.flatMap { character -> [String] in
            if character.isWhitespace || glyphs(of: character.unicodeScalars, known) != nil { return [] }
            let parts = String(character).decomposedStringWithCanonicalMapping.unicodeScalars
            if glyphs(of: parts, known) != nil { return [] }
            return character.unicodeScalars.filter { known[$0.value] == nil }.map(Self.code)
        }
    }

    /// Nil where one is missing.
    private func glyphs(of scalars: some Sequence<Unicode.Scalar>, _ known: [UInt32: Outlines.Glyph]) -> [Outlines.Glyph]? {
        var glyphs: [Outlines.Glyph] = []
        for scalar in scalars {
            guard var glyph = known[scalar.value] else { return nil }
            if (0x300..<0x370).contains(scalar.value), let base = glyphs.first { glyph = Self.centred(glyph, over: base) }
            glyphs.append(glyph)
        }
        return glyphs
    }

    /// A mark above or under the middle of a letter, after which the pen stands.
    private static func centred(_ mark: Outlines.Glyph, over base: Outlines.Glyph) -> Outlines.Glyph {
        guard let extent = mark.extent, let below = base.extent else { return mark }
        let shift = (below.lowerBound + below.upperBound) / 2 - base.advance - (extent.lowerBound + extent.upperBound) / 2
        return Outlines.Glyph(
            advance: 0,
            contours: mark.contours.map { $0.map { Outlines.Point(x: $0.x + shift, y: $0.y, isOnCurve: $0.isOnCurve) } })
    }

    /// How a character is written that the font has not.
    static func code(of scalar: Unicode.Scalar) -> String { "[U+" + String(format: "%04X", scalar.value) + "]" }
}

extension Image {
    /// Writes a line of text with its top left corner at (x, y), in pixels; the font's size is in pixels too.
    public mutating func write(_ text: String, x: Double, y: Double, font: Font = .regular, color: Color = .black) {
        let scale = font.size / Outlines.unitsPerEm
        let baseline = (y + font.ascent).rounded()
        var pen = x
        for glyph in font.glyphs(of: text) {
            draw(glyph, scale: scale, x: pen, baseline: baseline, color)
            pen += Double(glyph.advance) * scale
        }
    }

    private mutating func draw(_ glyph: Outlines.Glyph, scale: Double, x: Double, baseline: Double, _ color: Color) {
        let contours = glyph.contours.map { $0.map { (x: x + Double($0.x) * scale, y: baseline - Double($0.y) * scale) } }
        let points = contours.joined()
        guard let left = points.map(\.x).min(), let right = points.map(\.x).max(), let top = points.map(\.y).min(),
            let bottom = points.map(\.y).max(), right > 0, left < Double(width), bottom > 0, top < Double(height)
        else { return }
        var coverage = Coverage(x: left...right, y: top...bottom)
        for (points, marks) in zip(contours, glyph.contours) where !points.isEmpty {
            var place = points[0]
            var index = 1
            // Contours begin on the curve, and no two points off it follow each other.
            while index <= points.count {
                let point = points[index % points.count]
                if index < points.count, !marks[index].isOnCurve {
                    coverage.addCurve(from: place, by: point, to: points[(index + 1) % points.count])
                    place = points[(index + 1) % points.count]
                    index += 2
                } else {
                    coverage.addLine(from: place, to: point)
                    place = point
                    index += 1
                }
            }
        }
        blend(color, coverage)
    }

    /// Mixes a colour in where there is coverage.
    mutating func blend(_ color: Color, _ coverage: Coverage) {
        let (width, height) = (width, height)
        pixels.withUnsafeMutableBufferPointer { pixels in
            coverage.forEachPixel { x, y, share in
                guard x >= 0, x < width, y >= 0, y < height else { return }
                let start = (y * width + x) * 3
                let old = Color(pixels[start], pixels[start + 1], pixels[start + 2])
                let new = old.mixed(with: color, share: share)
                (pixels[start], pixels[start + 1], pixels[start + 2]) = (new.red, new.green, new.blue)
            }
        }
    }

    /// Draws a line through points, `thickness` pixels strong.
    public mutating func stroke(_ points: [(x: Double, y: Double)], thickness: Double, color: Color) {
        for (start, end) in zip(points, points.dropFirst()) {
            let (across, down) = (end.x - start.x, end.y - start.y)
            let length = (across * across + down * down).squareRoot()
            guard length > 0 else { continue }
            let (nx, ny) = (-down / length * thickness / 2, across / length * thickness / 2)
            let corners = [
                (x: start.x + nx, y: start.y + ny), (x: end.x + nx, y: end.y + ny), (x: end.x - nx, y: end.y - ny),
                (x: start.x - nx, y: start.y - ny),
            ]
            let (columns, rows) = (corners.map(\.x), corners.map(\.y))
            var coverage = Coverage(
                x: (columns.min() ?? 0)...(columns.max() ?? 0), y: (rows.min() ?? 0)...(rows.max() ?? 0))
            for index in corners.indices { coverage.addLine(from: corners[index], to: corners[(index + 1) % 4]) }
            blend(color, coverage)
        }
    }
}
