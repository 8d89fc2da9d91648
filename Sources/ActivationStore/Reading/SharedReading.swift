import Foundation
package import GRDB
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

extension Store {
    /// Runs `work` once for each of `parts`, in any order, on as many connections as there are readers, at the same time.
    ///
    /// Every connection reads the same state of the file: `database` is in a read transaction, so nobody commits before it ends, and a helper
    /// that sees other runs in the file than it, as where another file took its place, does nothing. Nobody waits for a lock either: parts that
    /// no helper takes are the caller's. With a write-ahead log a helper might see a later state, so there are none.
    ///
    /// - Parameters:
    ///   - rows: about how many rows all parts read; few are not worth a second connection.
    ///   - context: made for each connection, of what belongs to one.
    /// - Throws: the first error of `work`.
    package func share<Context>(
        _ parts: Int, rows: Int, _ database: Database, context: (Database) throws -> Context,
        work: (Int, Context) throws -> Void
    ) throws {
        try Activity.run(parts: parts) {
            try shareOut(parts, rows: rows, database, context: context) { part, context in
                try work(part, context)
                Activity.step()
            }
        }
    }

    private func shareOut<Context>(
        _ parts: Int, rows: Int, _ database: Database, context: (Database) throws -> Context,
        work: (Int, Context) throws -> Void
    ) throws {
        let own = try context(database)
        let helpers = min(readers, parts, rows / smallestShare) - 1
        guard helpers > 0, let state = try Self.state(database) else {
            for part in 0..<parts { try work(part, own) }
            return
        }
        let progress = Progress(parts: parts)
        let group = DispatchGroup()
        withoutActuallyEscaping(context) { context in
            withoutActuallyEscaping(work) { work in
                nonisolated(unsafe) let (context, work) = (context, work)
                for _ in 0..<helpers {
                    DispatchQueue.global(qos: .userInitiated).async(group: group) {
                        progress.attempt {
                            guard progress.isGoingOn else { return }
                            try self.helpers.read { database in
                                guard try Self.state(database) == state else { return }
                                let theirs = try context(database)
                                while let part = progress.next() { try work(part, theirs) }
                            }
                        }
                    }
                }
                progress.attempt {
                    while let part = progress.next() { try work(part, own) }
                }
                group.wait()
            }
        }
        try progress.finish()
    }

    /// What every writer changes; nil with a write-ahead log.
    private static func state(_ database: Database) throws -> String? {
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

/// Which parts are taken, and what went wrong.
private final class Progress: Sendable {
    private struct State {
        var next = 0
        var error: (any Error)?
    }
    private let parts: Int
    private let state = Mutex(State())

    init(parts: Int) { self.parts = parts }

    var isGoingOn: Bool { state.withLock { $0.next < parts } }

    /// The next part; nil when all are taken, or one failed.
    func next() -> Int? {
        state.withLock { state in
            guard state.next < parts, state.error == nil else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            state.withLock { if $0.error == nil { $0.error = error } }
        }
    }

    func finish() throws {
        if let error = state.withLock({ $0.error }) { throw error }
    }
}
