internal import CCodecs

/// WebP in, through libwebp: header, orientation and pixels; of an animation, its first frame.
enum WebP {
    static func header(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> Header {
        var width: Int32 = 0
        var height: Int32 = 0
        var animated: Int32 = 0
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        try check(codec_webp_header(start, bytes.count, &width, &height, &animated), bytes: bytes.count, width: 0, height: 0)
        return Header(
            kind: .webp, width: Int(width), height: Int(height), orientation: metadata(bytes).orientation,
            isAnimated: animated != 0)
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    static func decode(
        _ header: Header, _ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>
    ) throws(ImageError) {
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status = codec_webp_decode(
            start, bytes.count, pixels, Int32(header.width), Int32(header.height), header.isAnimated ? 1 : 0)
        try check(status, bytes: bytes.count, width: header.width, height: header.height)
    }

    private static func check(_ status: codec_status, bytes: Int, width: Int, height: Int) throws(ImageError) {
        guard status != CODEC_OK else { return }
        throw ImageError(status, kind: .webp, bytes: bytes, width: width, height: height, message: "")
    }

    /// What the RIFF chunks `EXIF` and `XMP ` say, of each the first.
    private static func metadata(_ bytes: UnsafeRawBufferPointer) -> Metadata {
        var (metadata, offset) = (Metadata(), 12)
        while let length = bytes.littleEndian(at: offset + 4, count: 4) {
            let name = bytes.part(at: offset, count: 4)
            let data = bytes.part(at: offset + 8, count: length)
            if name.elementsEqual("EXIF".utf8), metadata.exif == nil { metadata.exif = Array(data) }
            if name.elementsEqual("XMP ".utf8), metadata.xmp == nil { metadata.xmp = Array(data) }
            offset += 8 + length + length % 2
        }
        return metadata
    }
}
