/// GIF: its first frame on the screen that the file states (https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
///
/// As in Pillow the frame's surroundings have its transparent colour, or colour 0, and transparent pixels the colour that the palette has there.
struct GIF {
    /// The screen, or what holds screen and frame.
    let width: Int
    let height: Int
    private let frame: (x: Int, y: Int, width: Int, height: Int)
    private let isInterlaced: Bool
    /// 256 colours of 3 bytes; what the file does not say is grey.
    private let palette: [UInt8]
    /// The index that surrounds the frame.
    private let ground: UInt8
    /// Where the packed pixels begin, with their code size.
    private let start: Int

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        let cut = ImageError(.truncated(.gif, bytes: bytes.count))
        func number(_ offset: Int, _ count: Int) throws(ImageError) -> Int {
            guard let number = bytes.littleEndian(at: offset, count: count) else { throw cut }
            return number
        }
        let screen = (width: try number(6, 2), height: try number(8, 2), flags: try number(10, 1))
        var offset = 13
        var colors: Range<Int>?
        if screen.flags & 0x80 != 0 {
            colors = offset..<offset + 3 << (screen.flags & 7) * 2
            offset = colors?.upperBound ?? offset
        }
        var transparent: Int?
        while true {
            switch try number(offset, 1) {
            case 0x21:
                if try number(offset + 1, 1) == 0xF9, try number(offset + 2, 1) >= 4 {
                    transparent = try number(offset + 3, 1) & 1 == 1 ? try number(offset + 6, 1) : nil
                }
                offset += 2
                while case let length = try number(offset, 1), length > 0 { offset += 1 + length }
                offset += 1
            case 0x2C:
                frame = (
                    try number(offset + 1, 2), try number(offset + 3, 2), try number(offset + 5, 2), try number(offset + 7, 2)
                )
                let flags = try number(offset + 9, 1)
                offset += 10
                if flags & 0x80 != 0 {
                    colors = offset..<offset + 3 << (flags & 7) * 2
                    offset = colors?.upperBound ?? offset
                }
                (width, height) = (max(screen.width, frame.x + frame.width), max(screen.height, frame.y + frame.height))
                isInterlaced = flags & 0x40 != 0
                palette = Self.palette(colors.map { bytes.part(at: $0.lowerBound, count: $0.count) })
                ground = UInt8(truncatingIfNeeded: transparent ?? 0)
                start = offset
                return
            case 0x3B: throw ImageError(.corrupt(.gif, detail: "it has no frame"))
            default: throw ImageError(.corrupt(.gif, detail: "an unknown block"))
            }
        }
    }

    private static func palette(_ colors: UnsafeRawBufferPointer?) -> [UInt8] {
        var palette = (0..<768).map { UInt8($0 / 3) }
        for (index, byte) in (colors ?? UnsafeRawBufferPointer(start: nil, count: 0)).prefix(768).enumerated() {
            palette[index] = byte
        }
        return palette
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    func decode(_ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        var indices = [UInt8](repeating: ground, count: frame.width * frame.height)
        try indices.withUnsafeMutableBufferPointer { indices throws(ImageError) in
            try GIFPacking.unpack(bytes, at: start, to: indices)
        }
        func paint(_ place: Int, _ index: UInt8) {
            for channel in 0..<3 { pixels[3 * place + channel] = palette[3 * Int(index) + channel] }
        }
        if frame.width < width || frame.height < height {
            for place in 0..<width * height { paint(place, ground) }
        }
        for (source, row) in rows.enumerated() {
            let place = (frame.y + row) * width + frame.x
            for x in 0..<frame.width { paint(place + x, indices[source * frame.width + x]) }
        }
    }

    /// The rows of the frame in the order of the file.
    private var rows: [Int] {
        guard isInterlaced else { return Array(0..<frame.height) }
        return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0.0, to: frame.height, by: $0.1)) }
    }
}

/// The packing of GIF's pixels: LZW with codes of 3 to 12 bits.
private enum GIFPacking {
    /// - Throws: `ImageError` without a name, where not all of `out` is filled.
    static func unpack(
        _ bytes: UnsafeRawBufferPointer, at start: Int, to out: UnsafeMutableBufferPointer<UInt8>
    ) throws(ImageError) {
        guard let codeSize = bytes.littleEndian(at: start, count: 1) else {
            throw ImageError(.truncated(.gif, bytes: bytes.count))
        }
        guard (1...11).contains(codeSize) else { throw ImageError(.corrupt(.gif, detail: "codes of \(codeSize) bits")) }
        var codes = GIFCodes(bytes, at: start + 1)
        let (clear, end) = (1 << codeSize, 1 << codeSize + 1)
        // Of each code: the code before its last pixel, that pixel, its first one, and how many they are.
        var before = [Int16](repeating: -1, count: 4096)
        var (last, first) = ([UInt8](repeating: 0, count: 4096), [UInt8](repeating: 0, count: 4096))
        var lengths = [Int32](repeating: 1, count: 4096)
        for code in 0..<min(clear, 256) { (last[code], first[code]) = (UInt8(code), UInt8(code)) }
        var (next, size, previous, filled) = (clear + 2, codeSize + 1, -1, 0)
        while filled < out.count {
            guard let code = codes.next(size) else {
                throw ImageError(codes.isCut ? .truncated(.gif, bytes: bytes.count) : .corrupt(.gif, detail: "it ends too early"))
            }
            if code == clear {
                (next, size, previous) = (clear + 2, codeSize + 1, -1)
                continue
            }
            guard code != end else { throw ImageError(.corrupt(.gif, detail: "it ends too early")) }
            guard code < next || code == next && previous >= 0, previous >= 0 || code < clear else {
                throw ImageError(.corrupt(.gif, detail: "a code that is not known yet"))
            }
            if previous >= 0, next < 4096 {
                (before[next], first[next], lengths[next]) = (Int16(previous), first[previous], lengths[previous] + 1)
                last[next] = code == next ? first[previous] : first[code]
                next += 1
                if next == 1 << size, size < 12 { size += 1 }
            }
            // From its last pixel backwards; what does not fit is left out.
            var (place, walked) = (filled + Int(lengths[code]), code)
            filled = min(place, out.count)
            while walked >= 0 {
                place -= 1
                if place < out.count { out[place] = last[walked] }
                walked = Int(before[walked])
            }
            previous = code
        }
    }
}

/// The codes of blocks of up to 255 bytes, from the lowest bit on.
private struct GIFCodes {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private var left = 0
    private var (bits, count) = (0, 0)
    /// Whether the bytes end before the blocks do.
    private(set) var isCut = false

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) { (self.bytes, self.offset) = (bytes, offset) }

    mutating func next(_ size: Int) -> Int? {
        while count < size {
            if left == 0 {
                guard offset < bytes.count else {
                    isCut = true
                    return nil
                }
                left = Int(bytes[offset])
                offset += 1
                if left == 0 { return nil }
            }
            guard offset < bytes.count else {
                isCut = true
                return nil
            }
            bits |= Int(bytes[offset]) << count
            (offset, left, count) = (offset + 1, left - 1, count + 8)
        }
        let code = bits & (1 << size - 1)
        bits >>= size
        count -= size
        return code
    }
}
