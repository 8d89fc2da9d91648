import ActivationStore
import CActivationTable
import CSQLite
import Foundation
import GRDBSQLite
import Support
import Synchronization

/// A connection for SQL that a user wrote, with the table `activation` where everything may be read. SQLite itself asks, for
/// everything the statement would do, whether it may; and whatever the statement is, it takes no more time and memory than it is
/// given.
final class ReadOnlySQL {
    /// What a statement may take.
    struct Limits {
        /// That it computes, and that its rows are made use of.
        var seconds = 60.0
        var megabytes = 1024
        /// What of that time does not count.
        var pauses = ReaderPauses()
        /// Whether nobody wants the rest of the answer: then ``rows(_:shown:limits:header:_:)`` throws `CancellationError`.
        var isStopped: @Sendable () -> Bool = { false }
        /// Bytes of one text or blob, enough for the map of a picture of 1180×1180. Some functions take the square of it in time.
        static let length = 1 << 24
        /// Characters of a pattern of LIKE or GLOB, which is compared without a pause to look at the clock.
        static let pattern = 1000
    }

    /// What a statement may read: everything, or only the tables that say something of images.
    enum Scope {
        case everything
        case images

        static let imageTables: Set<String> = [
            "image", "label", "class", "image_info", "attribute", "image_attribute", "json_each",
        ]
    }

    /// What SQLite's call-backs look at. Kept alive by the connection's owner.
    private final class Guardian {
        let scope: Scope
        var refused: String?
        var clock = StatementClock(seconds: .infinity, pauses: ReaderPauses())
        var isStopped: @Sendable () -> Bool = { false }

        init(scope: Scope) { self.scope = scope }

        var isOfImages: Bool { if case .images = scope { true } else { false } }

        /// Has SQLite ask, from now on, whether a statement may do what it would, and whether it is to end.
        func watch(_ connection: OpaquePointer) {
            let context = Unmanaged.passUnretained(self).toOpaque()
            sqlite3_set_authorizer(
                connection,
                { context, action, first, second, _, view in
                    guard let context else { return SQLITE_DENY }
                    let guardian = Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue()
                    let facts = (first.map { String(cString: $0) }, second.map { String(cString: $0) })
                    let view = view.map { String(cString: $0) }
                    guard let objection = guardian.objection(action, facts.0, facts.1, view: view) else { return SQLITE_OK }
                    if guardian.refused == nil { guardian.refused = objection }
                    return SQLITE_DENY
                }, context)
            sqlite3_progress_handler(
                connection, 1000,
                { context in
                    guard let context else { return 1 }
                    let guardian = Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue()
                    return guardian.clock.isOver || guardian.isStopped() ? 1 : 0
                }, context)
        }

        /// Nil if allowed, else what the statement would do. `view` is the view that reads, if it is one.
        func objection(_ action: Int32, _ first: String?, _ second: String?, view: String?) -> String? {
            switch action {
            case SQLITE_SELECT, SQLITE_RECURSIVE: return nil
            case SQLITE_READ:
                guard scope == .images, let first, !Scope.imageTables.contains(first) else { return nil }
                return "read \(view ?? first), which says nothing of one image"
            case SQLITE_FUNCTION:
                let function = second ?? ""
                return ["load_extension", "writefile", "readfile", "edit", "fts3_tokenizer"].contains(function.lowercased())
                    ? "call \(function)" : nil
            case SQLITE_ATTACH, SQLITE_DETACH: return "attach another file"
            case SQLITE_PRAGMA: return "run PRAGMA \(first ?? "")"
            case SQLITE_TRANSACTION, SQLITE_SAVEPOINT: return "begin or end a transaction"
            case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE: return "write to \(first ?? "a table")"
            default: return "change the store"
            }
        }
    }

    private let connection: OpaquePointer
    private let guardian: Guardian
    private let attributes: AttributeFunctions
    private let path: String

    /// - Throws: ``StoreError`` if the file cannot be opened.
    init(store: Store, scope: Scope) throws {
        path = store.path
        guardian = Guardian(scope: scope)
        attributes = AttributeFunctions(path: store.path)
        connection = try Self.hardened(path)
        // What is sorted stays in memory, of which there is a limit, rather than fill the disk.
        sqlite3_exec(connection, "PRAGMA mmap_size = 2147418112; PRAGMA temp_store = MEMORY", nil, nil, nil)
        sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, Int32(Limits.length))
        sqlite3_limit(connection, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, Int32(Limits.pattern))
        sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0)
        guard scope == .images || ndx_activation_register(connection, nil) == SQLITE_OK else {
            throw failure(sqlite3_errcode(connection), "activation", Limits())
        }
        guard attributes.register(on: connection) == SQLITE_OK else {
            throw failure(sqlite3_errcode(connection), "attribute", Limits())
        }
        guardian.watch(connection)
    }

    /// A connection of its own that reads, and runs nothing of the file.
    private static func hardened(_ path: String) throws -> OpaquePointer {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(StoreFile.name(path), &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw StoreError.notReadable(path: path, reason: message)
        }
        guard ndx_harden(handle) == SQLITE_OK else {
            defer { sqlite3_close_v2(handle) }
            throw StoreError.notReadable(path: path, reason: String(cString: sqlite3_errmsg(handle)))
        }
        sqlite3_busy_timeout(handle, 5000)
        let hasJSONViews = try Result { try Schema.check(handle, path: path) }.mapError { error in
            // A file that ends too early is SQLite's error here, whoever says so.
            let damage = StoreError.damaged(path: path, detail: "SQLite says \(String(cString: sqlite3_errmsg(handle)))")
            sqlite3_close_v2(handle)
            return error is StoreError ? error : damage
        }.get()
        if hasJSONViews { ndx_trust_schema(handle) }
        return handle
    }

    deinit {
        sqlite3_close_v2(connection)
    }

    /// Runs one statement; `shown` stands for it in errors. `header` is given the names of the columns before the first row.
    func rows(
        _ sql: String, shown: String, limits: Limits = Limits(), header: ([String]) throws -> Void = { _ in },
        _ body: (OpaquePointer) throws -> Void
    ) throws {
        guardian.clock = StatementClock(seconds: limits.seconds, pauses: limits.pauses)
        guardian.isStopped = limits.isStopped
        attributes.begin()
        let watchdog = StatementWatchdog(connection, clock: guardian.clock, limit: limits.seconds)
        defer { watchdog.end() }
        try HeapLimit.enforce(megabytes: limits.megabytes) {
            let statement = try prepare(sql, shown, limits)
            defer { sqlite3_finalize(statement) }
            try header((0..<sqlite3_column_count(statement)).map { String(cString: sqlite3_column_name(statement, $0)) })
            while true {
                let code = sqlite3_step(statement)
                if code == SQLITE_DONE { return }
                guard code == SQLITE_ROW else { throw failure(code, shown, limits) }
                try body(statement)
                if limits.isStopped() { throw CancellationError() }
                // Between two rows SQLite may do too little to ask whether it is to end.
                guard !guardian.clock.isOver else { throw QueryError.outOfTime(seconds: limits.seconds) }
            }
        }
    }

    /// Whether SQLite would run the statement, without running it.
    /// - Throws: as ``rows(_:shown:limits:header:_:)``.
    func check(_ sql: String, shown: String) throws {
        try HeapLimit.enforce(megabytes: Limits().megabytes) { _ = sqlite3_finalize(try prepare(sql, shown, Limits())) }
    }

    /// One statement that reads, to be finalized by the caller.
    private func prepare(_ sql: String, _ shown: String, _ limits: Limits) throws -> OpaquePointer {
        guardian.refused = nil
        var handle: OpaquePointer?
        var rest = ""
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(connection, text, -1, &handle, &tail)
            if let tail { rest = String(cString: tail) }
            return code
        }
        guard code == SQLITE_OK else { throw failure(code, shown, limits) }
        guard let statement = handle else { throw QueryError.emptySQL }
        do {
            guard rest.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty else {
                throw QueryError.severalStatements(sql: shown)
            }
            guard sqlite3_stmt_readonly(statement) != 0 else {
                throw QueryError.forbidden(sql: shown, action: "change the store")
            }
        } catch {
            sqlite3_finalize(statement)
            throw error
        }
        return statement
    }

    private func failure(_ code: Int32, _ shown: String, _ limits: Limits) -> any Error {
        if let refused = guardian.refused { return QueryError.forbidden(sql: shown, action: refused) }
        if let problem = attributes.problem { return problem }
        let message = String(cString: sqlite3_errmsg(connection))
        switch code & 0xff {
        case SQLITE_INTERRUPT where limits.isStopped(): return CancellationError()
        case SQLITE_INTERRUPT: return QueryError.outOfTime(seconds: limits.seconds)
        case SQLITE_NOMEM: return QueryError.outOfMemory(megabytes: limits.megabytes)
        case SQLITE_TOOBIG: return QueryError.tooLong(sql: shown, megabytes: Limits.length >> 20)
        case SQLITE_BUSY, SQLITE_LOCKED: return StoreError.busy(path: path)
        case SQLITE_CORRUPT:
            let isOurs = sqlite3_extended_errcode(connection) == SQLITE_CORRUPT | 1 << 8  // SQLITE_CORRUPT_VTAB
            return StoreError.damaged(path: path, detail: isOurs ? message : "SQLite says \(message)")
        default: return QueryError.wrongSQL(sql: shown, reason: message + advice(on: message))
        }
    }
}

extension ReadOnlySQL {
    /// As many names as a sentence can list.
    private static let listed = 16

    /// What was perhaps meant by a name that SQLite does not know; nothing for other errors.
    private func advice(on message: String) -> String {
        for (prefix, known) in [("no such column: ", columns), ("no such table: ", tables)] where message.hasPrefix(prefix) {
            // A column may be named with its table.
            let name = message.dropFirst(prefix.count).split(separator: ".").last.map(String.init) ?? ""
            let known = known()
            let nearest = Suggestion.nearest(to: name, among: known)
            if known.isEmpty || !nearest.isEmpty { return Suggestion.clause(nearest) }
            let quotes = prefix.contains("column") ? "; a text stands in single quotes: '\(name)'" : ""
            let list = known.count == 1 ? "there is only \(known[0])" : "there are \(known.joined(separator: ", "))"
            return quotes + (known.count <= Self.listed ? "; " + list : "")
        }
        return ""
    }

    private func tables() -> [String] {
        guard case .everything = guardian.scope else { return ["image_info"] }
        return ["activation"] + texts("SELECT name FROM sqlite_schema WHERE type IN ('view', 'table') ORDER BY type DESC, name")
    }

    /// Of every table, each once.
    private func columns() -> [String] {
        var known: Set<String> = []
        return tables().flatMap { table in
            var handle: OpaquePointer?
            defer { sqlite3_finalize(handle) }
            guard sqlite3_prepare_v2(connection, "SELECT * FROM \"\(table)\"", -1, &handle, nil) == SQLITE_OK else {
                return [String]()
            }
            return (0..<sqlite3_column_count(handle)).map { String(cString: sqlite3_column_name(handle, $0)) }
        }.filter { known.insert($0).inserted } + (guardian.isOfImages ? attributes.names() : [])
    }

    private func texts(_ sql: String) -> [String] {
        var handle: OpaquePointer?
        defer { sqlite3_finalize(handle) }
        guard sqlite3_prepare_v2(connection, sql, -1, &handle, nil) == SQLITE_OK else { return [] }
        var texts: [String] = []
        while sqlite3_step(handle) == SQLITE_ROW {
            if let text = sqlite3_column_text(handle, 0) { texts.append(String(cString: text)) }
        }
        return texts
    }
}

/// SQLite's limit of memory, which is one for the whole process: as long as any statement of a user runs.
private enum HeapLimit {
    private static let running = Mutex(0)

    static func enforce<T>(megabytes: Int, _ body: () throws -> T) rethrows -> T {
        running.withLock { running in
            if running == 0 { sqlite3_hard_heap_limit64(sqlite3_memory_used() + Int64(megabytes) << 20) }
            running += 1
        }
        defer {
            running.withLock { running in
                running -= 1
                if running == 0 {
                    sqlite3_hard_heap_limit64(0)
                    sqlite3_soft_heap_limit64(0)
                }
            }
        }
        return try body()
    }
}
