/// How alike two lists order the same things, −1...1.
///
/// Spearman, "The Proof and Measurement of Association between Two Things", 1904: Pearson's correlation of the ranks; equal values share the
/// mean of their ranks.
package enum RankCorrelation {
    /// From 1, in the order of `values`.
    ///
    /// - Complexity: O(n log n).
    package static func ranks(_ values: [Float]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            // The mean of start + 1 ... end.
            for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
            start = end
        }
        return ranks
    }

    /// Nil where one of the lists is the same everywhere, so that it orders nothing.
    ///
    /// - Precondition: the lists are of one length, and no value is NaN.
    package static func spearman(_ a: [Float], _ b: [Float]) -> Double? {
        precondition(a.count == b.count, "\(a.count) values beside \(b.count)")
        let (x, y) = (ranks(a), ranks(b))
        let mean = Double(a.count + 1) / 2
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for index in x.indices {
            let (dx, dy) = (x[index] - mean, y[index] - mean)
            xy += dx * dy
            xx += dx * dx
            yy += dy * dy
        }
        guard xx > 0, yy > 0 else { return nil }
        return min(max(xy / (xx * yy).squareRoot(), -1), 1)
    }
}
