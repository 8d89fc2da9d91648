package import Explanations
import Foundation
import Synchronization

/// Makes what takes long, for all who ask: a few at the same time, askers taking turns. Of those who ask for one thing
/// together it is made once, and what nobody waits for any more ends.
package final class WorkQueue: Sendable {
    /// What becomes of a thing.
    package enum Event: Sendable {
        /// So many are begun before it.
        case waits(ahead: Int)
        case progress(ExplanationProgress)
        case made(any Sendable)
        case failed(any Error)
    }

    /// More is waiting than may.
    package struct Full: Error {
        package var waiting: Int
    }

    /// Nobody waits for it.
    package struct Abandoned: Error {
        package init() {}
    }

    package typealias Watcher = @Sendable (Event) -> Void
    /// Makes it, and tells how far it is; what telling throws ends it.
    package typealias Make = @Sendable (_ tell: @escaping (ExplanationProgress) throws -> Void) throws -> any Sendable

    private struct Job {
        var key: String
        var asker: Int
        var make: Make
        var watchers: [Int: Watcher] = [:]
        var isRunning = false
        var told = ContinuousClock.now
    }

    private struct State {
        var jobs: [Int: Job] = [:]
        var numbers: [String: Int] = [:]
        /// Whose turn it is, and what each waits for.
        var turns: [(asker: Int, jobs: [Int])] = []
        var workers = 0
        var next = 0

        mutating func wait(_ number: Int, _ asker: Int) {
            if let place = turns.firstIndex(where: { $0.asker == asker }) {
                turns[place].jobs.append(number)
            } else {
                turns.append((asker, [number]))
            }
        }
    }

    private let state = Mutex(State())
    private let workers: Int
    private let most: Int

    /// - Parameters:
    ///   - workers: that make something at the same time.
    ///   - most: that may wait.
    package init(workers: Int = 2, most: Int = 64) { (self.workers, self.most) = (workers, most) }

    /// Someone's wish for one thing.
    package struct Ticket: Sendable {
        fileprivate var job: Int
        fileprivate var watcher: Int
    }

    /// - Parameters:
    ///   - key: equal for equal things.
    ///   - asker: who takes a turn.
    ///   - watcher: told of events, on any thread.
    package func ask(_ key: String, asker: Int, make: @escaping Make, watcher: @escaping Watcher) throws -> Ticket {
        let (ticket, startsWorker) = try state.withLock { state -> (Ticket, Bool) in
            state.next += 2
            let watching = state.next
            if let number = state.numbers[key] {
                state.jobs[number]?.watchers[watching] = watcher
                return (Ticket(job: number, watcher: watching), false)
            }
            let waiting = state.turns.reduce(0) { $0 + $1.jobs.count }
            guard waiting < most else { throw Full(waiting: waiting) }
            let number = state.next - 1
            state.jobs[number] = Job(key: key, asker: asker, make: make, watchers: [watching: watcher])
            state.numbers[key] = number
            state.wait(number, asker)
            let starts = state.workers < workers
            if starts { state.workers += 1 }
            return (Ticket(job: number, watcher: watching), starts)
        }
        if startsWorker { startWorker() }
        tellWaiting()
        return ticket
    }

    /// Waits no longer.
    package func leave(_ ticket: Ticket) {
        state.withLock { state in
            guard var job = state.jobs[ticket.job] else { return }
            job.watchers[ticket.watcher] = nil
            state.jobs[ticket.job] = job
            guard job.watchers.isEmpty, !job.isRunning else { return }
            state.jobs[ticket.job] = nil
            state.numbers[job.key] = nil
            for index in state.turns.indices { state.turns[index].jobs.removeAll { $0 == ticket.job } }
            state.turns.removeAll { $0.jobs.isEmpty }
        }
        tellWaiting()
    }

    /// What waits, and what is being made.
    package var counts: (waiting: Int, running: Int) {
        state.withLock { state in
            let running = state.jobs.values.count { $0.isRunning }
            return (state.jobs.count - running, running)
        }
    }

    // MARK: Workers

    private func startWorker() {
        let thread = Thread { self.work() }
        thread.stackSize = 8 << 20
        thread.start()
    }

    private func work() {
        while let (number, make) = take() {
            tellWaiting()
            var event: Event
            do {
                event = .made(try make { try self.tell(number, $0) })
            } catch {
                event = .failed(error)
            }
            finish(number, event)
        }
    }

    /// The next thing; nil where there is none, and then the worker is gone.
    private func take() -> (Int, Make)? {
        state.withLock { state in
            guard !state.turns.isEmpty else {
                state.workers -= 1
                return nil
            }
            var turn = state.turns.removeFirst()
            let number = turn.jobs.removeFirst()
            if !turn.jobs.isEmpty { state.turns.append(turn) }
            state.jobs[number]?.isRunning = true
            return state.jobs[number].map { (number, $0.make) }
        }
    }

    private static let pause = Duration.milliseconds(40)

    private func tell(_ number: Int, _ progress: ExplanationProgress) throws {
        let watchers = state.withLock { state -> [Watcher]? in
            guard var job = state.jobs[number], !job.watchers.isEmpty else { return nil }
            let now = ContinuousClock.now
            guard now - job.told > Self.pause || progress.done == progress.total else { return [] }
            job.told = now
            state.jobs[number] = job
            return Array(job.watchers.values)
        }
        guard let watchers else { throw Abandoned() }
        for watcher in watchers { watcher(.progress(progress)) }
    }

    private func finish(_ number: Int, _ event: Event) {
        let watchers = state.withLock { state -> [Watcher] in
            guard let job = state.jobs[number] else { return [] }
            if case .failed(let error) = event, error is Abandoned, !job.watchers.isEmpty {
                // Somebody came while it was ending.
                state.jobs[number]?.isRunning = false
                state.wait(number, job.asker)
                return []
            }
            state.jobs[number] = nil
            state.numbers[job.key] = nil
            return Array(job.watchers.values)
        }
        for watcher in watchers { watcher(event) }
    }

    private func tellWaiting() {
        let told = state.withLock { state in
            state.turns.enumerated().flatMap { place, turn in
                turn.jobs.enumerated().flatMap { round, number -> [(Watcher, Int)] in
                    let ahead = state.turns.enumerated().reduce(round) { sum, other in
                        other.offset == place
                            ? sum : sum + min(other.element.jobs.count, other.offset < place ? round + 1 : round)
                    }
                    return state.jobs[number]?.watchers.values.map { ($0, ahead) } ?? []
                }
            }
        }
        for (watcher, ahead) in told { watcher(.waits(ahead: ahead)) }
    }
}

extension WorkQueue {
    /// Waits for a thing.
    /// - Throws: ``Full``; ``Abandoned`` where the connection is closed before; what making it throws.
    package func value(_ key: String, for connection: Connection, make: @escaping Make) throws -> any Sendable {
        let semaphore = DispatchSemaphore(value: 0)
        let box = Outcome()
        let ticket = try ask(key, asker: connection.number, make: make) { event in
            switch event {
            case .made(let value): box.set(.success(value))
            case .failed(let error): box.set(.failure(error))
            default: return
            }
            semaphore.signal()
        }
        connection.onClose {
            self.leave(ticket)
            box.set(.failure(Abandoned()))
            semaphore.signal()
        }
        semaphore.wait()
        return try box.result.get()
    }

    private final class Outcome: Sendable {
        private let value = Mutex<Result<any Sendable, any Error>?>(nil)

        /// The first stays.
        func set(_ result: Result<any Sendable, any Error>) { value.withLock { $0 = $0 ?? result } }

        var result: Result<any Sendable, any Error> { value.withLock { $0 } ?? .failure(Abandoned()) }
    }
}
