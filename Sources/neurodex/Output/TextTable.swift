import Foundation
import Search

/// Rows for people: columns aligned, numbers to the right, a line under the names of the columns.
struct TextTable {
    var columns: [String]
    /// Columns whose texts may be cut in the middle where the table is wider than the terminal.
    var shortened: Set<String> = []
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
            case .text(let text): String(text.map { $0.isNewline || $0.isControl ? " " : $0 })
            case .number(let text): text
            case .nothing: ""
            }
        }
    }

    /// Ends with a newline.
    ///
    /// - Parameter limit: characters that a line may have, as far as `shortened` columns allow; nil for any number.
    func rendered(width limit: Int? = nil) -> String {
        var texts = rows.map { $0.map(\.string) }
        var widths = columns.indices.map { column in (texts.map { $0[column].count } + [columns[column].count]).max() ?? 0 }
        let isNumeric = columns.indices.map { column in
            rows.contains { if case .number = $0[column] { true } else { false } }
        }
        if let limit {
            fit(&widths, to: limit, isNumeric)
            texts = texts.map { row in zip(row, widths).map { Self.cut($0, to: $1) } }
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

    private static let narrowest = 12

    /// Takes from the widest column, again and again, until the line fits.
    private func fit(_ widths: inout [Int], to limit: Int, _ isNumeric: [Bool]) {
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - limit
        while excess > 0 {
            let wide = columns.indices.filter {
                shortened.contains(columns[$0]) && !isNumeric[$0] && widths[$0] > max(Self.narrowest, columns[$0].count)
            }
            guard let widest = wide.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
            excess -= 1
        }
    }

    /// The start and, as paths differ there, more of the end.
    private static func cut(_ text: String, to width: Int) -> String {
        guard text.count > width else { return text }
        let start = (width - 1) / 3
        return text.prefix(start) + "…" + text.suffix(width - 1 - start)
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
        case .table: return table.rendered(width: terminalWidth())
        case .csv: return fields.map(csvLine).joined()
        case .json: return String(decoding: try programEncoder().encode(self), as: UTF8.self) + "\n"
        }
    }
}

/// Fields as a line of CSV, as RFC 4180 has it.
func csvLine(_ fields: [String]) -> String {
    fields.map { field in
        guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
        return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }.joined(separator: ",") + "\n"
}

/// JSON for programs.
func programEncoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return encoder
}

/// Columns of the terminal that standard output is; nil where it is none.
func terminalWidth() -> Int? {
    var size = winsize()
    guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}

/// Standard output, flushed whole. A reader that has gone (`| head`) ends the program quietly.
func printOut(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
}

/// A line on standard error.
func printNote(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Remarks on standard error, a line each.
func print(_ remarks: [Remark]) {
    for remark in remarks { printNote(remark.description) }
}

extension Character {
    /// What a terminal acts upon instead of showing it.
    fileprivate var isControl: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}
