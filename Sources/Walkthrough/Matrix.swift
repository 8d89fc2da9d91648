/// A small matrix that can be printed, row by row.
public struct Matrix: Equatable, Sendable {
    public let rows: Int
    public let columns: Int
    /// Row-major.
    public var values: [Double]

    /// - Precondition: `values` has rows × columns numbers.
    public init(rows: Int, columns: Int, values: [Double]) {
        precondition(values.count == rows * columns, "\(values.count) numbers for \(rows)×\(columns)")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    public init(rows: Int, columns: Int, _ element: (Int, Int) -> Double) {
        self.init(rows: rows, columns: columns, values: (0..<rows * columns).map { element($0 / columns, $0 % columns) })
    }

    public subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

    public var transposed: Matrix { Matrix(rows: columns, columns: rows) { self[$1, $0] } }

    public static func * (left: Matrix, right: [Double]) -> [Double] {
        precondition(left.columns == right.count, "\(left.columns) columns, \(right.count) numbers")
        return (0..<left.rows).map { row in right.indices.reduce(0) { $0 + left[row, $1] * right[$1] } }
    }

    public static func * (left: Matrix, right: Matrix) -> Matrix {
        precondition(left.columns == right.rows, "\(left.columns) columns, \(right.rows) rows")
        return Matrix(rows: left.rows, columns: right.columns) { row, column in
            (0..<right.rows).reduce(0) { $0 + left[row, $1] * right[$1, column] }
        }
    }

    /// c where the matrix is c I; nil for every other. The identity of matrices of whole numbers is exact; else within 1e-9 of the largest.
    public var multipleOfIdentity: Double? {
        guard rows == columns, rows > 0 else { return nil }
        let scale = values.reduce(0) { max($0, $1.magnitude) }
        for row in 0..<rows {
            for column in 0..<columns {
                let expected = row == column ? self[0, 0] : 0
                if (self[row, column] - expected).magnitude > 1e-9 * scale { return nil }
            }
        }
        return self[0, 0]
    }

    /// The rows as a list, for JSON.
    public var nested: [[Double]] { (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) } }

    /// Rows in brackets, numbers to the right, indented by `indent` spaces; ends with a newline.
    public func text(indent: Int = 4) -> String {
        let cells = values.map(Self.text)
        let width = cells.map(\.count).max() ?? 0
        return (0..<rows).map { row in
            let line = cells[row * columns..<(row + 1) * columns].map { String(repeating: " ", count: width - $0.count) + $0 }
            return String(repeating: " ", count: indent) + "[ " + line.joined(separator: "  ") + " ]\n"
        }.joined()
    }

    /// A number in as few digits as tell it, at most six.
    public static func text(_ value: Double) -> String {
        // 0 and −0 are one number here.
        if value == 0 { return "0" }
        guard value.isFinite, value != value.rounded() || value.magnitude >= 1e9 else { return "\(Int(exactly: value) ?? 0)" }
        let digits = 5 - Int(value.magnitude.exponent) * 30103 / 100_000
        guard (0...9).contains(digits) else { return "\(Float(value))" }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension [Double] {
    /// As a matrix of one row.
    var row: Matrix { Matrix(rows: 1, columns: count, values: self) }
}
