internal import CCodecs

/// TIFF, through libtiff where it is: the first page, as colours of 8 bits or as numbers.
struct TIFF {
    private let raster: codec_raster

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        var raster = codec_raster()
        try Self.check(bytes) { codec_tiff_header($0, bytes.count, &raster, $1) }
        self.raster = raster
    }

    var header: Header {
        Header(
            kind: .tiff, width: Int(raster.width), height: Int(raster.height),
            orientation: Orientation(rawValue: Int(raster.orientation)) ?? .upright)
    }

    /// Whether its samples are numbers for a network of so many channels, rather than levels of colours: floats, numbers with signs or of more
    /// than 16 bits, and as many samples as only arrays have.
    func isArray(for channels: Int?) -> Bool {
        raster.is_array != 0 || isOfOtherBands(for: channels)
    }

    private func isOfOtherBands(for channels: Int?) -> Bool {
        channels.map { $0 != 1 && $0 != 3 && $0 == Int(raster.samples) } ?? false
    }

    /// Whether it has grey or colours of 16 bits, as a PNG may.
    func isDeep(for channels: Int?) -> Bool {
        !isArray(for: channels) && raster.is_plain != 0 && raster.bits > 8 && (channels.map { $0 == 1 || $0 == 3 } ?? true)
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    func decode(_ bytes: UnsafeRawBufferPointer, to pixels: UnsafeMutablePointer<UInt8>) throws(ImageError) {
        var raster = raster
        try Self.check(bytes) { codec_tiff_decode($0, bytes.count, &raster, pixels, $1) }
    }

    /// The samples as numbers, upright.
    func array(_ bytes: UnsafeRawBufferPointer, channels wanted: Int?) throws(ImageError) -> ArrayPicture {
        let header = try header.checked(bytes: bytes.count)
        let samples = Int(raster.samples)
        let isDeep = isDeep(for: wanted)
        guard isDeep || wanted ?? samples == samples else { throw ImageError(.bands(.tiff, samples, wanted: wanted ?? samples)) }
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        var raster = raster
        let values = try Samples.values(header.height, header.width, samples, kind: .tiff) { buffer, message in
            codec_tiff_numbers(start, bytes.count, &raster, buffer, message)
        }
        guard isDeep else {
            return ArrayPicture(
                values, height: header.height, width: header.width,
                kind: raster.bits == 8 && raster.is_signed == 0 ? .bytes : .numbers, orientation: header.orientation)
        }
        let white = Float((1 << raster.bits) - 1)
        let levels = raster.is_inverted != 0 ? values.map { white - $0 } : values
        return ArrayPicture(
            Samples.colors(levels, of: samples, for: wanted), height: header.height, width: header.width, kind: .levels(white),
            orientation: header.orientation)
    }

    private static func check(
        _ bytes: UnsafeRawBufferPointer, _ call: (UnsafePointer<UInt8>?, UnsafeMutablePointer<CChar>?) -> codec_status
    ) throws(ImageError) {
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        let status = call(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, &message)
        guard status != CODEC_OK else { return }
        throw ImageError(status, kind: .tiff, bytes: bytes.count, width: 0, height: 0, message: message.text)
    }
}
