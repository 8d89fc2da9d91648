import Synchronization

/// What the program is busy with, and how far it is: for whoever shows it while a question takes its time.
///
/// Work says how many parts it has, and after each that it is done; work inside a part may do the same, and counts as that share of it.
///
/// ```swift
/// try Activity.run("comparing layers", parts: pairs.count) {
///     for pair in pairs {
///         try compare(pair)
///         Activity.step()
///     }
/// }
/// ```
///
/// There is one for the process, as there is one user who waits. Parts are large, so that the lock costs nothing beside them.
public enum Activity {
    /// A look at it from another thread.
    public struct Snapshot: Equatable, Sendable {
        /// Of the outermost work that has a name.
        public var name: String?
        /// 0 … 1; nil where nobody has said how many parts there are.
        public var share: Double?

        package init(name: String?, share: Double?) { (self.name, self.share) = (name, share) }
    }

    private static let state = Mutex(WorkLevels())

    /// Runs `body`, which is work of so many parts; 0 where their number is not known.
    public static func run<Value>(_ name: String? = nil, parts: Int = 0, _ body: () throws -> Value) rethrows -> Value {
        let id = state.withLock { $0.begin(name, parts: parts) }
        defer { state.withLock { $0.end(id) } }
        return try body()
    }

    /// Says that a part of the innermost work is done. From any thread.
    public static func step() { state.withLock { $0.step() } }

    public static var snapshot: Snapshot { state.withLock { $0.snapshot } }
}

/// Work inside work, the outermost first.
package struct WorkLevels {
    private struct Level {
        var id: Int
        var name: String?
        var parts: Int
        var done = 0
    }

    private var levels: [Level] = []
    private var nextID = 0

    package init() {}

    /// - Returns: what to end it by.
    package mutating func begin(_ name: String?, parts: Int) -> Int {
        nextID += 1
        levels.append(Level(id: nextID, name: name, parts: parts))
        return nextID
    }

    package mutating func end(_ id: Int) { levels.removeAll { $0.id == id } }

    package mutating func step() {
        if !levels.isEmpty { levels[levels.count - 1].done += 1 }
    }

    package var snapshot: Activity.Snapshot {
        var share: Double?
        for level in levels.reversed() where level.parts > 0 {
            share = min(1, (Double(level.done) + (share ?? 0)) / Double(level.parts))
        }
        return Activity.Snapshot(name: levels.lazy.compactMap(\.name).first, share: share)
    }
}
