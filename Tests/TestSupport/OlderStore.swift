import GRDB

/// Makes a store one of an earlier version, as if a neurodex of then had written it.
public func makeOlder(_ path: String, version: Int) throws {
    precondition((1...2).contains(version), "no store of version \(version) is known here")
    let database = try DatabaseQueue(path: path)
    try database.write { database in
        for table in ["image", "neuron_statistics", "top_list"] {
            try database.execute(sql: "ALTER TABLE \(table) DROP COLUMN checksum")
        }
        try database.execute(sql: "DELETE FROM meta WHERE key IN ('description_checksum', 'schema_checksum')")
        if version < 2 { try database.execute(sql: "DROP TABLE explanation; DROP TABLE cam_head") }
        try database.execute(sql: "PRAGMA user_version = \(version)")
    }
    try database.close()
}
