import Search
import TestSupport
import Testing

/// The best assignment, beside trying all of them and beside the Hungarian method as its paper has it.
@Suite struct AssignmentTests {
    /// The largest sum of any one-to-one assignment, by trying all.
    static func exhaustive(_ table: [[Double]]) -> Double {
        guard let columns = table.first?.count, columns >= table.count else {
            return exhaustive((table.first ?? []).indices.map { column in table.map { $0[column] } })
        }
        var isTaken = [Bool](repeating: false, count: columns)
        func best(from row: Int) -> Double {
            guard row < table.count else { return 0 }
            var most = -Double.infinity
            for column in 0..<columns where !isTaken[column] {
                isTaken[column] = true
                most = max(most, table[row][column] + best(from: row + 1))
                isTaken[column] = false
            }
            return most
        }
        return best(from: 0)
    }

    /// Munkres 1957, with explicit primes, stars and covers: slow, obvious, and nothing like the other. Square tables only.
    static func munkres(_ weights: [[Int]]) -> Int {
        let n = weights.count
        let largest = weights.joined().max() ?? 0
        var cost = weights.map { $0.map { largest - $0 } }
        for row in 0..<n { cost[row] = cost[row].map { $0 - (cost[row].min() ?? 0) } }
        var star = [Int?](repeating: nil, count: n)  // column of a row
        func rowOfStar(_ column: Int) -> Int? { star.firstIndex { $0 == column } }
        for row in 0..<n { star[row] = (0..<n).first { cost[row][$0] == 0 && rowOfStar($0) == nil } }
        while star.contains(where: { $0 == nil }) {
            var prime = [Int?](repeating: nil, count: n)
            var isCovered = [Bool](repeating: false, count: n)  // rows
            var isColumnCovered = (0..<n).map { rowOfStar($0) != nil }
            search: while true {
                for row in 0..<n where !isCovered[row] {
                    guard let column = (0..<n).first(where: { !isColumnCovered[$0] && cost[row][$0] == 0 }) else { continue }
                    prime[row] = column
                    guard let own = star[row] else {
                        // Primes and stars in turn, from here back to a column without a star: each prime becomes a star.
                        var (row, column) = (row, column)
                        while true {
                            let next = rowOfStar(column)
                            star[row] = column
                            guard let next, next != row else { break search }
                            (row, column) = (next, prime[next] ?? 0)
                        }
                    }
                    isCovered[row] = true
                    isColumnCovered[own] = false
                    continue search
                }
                var least = Int.max
                for row in 0..<n where !isCovered[row] {
                    for column in 0..<n where !isColumnCovered[column] { least = min(least, cost[row][column]) }
                }
                for row in 0..<n {
                    for column in 0..<n {
                        if isCovered[row], isColumnCovered[column] { cost[row][column] += least }
                        if !isCovered[row], !isColumnCovered[column] { cost[row][column] -= least }
                    }
                }
            }
        }
        return star.enumerated().reduce(0) { $0 + weights[$1.offset][$1.element ?? 0] }
    }

    private func check(_ weights: [[Int]], total: Int) {
        let (rows, columns) = (weights.count, weights[0].count)
        let found = Assignment(rows: rows, columns: columns, weights: Array(weights.joined())).columns
        let taken = found.compactMap { $0 }
        #expect(found.count == rows && taken.count == min(rows, columns) && Set(taken).count == taken.count)
        let weight = zip(weights, found).compactMap { line, column in column.map { line[$0] } }.reduce(0, +)
        #expect(weight == total)
    }

    @Test func equalsTryingAll() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<3000 {
            let (rows, columns) = (Int.random(in: 1...6, using: &random), Int.random(in: 1...6, using: &random))
            // Few values, and so many ties; or many.
            let range = [-1...1, -5...9, -1_000_000...1_000_000][Int.random(in: 0..<3, using: &random)]
            let weights = (0..<rows).map { _ in (0..<columns).map { _ in Int.random(in: range, using: &random) } }
            check(weights, total: Int(Self.exhaustive(weights.map { $0.map(Double.init) })))
        }
    }

    @Test func equalsTheHungarianMethod() {
        var random = SeededGenerator(seed: 2)
        for size in [1, 2, 9, 20, 40, 80] {
            for range in [-3...3, -1_000_000_000...1_000_000_000] {
                let weights = (0..<size).map { _ in (0..<size).map { _ in Int.random(in: range, using: &random) } }
                check(weights, total: Self.munkres(weights))
                // One that a permutation is hidden in.
                let hidden = (0..<size).shuffled(using: &random)
                let clear = weights.enumerated().map { row, line in
                    line.enumerated().map { $1 + ($0 == hidden[row] ? 3_000_000_000 : 0) }
                }
                #expect(Assignment(rows: size, columns: size, weights: Array(clear.joined())).columns == hidden)
            }
        }
    }

    @Test func theSameWeightsGiveTheSameAssignment() {
        let weights = [Int](repeating: 7, count: 30 * 30)
        #expect(Assignment(rows: 30, columns: 30, weights: weights).columns == Array(0..<30))
    }
}
