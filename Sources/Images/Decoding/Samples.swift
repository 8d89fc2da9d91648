internal import CCodecs

/// The numbers that a picture was drawn from.
public struct Samples: Sendable, Equatable {
    /// What the numbers are.
    public enum Kind: Sendable, Equatable {
        /// Numbers of any range, in an order of channels of their own.
        case numbers
        /// NumPy's uint8, which are divided as pixels are.
        case bytes
        /// Grey, or red, green and blue, from 0 to this white.
        case levels(Float)

        /// What stands where the picture does not reach: zeros, or of levels a colour.
        func ground(_ color: Color, channels: Int) -> [Float] {
            guard case .levels(let white) = self else { return [Float](repeating: 0, count: channels) }
            let colors = [color.red, color.green, color.blue].map { Float($0) / 255 * white }
            return channels == 3 ? colors : [Samples.grey(colors[0], colors[1], colors[2])]
        }
    }

    public let channels: Int
    /// Height × width × channels.
    public let values: [Float]
    public let kind: Kind
    /// What is drawn black and white: the smallest and the largest of the numbers; nil where none is one.
    public let drawn: ClosedRange<Float>?

    public var areBytes: Bool { kind == .bytes }

    /// Numbers that a decoder writes, height × width × samples.
    /// - Throws: `ImageError` without a name: the decoder's, or that there are too many.
    static func values(
        _ height: Int, _ width: Int, _ samples: Int, kind: ContentKind,
        _ write: (UnsafeMutablePointer<Float>?, UnsafeMutablePointer<CChar>?) -> codec_status
    ) throws(ImageError) -> [Float] {
        let count = width * height * samples
        guard count <= Image.largestPixelCount else {
            throw ImageError(.tooLarge(kind, width: width * samples, height: height))
        }
        var message = [CChar](repeating: 0, count: Int(CODEC_MESSAGE_LENGTH))
        var status = CODEC_OK
        let values = [Float](unsafeUninitializedCapacity: count) { buffer, written in
            status = write(buffer.baseAddress, &message)
            written = status == CODEC_OK ? count : 0
        }
        guard status != CODEC_OK else { return values }
        throw ImageError(status, kind: kind, bytes: 0, width: width, height: height, message: message.text)
    }

    /// Levels for a network of so many channels: opacity is dropped, grey is repeated for three, and for one colours become grey, by the weights of
    /// Pillow's `convert("L")`.
    /// - Parameters:
    ///   - samples: of a pixel, 1 to 4: grey, grey and opacity, colours, colours and opacity.
    ///   - wanted: nil for as many as there are.
    static func colors(_ values: [Float], of samples: Int, for wanted: Int?) -> [Float] {
        let there = samples < 3 ? 1 : 3
        let wanted = wanted ?? there
        guard samples != wanted else { return values }
        return stride(from: 0, to: values.count, by: samples).flatMap { start -> [Float] in
            if there == 1 { return [Float](repeating: values[start], count: wanted) }
            return wanted == 3
                ? Array(values[start..<start + 3]) : [grey(values[start], values[start + 1], values[start + 2])]
        }
    }

    static func grey(_ red: Float, _ green: Float, _ blue: Float) -> Float {
        Float((Double(red) * 19595 + Double(green) * 38470 + Double(blue) * 7471) / 65536)
    }
}
