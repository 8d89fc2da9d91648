/// EXIF's tag 0x0112, read as Pillow reads it. Every offset is checked; nothing outside the block is read.
struct OrientationTag {
    /// `upright` for a value that stands for none.
    let orientation: Orientation

    /// From a TIFF header and its first directory; nil where the block has no such tag, or is damaged before it. What is no TIFF says
    /// `upright`.
    ///
    /// The first entry that holds a value counts, and of several values the first one: a number of any kind, but no text and no bytes.
    init?(exif block: UnsafeRawBufferPointer) {
        var exif = block[...]
        for _ in 0..<2 where exif.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) { exif = exif.dropFirst(6) }
        guard let reader = TIFFNumbers(UnsafeRawBufferPointer(rebasing: exif)) else {
            orientation = .upright
            return
        }
        guard let directory = reader.unsigned(at: 4, bytes: 4), let entries = reader.unsigned(at: directory, bytes: 2)
        else { return nil }
        for index in 0..<entries {
            let entry = directory + 2 + 12 * index
            guard let tag = reader.unsigned(at: entry, bytes: 2), reader.unsigned(at: entry + 8, bytes: 4) != nil,
                let type = reader.unsigned(at: entry + 2, bytes: 2), let count = reader.unsigned(at: entry + 4, bytes: 4)
            else { return nil }
            guard tag == 0x0112, count > 0, let size = TIFFNumbers.sizes[type] else { continue }
            let place = count * size <= 4 ? entry + 8 : reader.unsigned(at: entry + 8, bytes: 4)
            guard let place, reader.holds(count * size, at: place) else { return nil }
            let value = reader.number(type, at: place).flatMap { Int(exactly: $0) }
            orientation = value.flatMap { Orientation(rawValue: $0) } ?? .upright
            return
        }
        return nil
    }
}

/// Numbers of a TIFF file of either byte order.
private struct TIFFNumbers {
    /// Bytes of a value, by the type's code.
    static let sizes = [1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8]

    private let bytes: UnsafeRawBufferPointer
    private let isBigEndian: Bool

    /// Nil for other bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8, [[42, 0], [0, 42]].contains([bytes[2], bytes[3]]) else { return nil }
        switch (bytes[0], bytes[1]) {
        case (0x49, 0x49): isBigEndian = false
        case (0x4D, 0x4D): isBigEndian = true
        default: return nil
        }
        self.bytes = bytes
    }

    func holds(_ count: Int, at offset: Int) -> Bool { offset >= 0 && count >= 0 && offset <= bytes.count - count }

    func unsigned(at offset: Int, bytes count: Int) -> Int? {
        isBigEndian ? bytes.bigEndian(at: offset, count: count) : bytes.littleEndian(at: offset, count: count)
    }

    /// A value of a type; nil for text and bytes, which are no numbers.
    func number(_ type: Int, at offset: Int) -> Double? {
        guard let size = Self.sizes[type] else { return nil }
        func fraction(_ part: (Int) -> Double?) -> Double? {
            guard let above = part(offset), let below = part(offset + 4), below != 0 else { return nil }
            return above / below
        }
        func long(_ place: Int) -> Double? { unsigned(at: place, bytes: 4).map { Double($0) } }
        func signedLong(_ place: Int) -> Double? {
            unsigned(at: place, bytes: 4).map { Double(Int32(truncatingIfNeeded: $0)) }
        }
        switch type {
        case 3, 4, 13, 16: return unsigned(at: offset, bytes: size).map { Double($0) }
        case 6: return unsigned(at: offset, bytes: 1).map { Double(Int8(truncatingIfNeeded: $0)) }
        case 8: return unsigned(at: offset, bytes: 2).map { Double(Int16(truncatingIfNeeded: $0)) }
        case 9: return signedLong(offset)
        case 5: return fraction(long)
        case 10: return fraction(signedLong)
        case 11: return unsigned(at: offset, bytes: 4).map { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) }
        case 12: return unsigned(at: offset, bytes: 8).map { Double(bitPattern: UInt64(bitPattern: Int64($0))) }
        default: return nil
        }
    }
}
