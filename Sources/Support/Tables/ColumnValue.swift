/// What a column holds: a JSON value, a field of CSV with all digits, and a cell of a table.
public protocol ColumnValue: Encodable, SendableMetatype {
    var field: String { get }
    var cell: TextTable.Cell { get }
}

extension String: ColumnValue {
    public var field: String { self }
    public var cell: TextTable.Cell { .text(self) }
}

extension Int: ColumnValue {
    public var field: String { "\(self)" }
    public var cell: TextTable.Cell { .value(self) }
}

extension Float: ColumnValue {
    public var field: String { "\(self)" }
    public var cell: TextTable.Cell { .value(self) }
}

extension Double: ColumnValue {
    public var field: String { "\(self)" }
    public var cell: TextTable.Cell { .value(self) }
}

extension Bool: ColumnValue {
    public var field: String { "\(self)" }
    public var cell: TextTable.Cell { .text(self ? "yes" : "no") }
}

/// Null in JSON, and nothing elsewhere.
extension Optional: ColumnValue where Wrapped: ColumnValue {
    public var field: String { self?.field ?? "" }
    public var cell: TextTable.Cell { self?.cell ?? .nothing }
}

/// What a column may hold several of: a JSON value, and a word.
public protocol ColumnElement: Encodable, CustomStringConvertible, SendableMetatype {}

/// A list in JSON, and words with spaces between them elsewhere.
extension Array: ColumnValue where Element: ColumnElement {
    public var field: String { map(\.description).joined(separator: " ") }
    public var cell: TextTable.Cell { .text(field) }
}
