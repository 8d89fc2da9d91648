internal import CCodecs

/// AVIF and HEIC through libheif, JPEG XL through libjxl, where these are: the first picture, which they turn upright.
struct HEIF {
    private let kind: ContentKind
    private(set) var width: Int32 = 0
    private(set) var height: Int32 = 0

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer, kind: ContentKind) throws(ImageError) {
        self.kind = kind
        try call(bytes, pixels: nil)
    }

    var header: Header { Header(kind: kind, width: Int(width), height: Int(height), orientation: .upright) }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    func decode(_ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        var copy = self
        try copy.call(bytes, pixels: pixels)
    }

    private mutating func call(_ bytes: UnsafeRawBufferPointer, pixels: UnsafeMutablePointer<UInt8>?) throws(ImageError) {
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status =
            kind == .jpegXL
            ? codec_jxl(start, bytes.count, pixels, &width, &height, &message)
            : codec_heif(start, bytes.count, pixels, &width, &height, &message)
        guard status != CODEC_OK else { return }
        throw ImageError(
            status, kind: kind, bytes: bytes.count, width: Int(width), height: Int(height), message: message.text)
    }
}
