import ActivationStore
import Foundation
import GRDB
import GRDBSQLite

/// A connection for SQL that a user wrote. SQLite itself asks, for everything the statement would do, whether it may.
final class ReadOnlySQL {
    /// What a statement may read: everything, or only the tables that say something of images.
    enum Scope {
        case everything
        case images

        static let imageTables: Set<String> = ["image", "label", "class", "image_info"]
    }

    /// What SQLite's call-backs look at. Kept alive by the connection's owner.
    private final class Guardian {
        let scope: Scope
        var refused: String?
        var deadline = Double.infinity

        init(scope: Scope) { self.scope = scope }

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
    private let path: String

    /// - Throws: ``StoreError`` if the file cannot be opened.
    init(store: Store, scope: Scope) throws {
        path = store.path
        guardian = Guardian(scope: scope)
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(store.path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw StoreError.notReadable(path: store.path, reason: message)
        }
        connection = handle
        sqlite3_busy_timeout(handle, 5000)
        let context = Unmanaged.passUnretained(guardian).toOpaque()
        sqlite3_set_authorizer(
            handle,
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
            handle, 10_000,
            { context in
                guard let context else { return 1 }
                let guardian = Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue()
                return Date().timeIntervalSinceReferenceDate > guardian.deadline ? 1 : 0
            }, context)
    }

    deinit {
        sqlite3_close_v2(connection)
    }

    /// Runs one statement; `shown` stands for it in errors.
    func rows(
        _ sql: String, shown: String, timeLimit: Double, _ body: (OpaquePointer) throws -> Void
    ) throws -> [String] {
        guardian.refused = nil
        guardian.deadline = Date().timeIntervalSinceReferenceDate + timeLimit
        var handle: OpaquePointer?
        var rest = ""
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(connection, text, -1, &handle, &tail)
            if let tail { rest = String(cString: tail) }
            return code
        }
        defer { sqlite3_finalize(handle) }
        guard code == SQLITE_OK else { throw failure(code, shown, timeLimit) }
        guard let statement = handle else { throw QueryError.emptySQL }
        guard rest.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty else { throw QueryError.severalStatements(sql: shown) }
        guard sqlite3_stmt_readonly(statement) != 0 else { throw QueryError.forbidden(sql: shown, action: "change the store") }
        let columns = (0..<sqlite3_column_count(statement)).map { String(cString: sqlite3_column_name(statement, $0)) }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return columns }
            guard code == SQLITE_ROW else { throw failure(code, shown, timeLimit) }
            try body(statement)
        }
    }

    private func failure(_ code: Int32, _ shown: String, _ timeLimit: Double) -> any Error {
        if let refused = guardian.refused { return QueryError.forbidden(sql: shown, action: refused) }
        let message = String(cString: sqlite3_errmsg(connection))
        switch code & 0xff {
        case SQLITE_INTERRUPT: return QueryError.outOfTime(seconds: timeLimit)
        case SQLITE_BUSY, SQLITE_LOCKED: return StoreError.busy(path: path)
        case SQLITE_CORRUPT: return StoreError.damaged(path: path, detail: "SQLite says \(message)")
        default: return QueryError.wrongSQL(sql: shown, reason: message)
        }
    }
}
