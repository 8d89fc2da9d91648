import GRDB
import Support

/// The attributes that a store keeps of its images.
extension Store {
    /// What may be asked of an attribute without reading its values.
    public struct AttributeName: Hashable, Sendable {
        public let name: String
        public let kind: Attribute.Kind
    }

    /// All attributes, by name; of images that were removed nothing is known.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for one that is not what was written.
    public func attributes() throws -> [Attribute] { try read { try $0.attributes() } }

    /// With the values of removed images, whose lanes are still there.
    static func attributes(_ database: Database, path: String, named names: Set<String>? = nil) throws -> [Attribute] {
        guard try keepsAttributes(database) else { return [] }
        var found: [Attribute] = []
        // Lists are long: those that are not wanted are neither read nor checked.
        let wanted = try names.map { names in
            try String.fetchAll(database, sql: "SELECT name FROM attribute").filter(names.contains)
        }
        let selection = wanted.map { "WHERE name IN (\(databaseQuestionMarks(count: $0.count))) " } ?? ""
        try CheckedTable.attribute.visit(
            database, selection + "ORDER BY name", StatementArguments(wanted ?? [])
        ) { row, isIntact in
            let name: String = try row.decode(forColumn: "name")
            guard isIntact,
                let attribute = try Attribute(
                    name: name, kind: row.decode(forColumn: "kind"), list: row.decode(forColumn: "list"))
            else { throw CheckedTable.attribute.damage(row, path: path) }
            found.append(attribute)
        }
        return found
    }

    public func attributeNames() throws -> [AttributeName] { try read { try $0.attributeNames() } }

    /// Columns of the view of images, which attributes of their names do not hide.
    public func imageColumns() throws -> [String] { try read { try $0.imageColumns() } }

    /// Whether the file has the table at all: since version 6.
    static func keepsAttributes(_ database: Database) throws -> Bool { try Schema.version(database) >= 6 }

    // MARK: Writing

    /// Which images a store's ids stand for; another one after a removal, and after ``compact(path:run:)``.
    public struct ImageNumbering: Hashable, Sendable {
        let lanes: Int
        let removed: Int
    }

    public func imageNumbering() throws -> ImageNumbering { try read { try numbering($0.database) } }

    private func numbering(_ database: Database) throws -> ImageNumbering {
        ImageNumbering(
            lanes: try Self.laneCount(database, blockImages: description.blockImages), removed: try Self.removedCount(database))
    }

    /// Keeps attributes, each in place of one of its name: one transaction.
    /// - Parameter numbering: that the values were made for.
    /// - Throws: ``StoreError``: `busy` where images were removed since; a name that is empty or has a NUL character, values
    ///   that no attribute has; a store that cannot be written.
    public func keep(_ attributes: [Attribute], numbering: ImageNumbering) throws {
        for attribute in attributes {
            try StoreError.refuseNUL(attribute.name, "the name of an attribute")
            let isSound = attribute.values.allSatisfy {
                $0.isNaN || (attribute.kind == .number ? $0.isFinite : $0 == 0 || $0 == 1)
            }
            guard isSound, !attribute.name.isEmpty else {
                throw StoreError.unstorable(
                    path: path, detail: "the attribute '\(attribute.name)' has no name, or a value that is no \(attribute.kind)")
            }
        }
        try edit { database in
            let now = try self.numbering(database)
            guard now.removed == numbering.removed, now.lanes >= numbering.lanes else { throw StoreError.busy(path: path) }
            for attribute in attributes { try Self.insert(attribute, database) }
        }
    }

    /// Forgets attributes.
    /// - Returns: how many were there.
    /// - Throws: ``StoreError``.
    @discardableResult
    public func removeAttributes(named names: [String]) throws -> Int {
        try edit { database in
            try names.reduce(0) { count, name in
                try database.execute(sql: "DELETE FROM attribute WHERE name = ?", arguments: [name])
                return count + database.changesCount
            }
        }
    }

    static func insert(_ attribute: Attribute, _ database: Database) throws {
        let known = try Int.fetchOne(database, sql: "SELECT id FROM attribute WHERE name = ?", arguments: [attribute.name])
        let id = try known ?? (Int.fetchOne(database, sql: "SELECT ifnull(max(id), 0) + 1 FROM attribute") ?? 1)
        try CheckedTable.attribute.insert(database, [id, attribute.name, attribute.kind.rawValue, attribute.list])
    }

    /// Gives images what is known of those that they stand for from now on, by the new ones' ids.
    static func carryAttributes(_ database: Database, path: String, from old: [Int: Int]) throws {
        guard !old.isEmpty else { return }
        for attribute in try attributes(database, path: path) {
            var values = attribute.values
            for (new, old) in old {
                guard let value = attribute[image: old] else { continue }
                if values.count <= new { values += Array(repeating: .nan, count: new + 1 - values.count) }
                values[new] = value
            }
            guard values.count > attribute.values.count else { continue }
            try insert(Attribute(name: attribute.name, kind: attribute.kind, values: values), database)
        }
    }
}

extension Snapshot {
    /// - Parameter names: of those that are wanted; nil for all. Names that no attribute has are passed over.
    package func attributes(named names: Set<String>? = nil) throws -> [Attribute] {
        let presence = try presence()
        return try Store.attributes(database, path: path, named: names).map { attribute in
            guard let presence else { return attribute }
            let values = attribute.values.enumerated().map { presence.indices.contains($0) && presence[$0] != 0 ? $1 : .nan }
            return Attribute(name: attribute.name, kind: attribute.kind, values: values)
        }
    }

    /// Names and kinds, by name. Nothing else is read, and nothing checked.
    package func attributeNames() throws -> [Store.AttributeName] {
        guard try Store.keepsAttributes(database) else { return [] }
        return try Row.fetchAll(database, sql: "SELECT name, kind FROM attribute ORDER BY name").compactMap { row in
            guard let kind = try Attribute.Kind(rawValue: row.decode(atIndex: 1)) else { return nil }
            return Store.AttributeName(name: try row.decode(atIndex: 0), kind: kind)
        }
    }
}

extension StoreWriter {
    /// Keeps the attributes that stores have which were appended, one after the other, from the first image on: one
    /// transaction. An attribute that is a number in one of them is one in the whole.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for one that is.
    package func appendAttributes(of sources: [Store], _ plan: MergePlan = MergePlan()) throws {
        var kept: [(source: Store, ids: [Int])] = []
        var kinds: [(name: String, isNumber: Bool)] = []
        for source in sources {
            let leftOut = plan.leftOut[source.path] ?? []
            let (ids, names) = try source.read { snapshot in
                let presence = try snapshot.presence()
                let all = try 0..<snapshot.laneCount()
                return (all.filter { presence?[$0] != 0 && !leftOut.contains($0) }, try snapshot.attributeNames())
            }
            kept.append((source, ids))
            for one in names {
                if let index = kinds.firstIndex(where: { $0.name.utf8.elementsEqual(one.name.utf8) }) {
                    kinds[index].isNumber = kinds[index].isNumber || one.kind == .number
                } else {
                    kinds.append((one.name, one.kind == .number))
                }
            }
        }
        for (name, isNumber) in kinds {
            let values = try kept.flatMap { source, ids in
                let found = try source.read { try $0.attributes(named: [name]) }
                return found.first?.values(of: ids) ?? Array(repeating: .nan, count: ids.count)
            }
            try keepAttribute(Attribute(name: name, kind: isNumber ? .number : .binary, values: values))
        }
    }
}
