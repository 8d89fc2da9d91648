internal import CCodecs

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What files say of their pictures beside the pixels, as far as their orientation goes: the places where Pillow's `getexif` looks.
struct Metadata {
    /// A block of EXIF. The last one of a file counts, but those of a JPEG are one after the other.
    var exif: [UInt8]?
    /// ImageMagick's text "Raw profile type exif", which counts where there is no block.
    var rawProfile: [UInt8]?
    /// A packet of XMP, which counts where EXIF does not say.
    var xmp: [UInt8]?

    var orientation: Orientation {
        let block = exif ?? rawProfile.flatMap { Metadata.block(ofRawProfile: $0) }
        let tag = block.flatMap { $0.withUnsafeBytes { OrientationTag(exif: $0) } }
        return tag?.orientation ?? xmp.flatMap { Orientation(xmp: $0) } ?? .upright
    }

    private static let rawProfileKeyword = Array("Raw profile type exif".utf8)
    private static let xmpKeyword = Array("XML:com.adobe.xmp".utf8)

    /// Whether a text of a PNG is looked at.
    static func isKeyword(_ keyword: UnsafeRawBufferPointer) -> Bool {
        keyword.elementsEqual(rawProfileKeyword) || keyword.elementsEqual(xmpKeyword)
    }

    /// Takes in a text of a PNG.
    mutating func add(_ keyword: UnsafeRawBufferPointer, _ text: [UInt8]) {
        if keyword.elementsEqual(Self.rawProfileKeyword) { rawProfile = text } else { xmp = text }
    }

    /// The bytes that stand in hexadecimal after an empty line, the profile's name and its length. Nil for other text.
    private static func block(ofRawProfile text: [UInt8]) -> [UInt8]? {
        let lines = text.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4 else { return nil }
        var (bytes, high): ([UInt8], UInt8?) = ([], nil)
        for character in lines[3] where !(character == 0x20 || (0x09...0x0D).contains(character)) {
            guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
            if let first = high { bytes.append(first << 4 | UInt8(digit)) }
            high = high == nil ? UInt8(digit) : nil
        }
        return high == nil ? bytes : nil
    }

    /// What zlib has packed, up to a mebibyte; nil for more, and for other bytes.
    static func inflated(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let most = 1 << 20
        var count = most
        let result = [UInt8](unsafeUninitializedCapacity: most) { buffer, initialized in
            let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            if codec_inflate(start, bytes.count, buffer.baseAddress, &count) != CODEC_OK { count = -1 }
            initialized = max(count, 0)
        }
        return count < 0 ? nil : result
    }
}

extension Orientation {
    /// The first `tiff:Orientation` of a packet of XMP, an attribute or an element; nil where there is none.
    init?(xmp: [UInt8]) {
        let name = Array("tiff:Orientation".utf8)
        var rest = xmp[...]
        while let start = rest.firstIndex(of: name[0]) {
            rest = rest[start...]
            guard rest.starts(with: name) else {
                rest = rest.dropFirst()
                continue
            }
            var value = rest.dropFirst(name.count)
            if value.starts(with: Array("=\"".utf8)) {
                value = value.dropFirst(2)
            } else if value.first == UInt8(ascii: ">") {
                value = value.dropFirst()
            } else {
                value = []
            }
            if let digit = value.first, (0x30...0x39).contains(digit) {
                self.init(rawValue: Int(digit) - 0x30)
                return
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}
