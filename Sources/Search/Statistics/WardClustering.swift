/// Vectors joined into groups step by step, each time the two groups whose joining raises the squared distances to the groups' means least.
///
/// Ward, "Hierarchical Grouping to Optimize an Objective Function", 1963, https://doi.org/10.1080/01621459.1963.10500845, by chains of nearest
/// neighbours (Murtagh, "A Survey of Recent Advances in Hierarchical Clustering Algorithms", 1983), which take time in proportion to the
/// square of the number of vectors, and as much memory.
package struct WardClustering: Sendable {
    private let count: Int
    /// Which two were joined, by one vector of each, and how far apart they were; in the order of that.
    private var joins: [(a: Int, b: Int, height: Double)] = []
    /// Squared distances between vectors, row by row.
    private let distances: [Float]

    /// - Parameter vectors: of one length.
    package init(_ vectors: [[Double]]) {
        count = vectors.count
        var between = [Float](repeating: 0, count: vectors.count * vectors.count)
        for row in vectors.indices {
            for column in 0..<row {
                let distance = zip(vectors[row], vectors[column]).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                between[row * vectors.count + column] = Float(distance)
                between[column * vectors.count + row] = Float(distance)
            }
        }
        distances = between
        joins = Self.joins(between, count)
    }

    private static func joins(_ distances: [Float], _ count: Int) -> [(a: Int, b: Int, height: Double)] {
        var distances = distances
        var sizes = [Double](repeating: 1, count: count)
        var isGone = [Bool](repeating: false, count: count)
        var (joins, chain): ([(a: Int, b: Int, height: Double)], [Int]) = ([], [])
        while joins.count < count - 1 {
            if chain.isEmpty { chain.append(isGone.firstIndex(of: false) ?? 0) }
            let last = chain[chain.count - 1]
            let before = chain.count > 1 ? chain[chain.count - 2] : nil
            // The one before is preferred, so that equal distances end the chain.
            var (nearest, least) = (before ?? -1, before.map { distances[last * count + $0] } ?? .infinity)
            for other in 0..<count where other != last && !isGone[other] && distances[last * count + other] < least {
                (nearest, least) = (other, distances[last * count + other])
            }
            guard nearest == before else {
                chain.append(nearest)
                continue
            }
            chain.removeLast(2)
            joins.append((last, nearest, Double(least)))
            let (a, b) = (sizes[last], sizes[nearest])
            for other in 0..<count where other != last && other != nearest && !isGone[other] {
                let (x, y) = (Double(distances[last * count + other]), Double(distances[nearest * count + other]))
                let c = sizes[other]
                let joined = Float(((a + c) * x + (b + c) * y - c * Double(least)) / (a + b + c))
                distances[nearest * count + other] = joined
                distances[other * count + nearest] = joined
            }
            isGone[last] = true
            sizes[nearest] = a + b
        }
        return joins.sorted { $0.height < $1.height }
    }

    /// The group of each vector, numbered from the largest group on, of equal ones by their first vector.
    /// - Precondition: 1 ≤ `groups` ≤ the number of vectors.
    package func groups(_ groups: Int) -> [Int] {
        precondition((1...max(count, 1)).contains(groups), "\(groups) groups of \(count) vectors")
        var parents = Array(0..<count)
        func root(_ index: Int) -> Int {
            var index = index
            while parents[index] != index { index = parents[index] }
            return index
        }
        for join in joins.prefix(count - groups) { parents[root(join.a)] = root(join.b) }
        let roots = (0..<count).map(root)
        let members = Dictionary(grouping: roots.indices) { roots[$0] }
        let order = members.sorted { ($1.value.count, $0.value[0]) < ($0.value.count, $1.value[0]) }.map(\.key)
        let numbers = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        return roots.map { numbers[$0] ?? 0 }
    }

    /// The mean silhouette of a grouping, -1 … 1: how much nearer vectors are to their own group than to the next; of one that is alone in its
    /// group 0. Rousseeuw, "Silhouettes", 1987, https://doi.org/10.1016/0377-0427(87)90125-7, of Euclidean distances.
    /// - Returns: nil for fewer than two groups.
    package func silhouette(_ groups: [Int]) -> Double? {
        let number = (groups.max() ?? 0) + 1
        guard number > 1, groups.count == count else { return nil }
        let sizes = groups.reduce(into: [Int](repeating: 0, count: number)) { $0[$1] += 1 }
        let sum = (0..<count).reduce(0.0) { sum, index in
            guard sizes[groups[index]] > 1 else { return sum }
            var totals = [Double](repeating: 0, count: number)
            for other in 0..<count { totals[groups[other]] += Double(distances[index * count + other]).squareRoot() }
            let own = totals[groups[index]] / Double(sizes[groups[index]] - 1)
            let next = (0..<number).filter { $0 != groups[index] }.map { totals[$0] / Double(sizes[$0]) }.min() ?? 0
            let largest = max(own, next)
            return sum + (largest > 0 ? (next - own) / largest : 0)
        }
        return sum / Double(count)
    }

    /// The number of groups, 2 to `most`, whose silhouette is largest, with that; nil where there are fewer than three vectors.
    package func bestGroups(most: Int) -> (groups: [Int], silhouette: Double)? {
        guard count > 2 else { return nil }
        var best: (groups: [Int], silhouette: Double)?
        for number in 2...max(2, min(most, count - 1)) {
            let groups = groups(number)
            guard let value = silhouette(groups) else { continue }
            if best.map({ value > $0.silhouette }) ?? true { best = (groups, value) }
        }
        return best
    }
}
