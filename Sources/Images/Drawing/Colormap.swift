/// A table of 256 colours for the values of a map.
public enum Colormap: String, Sendable, CaseIterable, Codable {
    case viridis, magma, inferno, turbo, grey
    /// Blue for the lowest values, white in the middle, red for the highest: for signed maps scaled evenly about zero.
    case diverging

    /// The 256 colours, from the lowest value to the highest.
    public var colors: [Color] { Colormap.tables[self] ?? [] }

    /// The colour of a value in 0...1; values outside, and NaN, take the colour of the nearer end (NaN: the lowest).
    public func color(at value: Float) -> Color { colors[Colormap.index(of: value)] }

    /// The entry of a value in 0...1, as matplotlib picks it: 256 steps of equal width.
    static func index(of value: Float) -> Int { value > 0 ? Int(min(value * 256, 255)) : 0 }

    private static let tables: [Colormap: [Color]] = Dictionary(
        uniqueKeysWithValues: allCases.map { map in
            switch map {
            case .viridis: (map, parse(ColormapTables.viridis))
            case .magma: (map, parse(ColormapTables.magma))
            case .inferno: (map, parse(ColormapTables.inferno))
            case .turbo: (map, parse(ColormapTables.turbo))
            case .diverging: (map, parse(ColormapTables.diverging))
            case .grey: (map, (0..<256).map { Color(UInt8($0), UInt8($0), UInt8($0)) })
            }
        })

    private static func parse(_ text: String) -> [Color] {
        let bytes = Hexadecimal.bytes(text)
        return stride(from: 0, to: bytes.count - 2, by: 3).map { Color(bytes[$0], bytes[$0 + 1], bytes[$0 + 2]) }
    }
}

/// Text of hexadecimal digits, as the generated tables hold.
enum Hexadecimal {
    /// The bytes that pairs of digits stand for; other characters are stepped over.
    static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x61...0x66: digit = character - 0x61 + 10
            default: continue
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}
