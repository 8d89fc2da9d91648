/// Rows of a page in columns of nearly equal height, read downwards.
package enum Columns {
    /// The rows of each column: one column, unless the page would be more than three times as high as wide.
    ///
    /// - Parameters:
    ///   - heights: of the rows.
    ///   - gap: between rows.
    ///   - width: of a column.
    ///   - columnGap: between columns.
    ///   - isBound: whether a row stays in one column with the row above.
    package static func split(
        heights: [Double], gap: Double, width: Double, columnGap: Double, isBound: (Int) -> Bool = { _ in false }
    ) -> [Range<Int>] {
        let whole = heights.reduce(0) { $0 + $1 + gap }
        guard whole > 3 * width else { return [heights.indices] }
        let count = Int((whole / (2 * (width + columnGap))).squareRoot().rounded(.up))
        var columns: [Range<Int>] = []
        var (start, filled) = (0, 0.0)
        for (row, height) in heights.enumerated() {
            if filled >= whole / Double(count), !isBound(row) {
                columns.append(start..<row)
                (start, filled) = (row, 0)
            }
            filled += height + gap
        }
        return columns + [start..<heights.count]
    }
}
