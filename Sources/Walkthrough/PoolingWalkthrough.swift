/// Max pooling on given numbers, its switches, and unpooling.
///
/// Pooling keeps the largest number of every window and, as its switch, where it stood: the first in row-major order on a tie.
/// Unpooling puts every kept number back to its switch, and zero elsewhere (Zeiler and Fergus, "Visualizing and Understanding
/// Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901). Where windows overlap, several may have the same switch:
/// what comes back then adds up, as the chain rule wants it; the paper's windows overlap too, and it leaves that open.
public struct PoolingWalkthrough: Sendable {
    public let input: Matrix
    public let size: Int
    public let stride: Int
    /// A 1-D input is a matrix of one row, and its windows are one high.
    public let isLine: Bool

    /// - Throws: `WalkthroughError` where there is no such pooling.
    public init(input: Matrix, size: Int, stride: Int) throws {
        let most = DeconvolutionWalkthrough.longest
        guard input.rows <= most, input.columns <= most, input.values.count > 0 else {
            throw WalkthroughError.tooMany(name: "--input", count: input.values.count, most: most)
        }
        guard (1...most).contains(size) else { throw WalkthroughError.count(name: "--size", value: size, least: 1, most: most) }
        guard (1...most).contains(stride) else {
            throw WalkthroughError.count(name: "--stride", value: stride, least: 1, most: most)
        }
        isLine = input.rows == 1
        guard size <= input.columns, isLine || size <= input.rows else {
            throw WalkthroughError.windowTooLarge(size: size, height: input.rows, width: input.columns)
        }
        self.input = input
        self.size = size
        self.stride = stride
    }

    private var height: Int { isLine ? 1 : size }
    private var outRows: Int { isLine ? 1 : (input.rows - size) / stride + 1 }
    private var outColumns: Int { (input.columns - size) / stride + 1 }

    /// For every window, in row-major order, where in the input its largest number stands: y · width + x.
    public var switches: [Int] {
        (0..<outRows * outColumns).map { window in
            let (top, left) = (window / outColumns * stride, window % outColumns * stride)
            var best = top * input.columns + left
            for y in top..<top + height {
                for x in left..<left + size where input[y, x] > input.values[best] { best = y * input.columns + x }
            }
            return best
        }
    }

    public var pooled: Matrix { Matrix(rows: outRows, columns: outColumns, values: switches.map { input.values[$0] }) }

    /// `pooled` put back to the switches; what meets at one place is added up.
    public var unpooled: Matrix {
        var values = [Double](repeating: 0, count: input.values.count)
        for place in switches { values[place] += input.values[place] }
        return Matrix(rows: input.rows, columns: input.columns, values: values)
    }

    /// Places to which more than one window goes back.
    public var shared: [Int] {
        Dictionary(grouping: switches) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
    }

    /// The whole walk, for people.
    public var text: String {
        let kind = isLine ? "\(size)" : "\(size)×\(size)"
        let names = switches.map { isLine ? "\($0)" : "\($0 / input.columns),\($0 % input.columns)" }
        let width = names.map(\.count).max() ?? 0
        let places = (0..<outRows).map { row in
            "    [ "
                + names[row * outColumns..<(row + 1) * outColumns].map { String(repeating: " ", count: width - $0.count) + $0 }
                .joined(separator: "   ") + " ]\n"
        }.joined()
        var text = """
            Max pooling keeps the strongest, and where it was

            The input, \(input.rows)×\(input.columns).
            \(input.text())
            Windows of \(kind) in steps of \(stride)\(stride < size ? ": they overlap" : stride > size ? ": some numbers are in none" : ""). The largest number of each:
            \(pooled.text())
            The switches: where each of them stood, \(isLine ? "x" : "y,x"), counted from 0\(hasTies ? "; on a tie the first" : "").
            \(places)
            Unpooling puts every number back to its switch; all else is zero.
            \(unpooled.text())
            """
        if !shared.isEmpty {
            let list = shared.map { isLine ? "\($0)" : "\($0 / input.columns),\($0 % input.columns)" }.joined(separator: " and ")
            text += "At \(list) the same number won several windows, and each of them puts it back: there it adds up.\n"
        }
        return text
    }

    private var hasTies: Bool {
        switches.enumerated().contains { window, place in
            let (top, left) = (window / outColumns * stride, window % outColumns * stride)
            return (top..<top + height).contains { y in
                (left..<left + size).contains { y * input.columns + $0 != place && input[y, $0] == input.values[place] }
            }
        }
    }
}

extension PoolingWalkthrough: Encodable {
    private enum Key: String, CodingKey { case input, size, stride, pooled, switches, unpooled }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(input.nested, forKey: .input)
        try values.encode(size, forKey: .size)
        try values.encode(stride, forKey: .stride)
        try values.encode(pooled.nested, forKey: .pooled)
        try values.encode(switches.map { ["y": $0 / input.columns, "x": $0 % input.columns] }, forKey: .switches)
        try values.encode(unpooled.nested, forKey: .unpooled)
    }
}
