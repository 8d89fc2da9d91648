/// Spearman's ρ: Pearson's correlation of mid-ranks, from their definition by counting. Nil where one column is constant.
func spearman(_ a: [Float], _ b: [Float]) -> Double? {
    func ranks(_ column: [Float]) -> [Double] {
        let keys = column.map { $0.isNaN ? -Double.greatestFiniteMagnitude * 2 : Double($0) }
        // NaN is below −∞ too.
        return column.indices.map { i in
            let below = column.indices.count { j in
                column[i].isNaN ? false : column[j].isNaN ? true : keys[j] < keys[i]
            }
            let equal = column.indices.count { j in column[i].isNaN ? column[j].isNaN : column[j] == column[i] }
            return Double(below) + Double(equal + 1) / 2
        }
    }
    let (left, right) = (ranks(a), ranks(b))
    let mean = Double(a.count + 1) / 2
    let product = zip(left, right).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
    let squares = [left, right].map { $0.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } }
    return squares.allSatisfy { $0 > 0 } ? product / (squares[0] * squares[1]).squareRoot() : nil
}
