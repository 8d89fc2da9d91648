import Foundation

/// The place on a map where a label's maxima lie more often than others do, if there are enough of them.
struct PlaceFinding {
    /// A finding needs so many images.
    static let fewest = 5

    let place: ShortcutsQuery.Place
    let share: Double
    let expected: Double
    let p: Double

    var excess: Double { share - expected }

    /// - Parameters:
    ///   - own: cells of the label's images, y · width + x.
    ///   - rest: cells of all others.
    init?(own: [Int], rest: [Int], height: Int, width: Int) {
        guard own.count >= Self.fewest else { return nil }
        let (rows, columns) = (height / 4, width / 4)
        let (edgeY, edgeX) = (max(1, height / 8), max(1, width / 8))
        func isOuter(_ i: Int, _ size: Int, _ part: Int) -> Bool { i < part || i >= size - part }
        let spot = Self.fullest(own, height: height, width: width, rows: rows, columns: columns)
        let places: [(ShortcutsQuery.Place, tries: Int, (Int, Int) -> Bool)] = [
            (.corner, 1, { isOuter($0, height, rows) && isOuter($1, width, columns) }),
            (.border, 1, { isOuter($0, height, edgeY) || isOuter($1, width, edgeX) }),
            (
                .spot, (height - rows + 1) * (width - columns + 1),
                { (spot.y..<spot.y + rows).contains($0) && (spot.x..<spot.x + columns).contains($1) }
            ),
        ]
        var best: (place: ShortcutsQuery.Place, share: Double, expected: Double, p: Double)?
        for (place, tries, contains) in places {
            func count(_ cells: [Int]) -> Int { cells.count { contains($0 / width, $0 % width) } }
            let area = (0..<height * width).count { contains($0 / width, $0 % width) }
            let others = rest.isEmpty ? 0 : Double(count(rest)) / Double(rest.count)
            let expected = max(Double(area) / Double(height * width), others)
            let inside = count(own)
            let p = min(1, binomialTail(inside, of: own.count, chance: expected) * Double(tries * places.count))
            if best.map({ p < $0.p }) ?? true { best = (place, Double(inside) / Double(own.count), expected, p) }
        }
        guard let best else { return nil }
        (place, share, expected, p) = best
    }

    /// The window with most of the cells, the first in row-major order.
    private static func fullest(_ cells: [Int], height: Int, width: Int, rows: Int, columns: Int) -> (y: Int, x: Int) {
        // Sums over all cells above and to the left.
        var sums = [Int](repeating: 0, count: (height + 1) * (width + 1))
        for cell in cells { sums[(cell / width + 1) * (width + 1) + cell % width + 1] += 1 }
        for y in 1...height {
            for x in 1...width {
                sums[y * (width + 1) + x] +=
                    sums[(y - 1) * (width + 1) + x] + sums[y * (width + 1) + x - 1] - sums[(y - 1) * (width + 1) + x - 1]
            }
        }
        var best = (count: -1, y: 0, x: 0)
        for y in 0...height - rows {
            for x in 0...width - columns {
                let (top, bottom) = (y * (width + 1), (y + rows) * (width + 1))
                let count = sums[bottom + x + columns] - sums[top + x + columns] - sums[bottom + x] + sums[top + x]
                if count > best.count { best = (count, y, x) }
            }
        }
        return (best.y, best.x)
    }
}

/// Where a neuron has its maximum on each of some images.
struct Spot {
    /// By image: y · width + x, or −1 where it says nothing.
    let cells: [Int32]
    let height: Int
    let width: Int

    /// The share of images on which both must see the same place, of those on which both see anything; and these of the images
    /// of either.
    private static let agreement = 0.8
    private static let overlap = 0.5
    /// How far apart two places of a picture may be, as a share of its height and width, to be the same.
    private static let distance = 0.125

    /// Whether two neurons, of the same images, see the same: on four fifths of the images the middles of their cells are at
    /// most an eighth of the picture apart, or half a cell of each.
    func isSame(as other: Spot) -> Bool {
        let reachY = max(Self.distance, 0.5 / Double(height) + 0.5 / Double(other.height))
        let reachX = max(Self.distance, 0.5 / Double(width) + 0.5 / Double(other.width))
        var (either, both, same) = (0, 0, 0)
        for (one, two) in zip(cells, other.cells) {
            if one >= 0 || two >= 0 { either += 1 }
            guard one >= 0, two >= 0 else { continue }
            both += 1
            let (a, b) = (place(Int(one)), other.place(Int(two)))
            if abs(a.y - b.y) <= reachY, abs(a.x - b.x) <= reachX { same += 1 }
        }
        return both > 0 && Double(both) >= Self.overlap * Double(either) && Double(same) >= Self.agreement * Double(both)
    }

    /// The middle of a cell, as a share of the picture.
    private func place(_ cell: Int) -> (y: Double, x: Double) {
        ((Double(cell / width) + 0.5) / Double(height), (Double(cell % width) + 0.5) / Double(width))
    }
}

/// The chance of at least `count` successes in `trials`.
func binomialTail(_ count: Int, of trials: Int, chance: Double) -> Double {
    guard count > 0, chance < 1 else { return 1 }
    guard chance > 0 else { return 0 }
    return min(
        1,
        (count...trials).reduce(0) { sum, k in
            sum + exp(logWays(trials, k) + Double(k) * log(chance) + Double(trials - k) * log1p(-chance))
        })
}

/// The logarithm of how many ways there are to choose `k` of `n`.
func logWays(_ n: Int, _ k: Int) -> Double { lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1)) }

/// Benjamini and Hochberg's (1995): the smallest false discovery rate at which each is found. That of the i-th smallest p of m
/// is the smallest p_j · m / j with j ≥ i.
func falseDiscoveryRates(_ p: [Double]) -> [Double] {
    var rates = p
    var smallest = 1.0
    for (place, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated().reversed() {
        smallest = min(smallest, p[index] * Double(p.count) / Double(place + 1))
        rates[index] = smallest
    }
    return rates
}
