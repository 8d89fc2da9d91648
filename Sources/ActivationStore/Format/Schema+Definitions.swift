import GRDB

/// How a store's tables, indexes and views are defined, and that a file has these and no others.
extension Schema {
    /// What `sqlite_schema` says of one table, index or view: its words, whatever stands between them.
    private struct Definition: Equatable, Sendable {
        let type: String
        let table: String
        let text: String
    }

    /// That every table, index and view is defined as `schema.sql` of the file's version does, and that nothing else is: a view of
    /// another text gives other answers, a trigger changes what is written, and a table named as a function hides it.
    ///
    /// - Throws: ``StoreError/damaged(path:detail:)`` for what is missing or of another definition, ``StoreError/foreign(path:type:name:)``
    ///   for what is not ours.
    static func check(_ database: Database, path: String) throws {
        var missing = definitions(version: try version(database))
        let rows = try Row.fetchCursor(database, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema")
        while let row = try rows.next() {
            let type: String = try row.decode(atIndex: 0)
            let name: String = try row.decode(atIndex: 1)
            let table: String = try row.decode(atIndex: 2)
            guard let sql: String = try row.decode(atIndex: 3) else {
                // An index that is part of its table's definition.
                guard type == "index", name.hasPrefix("sqlite_autoindex_\(table)_") else {
                    throw StoreError.damaged(path: path, detail: "its \(type) \(name) has no definition")
                }
                continue
            }
            let found = Definition(type: type, table: table, text: normalised(sql))
            if statistics[name] == found { continue }
            guard let wanted = missing.removeValue(forKey: name) else {
                throw StoreError.foreign(path: path, type: type, name: name)
            }
            guard wanted.contains(found) else {
                throw StoreError.damaged(
                    path: path, detail: "its \(wanted[0].type) \(name) is not defined as neurodex defines it")
            }
        }
        if let (name, lacking) = missing.min(by: { $0.key < $1.key }) {
            throw StoreError.damaged(path: path, detail: "it has no \(lacking[0].type) \(name)")
        }
    }

    /// What ANALYZE makes.
    private static let statistics = [
        "sqlite_stat1": Definition(type: "table", table: "sqlite_stat1", text: "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
        "sqlite_stat4": Definition(
            type: "table", table: "sqlite_stat4", text: "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
    ]

    // MARK: Of each version

    /// By name, as a store of that version may have them.
    private static func definitions(version: Int) -> [String: [Definition]] {
        var result = present.mapValues { [$0] }
        let checksum = ",checksum INTEGER NOT NULL"
        func edit(_ names: [String], _ change: (String) -> String) {
            for name in names {
                result[name] = result[name]?.map { Definition(type: $0.type, table: $0.table, text: change($0.text)) }
            }
        }
        if version < 4 {
            edit(["run", "skipped_image", "cam_head"]) { $0.replacing(checksum, with: "", maxReplacements: 1) }
            edit(["image_info"]) {
                $0.replacing(" OR k.name=c.name", with: "").replacing(" LEFT JOIN class k ON k.id=b.class_id", with: "")
            }
        }
        if version < 3 {
            edit(["image", "neuron_statistics", "top_list"]) { $0.replacing(checksum, with: "", maxReplacements: 1) }
        } else if let image = present["image"] {
            // Brought here from version 2.
            let text = image.text.replacing(checksum, with: checksum + " DEFAULT 0", maxReplacements: 1)
            result["image"]?.append(Definition(type: image.type, table: image.table, text: text))
        }
        if version < 2 {
            for name in ["explanation", "explanation_by_image", "cam_head"] { result[name] = nil }
        }
        return result
    }

    /// Of `schema.sql`.
    private static let present: [String: Definition] = {
        var result: [String: Definition] = [:]
        for text in normalised(sql).split(separator: ";") {
            let words = text.split(maxSplits: 4) { $0 == " " || $0 == "(" }
            guard words.count > 3, words[0] == "CREATE" else { continue }
            let name = String(words[2])
            let type = words[1].lowercased()
            let table = type == "index" ? String(words[4].prefix { $0 != "(" }) : name
            result[name] = Definition(type: type, table: table, text: String(text))
        }
        return result
    }()

    /// SQL without comments and without spaces that part nothing.
    private static func normalised(_ sql: String) -> String {
        var result: [UInt8] = []
        var isParted = false
        var bytes = Array(sql.utf8)[...]
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            case UInt8(ascii: "_"), UInt8(ascii: "$"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"), 0x80...: true
            default: false
            }
        }
        while let byte = bytes.first {
            if bytes.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) {
                bytes = bytes.drop { $0 != UInt8(ascii: "\n") }
                isParted = true
                continue
            }
            bytes.removeFirst()
            if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                isParted = true
                continue
            }
            if isParted, let last = result.last, isWord(last), isWord(byte) { result.append(UInt8(ascii: " ")) }
            isParted = false
            result.append(byte)
            guard byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "`") else { continue }
            // What is quoted stays as it is, to the next quote.
            let quoted = bytes.prefix { $0 != byte }
            result += quoted
            bytes = bytes.dropFirst(quoted.count)
            if bytes.popFirst() != nil { result.append(byte) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
