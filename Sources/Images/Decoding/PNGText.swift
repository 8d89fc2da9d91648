internal import CCodecs

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One text of a PNG: a keyword and what it says.
public typealias PNGText = (keyword: String, text: String)

extension Image {
    /// This picture as PNG, with texts about it, in the order given; the same picture and texts make the same bytes.
    ///
    /// Latin-1 texts become `tEXt` chunks, others `iTXt`, both before the pixels.
    ///
    /// - Throws: `ImageError` when a keyword or text cannot be stored, or libpng fails.
    public func pngData(text: [(String, String)] = []) throws(ImageError) -> [UInt8] {
        var chunks: [UInt8] = []
        for (keyword, text) in text { chunks += try PNG.chunk(keyword: keyword, text: text) }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        let status = codec_png_encode(pixels, Int32(width), Int32(height), &bytes, &count, &message)
        defer { free(bytes) }
        guard status == CODEC_OK, let bytes else { throw ImageError(.notEncoded(detail: message.text)) }
        let encoded = UnsafeBufferPointer(start: bytes, count: count)
        let headerEnd = PNG.signature.count + 25
        return Array(encoded[..<headerEnd]) + chunks + Array(encoded[headerEnd...])
    }
}

extension PNG {
    /// The texts (`tEXt`, and `iTXt` that is not compressed) of a PNG, in the file's order; chunks whose checksum is wrong
    /// are left out, and of bytes that are no PNG there are none.
    public static func text(in bytes: [UInt8]) -> [PNGText] {
        guard bytes.starts(with: PNG.signature) else { return [] }
        var found: [PNGText] = []
        bytes.withUnsafeBytes { bytes in
            PNG.forEachChunk(bytes) { chunk in
                guard chunk.isIntact else { return true }
                switch chunk.type {
                case "tEXt":
                    let parts = chunk.data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
                    if parts.count == 2 { found.append((decodeLatin1(parts[0]), decodeLatin1(parts[1]))) }
                case "iTXt":
                    // keyword, 0, compressed?, method, language, 0, translated keyword, 0, text
                    guard let end = chunk.data.firstIndex(of: 0), end + 2 < chunk.data.count, chunk.data[end + 1] == 0
                    else { break }
                    let rest = chunk.data[(end + 3)...].split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                    if rest.count < 3 { break }
                    found.append((decodeLatin1(chunk.data[..<end]), String(decoding: rest[2], as: UTF8.self)))
                default: break
                }
                return chunk.type != "IEND"
            }
        }
        return found
    }

    private static func decodeLatin1(_ bytes: some Sequence<UInt8>) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes { scalars.append(Unicode.Scalar(byte)) }
        return String(scalars)
    }
}

extension PNG {
    /// A text as a chunk, with its length and checksum.
    static func chunk(keyword: String, text: String) throws(ImageError) -> [UInt8] {
        guard let key = latin1(keyword), (1...79).contains(key.count), !key.contains(0), !text.utf8.contains(0),
            text.utf8.count < 1 << 30
        else { throw ImageError(.badText(keyword: keyword)) }
        if let plain = latin1(text) { return chunk(type: "tEXt", data: key + [0] + plain) }
        return chunk(type: "iTXt", data: key + [0, 0, 0, 0, 0] + Array(text.utf8))
    }

    static func chunk(type: String, data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(CRC32.checksum(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func latin1(_ text: String) -> [UInt8]? {
        let scalars = text.unicodeScalars
        return scalars.allSatisfy { $0.value < 256 } ? scalars.map { UInt8(truncatingIfNeeded: $0.value) } : nil
    }
}
