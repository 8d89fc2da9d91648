import Explanations
import Foundation
import Pages
import Synchronization

extension Explorer {
    /// `/explaining?…`: how far the explanations of `/explanations?…` are, as server-sent events, until they are all there:
    /// `waiting`, `progress`, `done` with the address that shows them.
    func explaining(_ wanted: Wanted, _ connection: Connection) throws -> Response {
        let wishes = try ExplanationWishes(wanted.question, in: store, dropped: desk.uploads.has)
        let rest = wishes.orders.filter { order in
            do { return try desk.ready(order) == nil } catch { return false }
        }
        let page = Address(path: ["explanations"], query: wanted.question)
        return try feed(of: rest.map { ($0.key, self.desk.making($0)) }, all: wishes.orders.count, page, connection)
    }

    /// Events of several things that the queue makes.
    func feed(
        of jobs: [(key: String, make: WorkQueue.Make)], all: Int, _ page: Address, _ connection: Connection
    ) throws -> Response {
        let feed = EventFeed(connection)
        let counter = FeedCounter(left: jobs.count, all: all, page: Linking.link(page) ?? page.text, feed: feed)
        var response = Response(type: "text/event-stream", body: Data(), headers: ["Cache-Control": "no-store"])
        response.feed = feed
        counter.start()
        for job in jobs {
            do {
                let ticket = try desk.queue.ask(job.key, asker: connection.number, make: job.make) { counter.take($0) }
                connection.onClose { self.desk.queue.leave(ticket) }
            } catch {
                connection.close()
                throw Self.refusal(of: error)
            }
        }
        return response
    }
}

/// Turns what becomes of several things into events of one feed.
private final class FeedCounter: Sendable {
    private struct Waiting: Encodable {
        var ahead: Int
    }
    private struct Progress: Encodable {
        var part: String?
        var done: Int
        var total: Int
        /// Whole explanations.
        var made: Int
        var all: Int
    }
    private struct Done: Encodable {
        var page: String
        var failed: Int
    }

    private let state: Mutex<(left: Int, failed: Int)>
    private let all: Int
    private let page: String
    private let feed: EventFeed

    init(left: Int, all: Int, page: String, feed: EventFeed) {
        state = Mutex((left, 0))
        (self.all, self.page, self.feed) = (all, page, feed)
    }

    /// Where there is nothing to wait for.
    func start() { if state.withLock({ $0.left == 0 }) { end(failed: 0) } }

    func take(_ event: WorkQueue.Event) {
        switch event {
        case .waits(let ahead): feed.send("waiting", Waiting(ahead: ahead))
        case .progress(let progress):
            // One pass alone, which ends as it begins.
            guard progress.total > 1 else { return }
            let left = state.withLock { $0.left }
            feed.send(
                "progress",
                Progress(part: progress.part, done: progress.done, total: progress.total, made: all - left, all: all))
        case .made: count(isFailure: false)
        case .failed: count(isFailure: true)
        }
    }

    private func count(isFailure: Bool) {
        let (left, failed) = state.withLock { state in
            state.left -= 1
            state.failed += isFailure ? 1 : 0
            return state
        }
        if left == 0 { end(failed: failed) }
    }

    private func end(failed: Int) {
        feed.send("done", Done(page: page, failed: failed))
        feed.finish()
    }
}
