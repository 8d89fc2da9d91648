internal import Support

/// tar: of POSIX (ustar, and the long names of pax) and GNU (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html).
extension Archive.Reading {
    /// No name is longer, and no table of a pax header.
    private static var longest: Int { 1 << 20 }

    mutating func tar(_ file: ArchiveFile) throws(ImageError) {
        var (offset, headers) = (0, 0)
        // What headers before an entry say of it.
        var (longName, statedSize): ([UInt8]?, Int?)
        while offset + 512 <= file.bytes {
            let header = try file.read(at: offset, count: 512)
            if header.allSatisfy({ $0 == 0 }) { break }
            guard TarHeader.isIntact(header) else {
                // Nothing of the beginning is one: it is no tar at all.
                if headers == 0 { throw ImageError(.unreadable(reason: "it is called a tar but is none")) }
                refuse("", "is an archive whose header at byte \(offset) is damaged; what follows is not read")
                return
            }
            headers += 1
            guard let size = statedSize ?? TarHeader.number(header[124..<136]), size >= 0, size < 1 << 48 else {
                refuse("", "is an archive whose header at byte \(offset) states no size; what follows is not read")
                return
            }
            let (start, next) = (offset + 512, offset + 512 + (size + 511) / 512 * 512)
            let (name, kind) = (longName ?? TarHeader.name(header), header[156])
            switch kind {
            case UInt8(ascii: "L"), UInt8(ascii: "x"):
                guard size <= Self.longest, start + size <= file.bytes else {
                    refuse("", "is an archive whose name at byte \(offset) is \(size) bytes long; what follows is not read")
                    return
                }
                let text = try file.read(at: start, count: size)
                if kind == UInt8(ascii: "L") {
                    longName = Array(text.prefix { $0 != 0 })
                } else {
                    let stated = TarHeader.pax(text)
                    (longName, statedSize) = (stated.name ?? longName, stated.size)
                }
                offset = next
                continue
            default: add(tarred: name, kind, at: start, size, of: file)
            }
            // The long name of a link stands before that of its own.
            if kind != UInt8(ascii: "K") { (longName, statedSize) = (nil, nil) }
            offset = next
        }
        if headers == 0, file.bytes > 0, file.bytes < 512 {
            throw ImageError(.unreadable(reason: "it is called a tar but is none"))
        }
    }
}

extension Archive.Reading {
    /// Adds a file of a tar, or says why it is none.
    private mutating func add(tarred name: [UInt8], _ kind: UInt8, at start: Int, _ size: Int, of file: ArchiveFile) {
        switch kind {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
            // The tars before POSIX write folders so.
            if name.last == UInt8(ascii: "/") { return }
            if start + size > file.bytes {
                refuse(PathText.text(of: name), "is cut off: the archive ends before it does")
            } else {
                add(Archive.Entry(name: "", offset: start, stored: size, bytes: size), name: name)
            }
        case UInt8(ascii: "5"), UInt8(ascii: "g"), UInt8(ascii: "K"): return
        case UInt8(ascii: "1"), UInt8(ascii: "2"):
            refuse(PathText.text(of: name), "is a link in the archive, which is not followed")
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"):
            refuse(PathText.text(of: name), "is no file in the archive but a pipe or device")
        default:
            refuse(PathText.text(of: name), "is of a kind in the archive that is not read ('\(Character(Unicode.Scalar(kind)))')")
        }
    }
}

/// The 512 bytes before a file in a tar.
private enum TarHeader {
    /// Whether the sum of the bytes is the one it states, with spaces in its place.
    static func isIntact(_ header: [UInt8]) -> Bool {
        let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(header[$1])) }
        return number(header[148..<156]) == sum
    }

    /// Octal digits, or bytes where the first has its highest bit set.
    static func number(_ field: ArraySlice<UInt8>) -> Int? {
        if let first = field.first, first & 0x80 != 0 {
            var value = Int(first & 0x3F)
            for byte in field.dropFirst() {
                guard value < 1 << 48 else { return nil }
                value = value << 8 | Int(byte)
            }
            return first & 0x40 == 0 ? value : nil
        }
        let digits = field.drop { $0 == 32 }.prefix { (0x30...0x37).contains($0) }
        return digits.isEmpty
            ? (field.allSatisfy { $0 == 0 || $0 == 32 } ? 0 : nil) : digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }

    static func name(_ header: [UInt8]) -> [UInt8] {
        let name = Array(header[0..<100].prefix { $0 != 0 })
        let prefix = Array(header[345..<500].prefix { $0 != 0 })
        let isPOSIX = header[257..<263].elementsEqual(Array("ustar".utf8) + [0])
        return isPOSIX && !prefix.isEmpty ? prefix + [UInt8(ascii: "/")] + name : name
    }

    /// Lines of a length, a key and a value: `24 path=photos/1.jpg`.
    static func pax(_ text: [UInt8]) -> (name: [UInt8]?, size: Int?) {
        var (name, size, rest): ([UInt8]?, Int?, ArraySlice<UInt8>) = (nil, nil, text[...])
        while let space = rest.firstIndex(of: 32), let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
            length > space - rest.startIndex + 1, length <= rest.count
        {
            let line = rest[(space + 1)..<(rest.startIndex + length - 1)]
            if line.starts(with: Array("path=".utf8)) { name = Array(line.dropFirst(5)) }
            if line.starts(with: Array("size=".utf8)) { size = Int(String(decoding: line.dropFirst(5), as: UTF8.self)) }
            rest = rest.dropFirst(length)
        }
        return (name, size)
    }
}
