internal import CCodecs
import Foundation

extension Image {
    /// As a JPEG, its colours at half the resolution: for thumbnails. The same picture gives the same bytes.
    ///
    /// - Parameter quality: 1...100.
    /// - Throws: `ImageError` for a side of more than 65 500 pixels, or where there is no memory.
    public func jpegData(quality: Int = 85) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality), "a JPEG's quality is 1 to 100, not \(quality)")
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        let status = codec_jpeg_encode(pixels, Int32(width), Int32(height), Int32(quality), &bytes, &count, &message)
        defer { free(bytes) }
        guard status == CODEC_OK, let bytes else { throw ImageError(.notEncoded(detail: message.text)) }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
