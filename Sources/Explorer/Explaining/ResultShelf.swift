import Synchronization

/// What was made last, by what it was made of.
final class ResultShelf<Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        var key: String
        var value: Value
    }
    /// The oldest first.
    private let entries = Mutex<[Entry]>([])
    private let most: Int

    /// - Parameter most: that are here; the oldest go first.
    init(most: Int) { self.most = most }

    subscript(key: String) -> Value? { entries.withLock { $0.last { $0.key == key }?.value } }

    func put(_ value: Value, _ key: String) {
        entries.withLock { entries in
            entries.removeAll { $0.key == key }
            entries.append(Entry(key: key, value: value))
            if entries.count > most { entries.removeFirst() }
        }
    }
}
