import Foundation

/// A share that was counted, with its interval of confidence.
///
/// Wilson's score interval: Wilson, "Probable inference, the law of succession, and statistical inference", 1927,
/// https://doi.org/10.1080/01621459.1927.10502953. It stays within 0 … 1 and is honest for few images and for shares near 0 and 1, where
/// the interval p ± 1.96·√(p(1−p)/n) is not.
public struct Proportion: Hashable, Sendable, Codable {
    public var count: Int
    public var total: Int

    /// The normal distribution's 97.5 % point: two sides leave 5 %.
    static let z = 1.959963984540054

    /// - Precondition: 0 ≤ `count` ≤ `total`, and `total` is at least 1.
    public init(_ count: Int, of total: Int) {
        precondition(total >= 1 && (0...total).contains(count), "a share is of at least one thing")
        (self.count, self.total) = (count, total)
    }

    /// Nil where there is nothing to count.
    public static func of(_ count: Int, in total: Int) -> Proportion? { total == 0 ? nil : Proportion(count, of: total) }

    /// 0 … 1.
    public var share: Double { Double(count) / Double(total) }
    /// Ends of the 95 % interval, 0 … 1.
    public var low: Double { count == 0 ? 0 : middle - half }
    public var high: Double { count == total ? 1 : middle + half }

    private var middle: Double { (Double(count) + Self.z * Self.z / 2) / (Double(total) + Self.z * Self.z) }

    private var half: Double {
        let (k, n) = (Double(count), Double(total))
        return Self.z / (n + Self.z * Self.z) * sqrt(k * (n - k) / n + Self.z * Self.z / 4)
    }
}
