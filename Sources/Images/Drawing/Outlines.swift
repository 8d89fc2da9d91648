import Foundation

/// The outlines of a font's glyphs, in units of 1/512 em, y upwards from the baseline.
struct Outlines: Sendable {
    static let unitsPerEm = 512.0

    struct Point: Sendable {
        var x: Int
        var y: Int
        /// Else it draws a quadratic curve towards itself.
        var isOnCurve: Bool
    }

    struct Glyph: Sendable {
        /// How far the pen goes on.
        var advance: Int
        /// Closed lines; inside is what they go around.
        var contours: [[Point]]

        /// Of the points, from the left and right; nil for a glyph without ink.
        var extent: ClosedRange<Int>? {
            let places = contours.joined().map(\.x)
            guard let left = places.min(), let right = places.max() else { return nil }
            return left...right
        }
    }

    /// By code point.
    let glyphs: [UInt32: Glyph]

    /// - Parameter table: as `FontGlyphs` has it.
    init(_ table: String) {
        var numbers = Numbers(bytes: Data(base64Encoded: table, options: .ignoreUnknownCharacters) ?? Data())
        var glyphs: [UInt32: Glyph] = [:]
        while let code = numbers.next(), let advance = numbers.next(), let count = numbers.next() {
            var (x, y) = (0, 0)
            let contours = (0..<count).map { _ in
                (0..<(numbers.next() ?? 0)).map { _ in
                    let step = numbers.next() ?? 0
                    x += step >> 1
                    y += numbers.next() ?? 0
                    return Point(x: x, y: y, isOnCurve: step & 1 == 1)
                }
            }
            glyphs[UInt32(truncatingIfNeeded: code)] = Glyph(advance: advance, contours: contours)
        }
        self.glyphs = glyphs
    }

    /// Whole numbers of 7 bits a byte, the lowest first; of a number's bits the lowest is its sign.
    private struct Numbers {
        let bytes: Data
        var place = 0

        mutating func next() -> Int? {
            var (value, shift) = (0, 0)
            while place < bytes.count, shift < 63 {
                let byte = Int(bytes[bytes.startIndex + place])
                place += 1
                value |= (byte & 127) << shift
                if byte < 128 { return value & 1 == 0 ? value >> 1 : -(value >> 1) - 1 }
                shift += 7
            }
            return nil
        }
    }
}
