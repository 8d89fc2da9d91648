import Indexing
import Synchronization

/// Passes that were compiled for one question, kept for the next of the same kind: an image after another costs no compiling.
///
/// Holds those of the last few kinds, so that memory stays flat. Passes that are in use are not here, so several threads may ask at once.
package final class PassShelf<Key: Hashable & Sendable, Pass>: Sendable {
    private struct Entry: Sendable {
        var key: Key
        var passes: [UncheckedBox<Pass>]
    }

    /// The least recently used kind first.
    private let entries = Mutex<[Entry]>([])
    private let kinds: Int
    private let passesOfAKind: Int

    /// - Parameters:
    ///   - kinds: that are kept.
    ///   - passesOfAKind: that are kept of each.
    package init(kinds: Int, passesOfAKind: Int) {
        self.kinds = kinds
        self.passesOfAKind = passesOfAKind
    }

    /// Runs `body` with `count` passes of a kind.
    ///
    /// - Parameters:
    ///   - make: compiles so many.
    ///   - another: makes one more of what is compiled.
    package func use<Value>(
        _ key: Key, count: Int, make: (Int) throws -> [Pass], another: (Pass) throws -> Pass, _ body: ([Pass]) throws -> Value
    ) throws -> Value {
        var passes = take(key, count).map(\.value)
        if passes.isEmpty {
            passes = try make(count)
        } else {
            while passes.count < count { passes.append(try another(passes[0])) }
        }
        let boxes = passes.map { UncheckedBox($0) }
        defer { give(key, boxes) }
        return try body(passes)
    }

    /// What is kept: kinds, and passes of all.
    package var counts: (kinds: Int, passes: Int) { entries.withLock { ($0.count, $0.reduce(0) { $0 + $1.passes.count }) } }

    private func take(_ key: Key, _ count: Int) -> [UncheckedBox<Pass>] {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.key == key }) else { return [] }
            var entry = entries.remove(at: index)
            let taken = Array(entry.passes.suffix(count))
            entry.passes.removeLast(taken.count)
            if !entry.passes.isEmpty { entries.append(entry) }
            return taken
        }
    }

    private func give(_ key: Key, _ passes: [UncheckedBox<Pass>]) {
        entries.withLock { entries in
            var entry = Entry(key: key, passes: passes)
            if let index = entries.firstIndex(where: { $0.key == key }) { entry.passes += entries.remove(at: index).passes }
            entry.passes = Array(entry.passes.prefix(passesOfAKind))
            entries.append(entry)
            entries.removeFirst(max(0, entries.count - kinds))
        }
    }
}
