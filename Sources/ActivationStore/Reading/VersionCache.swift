import GRDB
import Synchronization

/// What a connection found of a version of the file, until something is written.
package final class VersionCache<Value: Sendable>: Sendable {
    private let found = Mutex<[UInt: (version: Int, value: Value)]>([:])

    package init() {}

    /// What was found, or what `make` finds now.
    package func value(_ snapshot: Snapshot, _ make: () throws -> Value) throws -> Value {
        let database = snapshot.database
        guard let connection = database.sqliteConnection.map({ UInt(bitPattern: $0) }) else { return try make() }
        let version = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA data_version")) ?? 0
        if let known = found.withLock({ $0[connection] }), known.version == version { return known.value }
        let value = try make()
        found.withLock { $0[connection] = (version, value) }
        return value
    }
}
