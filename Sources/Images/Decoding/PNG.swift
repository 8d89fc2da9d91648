internal import CCodecs

/// PNG: in and out through libpng, its texts by hand.
public enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// One chunk of a PNG: where its data lies.
    struct Chunk {
        let type: String
        let data: UnsafeRawBufferPointer
        /// Whether the checksum is right; false too when the file ends before it.
        let isIntact: Bool
    }

    /// Walks over the chunks, until the end or until `body` answers false.
    static func forEachChunk(_ bytes: UnsafeRawBufferPointer, _ body: (Chunk) -> Bool) {
        var offset = signature.count
        while let length = bytes.bigEndian(at: offset, count: 4), bytes.count >= offset + 8 {
            let data = bytes.part(at: offset + 8, count: length)
            let type = bytes.part(at: offset + 4, count: 4)
            // The long IDAT is not summed twice: libpng does it.
            let isData = type.elementsEqual("IDAT".utf8)
            let sum = bytes.bigEndian(at: offset + 8 + length, count: 4)
            let intact = isData || sum == Int(CRC32.checksum(bytes.part(at: offset + 4, count: 4 + data.count)))
            if !body(Chunk(type: String(decoding: type, as: UTF8.self), data: data, isIntact: intact)) { return }
            offset += 12 + length
        }
    }

    static func header(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Header {
        guard bytes.count >= 33 else { throw ImageError(.truncated(.png, bytes: bytes.count)) }
        var size: (width: Int, height: Int)?
        var metadata = Metadata()
        var damaged: String?
        forEachChunk(bytes) { chunk in
            switch chunk.type {
            case "IHDR" where size == nil && chunk.data.count == 13 && chunk.isIntact:
                size = (chunk.data.bigEndian(at: 0, count: 4) ?? 0, chunk.data.bigEndian(at: 4, count: 4) ?? 0)
            case "PLTE" where !chunk.isIntact: damaged = damaged ?? "the checksum of its palette is wrong"
            case "eXIf": metadata.exif = Array(chunk.data)
            case "tEXt", "zTXt", "iTXt": addText(of: chunk, to: &metadata)
            default: break
            }
            return size != nil && chunk.type != "IEND"
        }
        guard let size else { throw ImageError(.corrupt(.png, detail: "its header is damaged")) }
        if let damaged { throw ImageError(.corrupt(.png, detail: damaged)) }
        return Header(kind: .png, width: size.width, height: size.height, orientation: metadata.orientation)
    }

    /// Looks for a text that may hold the orientation, which may be packed.
    private static func addText(of chunk: Chunk, to metadata: inout Metadata) {
        guard let end = chunk.data.firstIndex(of: 0) else { return }
        let keyword = chunk.data.part(at: 0, count: end)
        guard Metadata.isKeyword(keyword) else { return }
        let rest = chunk.data.part(at: end + 1, count: chunk.data.count)
        var text: [UInt8]?
        switch chunk.type {
        case "tEXt": text = Array(rest)
        // The method comes first, and 0 is the only one.
        case "zTXt": text = rest.first == 0 ? Metadata.inflated(rest.part(at: 1, count: rest.count)) : nil
        default:
            // packed?, method, language, 0, translated keyword, 0, text
            guard rest.count >= 2 else { return }
            let parts = rest[2...].split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return }
            let body = UnsafeRawBufferPointer(rebasing: parts[2])
            text = rest[0] == 0 ? Array(body) : rest[1] == 0 ? Metadata.inflated(body) : nil
        }
        if let text { metadata.add(keyword, text) }
    }

    /// How many levels of 16 bits a pixel has, without opacity: 1 of grey, 3 of colours; nil of a picture of fewer bits.
    static func deepSamples(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.part(at: 12, count: 4).elementsEqual("IHDR".utf8), bytes.bigEndian(at: 24, count: 1) == 16 else { return nil }
        return [0: 1, 2: 3, 4: 1, 6: 3][bytes[25]]
    }

    /// The levels of a picture of 16 bits as numbers, 0 to 65535.
    /// - Throws: `ImageError` without a name.
    static func numbers(
        _ bytes: UnsafeRawBufferPointer, samples: Int, channels wanted: Int?
    ) throws(ImageError) -> ArrayPicture {
        let header = try header(bytes).checked(bytes: bytes.count)
        let (start, width, height) = (bytes.assumingMemoryBound(to: UInt8.self).baseAddress, header.width, header.height)
        let values = try Samples.values(height, width, samples, kind: .png) { buffer, message in
            codec_png_numbers(start, bytes.count, buffer, Int32(width), Int32(height), Int32(samples), message)
        }
        return ArrayPicture(
            Samples.colors(values, of: samples, for: wanted), height: height, width: width, kind: .levels(65535),
            orientation: header.orientation)
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    static func decode(
        _ header: Header, _ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>
    ) throws(ImageError) {
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status = codec_png_decode(start, bytes.count, pixels, Int32(header.width), Int32(header.height), &message)
        guard status != CODEC_OK else { return }
        throw ImageError(
            status, kind: .png, bytes: bytes.count, width: header.width, height: header.height, message: message.text)
    }
}

extension [CChar] {
    /// The text up to the first zero.
    var text: String { String(decoding: prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}

/// The checksum of PNG's chunks (ISO 3309).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = CRC32.table
        return ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
    }
}
