import Explanations
import TestSupport
import Testing

struct RankCorrelationTests {
    /// A value's rank is how many are smaller, and half of those that are equal, and a half: O(n²), and Pearson's correlation of those.
    private func slow(_ a: [Float], _ b: [Float]) -> Double {
        func ranks(_ values: [Float]) -> [Double] {
            values.map { value in
                Double(values.count { $0 < value }) + (Double(values.count { $0 == value }) + 1) / 2
            }
        }
        let (x, y) = (ranks(a), ranks(b))
        let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
        let xy = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
        let (xx, yy) = (x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }, y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) })
        return xy / (xx * yy).squareRoot()
    }

    @Test func equalsTheSlowOne() throws {
        var random = SeededGenerator(seed: 3)
        for round in 0..<300 {
            let count = Int.random(in: 2...60, using: &random)
            // Few levels make many ties.
            let levels = [2, 5, 100, 1_000_000][round % 4]
            let a = (0..<count).map { _ in Float(Int.random(in: 0..<levels, using: &random)) }
            let b = a.map { Bool.random(using: &random) ? $0 : -Float(Int.random(in: 0..<levels, using: &random)) }
            guard Set(a).count > 1, Set(b).count > 1 else {
                #expect(RankCorrelation.spearman(a, b) == nil)
                continue
            }
            #expect(abs(try #require(RankCorrelation.spearman(a, b)) - slow(a, b)) < 1e-12)
        }
    }

    @Test func knownValues() {
        #expect(RankCorrelation.ranks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4])
        #expect(RankCorrelation.spearman([1, 2, 3], [10, 100, 1e30]) == 1)
        #expect(RankCorrelation.spearman([1, 2, 3], [-1, -2, -3]) == -1)
        #expect(RankCorrelation.spearman([1, 2, 3, 4], [1, 3, 2, 4]) == 0.8)
        #expect(RankCorrelation.spearman([1, 1, 1], [1, 2, 3]) == nil)
    }
}
