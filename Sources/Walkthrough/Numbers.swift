/// Numbers as they are written on a command line.
public enum Numbers {
    /// `1,0,0,-1`.
    /// - Throws: `WalkthroughError.numbers` where that is not what it says.
    public static func list(_ text: String, name: String) throws -> [Double] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0.filter { $0 != " " }) }
        let numbers = parts.compactMap { $0 }
        // Beyond a billion a column is wider than a page, and float32 no longer holds every whole number.
        guard numbers.count == parts.count, numbers.allSatisfy({ $0.isFinite && $0.magnitude <= 1e9 }) else {
            throw WalkthroughError.numbers(name: name, text: text)
        }
        return numbers
    }

    /// `1,2,3;4,5,6`: rows with semicolons between them.
    /// - Throws: `WalkthroughError`.
    public static func matrix(_ text: String, name: String) throws -> Matrix {
        let rows = try text.split(separator: ";", omittingEmptySubsequences: false).map { try list(String($0), name: name) }
        guard let first = rows.first, rows.allSatisfy({ $0.count == first.count }) else { throw WalkthroughError.ragged }
        return Matrix(rows: rows.count, columns: first.count, values: Array(rows.joined()))
    }
}
