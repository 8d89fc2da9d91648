import Synchronization

/// Ends what takes too long. One clock watches over all of it: a sleep for each, which is cancelled where it is not needed, would stay in memory
/// until its time is over, and a busy server would hold those of its last minutes.
final class Deadlines: Sendable {
    private struct Open {
        var end: ContinuousClock.Instant
        var giveUp: @Sendable () -> Void
    }
    private struct State {
        var open: [Int: Open] = [:]
        var last = 0
    }
    private let state = Mutex(State())
    /// How late the end may come.
    private static let beat = Duration.milliseconds(100)

    /// - Throws: `CancellationError` where the time is over and `body` goes by its cancellation; what `body` throws.
    func within<Value: Sendable>(
        _ seconds: Double, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let work = Task { try await body() }
        let number = state.withLock { state in
            state.last += 1
            state.open[state.last] = Open(end: .now + .seconds(seconds), giveUp: { work.cancel() })
            return state.last
        }
        defer { state.withLock { $0.open[number] = nil } }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }

    /// Watches until the task is cancelled.
    func watch() async throws {
        while true {
            try await Task.sleep(for: Self.beat)
            let now = ContinuousClock.now
            let late = state.withLock { $0.open.values.filter { $0.end <= now } }
            for one in late { one.giveUp() }
        }
    }
}
