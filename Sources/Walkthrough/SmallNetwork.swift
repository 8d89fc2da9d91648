/// A network that fits on a page: two filters of 2×2 over a picture of 4×4, a rectifier, the mean of each map, and one score.
///
/// s = Σ_k w_k · mean(A_k), A_k = max(0, x ∗ f_k): a convolution, ReLU, global average pooling and a linear layer.
public struct SmallNetwork: Sendable {
    /// 4×4, or another size of 2×2 and more.
    public let picture: Matrix
    public let filters: [Matrix]
    public let weights: [Double]

    public static let largest = 12

    /// An upright stroke of light.
    public static let examplePicture = "0,2,1,0;0,3,1,0;0,2,3,0;0,1,2,0"
    /// An edge that is brighter at its right, and one that is brighter at its left.
    static let exampleFilters = [
        Matrix(rows: 2, columns: 2, values: [-1, 1, -1, 1]), Matrix(rows: 2, columns: 2, values: [1, -1, 1, -1]),
    ]
    static let exampleWeights = [3.0, -1]

    /// The lecture's filters on a picture.
    /// - Throws: `WalkthroughError` for a picture smaller than a filter, or larger than a page.
    public init(picture: Matrix) throws {
        guard (2...Self.largest).contains(picture.rows), (2...Self.largest).contains(picture.columns) else {
            throw WalkthroughError.pictureSize(rows: picture.rows, columns: picture.columns, most: Self.largest)
        }
        self.picture = picture
        filters = Self.exampleFilters
        weights = Self.exampleWeights
    }

    /// x ∗ f_k, before the rectifier, of each filter.
    func sums(_ picture: Matrix) -> [Matrix] {
        filters.map { filter in
            Matrix(rows: picture.rows - filter.rows + 1, columns: picture.columns - filter.columns + 1) { row, column in
                (0..<filter.rows * filter.columns).reduce(0.0) { sum, tap in
                    let (y, x) = (tap / filter.columns, tap % filter.columns)
                    return sum + filter[y, x] * picture[row + y, column + x]
                }
            }
        }
    }

    /// A_k.
    public func maps(_ picture: Matrix) -> [Matrix] {
        sums(picture).map { sum in Matrix(rows: sum.rows, columns: sum.columns, values: sum.values.map { max(0, $0) }) }
    }

    /// s.
    public func score(_ picture: Matrix) -> Double {
        zip(weights, maps(picture)).reduce(0.0) { sum, pair in
            sum + pair.0 * pair.1.values.reduce(0, +) / Double(pair.1.values.count)
        }
    }

    /// ∂s/∂x: every place of a map that is above zero sends its weight back through its filter.
    public func gradient(_ picture: Matrix) -> Matrix {
        var values = [Double](repeating: 0, count: picture.values.count)
        for (index, sum) in sums(picture).enumerated() {
            let (filter, share) = (filters[index], weights[index] / Double(sum.values.count))
            for place in sum.values.indices where sum.values[place] > 0 {
                for tap in 0..<filter.rows * filter.columns {
                    let y = place / sum.columns + tap / filter.columns
                    let x = place % sum.columns + tap % filter.columns
                    values[y * picture.columns + x] += share * filter.values[tap]
                }
            }
        }
        return Matrix(rows: picture.rows, columns: picture.columns, values: values)
    }

    /// Σ_k w_k A_k, whose mean is the score.
    public var classMap: Matrix {
        let maps = maps(picture)
        return Matrix(rows: maps[0].rows, columns: maps[0].columns) { row, column in
            zip(weights, maps).reduce(0.0) { $0 + $1.0 * $1.1[row, column] }
        }
    }

    /// What the score loses while a window of `side` covers a place with zeros: the window's first row and column are the map's.
    public func losses(side: Int) -> Matrix {
        let whole = score(picture)
        return Matrix(rows: picture.rows - side + 1, columns: picture.columns - side + 1) { row, column in
            let covered = Matrix(rows: picture.rows, columns: picture.columns) { y, x in
                (row..<row + side).contains(y) && (column..<column + side).contains(x) ? 0 : picture[y, x]
            }
            return whole - score(covered)
        }
    }

    /// At every pixel the mean of the losses of the windows that cover it.
    public func occlusion(side: Int) -> Matrix {
        let losses = losses(side: side)
        return Matrix(rows: picture.rows, columns: picture.columns) { y, x in
            var (sum, count) = (0.0, 0)
            for row in max(0, y - side + 1)...min(y, losses.rows - 1) {
                for column in max(0, x - side + 1)...min(x, losses.columns - 1) {
                    sum += losses[row, column]
                    count += 1
                }
            }
            return sum / Double(count)
        }
    }

    /// Pictures by gradient ascent on L = s − λ‖x‖²: x ← x + rate · (∂s/∂x − 2 λ x), the first one being where it begins.
    public func ascent(steps: Int, rate: Double, decay: Double) -> [Matrix] {
        var pictures = [picture]
        for _ in 0..<steps {
            let now = pictures[pictures.count - 1]
            let gradient = gradient(now)
            pictures.append(
                Matrix(rows: now.rows, columns: now.columns) { y, x in
                    now[y, x] + rate * (gradient[y, x] - 2 * decay * now[y, x])
                })
        }
        return pictures
    }

    /// L = s − λ‖x‖².
    public func objective(_ picture: Matrix, decay: Double) -> Double {
        score(picture) - decay * picture.values.reduce(0) { $0 + $1 * $1 }
    }
}
