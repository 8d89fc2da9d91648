import Foundation
import GRDB
import Support
import Synchronization

/// Further connections to a store, that take parts of a large question.
final class Helpers: Sendable {
    private let path: String
    private let pool = Mutex<DatabasePool?>(nil)

    init(path: String) { self.path = path }

    /// Runs `body` in a read transaction of a connection of its own; not at all where the file is locked or cannot be opened again.
    func read(_ body: (Database) throws -> Void) throws {
        let pool = self.pool.withLock { pool in
            if pool == nil { pool = try? StoreFile.pool(path, label: "helper", patience: nil) }
            return pool
        }
        do {
            try pool?.read(body)
        } catch let error as DatabaseError where [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_CANTOPEN].contains(error.resultCode) {
            return
        }
    }
}

extension Snapshot {
    /// Who shares a large question of this state of the file.
    package var readers: ReaderPool { ReaderPool(snapshot: self) }
}

/// The connection of a snapshot and its helpers, which go through the parts of a large question at the same time.
///
/// ```swift
/// let sums = try snapshot.readers.map(blocks, rows: rows) { snapshot, parts in
///     let scan = try snapshot.scan()
///     try parts.take { block in try sum(of: block, scan) }
/// }
/// ```
package struct ReaderPool {
    let snapshot: Snapshot

    /// Connections at most.
    package var count: Int { snapshot.store.readers }

    /// What is found of each of `parts`, in their order; the parts are gone through in any order, by as many readers as are worth it.
    ///
    /// Every reader sees the same state of the file: the snapshot is a read transaction, so nobody commits before it ends, and a helper
    /// that sees other runs in the file than it, as where another file took its place, does nothing. Nobody waits for a lock either: parts that
    /// no helper takes are the caller's. With a write-ahead log a helper might see a later state, so there are none.
    ///
    /// - Parameters:
    ///   - rows: about how many rows all parts read; few are not worth a second connection.
    ///   - body: called once by every reader, on a thread of its own: makes what belongs to one connection from its snapshot, and
    ///     takes parts until there are none.
    /// - Throws: the first error of `body`.
    package func map<Part, Answer>(
        _ parts: [Part], rows: Int, _ body: (Snapshot, SharedParts<Part, Answer>) throws -> Void
    ) throws -> [Answer] {
        try Activity.run(parts: parts.count) {
            let shared = SharedParts<Part, Answer>(parts)
            let helpers = min(count, parts.count, rows / snapshot.store.smallestShare) - 1
            if helpers > 0, let state = try snapshot.state() {
                try share(shared, among: helpers, state, body)
            } else {
                try body(snapshot, shared)
            }
            return shared.all()
        }
    }

    /// As ``map(_:rows:_:)``, of parts of which nothing is handed back.
    package func forEach<Part>(
        _ parts: [Part], rows: Int, _ body: (Snapshot, SharedParts<Part, Void>) throws -> Void
    ) throws {
        _ = try map(parts, rows: rows, body)
    }

    /// Returns when all helpers have ended.
    private func share<Part, Answer>(
        _ parts: SharedParts<Part, Answer>, among helpers: Int, _ state: String,
        _ body: (Snapshot, SharedParts<Part, Answer>) throws -> Void
    ) throws {
        let store = snapshot.store
        let group = DispatchGroup()
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            for _ in 0..<helpers {
                DispatchQueue.global(qos: .userInitiated).async(group: group) {
                    parts.attempt {
                        guard parts.areLeft else { return }
                        try store.helpers.read { database in
                            let theirs = Snapshot(store: store, database: database)
                            if try theirs.state() == state { try body(theirs, parts) }
                        }
                    }
                }
            }
            parts.attempt { try body(snapshot, parts) }
            group.wait()
        }
        try parts.throwError()
    }
}

extension Snapshot {
    /// What every writer changes; nil with a write-ahead log.
    fileprivate func state() throws -> String? {
        guard try String.fetchOne(database.cachedStatement(sql: "PRAGMA journal_mode")) != "wal" else { return nil }
        let pages = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA page_count")) ?? 0
        let runs = try String.fetchOne(
            database.cachedStatement(
                sql:
                    "SELECT group_concat(id || started || ifnull(finished, '') || images_done || ifnull(seconds, ''), '|') FROM run"
            ))
        return "\(pages) \(runs ?? "")"
    }
}

/// The parts of a question that readers share, which of them are taken, what was found, and what went wrong.
package final class SharedParts<Part, Answer>: @unchecked Sendable {
    private struct State {
        var next = 0
        var error: (any Error)?
    }
    private let parts: [Part]
    /// Each is written by the reader that took its part.
    private let answers: UnsafeMutableBufferPointer<Answer?>
    private let state = Mutex(State())

    init(_ parts: [Part]) {
        self.parts = parts
        answers = .allocate(capacity: parts.count)
        answers.initialize(repeating: nil)
    }

    deinit {
        answers.deinitialize()
        answers.deallocate()
    }

    /// Runs `body` on one part after the other that no reader has taken, until there are none, or one failed.
    package func take(_ body: (Part) throws -> Answer) throws {
        while let place = next() {
            answers[place] = try body(parts[place])
            Activity.step()
        }
    }

    private func next() -> Int? {
        state.withLock { state in
            guard state.next < parts.count, state.error == nil else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    fileprivate var areLeft: Bool { state.withLock { $0.next < parts.count } }

    fileprivate func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            state.withLock { if $0.error == nil { $0.error = error } }
        }
    }

    fileprivate func throwError() throws {
        if let error = state.withLock({ $0.error }) { throw error }
    }

    fileprivate func all() -> [Answer] {
        answers.indices.map { place in
            guard let answer = answers[place].take() else { preconditionFailure("no reader took part \(place)") }
            return answer
        }
    }
}
