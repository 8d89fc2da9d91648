/// One column of a list: its name, and the value that it has in a row. It is said once; the keys of JSON, the header of CSV
/// and the titles of tables follow from it.
///
/// ```swift
/// struct Hit: TableRow {
///     var image: String
///     var score: Double
///
///     static let columns: [ListColumn<Hit>] = list {
///         column("image", \.image).shortened
///         column("score", title: "score %", \.score).shown { .value($0.score * 100) }
///     }
/// }
/// ```
public struct ListColumn<Row>: Sendable {
    /// The key in JSON and the column's name in CSV.
    public let name: String
    /// The column's name in tables.
    public let title: String
    private let value: @Sendable (Row) -> any ColumnValue
    private var cell: (@Sendable (Row) -> TextTable.Cell)?
    private var isNeeded: (@Sendable (Row) -> Bool)?
    private(set) var isForPeople = true
    private(set) var isForPrograms = true
    private(set) var isShortened = false
    /// Where it stands in tables, if not where the list has it: behind the column of this name, or first for an empty one.
    private(set) var place: String?
    private var isOptional = false

    init(_ name: String, title: String?, _ value: @escaping @Sendable (Row) -> some ColumnValue) {
        (self.name, self.title) = (name, title ?? name)
        self.value = { value($0) }
    }

    private func with(_ change: (inout ListColumn) -> Void) -> ListColumn {
        var column = self
        change(&column)
        return column
    }

    /// In JSON and CSV only.
    public var forPrograms: ListColumn { with { $0.isForPeople = false } }
    /// In tables only.
    public var forPeople: ListColumn { with { $0.isForPrograms = false } }
    /// Its texts may be cut in the middle where a table is too wide.
    public var shortened: ListColumn { with { $0.isShortened = true } }
    /// The first of a table.
    public var first: ListColumn { with { $0.place = "" } }
    /// In tables, behind the column of this name.
    public func after(_ name: String) -> ListColumn { with { $0.place = name } }
    /// What a table shows, if not the value.
    public func shown(as cell: @escaping @Sendable (Row) -> TextTable.Cell) -> ListColumn { with { $0.cell = cell } }
    /// In tables only where a row has something to show.
    public func hidden(unless isNeeded: @escaping @Sendable (Row) -> Bool) -> ListColumn { with { $0.isNeeded = isNeeded } }

    /// Nowhere, unless a row has it.
    public func absent(unless isThere: @escaping @Sendable (Row) -> Bool) -> ListColumn {
        with { ($0.isNeeded, $0.isOptional) = (isThere, true) }
    }

    func isShown(in rows: some Collection<Row>) -> Bool { isForPeople && (isNeeded.map { rows.contains(where: $0) } ?? true) }
    func isWritten(in rows: some Collection<Row>) -> Bool {
        isForPrograms && (!isOptional || isNeeded.map { rows.contains(where: $0) } ?? true)
    }
    func cell(of row: Row) -> TextTable.Cell { cell?(row) ?? value(row).cell }
    func field(of row: Row) -> String { value(row).field }

    func encode(_ row: Row, to container: inout KeyedEncodingContainer<ColumnKey>) throws {
        guard isForPrograms, !isOptional || isNeeded?(row) ?? true else { return }
        try container.encode(value(row), forKey: ColumnKey(stringValue: name))
    }
}

struct ColumnKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// A row of a list, which says what columns the list has.
public protocol TableRow: Encodable, Sendable {
    static var columns: [ListColumn<Self>] { get }
}

extension TableRow {
    /// - Parameters:
    ///   - name: for programs, such as `image_id`.
    ///   - title: for people; the name, if it is nil.
    public static func column(
        _ name: String, title: String? = nil, _ value: @escaping @Sendable (Self) -> some ColumnValue
    ) -> ListColumn<Self> {
        ListColumn(name, title: title, value)
    }

    /// Columns, a line each.
    public static func list(@ColumnList<Self> _ columns: () -> [ListColumn<Self>]) -> [ListColumn<Self>] { columns() }

    /// An object with the columns that are for programs; null where a row has no value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ColumnKey.self)
        for column in Self.columns { try column.encode(self, to: &container) }
    }
}

@resultBuilder
public enum ColumnList<Row> {
    public static func buildBlock(_ columns: ListColumn<Row>...) -> [ListColumn<Row>] { columns }
}

/// Rows with their columns, to be printed. As JSON, a list of objects.
public struct Rows<Row: TableRow>: Printable, Sendable {
    public let rows: [Row]

    public init(_ rows: some Sequence<Row>) { self.rows = Array(rows) }

    public func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    public var table: TextTable {
        let columns = ordered.filter { $0.isShown(in: rows) }
        return TextTable(
            columns: columns.map(\.title), shortened: Set(columns.filter(\.isShortened).map(\.title)),
            rows: rows.map { row in columns.map { $0.cell(of: row) } })
    }

    public var fields: [[String]] {
        let columns = Row.columns.filter { $0.isWritten(in: rows) }
        return [columns.map(\.name)] + rows.map { row in columns.map { $0.field(of: row) } }
    }

    /// As tables have them.
    private var ordered: [ListColumn<Row>] {
        var columns = Row.columns.filter { $0.place == nil }
        for column in Row.columns {
            guard let place = column.place else { continue }
            columns.insert(column, at: columns.firstIndex { $0.name == place }.map { $0 + 1 } ?? 0)
        }
        return columns
    }
}
