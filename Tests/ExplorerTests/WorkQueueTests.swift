import Explanations
import Explorer
import Foundation
import Synchronization
import Testing

@Suite struct WorkQueueTests {
    /// Lets nothing pass until it is opened.
    private final class Barrier: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func open(_ count: Int = 1) { for _ in 0..<count { semaphore.signal() } }
        func wait() { semaphore.wait() }
    }

    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
        /// Waits until there are so many.
        func wait(for count: Int) {
            let deadline = Date().addingTimeInterval(30)
            while all.count < count, Date() < deadline { usleep(1000) }
        }
    }

    @Test func whatTwoAskForTogetherIsMadeOnce() throws {
        let queue = WorkQueue(workers: 1)
        let (barrier, log, ends) = (Barrier(), Log(), Log())
        for asker in 1...3 {
            _ = try queue.ask("a", asker: asker) { _ in
                log.add("made")
                barrier.wait()
                return 5
            } watcher: { event in
                if case .made(let value) = event { ends.add("\(value)") }
            }
        }
        barrier.open(3)
        ends.wait(for: 3)
        #expect(ends.all == ["5", "5", "5"])
        #expect(log.all == ["made"])
        #expect(queue.counts == (0, 0))
    }

    @Test func askersTakeTurns() throws {
        let queue = WorkQueue(workers: 1)
        let (barrier, log) = (Barrier(), Log())
        func ask(_ name: String, asker: Int) throws {
            _ = try queue.ask(name, asker: asker) { _ in
                barrier.wait()
                log.add(name)
                return 0
            } watcher: { _ in
            }
        }
        try ask("first", asker: 1)
        while queue.counts.running == 0 { usleep(1000) }
        for index in 1...3 { try ask("a\(index)", asker: 1) }
        try ask("b1", asker: 2)
        try ask("c1", asker: 3)
        barrier.open(6)
        log.wait(for: 6)
        #expect(log.all == ["first", "a1", "b1", "c1", "a2", "a3"])
    }

    @Test func moreThanMayWaitIsRefused() throws {
        let queue = WorkQueue(workers: 1, most: 2)
        let barrier = Barrier()
        func ask(_ name: String) throws -> WorkQueue.Ticket {
            try queue.ask(name, asker: 1) { _ in
                barrier.wait()
                return 0
            } watcher: { _ in
            }
        }
        _ = try ask("running")
        while queue.counts.running == 0 { usleep(1000) }
        let second = try ask("second")
        _ = try ask("third")
        #expect(throws: WorkQueue.Full.self) { try ask("fourth") }
        // What nobody waits for gives its room back.
        queue.leave(second)
        _ = try ask("fourth")
        #expect(queue.counts == (2, 1))
        barrier.open(4)
    }

    @Test func whatNobodyWaitsForEnds() throws {
        let queue = WorkQueue(workers: 1)
        let log = Log()
        let ticket = try queue.ask("long", asker: 1) { tell in
            log.add("begun")
            defer { log.add("ended") }
            while true {
                try tell(ExplanationProgress(part: nil, done: 1, total: 2))
                usleep(1000)
            }
        } watcher: { _ in
        }
        log.wait(for: 1)
        queue.leave(ticket)
        log.wait(for: 2)
        #expect(log.all == ["begun", "ended"])
        // The connection does the same.
        let connection = Connection()
        #expect(throws: WorkQueue.Abandoned.self) {
            try queue.value("longer", for: connection) { tell in
                connection.close()
                while true { try tell(ExplanationProgress(part: nil, done: 1, total: 2)) }
            }
        }
    }
}
