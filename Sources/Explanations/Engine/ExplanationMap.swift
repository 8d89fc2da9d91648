public import Foundation
public import Images

/// What an explanation computes: a number for every pixel of the network's input frame, or for every cell of a layer.
public struct ExplanationMap: Equatable, Sendable {
    /// Planes: 1, or one a colour.
    public var channels: Int
    public var height: Int
    public var width: Int
    /// channels × height × width.
    public var values: [Float]
    /// Whether values below zero mean something.
    public var isSigned: Bool
    /// What a reader must know of how it was made, such as which layer it is of.
    public var note: String?

    public init(channels: Int, height: Int, width: Int, values: [Float], isSigned: Bool) {
        precondition(values.count == channels * height * width, "\(values.count) values for \(channels)×\(height)×\(width)")
        self.channels = channels
        self.height = height
        self.width = width
        self.values = values
        self.isSigned = isSigned
    }

    /// From height × width × channels.
    public init(channelsLast values: [Float], channels: Int, height: Int, width: Int, isSigned: Bool) {
        let pixels = height * width
        let planes = [Float](unsafeUninitializedCapacity: values.count) { buffer, count in
            for channel in 0..<channels {
                for pixel in 0..<pixels { buffer[channel * pixels + pixel] = values[pixel * channels + channel] }
            }
            count = values.count
        }
        self.init(channels: channels, height: height, width: width, values: planes, isSigned: isSigned)
    }

    /// Zero where the frame shows padding: at a pixel, or a cell of a coarser map, that has nothing of the picture.
    public func confined(to placement: Placement) -> ExplanationMap {
        guard placement.isPadded else { return self }
        func keeps(_ cells: Int, _ extent: Int, _ shown: Range<Int>) -> [Bool] {
            (0..<cells).map { ($0 + 1) * extent > shown.lowerBound * cells && $0 * extent < shown.upperBound * cells }
        }
        let columns = keeps(width, placement.crop.width, placement.shown.columns)
        let rows = keeps(height, placement.crop.height, placement.shown.rows)
        var result = self
        for index in values.indices where !(columns[index % width] && rows[index / width % height]) { result.values[index] = 0 }
        return result
    }

    /// A part of the map.
    ///
    /// - Precondition: the columns and rows are the map's, and not empty.
    package func cropped(columns: Range<Int>, rows: Range<Int>) -> ExplanationMap {
        var part = ExplanationMap(
            channels: channels, height: rows.count, width: columns.count,
            values: (0..<channels).flatMap { channel in
                rows.flatMap { row in columns.map { values[(channel * height + row) * width + $0] } }
            }, isSigned: isSigned)
        part.note = note
        return part
    }

    /// The map in a frame of `size`, and of that the part that shows the picture.
    package func cropped(to placement: Placement) -> ExplanationMap {
        let isCoarse = height != placement.crop.height || width != placement.crop.width
        let shown = placement.shown
        return (isCoarse ? stretched(to: placement.crop) : self).cropped(columns: shown.columns, rows: shown.rows)
    }

    /// One plane for the picture: the largest magnitude over the colours (Simonyan et al. 2013), or the plane itself.
    public var plane: [Float] {
        guard channels > 1 else { return values }
        let pixels = height * width
        return (0..<pixels).map { pixel in (0..<channels).reduce(Float.zero) { max($0, abs(values[$1 * pixels + pixel])) } }
    }

    /// One plane with signs: the sum over the colours, or the plane itself.
    package var colorSum: [Float] {
        guard channels > 1 else { return values }
        let pixels = height * width
        return (0..<pixels).map { pixel in (0..<channels).reduce(Float.zero) { $0 + values[$1 * pixels + pixel] } }
    }

    /// Whether every place has the same value, or none has one: such a map names no place.
    public var isConstant: Bool {
        let plane = plane
        guard let first = plane.first(where: { !$0.isNaN }) else { return true }
        return plane.allSatisfy { $0 == first }
    }

    /// That the map names no place, for a reader; nil where it does.
    public var emptiness: String? {
        guard isConstant else { return nil }
        let value = plane.first ?? 0
        return "the map is " + (value == 0 ? "zero" : value.isNaN ? "NaN" : "\(value)") + " everywhere: it has no maximum"
    }

    /// The first pixel, in row-major order, of the plane's largest value; nil where the map is the same everywhere.
    public var peak: (y: Int, x: Int)? {
        guard !isConstant else { return nil }
        let plane = plane
        var best = 0
        for index in plane.indices where plane[index] > plane[best] || plane[best].isNaN { best = index }
        return (best / width, best % width)
    }

    /// As a NumPy file (format version 1.0): float32, [channels, height, width], or [height, width] of one plane.
    public var npy: Data {
        let shape = channels == 1 ? "\(height), \(width)" : "\(channels), \(height), \(width)"
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
        // The whole head is a multiple of 64 bytes and ends with a newline.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)])
        data.append(contentsOf: header.utf8)
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        return data
    }
}
