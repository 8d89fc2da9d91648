import GRDB

/// A table whose rows have a checksum of their other columns, in order. Since version 4.
struct CheckedTable: Sendable {
    typealias Column = (name: String, kind: RawStatement.Kind)

    let name: String
    /// In the order of the table, without the checksum.
    let columns: [Column]

    /// The columns' names, as SQL lists them.
    var list: String { columns.map(\.name).joined(separator: ", ") }

    static let run = CheckedTable(
        name: "run",
        columns: [
            ("id", .integer), ("tool_version", .text), ("started", .text), ("finished", .text), ("status", .text),
            ("host", .text),
            ("arguments", .text), ("jobs", .integer), ("images_done", .integer), ("images_skipped", .integer), ("seconds", .real),
        ])
    static let skippedImage = CheckedTable(
        name: "skipped_image",
        columns: [("path", .text), ("reason", .text), ("bytes", .integer), ("mtime_ns", .integer)])
    static let explanation = CheckedTable(
        name: "explanation",
        columns: [
            ("id", .integer), ("key", .blob), ("method", .text), ("arguments", .text), ("target", .text), ("image_path", .text),
            ("image_sha256", .blob), ("value", .real), ("note", .text), ("channels", .integer), ("height", .integer),
            ("width", .integer), ("is_signed", .integer), ("map", .blob), ("picture", .blob), ("record", .text),
            ("checks", .text), ("seconds", .real), ("created", .text), ("tool_version", .text),
        ])
    static let camHead = CheckedTable(
        name: "cam_head",
        columns: [
            ("id", .integer), ("layer", .text), ("classes", .text), ("channels", .integer), ("weights", .blob), ("bias", .blob),
            ("l2", .real), ("slope", .real), ("trained", .integer), ("judged", .integer), ("judged_on", .text),
            ("accuracy", .real), ("network_accuracy", .real),
        ])

    static let thumbnail = CheckedTable(
        name: "thumbnail", columns: [("image_id", .integer), ("jpeg", .blob)])
    static let attribute = CheckedTable(
        name: "attribute", columns: [("id", .integer), ("name", .text), ("kind", .text), ("list", .text)])

    // MARK: Reading

    /// Whether the file's rows have the checksum at all.
    static func isKept(_ database: Database) throws -> Bool { try Schema.version(database) >= 4 }

    /// Rows of all columns. Those of a store before version 4 have nothing to be checked by, and count as intact.
    /// - Parameter selection: what follows the table's name.
    func visit(
        _ database: Database, _ selection: String = "", _ arguments: StatementArguments = StatementArguments(),
        _ body: (_ row: Row, _ isIntact: Bool) throws -> Void
    ) throws {
        let isKept = try Self.isKept(database)
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM \(name) \(selection)", arguments: arguments)
        while let row = try rows.next() { try body(row, !isKept || isIntact(row)) }
    }

    /// As ``visit(_:_:_:_:)``, of rows that are all intact.
    /// - Throws: ``StoreError/damaged(path:detail:)`` for one that is not.
    func map<T>(_ database: Database, _ selection: String = "", path: String, _ transform: (Row) throws -> T) throws -> [T] {
        var result: [T] = []
        try visit(database, selection) { row, isIntact in
            guard isIntact else { throw damage(row, path: path) }
            result.append(try transform(row))
        }
        return result
    }

    func damage(_ row: Row, path: String) -> StoreError {
        .damaged(path: path, detail: "the row of \(title(row)) in its table \(name) is not what was written")
    }

    /// What the row is of: its number, or the path it begins with.
    func title(_ row: Row) -> String {
        switch row.databaseValues.first?.storage {
        case .int64(let id): "\(name) \(id)"
        case .string(let text): text
        default: name
        }
    }

    private func isIntact(_ row: Row) -> Bool {
        var values = Array(row.databaseValues)
        guard let place = Array(row.columnNames).firstIndex(of: "checksum"), values.count == columns.count + 1,
            case .int64(let stored) = values.remove(at: place).storage
        else { return false }
        return checksum(values).map { Int64($0) } == stored
    }

    /// Nil where a value is neither NULL nor of its column's kind.
    private func checksum(_ values: [DatabaseValue]) -> Int? {
        var sum = RowChecksum()
        for (value, column) in zip(values, columns) {
            switch (value.storage, column.kind) {
            case (.null, _): sum.add(-1)
            case (.int64(let number), .integer): sum.add(Int(number))
            case (.double(let number), .real): sum.add(number)
            case (.string(let text), .text): sum.add(text)
            case (.blob(let bytes), .blob): sum.add(bytes)
            default: return nil
            }
        }
        return sum.value
    }

    // MARK: Writing

    /// Writes a row of all columns but the checksum, in place of one of the same key; one that is not `isTrusted` with a checksum that never fits.
    func insert(_ database: Database, _ values: [(any DatabaseValueConvertible)?], isTrusted: Bool = true) throws {
        precondition(values.count == columns.count, "\(values.count) values for \(columns.count) columns of \(name)")
        let values = values.map { $0?.databaseValue ?? .null }
        let places = Array(repeating: "?", count: values.count + 1).joined(separator: ", ")
        try database.execute(
            sql: "INSERT OR REPLACE INTO \(name)(\(list), checksum) VALUES (\(places))",
            arguments: StatementArguments(values + [(isTrusted ? checksum(values) ?? -1 : -1).databaseValue]))
    }

    /// Changes rows, and gives those that were intact the checksum of what they are now; one that was damaged stays so.
    /// - Parameter condition: of the rows, before the change and after it.
    func change(_ database: Database, where condition: String, _ change: () throws -> Void) throws {
        var isWhole = true
        try visit(database, "WHERE \(condition)") { _, isIntact in isWhole = isWhole && isIntact }
        try change()
        if isWhole { try seal(database, where: condition) }
    }

    /// Gives rows the checksum of what they are; those that are not `isTrusted` one that never fits.
    func seal(_ database: Database, where condition: String = "1", isTrusted: (Row) throws -> Bool = { _ in true }) throws {
        var sums: [(key: DatabaseValue, checksum: Int)] = []
        let rows = try Row.fetchCursor(database, sql: "SELECT \(list) FROM \(name) WHERE \(condition)")
        while let row = try rows.next() {
            let values = Array(row.databaseValues)
            let sum = try isTrusted(row) ? checksum(values) ?? -1 : -1
            sums.append((values[0], sum))
        }
        for (key, sum) in sums {
            try database.execute(
                sql: "UPDATE \(name) SET checksum = ? WHERE \(columns[0].name) = ?", arguments: [sum, key])
        }
    }
}
