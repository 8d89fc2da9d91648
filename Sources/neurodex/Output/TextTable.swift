import Foundation

/// Rows for people: columns aligned, numbers to the right, a line under the names of the columns.
struct TextTable {
    var columns: [String]
    var rows: [[Cell]] = []

    enum Cell: Equatable {
        case text(String)
        case number(String)
        case nothing

        /// Seven digits are as many as a float has.
        static func value(_ value: Float) -> Cell { .number(String(format: "%.6g", Double(value))) }
        static func value(_ value: Double) -> Cell { .number(String(format: "%.6g", value)) }
        static func value(_ value: Int) -> Cell { .number(String(value)) }
        static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .nothing }

        var string: String {
            switch self {
            case .text(let text): text.map { $0.isNewline || $0 == "\t" ? " " : String($0) }.joined()
            case .number(let text): text
            case .nothing: ""
            }
        }
    }

    /// Ends with a newline.
    var rendered: String {
        let texts = rows.map { $0.map(\.string) }
        let widths = columns.indices.map { column in (texts.map { $0[column].count } + [columns[column].count]).max() ?? 0 }
        let isNumeric = columns.indices.map { column in
            rows.contains { if case .number = $0[column] { true } else { false } }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return isNumeric[column] ? space + text : text + space
            }
            var line = padded.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }
        return line(columns) + line(widths.map { String(repeating: "─", count: $0) }) + texts.map(line).joined()
    }
}

/// How an answer is printed.
enum OutputFormat: String, CaseIterable {
    case table, json, csv
}

/// An answer that can be printed in every format.
protocol Printable: Encodable {
    var table: TextTable { get }
    /// Fields with all digits, for programs; the names of the columns first.
    var fields: [[String]] { get }
}

extension Printable {
    func rendered(as format: OutputFormat) throws -> String {
        switch format {
        case .table: return table.rendered
        case .csv:
            return fields.map { row in row.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }

    /// As RFC 4180 has it.
    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
        return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

/// Standard output, flushed whole. A reader that has gone (`| head`) ends the program quietly.
func printOut(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
}

/// A line on standard error.
func printNote(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
