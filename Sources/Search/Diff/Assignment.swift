/// The best one-to-one assignment of rows to columns: that with the largest sum of weights.
///
/// Shortest augmenting paths with potentials (R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
/// assignment problems", Computing 38, 1987; D. F. Crouse, "On implementing 2D rectangular assignment algorithms", 2016): O(rows² · columns)
/// time. Weights are whole numbers, so that no sum is larger, exactly, and the same weights give the same assignment.
package struct Assignment {
    /// By row; nil where there are fewer columns than rows and others do better.
    package private(set) var columns: [Int?]

    /// - Parameter weights: row-major, `rows` × `columns`; the largest of them times `rows` fits in an `Int` many times.
    package init(rows: Int, columns: Int, weights: [Int]) {
        precondition(weights.count == rows * columns, "a weight for every row and column")
        guard rows > columns else {
            self.columns = weights.withUnsafeBufferPointer { weights in
                var search = PathSearch(rows: rows, columns: columns, weights: weights)
                return search.assignment()
            }
            return
        }
        // The other way round, every row finds a column.
        var transposed = [Int](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for column in 0..<columns { transposed[column * rows + row] = weights[row * columns + column] }
        }
        self.columns = [Int?](repeating: nil, count: rows)
        let turned = Assignment(rows: columns, columns: rows, weights: transposed)
        for (column, row) in turned.columns.enumerated() {
            if let row { self.columns[row] = column }
        }
    }
}

/// Assigns one row after the other, each along the path on which the others lose least.
private struct PathSearch {
    private let rows: Int
    private let columns: Int
    private let weights: UnsafeBufferPointer<Int>
    /// Row of a column and column of a row; −1 where there is none yet.
    private var owner: [Int]
    private var own: [Int]
    /// No pair's weight is above minus the sum of its potentials; an assigned pair's is equal to it.
    private var rowPotential: [Int]
    private var columnPotential: [Int]
    /// What the way to a column loses, and the row that it comes from.
    private var distance: [Int]
    private var predecessor: [Int]
    /// Columns that the path has not come to, and those that it has.
    private var open: [Int] = []
    private var settled: [Int] = []

    /// - Precondition: `rows` ≤ `columns`.
    init(rows: Int, columns: Int, weights: UnsafeBufferPointer<Int>) {
        (self.rows, self.columns, self.weights) = (rows, columns, weights)
        owner = [Int](repeating: -1, count: columns)
        own = [Int](repeating: -1, count: rows)
        rowPotential = [Int](repeating: 0, count: rows)
        columnPotential = [Int](repeating: 0, count: columns)
        distance = [Int](repeating: 0, count: columns)
        predecessor = [Int](repeating: 0, count: columns)
    }

    mutating func assignment() -> [Int?] {
        for row in 0..<rows {
            let (end, loss) = shortestPath(from: row)
            rowPotential[row] += loss
            for column in settled {
                rowPotential[owner[column]] += loss - distance[column]
                columnPotential[column] -= loss - distance[column]
            }
            // Every row of the path takes the column that the path goes on to from it.
            var column = end
            while true {
                let from = predecessor[column]
                owner[column] = from
                (own[from], column) = (column, own[from])
                if from == row { break }
            }
        }
        return own
    }

    /// To a column without a row; and what it loses.
    private mutating func shortestPath(from start: Int) -> (column: Int, loss: Int) {
        for column in 0..<columns { distance[column] = .max }
        open = Array(0..<columns)
        settled.removeAll(keepingCapacity: true)
        var (row, loss) = (start, 0)
        while true {
            let place = nearest(from: row, loss)
            let column = open[place]
            loss = distance[column]
            if owner[column] < 0 { return (column, loss) }
            settled.append(column)
            open.swapAt(place, open.count - 1)
            open.removeLast()
            row = owner[column]
        }
    }

    /// Goes on from `row` to every open column. Returns the place of the nearest, of those as near one without a row, or the first.
    private mutating func nearest(from row: Int, _ loss: Int) -> Int {
        let line = weights.baseAddress.map { $0 + row * columns }
        let base = loss - rowPotential[row]
        var (least, place, isFree) = (Int.max, 0, false)
        open.withUnsafeBufferPointer { open in
            owner.withUnsafeBufferPointer { owner in
                columnPotential.withUnsafeBufferPointer { potential in
                    distance.withUnsafeMutableBufferPointer { distance in
                        predecessor.withUnsafeMutableBufferPointer { predecessor in
                            guard let line else { return }
                            for index in 0..<open.count {
                                let column = open[index]
                                let way = base &- line[column] &- potential[column]
                                if way < distance[column] {
                                    distance[column] = way
                                    predecessor[column] = row
                                }
                                let own = distance[column]
                                guard own <= least, own < least || (!isFree && owner[column] < 0) else { continue }
                                (least, place, isFree) = (own, index, owner[column] < 0)
                            }
                        }
                    }
                }
            }
        }
        return place
    }
}
