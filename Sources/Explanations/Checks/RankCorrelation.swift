/// How alike two lists order the same things, −1...1.
///
/// Spearman, "The Proof and Measurement of Association between Two Things", 1904: Pearson's correlation of the ranks; equal values share the
/// mean of their ranks.
package enum RankCorrelation {
    /// From 1, in the order of `values`.
    ///
    /// - Complexity: O(n log n).
    package static func ranks(_ values: [Float]) -> [Double] {
        // Bits that sort as the numbers do, above the index: sorting one array of integers is 5 times as fast as indices by their
        // values.
        let order = values.indices.map { Self.key(values[$0]) << 32 | UInt64($0) }.sorted().map { Int($0 & 0xFFFF_FFFF) }
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

    private static func key(_ value: Float) -> UInt64 {
        // −0 equals 0.
        let bits = (value == 0 ? 0 : value).bitPattern
        return UInt64(bits >> 31 == 0 ? bits | 1 << 31 : ~bits)
    }

    /// Of the places where one of the lists is not zero: maps are zero alike outside what a neuron sees, which says nothing of
    /// them.
    package static func spearmanWhereEither(_ a: [Float], _ b: [Float]) -> Double? {
        precondition(a.count == b.count, "\(a.count) values beside \(b.count)")
        let places = a.indices.filter { a[$0] != 0 || b[$0] != 0 }
        return places.count == a.count ? spearman(a, b) : spearman(places.map { a[$0] }, places.map { b[$0] })
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
