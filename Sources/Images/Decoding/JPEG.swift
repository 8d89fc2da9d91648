internal import CCodecs

/// A JPEG decoder that keeps libjpeg-turbo's state from one picture to the next. Used by one thread at a time.
final class JPEGDecoder {
    private let decoder: OpaquePointer?

    init() { decoder = codec_jpeg_create() }

    deinit { codec_jpeg_destroy(decoder) }

    /// Reads the header; `decode` of the same bytes must follow before any other call.
    func header(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Header {
        var width: Int32 = 0
        var height: Int32 = 0
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status = codec_jpeg_header(decoder, start, bytes.count, &width, &height)
        try check(status, bytes: bytes.count, width: Int(width), height: Int(height))
        return Header(
            kind: .jpeg, width: Int(width), height: Int(height), orientation: JPEGDecoder.metadata(bytes).orientation)
    }

    /// Decodes to 3 bytes a pixel. Only the pixels of `columns` above row `bottom` are promised, and they are those of a whole
    /// decode; `pixels` has room for all.
    func decode(
        _ header: Header, bytes: Int, to pixels: UnsafeMutablePointer<UInt8>, columns: Range<Int>, bottom: Int
    ) throws(ImageError) {
        let status = codec_jpeg_decode(
            decoder, pixels, header.width * 3, Int32(columns.lowerBound), Int32(columns.upperBound),
            Int32(bottom))
        try check(status, bytes: bytes, width: header.width, height: header.height)
    }

    /// Lets the `decode` that follows give a smaller picture of `eighths` (1...8) of the size; it has to be of the header that is returned.
    func shrink(_ header: Header, eighths: Int) throws(ImageError) -> Header {
        var (width, height): (Int32, Int32) = (0, 0)
        let status = codec_jpeg_shrink(decoder, Int32(eighths), &width, &height)
        try check(status, bytes: 0, width: header.width, height: header.height)
        return Header(kind: .jpeg, width: Int(width), height: Int(height), orientation: header.orientation)
    }

    private func check(_ status: codec_status, bytes: Int, width: Int, height: Int) throws(ImageError) {
        guard status != CODEC_OK else { return }
        let message = decoder.map { String(cString: codec_jpeg_message($0)) } ?? ""
        throw ImageError(status, kind: .jpeg, bytes: bytes, width: width, height: height, message: message)
    }

    /// What the segments before the pixels say.
    private static func metadata(_ bytes: UnsafeRawBufferPointer) -> Metadata {
        var (metadata, offset) = (Metadata(), 2)
        while let prefix = bytes.bigEndian(at: offset, count: 1), prefix == 0xFF,
            let marker = bytes.bigEndian(at: offset + 1, count: 1)
        {
            switch marker {
            case 0xFF: offset += 1  // padding
            case 0x01, 0xD0...0xD8: offset += 2  // markers without a segment
            case 0xD9, 0xDA: return metadata
            default:
                guard let length = bytes.bigEndian(at: offset + 2, count: 2), length >= 2 else { return metadata }
                if marker == 0xE1 { add(bytes.part(at: offset + 4, count: length - 2), to: &metadata) }
                offset += 2 + length
            }
        }
        return metadata
    }

    private static let exifName = Array("Exif\0\0".utf8)
    private static let xmpName = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

    /// Takes in a segment. One of EXIF that is too long for it goes on in the next.
    private static func add(_ segment: UnsafeRawBufferPointer, to metadata: inout Metadata) {
        if segment.starts(with: exifName) {
            metadata.exif = (metadata.exif ?? []) + segment.dropFirst(exifName.count)
        } else if segment.starts(with: xmpName) {
            metadata.xmp = Array(segment.dropFirst(xmpName.count))
        }
    }
}

extension ImageError {
    /// The error that a status of the C decoders stands for.
    init(_ status: codec_status, kind: ContentKind, bytes: Int, width: Int, height: Int, message: String) {
        switch status {
        case CODEC_TRUNCATED: self.init(.truncated(kind, bytes: bytes))
        case CODEC_UNSUPPORTED: self.init(.unsupported(kind, detail: message))
        case CODEC_ABSENT: self.init(.absent(kind))
        case CODEC_LEFT_OUT: self.init(.leftOut(kind))
        case CODEC_NO_MEMORY: self.init(.noMemory(width: width, height: height))
        default: self.init(.corrupt(kind, detail: message.isEmpty ? "damaged data" : message))
        }
    }
}
