internal import Foundation
internal import Support

/// A NumPy array as a picture: any number of channels, each of any numbers.
///
/// The axes are channels × rows × columns, or rows × columns alone for one channel. Where the last axis, and not the first, is as long as the
/// network has channels, they are rows × columns × channels. An axis of 1 before these is passed over.
struct ArrayPicture {
    let channels: Int
    let height: Int
    let width: Int
    /// Height × width × channels.
    private let values: [Float]
    private let kind: Samples.Kind

    /// - Parameter wanted: the network's channels; nil for any.
    /// - Throws: `ImageError` without a name.
    init(_ bytes: UnsafeRawBufferPointer, channels wanted: Int?) throws(ImageError) {
        // The bytes outlive the array, which is gone at the end of this.
        guard let start = bytes.baseAddress else { throw ImageError(.empty) }
        let data = Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
        let array: NumpyArray
        do throws(NumpyError) { array = try NumpyArray(data) } catch { throw ImageError(.noArray(reason: error.reason)) }
        var shape = array.shape
        if shape.count == 4, shape[0] == 1 { shape.removeFirst() }
        guard let layout = Layout(shape, channels: wanted) else { throw ImageError(.shape(array.shape, channels: wanted)) }
        guard array.count <= Image.largestPixelCount else {
            throw ImageError(.tooLarge(.npy, width: layout.width * layout.channels, height: layout.height))
        }
        (channels, height, width) = (layout.channels, layout.height, layout.width)
        kind = array.kind.hasSuffix("u1") ? .bytes : .numbers
        let numbers = array.floats()
        values = layout.isChannelsLast || channels == 1 ? numbers : Self.interleaved(numbers, channels: channels)
    }

    /// Numbers of a picture that is stored as `orientation` says.
    /// - Parameter stored: height × width × channels.
    init(_ stored: [Float], height: Int, width: Int, kind: Samples.Kind, orientation: Orientation) {
        let channels = stored.count / (height * width)
        (self.channels, self.kind) = (channels, kind)
        (self.height, self.width) = orientation.exchangesSides ? (width, height) : (height, width)
        guard orientation != .upright else {
            values = stored
            return
        }
        let (origin, across, down) = orientation.steps(width: width, height: height)
        let (rows, columns) = (self.height, self.width)
        values = (0..<rows).flatMap { y in
            (0..<columns).flatMap { x in
                let place = (origin + y * down + x * across) * channels
                return stored[place..<place + channels]
            }
        }
    }

    private static func interleaved(_ planes: [Float], channels: Int) -> [Float] {
        let count = planes.count / channels
        return [Float](unsafeUninitializedCapacity: planes.count) { values, written in
            planes.withUnsafeBufferPointer { planes in
                for channel in 0..<channels {
                    for place in 0..<count { values[place * channels + channel] = planes[channel * count + place] }
                }
            }
            written = planes.count
        }
    }

    /// Which axis is which.
    private struct Layout {
        let channels: Int
        let height: Int
        let width: Int
        let isChannelsLast: Bool

        /// Nil for axes that cannot be told, or one of no length.
        init?(_ shape: [Int], channels wanted: Int?) {
            guard shape.allSatisfy({ $0 > 0 }) else { return nil }
            switch shape.count {
            case 2 where wanted ?? 1 == 1: (channels, height, width, isChannelsLast) = (1, shape[0], shape[1], true)
            case 3:
                // Of an array that no network is to take: few channels in the end, as pictures have them, else first.
                isChannelsLast = wanted.map { shape[0] != $0 } ?? (shape[2] <= 4 && shape[0] > 4)
                channels = isChannelsLast ? shape[2] : shape[0]
                (height, width) = isChannelsLast ? (shape[0], shape[1]) : (shape[1], shape[2])
                guard wanted ?? channels == channels else { return nil }
            default: return nil
            }
        }
    }

    /// As it is.
    func whole() -> Image { Self.drawn(values, width: width, height: height, channels: channels, kind: kind) }

    /// Resized and cropped; zeros where it does not reach, or the padding's colour of levels.
    /// - Throws: `ImageError` without a name, for a frame of too many numbers.
    func framed(_ framing: Framing) throws(ImageError) -> FramedImage {
        let placement = framing.placement(sourceWidth: width, sourceHeight: height)
        let crop = placement.crop
        _ = try Header(kind: .npy, width: crop.width * channels, height: crop.height, orientation: .upright).checked()
        let columns = max(placement.x, 0)..<min(placement.x + crop.width, placement.resized.width)
        let rows = max(placement.y, 0)..<min(placement.y + crop.height, placement.resized.height)
        let across = ExactWeights(
            ofArray: width, target: placement.resized.width, window: columns, interpolation: framing.interpolation)
        let down = ExactWeights(
            ofArray: height, target: placement.resized.height, window: rows, interpolation: framing.interpolation)
        let part: [Float]
        // What is shorter between the passes; then it is never longer than the longer of array and frame.
        if height * columns.count <= rows.count * width {
            let lines = across.horizontal(values, height: height, width: width, channels: channels)
            part = down.vertical(lines, rowLength: columns.count * channels)
        } else {
            let lines = down.vertical(values, rowLength: width * channels)
            part = across.horizontal(lines, height: rows.count, width: width, channels: channels)
        }
        let isWhole = columns.count == crop.width && rows.count == crop.height
        var image = Self.drawn(part, width: columns.count, height: rows.count, channels: channels, kind: kind)
        image.shown = placement.shown
        guard !isWhole else { return FramedImage(image: image, placement: placement) }
        var frame = Image(width: crop.width, height: crop.height, fill: framing.padding)
        let ground = kind.ground(framing.padding, channels: channels)
        var padded = (0..<crop.width * crop.height).flatMap { _ in ground }
        for (row, y) in rows.enumerated() {
            let place = (y - placement.y) * crop.width + columns.lowerBound - placement.x
            let length = columns.count * channels
            padded.replaceSubrange(place * channels..<place * channels + length, with: part[row * length..<(row + 1) * length])
        }
        frame.blit(image, x: columns.lowerBound - placement.x, y: rows.lowerBound - placement.y)
        let drawn = image.samples?.drawn
        image = frame
        image.samples = Samples(channels: channels, values: padded, kind: kind, drawn: drawn)
        image.shown = placement.shown
        return FramedImage(image: image, placement: placement)
    }

    /// One channel or two as grey, of more the first three as red, green and blue: from black, the smallest of the numbers drawn, to white, the
    /// largest. What is no number is black.
    private static func drawn(_ values: [Float], width: Int, height: Int, channels: Int, kind: Samples.Kind) -> Image {
        let planes = ChannelOrder.bands.drawn(of: channels)
        var (low, high) = (Float.infinity, -Float.infinity)
        for start in stride(from: 0, to: values.count, by: channels) {
            for plane in planes where values[start + plane].isFinite {
                low = min(low, values[start + plane])
                high = max(high, values[start + plane])
            }
        }
        // In double precision: the difference of two floats may be too large for one.
        let scale = high > low ? 255 / (Double(high) - Double(low)) : 0
        var image = Image(width: width, height: height) { pixels in
            var place = 0
            for start in stride(from: 0, to: values.count, by: channels) {
                for plane in planes {
                    let value = values[start + plane]
                    pixels[place] = value.isFinite ? UInt8(((Double(value) - Double(low)) * scale).rounded()) : 0
                    place += 1
                }
            }
        }
        image.samples = Samples(channels: channels, values: values, kind: kind, drawn: high >= low ? low...high : nil)
        return image
    }
}
