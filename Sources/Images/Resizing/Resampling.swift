internal import CKernels

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// How new pixels are made from old ones. All but `nearest` and `opencv` are antialiased: when a picture shrinks, the filter grows.
public enum Interpolation: String, Sendable, Codable, CaseIterable {
    /// Pillow's.
    case nearest, box, bilinear, bicubic, lanczos
    /// OpenCV's `INTER_LINEAR` of 8-bit pictures: from the four nearest pixels, however much the picture shrinks.
    case opencv

    /// How far from the centre the filter reaches at scale 1, in pixels; 0 for `nearest`, which has no filter.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .opencv: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's weight at a distance from its centre.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .nearest, .box: return distance > -0.5 && distance <= 0.5 ? 1 : 0
        case .bilinear, .opencv: return x < 1 ? 1 - x : 0
        case .bicubic:  // Keys's cubic with a = −1/2
            if x < 1 { return ((-0.5 + 2) * x - (-0.5 + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
        case .lanczos:
            func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
            return distance >= -3 && distance < 3 ? sinc(distance) * sinc(distance / 3) : 0
        }
    }
}

/// The weights of one axis of a resize, for a window of the result, in fixed point as Pillow's: Pillow's 8-bit
/// results are matched bit for bit, and with them torchvision's.
struct AxisWeights {
    /// For each pixel of the window, the first source pixel that counts.
    private(set) var starts: [Int32] = []
    /// For each pixel of the window, how many count.
    private(set) var counts: [Int32] = []
    /// `taps` weights for each pixel of the window, scaled by 2²²; those beyond `counts` are 0.
    private(set) var weights: [Int32] = []
    /// The most source pixels that count for one pixel.
    let taps: Int

    /// Resizing `source` pixels to `target`, of which only those in `window` are made.
    init(source: Int, target: Int, window: Range<Int>, interpolation: Interpolation) {
        let exact = ExactWeights(source: source, target: target, window: window, interpolation: interpolation)
        (starts, counts, taps) = (exact.starts, exact.counts, exact.taps)
        weights = exact.weights.map { share in
            let scaled = share * Double(1 << RESIZE_PRECISION_BITS)
            return Int32(share < 0 ? scaled - 0.5 : scaled + 0.5)
        }
    }

    /// The source pixels that the window needs.
    var sourceRange: Range<Int> {
        var lower = Int.max
        var upper = 0
        for (start, count) in zip(starts, counts) {
            lower = min(lower, Int(start))
            upper = max(upper, Int(start + count))
        }
        return min(lower, upper)..<upper
    }
}

/// The weights of one axis of a resize, for a window of the result, as Pillow has them before it rounds them.
struct ExactWeights {
    /// For each pixel of the window, the first source pixel that counts.
    private(set) var starts: [Int32] = []
    /// For each pixel of the window, how many count.
    private(set) var counts: [Int32] = []
    /// `taps` weights for each pixel of the window, whose sum is 1; those beyond `counts` are 0.
    private(set) var weights: [Double] = []
    /// The most source pixels that count for one pixel.
    let taps: Int

    init(starts: [Int32], counts: [Int32], weights: [Double], taps: Int) {
        (self.starts, self.counts, self.weights, self.taps) = (starts, counts, weights, taps)
    }

    /// Resizing `source` pixels to `target`, of which only those in `window` are made.
    init(source: Int, target: Int, window: Range<Int>, interpolation: Interpolation) {
        let scale = Double(source) / Double(target)
        let filterScale = max(scale, 1)
        let support = interpolation.support * filterScale
        taps = min(Int(support.rounded(.up)) * 2 + 1, source)
        starts.reserveCapacity(window.count)
        counts.reserveCapacity(window.count)
        weights = [Double](repeating: 0, count: window.count * taps)
        let inverse = 1 / filterScale
        var exact = [Double](repeating: 0, count: taps)
        for (row, i) in window.enumerated() {
            let center = (Double(i) + 0.5) * scale
            let first = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), source) - first
            var total = 0.0
            for k in 0..<count {
                exact[k] = interpolation.weight((Double(k + first) - center + 0.5) * inverse)
                total += exact[k]
            }
            for k in 0..<count { weights[row * taps + k] = total == 0 ? exact[k] : exact[k] / total }
            starts.append(Int32(first))
            counts.append(Int32(count))
        }
    }
}

/// Which of the two passes of a resize comes first; between them values are rounded to 8 bits.
public enum PassOrder: Sendable, Equatable {
    /// The horizontal one always: Pillow before version 13.
    case horizontalFirst
    /// The vertical one where the height shrinks, and by more than twice what the width shrinks by; else the horizontal one: Pillow
    /// since version 13, so that the second pass has less to do. In other pictures the two orders are the same.
    case adaptive

    /// - Parameters: the lengths of the two axes before and after.
    func isVerticalFirst(across: (source: Int, target: Int), down: (source: Int, target: Int)) -> Bool {
        let shrinking = down.source - down.target
        return self == .adaptive && shrinking > 0 && shrinking > 2 * (across.source - across.target)
    }
}

/// Resizes with buffers that are kept for the next picture. Used by one thread at a time.
final class Resampler {
    var intermediate = Scratch()
    private var lastRow = Scratch()

    /// The part `columns`×`rows` of a picture resized to `width`×`height`, and nothing else of it, written to `target`,
    /// rows `targetStride` bytes apart.
    ///
    /// The first pass is rounded to 8 bits before the second one, as Pillow's is.
    func resize(
        _ source: UnsafePointer<UInt8>, sourceWidth: Int, sourceHeight: Int, width: Int, height: Int,
        columns: Range<Int>, rows: Range<Int>, interpolation: Interpolation, passOrder: PassOrder,
        target: UnsafeMutablePointer<UInt8>, targetStride: Int
    ) {
        if columns.isEmpty || rows.isEmpty { return }
        if interpolation == .nearest {
            return nearest(
                source, sourceWidth: sourceWidth, sourceHeight: sourceHeight, width: width, height: height,
                columns: columns, rows: rows, target: target, targetStride: targetStride)
        }
        if interpolation == .opencv {
            return openCV(
                source, sourceWidth: sourceWidth, sourceHeight: sourceHeight, width: width, height: height,
                columns: columns, rows: rows, target: target, targetStride: targetStride)
        }
        let across = AxisWeights(source: sourceWidth, target: width, window: columns, interpolation: interpolation)
        let down = AxisWeights(source: sourceHeight, target: height, window: rows, interpolation: interpolation)
        if passOrder.isVerticalFirst(
            across: (sourceWidth, width), down: (sourceHeight, height))
        {
            verticalFirst(source, stride: sourceWidth * 3, across, down, target, targetStride)
        } else {
            horizontalFirst(source, stride: sourceWidth * 3, across, down, target, targetStride)
        }
    }

    private func horizontalFirst(
        _ source: UnsafePointer<UInt8>, stride: Int, _ across: AxisWeights, _ down: AxisWeights,
        _ target: UnsafeMutablePointer<UInt8>, _ targetStride: Int
    ) {
        let (width, needed) = (across.starts.count, down.sourceRange)
        let lineBytes = width * 4
        let lines = intermediate.pointer(bytes: needed.count * lineBytes)

        // The kernel reads one byte beyond a pixel; the last row is copied to where that byte exists.
        let last = lastRow.pointer(bytes: stride + 1)
        last.update(from: source + (needed.upperBound - 1) * stride, count: stride)
        last[stride] = 0
        func horizontal(_ from: UnsafePointer<UInt8>, _ count: Int, _ to: UnsafeMutablePointer<UInt8>) {
            resize_rows(
                from, stride, Int32(count), to, Int32(width), across.starts, across.counts, across.weights, Int32(across.taps))
        }
        horizontal(source + needed.lowerBound * stride, needed.count - 1, lines)
        horizontal(last, 1, lines + (needed.count - 1) * lineBytes)

        down.weights.withUnsafeBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            for i in down.starts.indices {
                resize_column(
                    lines + (Int(down.starts[i]) - needed.lowerBound) * lineBytes, Int32(width),
                    weights + i * down.taps, down.counts[i], target + i * targetStride)
            }
        }
    }

    private func verticalFirst(
        _ source: UnsafePointer<UInt8>, stride: Int, _ across: AxisWeights, _ down: AxisWeights,
        _ target: UnsafeMutablePointer<UInt8>, _ targetStride: Int
    ) {
        let (width, height, needed) = (across.starts.count, down.starts.count, across.sourceRange)
        let lineBytes = needed.count * 3
        // The horizontal kernel reads one byte beyond a pixel.
        let lines = intermediate.pointer(bytes: height * lineBytes + 1)
        lines[height * lineBytes] = 0
        down.weights.withUnsafeBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            for i in 0..<height {
                resize_column_bytes(
                    source + Int(down.starts[i]) * stride + needed.lowerBound * 3, stride, lineBytes,
                    weights + i * down.taps, down.counts[i], lines + i * lineBytes)
            }
        }
        let starts = across.starts.map { $0 - Int32(needed.lowerBound) }
        let row = lastRow.pointer(bytes: width * 4)
        for i in 0..<height {
            resize_rows(
                lines + i * lineBytes, lineBytes, 1, row, Int32(width), starts, across.counts, across.weights,
                Int32(across.taps))
            let out = target + i * targetStride
            for x in 0..<width {
                for channel in 0..<3 { out[3 * x + channel] = row[4 * x + channel] }
            }
        }
    }

    /// The source pixel under the centre of each new one; coordinates are summed up step by step, as Pillow does.
    private func nearest(
        _ source: UnsafePointer<UInt8>, sourceWidth: Int, sourceHeight: Int, width: Int, height: Int,
        columns: Range<Int>, rows: Range<Int>, target: UnsafeMutablePointer<UInt8>, targetStride: Int
    ) {
        func picks(_ source: Int, _ target: Int, _ window: Range<Int>) -> [Int] {
            let step = Double(source) / Double(target)
            var position = step * 0.5
            var picked: [Int] = []
            picked.reserveCapacity(window.count)
            for i in 0..<window.upperBound {
                if i >= window.lowerBound { picked.append(min(Int(position), source - 1)) }
                position += step
            }
            return picked
        }
        let across = picks(sourceWidth, width, columns)
        let down = picks(sourceHeight, height, rows)
        for (i, y) in down.enumerated() {
            let row = source + y * sourceWidth * 3
            var out = target + i * targetStride
            for x in across {
                out.update(from: row + x * 3, count: 3)
                out += 3
            }
        }
    }
}

extension Image {
    /// This picture at another size, as the `resize` of Pillow 13 makes it (by `Interpolation.opencv`, OpenCV's), bit for bit.
    ///
    /// - Precondition: both sizes are positive.
    public func resized(width: Int, height: Int, interpolation: Interpolation = .bilinear) -> Image {
        precondition(width > 0 && height > 0, "a picture is resized to at least one pixel, not \(width)×\(height)")
        if width == self.width && height == self.height { return self }
        return Image(width: width, height: height) { target in
            pixels.withUnsafeBufferPointer { source in
                guard let source = source.baseAddress, let target = target.baseAddress else { return }
                Resampler().resize(
                    source, sourceWidth: self.width, sourceHeight: self.height, width: width, height: height,
                    columns: 0..<width, rows: 0..<height, interpolation: interpolation, passOrder: .adaptive,
                    target: target, targetStride: width * 3)
            }
        }
    }
}
