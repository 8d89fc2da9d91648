/// DICOM: the first frame of a file that is not compressed, deflated, packed in runs (RLE), or baseline JPEG.
///
/// Source: [PS3.3, PS3.5 and PS3.10](https://www.dicomstandard.org/current). Grey is of 8 or 16 bits, with or without sign; colours of 8 bits (of 16
/// their high 8): RGB, YBR_FULL, YBR_FULL_422 and palettes. Other transfer syntaxes, floats and tables of values (modality LUT) are refused by name.
struct DICOM {
    private var attributes: DICOMAttributes
    /// Of the first frame: as it is stored, and for JPEG and RLE unpacked.
    private var frame: [UInt8]

    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        let reading = try DICOMReading(bytes)
        (attributes, frame) = (reading.attributes, reading.frame)
        switch attributes.syntax {
        case .runs:
            frame = try DICOMRuns.unpacked(frame, attributes)
            attributes.becomePlanar()
        case .jpeg: try unpackJPEG()
        case .plain: break
        }
        guard frame.count >= attributes.frameBytes else { throw ImageError(.truncated(.dicom, bytes: bytes.count)) }
    }

    var isGrey: Bool { attributes.isGrey }

    // MARK: Grey

    /// A stored value of grey.
    private func stored(_ index: Int) -> Int {
        let a = attributes
        let word = a.bytesPerSample == 1 ? Int(frame[index]) : word(index)
        let value = word >> (a.highBit + 1 - a.bitsStored) & (1 << a.bitsStored - 1)
        return a.isSigned && value >> (a.bitsStored - 1) == 1 ? value - 1 << a.bitsStored : value
    }

    private func word(_ index: Int) -> Int {
        let (first, second) = (Int(frame[2 * index]), Int(frame[2 * index + 1]))
        return attributes.isBigEndian ? first << 8 | second : second << 8 | first
    }

    /// The stored values times the slope plus the intercept: Hounsfield units, where the file is of a tomograph. MONOCHROME1 is not inverted.
    /// - Parameter wanted: channels of the network, 1 or 3; nil for 1.
    func numbers(channels wanted: Int?) throws(ImageError) -> ArrayPicture {
        let (a, count) = (attributes, attributes.width * attributes.height)
        let wanted = wanted ?? 1
        guard count * wanted <= Image.largestPixelCount else {
            throw ImageError(.tooLarge(.dicom, width: a.width * wanted, height: a.height))
        }
        let values = (0..<count).map { Float(Double(stored($0)) * a.slope + a.intercept) }
        return ArrayPicture(
            Samples.colors(values, of: 1, for: wanted), height: a.height, width: a.width, kind: .numbers, orientation: .upright)
    }

    /// Decodes to 3 bytes a pixel; `pixels` has room for all.
    /// - Parameter window: nil for the file's own, and where it has none, from its smallest number to its largest.
    func decode(to pixels: UnsafeMutablePointer<UInt8>, window: Window?) throws(ImageError) {
        guard isGrey else { return decodeColors(to: pixels) }
        let (a, count) = (attributes, attributes.width * attributes.height)
        // A level for each value that can be stored.
        let lowest = a.isSigned ? -(1 << (a.bitsStored - 1)) : 0
        let curve: (Double) -> Double
        if let window {
            curve = DICOMAttributes.Curve.linear.share(window)
        } else if let window = a.window {
            curve = a.curve.share(window)
        } else {
            var (low, high) = (Int.max, Int.min)
            for index in 0..<count {
                let value = stored(index)
                (low, high) = (min(low, value), max(high, value))
            }
            let ends = [low, high].map { Double($0) * a.slope + a.intercept }.sorted()
            curve = { ends[1] > ends[0] ? ($0 - ends[0]) / (ends[1] - ends[0]) : 0 }
        }
        let levels = (0..<1 << a.bitsStored).map { index -> UInt8 in
            // Nothing of what is no number, too.
            let share = curve(Double(lowest + index) * a.slope + a.intercept)
            let level = share > 0 ? min(share, 1) : 0
            return UInt8(((a.isInverted ? 1 - level : level) * 255).rounded())
        }
        for index in 0..<count {
            let level = levels[stored(index) - lowest]
            for channel in 0..<3 { pixels[3 * index + channel] = level }
        }
    }

    // MARK: Colours

    /// A sample as 8 bits, plane after plane or pixel after pixel.
    private func level(_ index: Int, _ channel: Int) -> UInt8 {
        let a = attributes
        let place = a.isPlanar ? channel * a.width * a.height + index : a.samples * index + channel
        if a.bytesPerSample == 1 { return frame[place] }
        return UInt8(truncatingIfNeeded: a.bitsStored > 8 ? word(place) >> (a.bitsStored - 8) : word(place))
    }

    private func decodeColors(to pixels: UnsafeMutablePointer<UInt8>) {
        let a = attributes
        for index in 0..<a.width * a.height {
            let out = pixels + 3 * index
            switch a.colors {
            case .rgb: for channel in 0..<3 { out[channel] = level(index, channel) }
            case .palette:
                for channel in 0..<3 { out[channel] = a.palettes[channel].level(of: stored(index)) }
            case .ybr: Self.paint(level(index, 0), level(index, 1), level(index, 2), out)
            case .ybr422:
                // Two pixels side by side have two of Y and share Cb and Cr.
                let pair = 4 * (index / 2)
                Self.paint(frame[pair + index % 2], frame[pair + 2], frame[pair + 3], out)
            case .grey: break
            }
        }
    }

    /// PS3.3, C.7.6.3.1.2: the inverse of YBR_FULL's matrix, rounded.
    private static func paint(_ y: UInt8, _ blue: UInt8, _ red: UInt8, _ out: UnsafeMutablePointer<UInt8>) {
        let (y, b, r) = (Double(y), Double(blue) - 128, Double(red) - 128)
        let colors = [y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b]
        for channel in 0..<3 { out[channel] = UInt8(min(max(colors[channel].rounded(), 0), 255)) }
    }

    /// A JPEG in place of the frame: its colours, or its grey.
    private mutating func unpackJPEG() throws(ImageError) {
        let result = frame.withUnsafeBytes { bytes -> Result<[UInt8], ImageError> in
            Result { () throws(ImageError) in
                guard ContentKind(of: bytes) == .jpeg else { throw ImageError(.corrupt(.dicom, detail: "its frame is no JPEG")) }
                return try ImageReader().decode(bytes).pixels
            }
        }
        let pixels = try result.get()
        guard pixels.count == attributes.width * attributes.height * 3 else {
            throw ImageError(.corrupt(.dicom, detail: "its JPEG is of another size than it says"))
        }
        frame = isGrey ? stride(from: 0, to: pixels.count, by: 3).map { pixels[$0] } : pixels
        // The decoder has made RGB of what it was.
        attributes.becomeDecoded()
    }
}
