package import Foundation
import Synchronization

/// What a server serves.
public struct Site: Sendable {
    public var respond: @Sendable (Request) -> Response
    /// The bytes that may be sent behind the head of a request.
    public var mostBody: @Sendable (Request) -> Int
    /// Whether an answer may take seconds.
    public var takesLong: @Sendable (Request) -> Bool

    public init(
        respond: @escaping @Sendable (Request) -> Response, mostBody: @escaping @Sendable (Request) -> Int = { _ in 0 },
        takesLong: @escaping @Sendable (Request) -> Bool = { _ in false }
    ) {
        (self.respond, self.mostBody, self.takesLong) = (respond, mostBody, takesLong)
    }
}

/// Who waits for an answer.
package final class Connection: Sendable {
    private struct State {
        var isClosed = false
        var actions: [@Sendable () -> Void] = []
    }
    private let state = Mutex(State())
    private static let count = Atomic<Int>(0)
    /// Told apart from all others by it.
    package let number = Connection.count.wrappingAdd(1, ordering: .relaxed).newValue

    package init() {}

    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Does something when nobody waits any more; at once, where nobody does.
    package func onClose(_ action: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.actions.append(action) }
            return state.isClosed
        }
        if isClosed { action() }
    }

    package func close() {
        let actions = state.withLock { state in
            defer { (state.isClosed, state.actions) = (true, []) }
            return state.actions
        }
        for action in actions { action() }
    }
}

/// Events, as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html
package final class EventFeed: Sendable {
    package let pieces: AsyncStream<Data>
    private let source: AsyncStream<Data>.Continuation
    private let connection: Connection

    /// - Parameter connection: closed with the feed.
    package init(_ connection: Connection) {
        self.connection = connection
        (pieces, source) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
    }

    /// - Parameter value: sent as one line of JSON.
    package func send(_ name: String, _ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        source.yield(Data("event: \(name)\ndata: \(json)\n\n".utf8))
    }

    /// Nothing comes any more.
    package func finish() { source.finish() }

    /// Nobody listens any more.
    package func end() {
        source.finish()
        connection.close()
    }
}
