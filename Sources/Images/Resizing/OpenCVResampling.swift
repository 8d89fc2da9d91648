internal import CKernels

/// The weights of one axis of OpenCV's `INTER_LINEAR`, for a window of the result.
struct LinearWeights {
    /// For each pixel of the window, the source pixel before its centre, and the one after it; the same at the edges.
    private(set) var first: [Int32] = []
    private(set) var second: [Int32] = []
    /// For each pixel of the window, the weights of both, scaled by 2¹¹.
    private(set) var weights: [Int32] = []

    /// - Parameter isAcross: whether it is the horizontal axis, where pixels beyond the edge take all weight from the last one.
    init(source: Int, target: Int, window: Range<Int>, isAcross: Bool) {
        // In the order of OpenCV's divisions: a ratio is not always the inverse of its inverse.
        let scale = 1 / (Double(target) / Double(source))
        for i in window {
            var share = Float((Double(i) + 0.5) * scale - 0.5)
            var place = Int(share.rounded(.down))
            share -= Float(place)
            if isAcross, place < 0 { (place, share) = (0, 0) }
            if isAcross, place >= source - 1 { (place, share) = (source - 1, 0) }
            first.append(Int32(min(max(place, 0), source - 1)))
            second.append(Int32(min(max(place + 1, 0), source - 1)))
            weights.append(Int32(((1 - share) * 2048).rounded(.toNearestOrEven)))
            weights.append(Int32((share * 2048).rounded(.toNearestOrEven)))
        }
    }
}

extension Resampler {
    /// OpenCV's `resize` with `INTER_LINEAR` of 8-bit pictures, bit for bit: 11-bit weights, and means of four pixels where both sides are
    /// halved (https://github.com/opencv/opencv/blob/4.x/modules/imgproc/src/resize.cpp).
    func openCV(
        _ source: UnsafePointer<UInt8>, sourceWidth: Int, sourceHeight: Int, width: Int, height: Int,
        columns: Range<Int>, rows: Range<Int>, target: UnsafeMutablePointer<UInt8>, targetStride: Int
    ) {
        let stride = sourceWidth * 3
        if (sourceWidth, sourceHeight) == (width, height) {
            for (i, y) in rows.enumerated() {
                (target + i * targetStride).update(from: source + y * stride + columns.lowerBound * 3, count: columns.count * 3)
            }
            return
        }
        if sourceWidth == 2 * width, sourceHeight == 2 * height {
            for (i, y) in rows.enumerated() {
                resize_halved(
                    source + 2 * y * stride + columns.lowerBound * 6, stride, Int32(columns.count), target + i * targetStride)
            }
            return
        }
        let across = LinearWeights(source: sourceWidth, target: width, window: columns, isAcross: true)
        let down = LinearWeights(source: sourceHeight, target: height, window: rows, isAcross: false)
        let count = columns.count * 3
        // Two rows of sums, the rows of the source that they are of, and which of them was made last.
        let lines = intermediate.pointer(bytes: 2 * count * MemoryLayout<Int32>.stride)
        lines.withMemoryRebound(to: Int32.self, capacity: 2 * count) { lines in
            var held: [Int32] = [-1, -1]
            var last = 0
            func line(_ row: Int32, keeping other: Int32) -> UnsafeMutablePointer<Int32> {
                if let slot = held.firstIndex(of: row) { return lines + slot * count }
                last = held[1 - last] == other ? last : 1 - last
                held[last] = row
                let start = lines + last * count
                resize_linear_row(
                    source + Int(row) * stride, Int32(columns.count), across.first, across.second, across.weights, start)
                return start
            }
            for i in rows.indices.map({ $0 - rows.lowerBound }) {
                let (upper, lower) = (down.first[i], down.second[i])
                let above = line(upper, keeping: lower)
                let below = line(lower, keeping: upper)
                resize_linear_column(
                    above, below, Int32(count), down.weights[2 * i], down.weights[2 * i + 1], target + i * targetStride)
            }
        }
    }
}
