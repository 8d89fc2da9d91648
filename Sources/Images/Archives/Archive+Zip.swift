internal import CCodecs
internal import Support

/// zip by its central directory, with the large sizes of ZIP64 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
extension Archive.Reading {
    /// No picture is longer (see `FileBuffer`), so that none unpacks to more.
    private static var longest: Int { 1 << 31 }

    mutating func zip(_ file: ArchiveFile) throws(ImageError) {
        let directory = try ZipDirectory(file)
        let bytes = try file.read(at: directory.offset, count: directory.bytes)
        var offset = 0
        while offset + 46 <= bytes.count, bytes[offset..<offset + 4].elementsEqual([0x50, 0x4B, 0x01, 0x02]) {
            let record = ZipRecord(bytes, at: offset)
            guard record.end <= bytes.count else { throw Archive.damaged("its directory ends within a name") }
            offset = record.end
            let name = bytes[record.name]
            // A folder.
            if name.last == UInt8(ascii: "/") { continue }
            let text = PathText.text(of: name)
            if record.flags & 1 != 0 {
                refuse(text, "is encrypted in the archive")
            } else if record.method != 0 && record.method != 8 {
                refuse(text, "is packed in the archive by method \(record.method), which is not read; deflate is")
            } else if record.isLink {
                refuse(text, "is a link in the archive, which is not followed")
            } else if record.bytes > Self.longest || record.bytes > 1032 * record.stored + 64 {
                refuse(text, "would be \(record.bytes) bytes long, of \(record.stored) in the archive")
            } else if record.offset + 30 + record.stored > file.bytes {
                refuse(text, "is cut off: the archive ends before it does")
            } else {
                let entry = Archive.Entry(
                    name: "", offset: record.offset, stored: record.stored, bytes: record.bytes,
                    method: record.method == 8 ? .deflated : .zipStored, sum: record.sum)
                add(entry, name: name)
            }
        }
    }
}

/// Where a zip's directory is: what its last bytes say.
private struct ZipDirectory {
    let offset: Int
    let bytes: Int

    init(_ file: ArchiveFile) throws(ImageError) {
        let count = min(file.bytes, 65557)
        let (tail, start) = (try file.read(at: file.bytes - count, count: count), file.bytes - count)
        guard
            let end = stride(from: count - 22, through: 0, by: -1).first(where: { place in
                tail[place] == 0x50 && tail[place..<place + 4].elementsEqual([0x50, 0x4B, 0x05, 0x06])
            })
        else { throw ImageError(.unreadable(reason: "it is called a zip but is none, or it is cut off")) }
        var (length, place) = (ZipRecord.number(tail, end + 12, 4), ZipRecord.number(tail, end + 16, 4))
        if length == 0xFFFF_FFFF || place == 0xFFFF_FFFF, end >= 20,
            tail[end - 20..<end - 16].elementsEqual([0x50, 0x4B, 0x06, 0x07])
        {
            let large = try file.read(at: min(ZipRecord.number(tail, end - 12, 8), file.bytes), count: 56)
            (length, place) = (ZipRecord.number(large, 40, 8), ZipRecord.number(large, 48, 8))
        }
        guard place >= 0, length >= 0, place <= start + end, length <= start + end - place else {
            throw Archive.damaged("its directory is not where it should be")
        }
        (offset, bytes) = (place, length)
    }
}

/// What a zip's directory says of a file.
private struct ZipRecord {
    let flags: Int
    let method: Int
    let sum: UInt32
    private(set) var stored: Int
    private(set) var bytes: Int
    private(set) var offset: Int
    let name: Range<Int>
    let end: Int
    /// Of Unix, a link by its mode.
    let isLink: Bool

    /// - Parameter start: 46 bytes at least before the end.
    init(_ directory: [UInt8], at start: Int) {
        func number(_ place: Int, _ count: Int) -> Int { Self.number(directory, start + place, count) }
        (flags, method, sum) = (number(8, 2), number(10, 2), UInt32(number(16, 4)))
        (stored, bytes, offset) = (number(20, 4), number(24, 4), number(42, 4))
        name = start + 46..<start + 46 + number(28, 2)
        let extra = name.upperBound..<name.upperBound + number(30, 2)
        end = extra.upperBound + number(32, 2)
        isLink = number(5, 1) == 3 && number(40, 2) & 0xF000 == 0xA000
        guard end <= directory.count else { return }
        // Sizes that do not fit into 32 bits stand in an extra field, in this order.
        var place = extra.lowerBound
        while place + 4 <= extra.upperBound {
            let (kind, length) = (Self.number(directory, place, 2), Self.number(directory, place + 2, 2))
            var value = place + 4
            let stop = min(value + length, extra.upperBound)
            func large(_ old: Int) -> Int {
                guard kind == 1, old == 0xFFFF_FFFF, value + 8 <= stop else { return old }
                value += 8
                return max(0, Self.number(directory, value - 8, 8))
            }
            bytes = large(bytes)
            stored = large(stored)
            offset = large(offset)
            place = max(stop, place + 4)
        }
        // More than any file has, so that sums do not overflow.
        (bytes, stored, offset) = (min(bytes, 1 << 50), min(stored, 1 << 50), min(offset, 1 << 50))
    }

    static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
}

/// What zip's deflate packs.
enum Inflation {
    /// Whether the bytes unpack to exactly as many as there is room for.
    static func unpack(_ packed: [UInt8], to out: UnsafeMutableRawBufferPointer) -> Bool {
        var count = out.count
        let status = packed.withUnsafeBufferPointer { packed in
            codec_inflate_raw(packed.baseAddress, packed.count, out.assumingMemoryBound(to: UInt8.self).baseAddress, &count)
        }
        return status == CODEC_OK && count == out.count
    }
}
