import NeuralNetwork

/// The windows of an occlusion, row by row.
package struct OcclusionWindows: Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let side: Int
    /// The rows of each row of windows, and the columns of each column.
    package let rows: [Range<Int>]
    package let columns: [Range<Int>]

    package init(height: Int, width: Int, channels: Int, side: Int, stride: Int) {
        func ranges(_ extent: Int) -> [Range<Int>] {
            // The last is the first that reaches the edge.
            (0...(extent - side + stride - 1) / stride).map { $0 * stride..<min($0 * stride + side, extent) }
        }
        (self.height, self.width, self.channels, self.side) = (height, width, channels, side)
        rows = ranges(height)
        columns = ranges(width)
    }

    package var count: Int { rows.count * columns.count }

    func fill(_ index: Int, of input: UnsafeMutableBufferPointer<Float>, from filling: [Float]) {
        let columns = columns[index % columns.count]
        for row in rows[index / self.columns.count] {
            let range = (row * width + columns.lowerBound) * channels..<(row * width + columns.upperBound) * channels
            for element in range { input[element] = filling[element] }
        }
    }

    /// Writes the part of the picture that begins at `top`, `left`, with a window filled.
    func fill(
        _ index: Int, of patch: UnsafeMutableBufferPointer<Float>, top: Int, left: Int, _ size: (height: Int, width: Int),
        _ tensor: [Float], _ filling: [Float]
    ) {
        let (rows, columns) = (rows[index / columns.count], columns[index % columns.count])
        for y in 0..<size.height {
            for x in 0..<size.width {
                let isCovered = rows.contains(top + y) && columns.contains(left + x)
                let source = ((top + y) * width + left + x) * channels
                let target = (y * size.width + x) * channels
                for channel in 0..<channels {
                    patch[target + channel] = isCovered ? filling[source + channel] : tensor[source + channel]
                }
            }
        }
    }

    /// Adds a window's value to all pixels that it covers.
    package func add(_ value: Double, of index: Int, to sum: inout [Double]) {
        for row in rows[index / columns.count] {
            for column in columns[index % columns.count] { sum[row * width + column] += value }
        }
    }

    /// The sums by the number of windows that cover each pixel.
    package func mean(_ sum: [Double]) -> [Float] {
        func counts(_ ranges: [Range<Int>], _ extent: Int) -> [Int] {
            (0..<extent).map { place in ranges.count { $0.contains(place) } }
        }
        let (vertical, horizontal) = (counts(rows, height), counts(columns, width))
        return sum.indices.map { Float(sum[$0] / Double(vertical[$0 / width] * horizontal[$0 % width])) }
    }
}

extension Explainer {
    /// How much less than whole passes incremental ones must compute to be used: small patches run slower for each multiply-add.
    static let incrementalShare = 0.8
    /// Windows that an incremental pass takes at once. Fixed, as `batch` is.
    static let incrementalBatch = 4

    /// What `read` makes of the layer's map under each window, computing only what each touches; see `IncrementalPass`. False, and nothing
    /// done, where whole passes are as fast.
    func patchedActivations(
        of layer: Layer, _ windows: OcclusionWindows, over tensor: [Float], filling: [Float],
        read: @escaping @Sendable (UnsafeBufferPointer<Float>) -> Float, body: (Int, Float) throws -> Void
    ) throws -> Bool {
        let batch = Self.incrementalBatch
        let chunks = (windows.count + batch - 1) / batch
        guard
            let passes = try IncrementalPass.passes(
                network, layer: layer, rows: windows.rows, columns: windows.columns, over: tensor, batch: batch,
                count: max(1, min(jobs, chunks)), ifLessThan: Self.incrementalShare)
        else { return false }
        try parallel(chunks: chunks, workers: passes) { pass, chunk in
            for slot in 0..<batch {
                // A last chunk that is not full runs its last window again, so that every run is alike.
                let index = min(chunk * batch + slot, windows.count - 1)
                let (row, column) = (index / windows.columns.count, index % windows.columns.count)
                let (top, left) = pass.place(image: slot, row: row, column: column)
                windows.fill(index, of: pass.input(image: slot), top: top, left: left, pass.patch, tensor, filling)
            }
            try pass.run()
            return (0..<min(batch, windows.count - chunk * batch)).map { read(pass.activation(image: $0)) }
        } body: { chunk, values in
            for (slot, value) in values.enumerated() { try body(chunk * batch + slot, value) }
        }
        return true
    }
}
