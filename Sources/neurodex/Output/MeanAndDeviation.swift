/// How much a number comes to on average over images, and how much it varies between them.
struct MeanAndDeviation {
    let mean: Double
    /// Of a sample: by one less than the number of values; 0 of one value.
    let deviation: Double

    /// - Precondition: there is a value.
    init(_ values: [Double]) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = mean
        deviation = values.count > 1 ? (squares / (count - 1)).squareRoot() : 0
    }
}
