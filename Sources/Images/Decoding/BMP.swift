/// BMP: 1, 2, 4 or 8 bits with a palette (packed in runs too), 16, 24 and 32 bits; from the bottom up, or from the top down.
///
/// Source: [the structures of Windows](https://learn.microsoft.com/windows/win32/gdi/bitmap-storage). Opacity is ignored; levels of fewer bits
/// than 8 are scaled as Pillow scales them, v · 255 / largest, rounded down.
struct BMP {
    let width: Int
    let height: Int
    private let isTopDown: Bool
    private let bits: Int
    private let packing: Packing
    /// Where the pixels begin.
    private let start: Int
    /// 256 colours of 3 bytes, red first; what the file does not say is black.
    private let palette: [UInt8]
    /// Of red, green and blue, where pixels have no palette.
    private let masks: [UInt32]

    private enum Packing: Int {
        case none = 0
        case runs8, runs4, masks, jpeg, png, masksWithAlpha
    }

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        func number(_ offset: Int, _ count: Int = 4) throws(ImageError) -> Int {
            guard let number = bytes.littleEndian(at: offset, count: count) else {
                throw ImageError(.truncated(.bmp, bytes: bytes.count))
            }
            return number
        }
        func refused(_ detail: String) -> ImageError { ImageError(.unsupported(.bmp, detail: detail)) }
        let size = try number(14)
        let isCore = size == 12
        guard isCore || (40...124).contains(size) else { throw refused("a header of \(size) bytes") }
        let rows = isCore ? try number(20, 2) : Int(Int32(truncatingIfNeeded: try number(22)))
        width = isCore ? try number(18, 2) : Int(Int32(truncatingIfNeeded: try number(18)))
        (height, isTopDown) = (abs(rows), rows < 0)
        bits = try number(isCore ? 24 : 28, 2)
        let scheme = isCore ? 0 : try number(30)
        guard let packing = Packing(rawValue: scheme), packing != .jpeg, packing != .png else {
            throw refused("packed by scheme \(scheme)")
        }
        guard [1, 2, 4, 8, 16, 24, 32].contains(bits) else { throw refused("\(bits) bits a pixel") }
        switch packing {
        case .runs8 where bits != 8, .runs4 where bits != 4, .masks where bits < 16, .masksWithAlpha where bits < 16:
            throw ImageError(.corrupt(.bmp, detail: "packed by scheme \(scheme) at \(bits) bits a pixel"))
        default: break
        }
        self.packing = packing
        start = try number(10)
        var masks: [UInt32] = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF_0000, 0xFF00, 0xFF]
        // They follow the short header, or are in the long ones.
        let hasMasks = bits > 8 && (packing == .masks || packing == .masksWithAlpha)
        if hasMasks { masks = [] }
        for offset in hasMasks ? [54, 58, 62] : [] { masks.append(UInt32(truncatingIfNeeded: try number(offset))) }
        self.masks = masks
        var colors = [UInt8](repeating: 0, count: 768)
        if bits <= 8 {
            let (first, step) = (14 + size, isCore ? 3 : 4)
            let stated = isCore ? 0 : try number(46)
            let count = min(stated == 0 ? 1 << bits : stated, 256, max(0, (start - first) / step))
            for index in 0..<count {
                for channel in 0..<3 { colors[3 * index + channel] = UInt8(try number(first + step * index + 2 - channel, 1)) }
            }
        }
        palette = colors
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    func decode(_ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        if packing == .runs8 || packing == .runs4 { return try decodeRuns(bytes, to: pixels) }
        let stride = (bits * width + 31) / 32 * 4
        // The last row may lack its padding.
        guard start >= 14, start <= bytes.count, bytes.count - start >= stride * (height - 1) + (bits * width + 7) / 8 else {
            throw ImageError(.truncated(.bmp, bytes: bytes.count))
        }
        for row in 0..<height {
            let line = UnsafeRawBufferPointer(rebasing: bytes[(start + row * stride)...])
            let out = pixels + (isTopDown ? row : height - 1 - row) * width * 3
            switch bits {
            case 24:
                for x in 0..<width { for channel in 0..<3 { out[3 * x + channel] = line[3 * x + 2 - channel] } }
            case 16, 32: unmask(line, to: out)
            default:
                let each = 8 / bits
                for x in 0..<width {
                    let index = Int(line[x / each]) >> (8 - bits * (x % each + 1)) & (1 << bits - 1)
                    paint(index, out + 3 * x)
                }
            }
        }
    }

    private func paint(_ index: Int, _ out: UnsafeMutablePointer<UInt8>) {
        for channel in 0..<3 { out[channel] = palette[3 * index + channel] }
    }

    /// A row of pixels in which each colour has some bits.
    private func unmask(_ line: UnsafeRawBufferPointer, to out: UnsafeMutablePointer<UInt8>) {
        let shifts = masks.map { UInt32($0 == 0 ? 0 : $0.trailingZeroBitCount) }
        let largest = zip(masks, shifts).map { UInt64(max($0 >> $1, 1)) }
        for x in 0..<width {
            let value =
                bits == 16
                ? UInt32(line.loadUnaligned(fromByteOffset: 2 * x, as: UInt16.self).littleEndian)
                : line.loadUnaligned(fromByteOffset: 4 * x, as: UInt32.self).littleEndian
            for channel in 0..<3 {
                let level = UInt64((value & masks[channel]) >> shifts[channel])
                out[3 * x + channel] = UInt8(truncatingIfNeeded: level * 255 / largest[channel])
            }
        }
    }

    /// Runs of one index or of two, pixels as they are, ends of rows, and steps; what they pass over is colour 0.
    private func decodeRuns(_ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        for place in 0..<width * height { paint(0, pixels + 3 * place) }
        var (x, y, offset) = (0, 0, start)
        func next() throws(ImageError) -> Int {
            guard let byte = bytes.littleEndian(at: offset, count: 1) else {
                throw ImageError(.truncated(.bmp, bytes: bytes.count))
            }
            offset += 1
            return byte
        }
        func put(_ index: Int) {
            if x < width, y < height { paint(index, pixels + 3 * ((isTopDown ? y : height - 1 - y) * width + x)) }
            x += 1
        }
        func put(_ count: Int, of byte: Int, from first: Int = 0) {
            for place in first..<first + count { put(bits == 8 ? byte : place % 2 == 0 ? byte >> 4 : byte & 15) }
        }
        while y < height {
            let (count, value) = (try next(), try next())
            if count > 0 {
                put(count, of: value)
            } else if value == 0 {
                (x, y) = (0, y + 1)
            } else if value == 1 {
                return
            } else if value == 2 {
                x += try next()
                y += try next()
            } else {
                let length = bits == 8 ? value : (value + 1) / 2
                for place in 0..<length { put(bits == 8 ? 1 : min(2, value - 2 * place), of: try next()) }
                // Padded to an even number of bytes.
                if length % 2 == 1 { _ = try next() }
            }
        }
    }
}
