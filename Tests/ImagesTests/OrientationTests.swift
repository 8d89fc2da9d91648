import Foundation
import Images
import TestSupport
import Testing

@Suite struct OrientationTests {
    /// Where each orientation takes the corners: a 2×1 picture of two colours.
    @Test func allEight() {
        let image = Image(width: 2, height: 1, pixels: [1, 1, 1, 2, 2, 2])
        func values(_ orientation: Orientation) -> [UInt8] {
            let turned = image.oriented(orientation)
            #expect(turned.width == (orientation.exchangesSides ? 1 : 2))
            return stride(from: 0, to: 6, by: 3).map { turned.pixels[$0] }
        }
        #expect(Orientation.allCases.map(values) == [[1, 2], [2, 1], [2, 1], [1, 2], [1, 2], [1, 2], [2, 1], [2, 1]])
        let large = noise(5, 3)
        for orientation in Orientation.allCases {
            #expect(large.oriented(orientation).oriented(orientation.inverse) == large)
        }
        #expect(large.oriented(.turnClockwise)[0, 0] == large[0, 2])
        #expect(large.oriented(.turnCounterclockwise)[0, 0] == large[4, 0])
        #expect(large.oriented(.transversed)[0, 0] == large[4, 2])
    }

    @Test func readFromEitherByteOrderAndNeverBeyondTheEnd() {
        let little: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
        let big: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0]
        func read(_ bytes: [UInt8]) -> Orientation { bytes.withUnsafeBytes { Orientation(exif: $0) } }
        #expect(read(little) == .turnClockwise)
        #expect(read(big) == .turnCounterclockwise)
        for count in 0..<18 { #expect(read(Array(little.prefix(count))) == .upright) }
        var wild = little
        wild.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(read(wild) == .upright)
    }

    /// Places and forms of the orientation, and what `ImageOps.exif_transpose` of Pillow 13.0 makes of each.
    @Test func whereAndHowPillowReadsIt() throws {
        let values: [(String, EXIF, Int)] = [
            ("a short", EXIF([.short(6)]), 6),
            ("no value", EXIF([.init(type: 3, count: 0, value: [6, 0])]), 1),
            ("no value, then one", EXIF([.init(type: 3, count: 0, value: [6, 0]), .short(8)]), 8),
            ("two tags", EXIF([.short(6), .short(8)]), 6),
            ("two values", EXIF([.init(type: 3, count: 2, value: [6, 0, 1, 0])]), 6),
            ("three values", EXIF([.init(type: 3, count: 3, value: [26, 0, 0, 0])], after: [6, 0, 1, 0, 1, 0]), 6),
            ("three values outside", EXIF([.init(type: 3, count: 3, value: [15, 39, 0, 0])]), 1),
            ("a byte", EXIF([.init(type: 1, value: [6])]), 1),
            ("text", EXIF([.init(type: 2, count: 2, value: [0x36, 0])]), 1),
            ("undefined", EXIF([.init(type: 7, value: [6])]), 1),
            ("a long", EXIF([.init(type: 4, value: [6, 0, 0, 0])]), 6),
            ("a signed byte", EXIF([.init(type: 6, value: [6])]), 6),
            ("a signed short", EXIF([.init(type: 8, value: [6, 0])]), 6),
            ("a signed long", EXIF([.init(type: 9, value: [6, 0, 0, 0])]), 6),
            ("a float", EXIF([.init(type: 11, value: [0, 0, 0xC0, 0x40])]), 6),
            ("6.5", EXIF([.init(type: 11, value: [0, 0, 0xD0, 0x40])]), 1),
            ("a double", EXIF([.init(type: 12, value: [26, 0, 0, 0])], after: [0, 0, 0, 0, 0, 0, 0x18, 0x40]), 6),
            ("12/2", EXIF([.init(type: 5, value: [26, 0, 0, 0])], after: [12, 0, 0, 0, 2, 0, 0, 0]), 6),
            ("another type", EXIF([.init(type: 99, value: [6, 0]), .short(8)]), 8),
            ("nine", EXIF([.short(9)]), 1),
            ("no TIFF", EXIF(bytes: Array("hello world".utf8)), 1),
            ("another magic number", EXIF(bytes: [0x49, 0x49, 0, 0] + EXIF([.short(6)]).bytes[4...]), 1),
        ]
        for (name, exif, orientation) in values {
            #expect(try read(jpeg(exif: [exif.bytes])) == orientation, "\(name)")
            #expect(exif.bytes.withUnsafeBytes { Orientation(exif: $0) }.rawValue == orientation, "\(name)")
        }
        let packets: [(String, Int)] = [
            (#"<a tiff:Orientation="6"/>"#, 6), ("<tiff:Orientation>8</tiff:Orientation>", 8), ("<a tiff:Orientation='6'/>", 1),
            (#"<a tiff:Orientation ="6"/>"#, 1), (#"<a tiff:Orientation="x" tiff:Orientation="3"/>"#, 3),
            (#"<a tiff:Orientation="9" tiff:Orientation="3"/>"#, 1),
        ]
        for (text, orientation) in packets {
            let text = Array(text.utf8)
            #expect(try read(jpeg(xmp: [text])) == orientation)
            #expect(try read(png([("iTXt", xmpKeyword + [0, 0, 0, 0, 0] + text)])) == orientation)
            #expect(try read(webp([("XMP ", text)])) == orientation)
        }
    }

    @Test func whichOfSeveralPlacesCounts() throws {
        let (six, none, empty) = (
            EXIF([.short(6)]).bytes, EXIF([]).bytes, EXIF([.init(type: 3, count: 0, value: [6, 0])]).bytes
        )
        let eight = Array("<tiff:Orientation>8</tiff:Orientation>".utf8)
        // Of a JPEG: EXIF may go on in the next segment, and XMP counts where EXIF has no orientation.
        #expect(try read(jpeg(exif: [Array(six[..<12]), Array(six[12...])])) == 6)
        #expect(try read(jpeg(exif: [none], xmp: [eight])) == 8)
        #expect(try read(jpeg(exif: [empty], xmp: [eight])) == 8)
        #expect(try read(jpeg(exif: [six], xmp: [eight])) == 6)
        #expect(try read(jpeg(exif: [EXIF([.short(9)]).bytes], xmp: [eight])) == 1)
        #expect(try read(jpeg(exif: [EXIF(bytes: Array("hello world".utf8)).bytes], xmp: [eight])) == 1)
        #expect(try read(jpeg(xmp: [Array(#"tiff:Orientation="6""#.utf8), eight])) == 8)
        // Of a PNG: ImageMagick's text where there is no chunk of EXIF, packed or not, before the pixels or after them.
        let raw = Array("\nexif\n      26\n\(six.map { String(format: "%02x", $0) }.joined())\n".utf8)
        #expect(try read(png([("tEXt", rawKeyword + [0] + raw)])) == 6)
        #expect(try read(png([], after: [("tEXt", rawKeyword + [0] + raw)])) == 6)
        #expect(try read(png([("zTXt", rawKeyword + [0, 0] + Zlib.packed(raw))])) == 6)
        #expect(try read(png([("iTXt", rawKeyword + [0, 1, 0, 0, 0] + Zlib.packed(raw))])) == 6)
        #expect(try read(png([("eXIf", six)])) == 6)
        #expect(try read(png([("eXIf", none), ("tEXt", rawKeyword + [0] + raw)])) == 1)
        #expect(try read(png([("eXIf", six), ("eXIf", none)])) == 1)
        #expect(try read(png([("iTXt", xmpKeyword + [0, 1, 0, 0, 0] + Zlib.packed(eight))])) == 8)
        #expect(try read(png([("tEXt", xmpKeyword + [0] + eight)])) == 8)
        #expect(try read(png([("tEXt", Array("Raw profile type APP1".utf8) + [0] + raw)])) == 1)
        #expect(try read(png([("tEXt", rawKeyword + [0] + Array("\nexif\n3\nzz".utf8))])) == 1)
        #expect(try read(webp([("EXIF", none), ("XMP ", eight)])) == 8)
        #expect(try read(webp([("EXIF", Array("Exif\0\0".utf8) + six), ("XMP ", eight)])) == 6)
    }

    private let rawKeyword = Array("Raw profile type exif".utf8)
    private let xmpKeyword = Array("XML:com.adobe.xmp".utf8)

    /// Which orientation a file is turned by: of an upright picture of 4×2 pixels whose corners differ.
    private func read(_ bytes: [UInt8]) throws -> Int? {
        let seen = try Image(decoding: bytes)
        let found = Orientation.allCases.filter { orientation in
            let turned = Self.stored.oriented(orientation)
            guard turned.width == seen.width, turned.height == seen.height else { return false }
            // What JPEG makes of it is near.
            return zip(turned.pixels, seen.pixels).allSatisfy { abs(Int($0) - Int($1)) < 40 }
        }
        return found.count == 1 ? found[0].rawValue : nil
    }

    /// Blocks of 8×8 pixels, which JPEG keeps.
    private static let stored = Image(
        width: 32, height: 16,
        pixels: (0..<32 * 16).flatMap { pixel in
            let block = pixel / 32 / 8 * 4 + pixel % 32 / 8
            return [UInt8](repeating: UInt8([0, 60, 120, 180, 240, 90, 150, 210][block]), count: 3)
        })

    private func jpeg(exif: [[UInt8]] = [], xmp: [[UInt8]] = []) throws -> [UInt8] {
        let plain = try Self.plain("jpg")
        func segment(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let body = Array(name.utf8) + data
            return [0xFF, 0xE1, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
        }
        var bytes = Array(plain[..<2])
        for data in exif { bytes += segment("Exif\0\0", data) }
        for data in xmp { bytes += segment("http://ns.adobe.com/xap/1.0/\0", data) }
        return bytes + plain[2...]
    }

    private func png(_ chunks: [(String, [UInt8])], after: [(String, [UInt8])] = []) throws -> [UInt8] {
        let plain = try Self.stored.pngData()
        func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
            bigEndian(data.count) + Array(type.utf8) + data + bigEndian(Int(Zlib.checksum(Array(type.utf8) + data)))
        }
        let end = plain.count - 12
        var bytes = Array(plain[..<33])
        for (type, data) in chunks { bytes += chunk(type, data) }
        bytes += plain[33..<end]
        for (type, data) in after { bytes += chunk(type, data) }
        return bytes + plain[end...]
    }

    private func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    /// A simple file made into an extended one with chunks after the picture.
    private func webp(_ chunks: [(String, [UInt8])]) throws -> [UInt8] {
        let plain = try Self.plain("webp")
        func little(_ value: Int, _ count: Int = 4) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
            Array(type.utf8) + little(data.count) + data + (data.count % 2 == 1 ? [0] : [])
        }
        var body = chunk("VP8X", [0x0C, 0, 0, 0] + little(31, 3) + little(15, 3)) + plain[12...]
        for (type, data) in chunks { body += chunk(type, data) }
        return Array("RIFF".utf8) + little(body.count + 4) + Array("WEBP".utf8) + body
    }

    /// The stored picture by Pillow 13, as JPEG of the best quality, or WebP without loss.
    private static func plain(_ kind: String) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: kind == "jpg" ? blocksJPEG : blocksWebP)))
    }
}

/// A block of EXIF in little-endian order, written by hand.
private struct EXIF {
    struct Entry {
        var type: Int
        var count = 1
        var value: [UInt8]
        static func short(_ value: UInt8) -> Entry { Entry(type: 3, value: [value, 0]) }
    }

    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter after: what follows the directory: at byte 26, where it has one entry.
    init(_ entries: [Entry], after: [UInt8] = []) {
        var bytes: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, UInt8(entries.count), 0]
        for entry in entries {
            bytes += [0x12, 1, UInt8(entry.type), 0, UInt8(entry.count), 0, 0, 0]
            bytes += entry.value + [UInt8](repeating: 0, count: 4 - entry.value.count)
        }
        self.bytes = bytes + [0, 0, 0, 0] + after
    }
}

private let blocksJPEG =
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDA"
    + "sKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAQ"
    + "ACADAREAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAACAr/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EAB"
    + "QRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJ/wPADwA8APAE04HgB4A//Z"

private let blocksWebP =
    "UklGRk4AAABXRUJQVlA4TEIAAAAvH8ADAD8gECCUKPFfJkIgkOJIJlkgkOJIJnn+E/YsM7CmbStQCimkkEIKKYzC+AP0v09E/2NgVru6eO/Hwq"
    + "m+6j0="
