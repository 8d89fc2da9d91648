/// A part of a dataset: number `index`, from 1, of `count` parts that follow each other.
public struct Shard: Hashable, Sendable, CustomStringConvertible {
    public let index: Int
    public let count: Int

    /// Of a dataset; more than that many are a mistake.
    public static let most = 1_000_000

    /// - Precondition: 1 ≤ `index` ≤ `count`.
    public init(_ index: Int, of count: Int) {
        precondition(count >= 1 && (1...count).contains(index), "shard \(index) of \(count)")
        self.index = index
        self.count = count
    }

    /// From `3/16`; nil where the text is no such thing, or tells of more than ``most`` parts.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1], (1...Self.most).contains(count),
            (1...count).contains(index)
        else {
            return nil
        }
        self.init(index, of: count)
    }

    public var description: String { "\(index)/\(count)" }

    /// Its items of `total`: parts differ in size by one at most, and together are all, in order.
    public func range(of total: Int) -> Range<Int> { total * (index - 1) / count..<total * index / count }
}
