import Foundation
import GRDBSQLite
package import Synchronization

/// Time that does not count while a statement runs: its answer waits for a reader.
public final class ReaderPauses: Sendable {
    private struct State {
        var total = 0.0
        var since: Double?
    }
    private let state = Mutex(State())

    public init() {}

    /// Runs `body`, whose time does not count.
    public func during<T>(_ body: () throws -> T) rethrows -> T {
        state.withLock { $0.since = Self.now }
        defer {
            state.withLock { state in
                if let since = state.since { state.total += Self.now - since }
                state.since = nil
            }
        }
        return try body()
    }

    /// So far, in seconds.
    var seconds: Double { state.withLock { $0.total + ($0.since.map { Self.now - $0 } ?? 0) } }

    static var now: Double { ProcessInfo.processInfo.systemUptime }
}

/// The time that one statement may take.
final class StatementClock: Sendable {
    /// Whether the time is over, as the watchdog found it: to look at costs nothing.
    private let wasOver = Atomic(false)
    private let start = ReaderPauses.now
    private let limit: Double
    private let pauses: ReaderPauses
    private let before: Double

    init(seconds: Double, pauses: ReaderPauses) {
        (limit, self.pauses) = (seconds, pauses)
        before = pauses.seconds
    }

    /// Seconds that are left; negative when the time is over.
    var left: Double { limit - (ReaderPauses.now - start) + pauses.seconds - before }

    var isOver: Bool { wasOver.load(ordering: .relaxed) }

    func end() { wasOver.store(true, ordering: .relaxed) }
}

/// Looks at the clock from outside, while SQLite is inside one call of a function, where it looks at nothing itself.
package final class StatementWatchdog: Sendable {
    /// What a program does with a statement that goes on `patience` seconds after it was told to end: nobody can end a single call of a function
    /// but together with the program. Nothing, unless a program says so.
    package static let whenStuck = Mutex<(@Sendable (QueryError) -> Void)?>(nil)
    private static let patience = 0.5

    private let condition = NSCondition()
    nonisolated(unsafe) private var isOver = false
    nonisolated(unsafe) private let connection: OpaquePointer
    private let clock: StatementClock
    private let limit: Double

    /// Watches until ``end()``.
    init(_ connection: OpaquePointer, clock: StatementClock, limit: Double) {
        (self.connection, self.clock, self.limit) = (connection, clock, limit)
        let thread = Thread { self.watch() }
        thread.stackSize = 256 << 10
        thread.start()
    }

    func end() {
        condition.lock()
        isOver = true
        condition.signal()
        condition.unlock()
    }

    private func watch() {
        condition.lock()
        defer { condition.unlock() }
        while !isOver {
            let left = clock.left
            if left <= 0 {
                clock.end()
                sqlite3_interrupt(connection)
            }
            if left <= -Self.patience {
                Self.whenStuck.withLock { $0 }?(QueryError.outOfTime(seconds: limit))
                return
            }
            let pause = left > 0 ? min(left, 3600) + 0.001 : 0.05
            _ = condition.wait(until: Date().addingTimeInterval(pause))
        }
    }
}
