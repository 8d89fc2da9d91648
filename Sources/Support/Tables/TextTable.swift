internal import Foundation

/// Rows for people, under the names of their columns.
public struct TextTable: Sendable {
    public var columns: [String]
    /// Columns whose texts may be cut in the middle where the table is wider than the terminal.
    public var shortened: Set<String>
    public var rows: [[Cell]]

    public init(columns: [String], shortened: Set<String> = [], rows: [[Cell]] = []) {
        self.columns = columns
        self.shortened = shortened
        self.rows = rows
    }

    public enum Cell: Equatable, Sendable {
        case text(String)
        case number(String)
        case nothing

        /// Seven digits are as many as a float has.
        public static func value(_ value: Float) -> Cell { .number(String(format: "%.6g", Double(value))) }
        public static func value(_ value: Double) -> Cell { .number(String(format: "%.6g", value)) }
        public static func value(_ value: Int) -> Cell { .number(String(value)) }
        public static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .nothing }
    }
}

/// A list that can be printed in every format.
public protocol Printable: Encodable {
    var table: TextTable { get }
    /// Fields with all digits, for programs; the names of the columns first.
    var fields: [[String]] { get }
}

/// Four digits, for captions.
public func shortNumber(_ value: Double) -> String { String(format: "%.4g", value) }
