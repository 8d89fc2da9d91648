import Foundation
import Search
import Support

extension TextTable.Cell {
    /// As it is printed.
    var string: String {
        switch self {
        case .text(let text): text.shown()
        case .number(let text): text
        case .nothing: ""
        }
    }
}

extension TextTable {
    /// Ends with a newline.
    ///
    /// - Parameter limit: characters that a line may have, as far as `shortened` columns allow; nil for any number.
    func rendered(width limit: Int? = nil) -> String {
        let layout = Layout(self, width: limit)
        return layout.head + rows.map(layout.line).joined()
    }

    /// The columns' widths, by which lines are written one after the other.
    struct Layout {
        private let columns: [String]
        private let shortened: Set<String>
        private let isNumeric: [Bool]
        private let isCut: Bool
        private var widths: [Int]

        /// - Parameter table: with the rows, or enough of them, that the columns have to hold.
        init(_ table: TextTable, width limit: Int?) {
            columns = table.columns.map { $0.shown() }
            shortened = Set(table.shortened.map { $0.shown() })
            var widths = columns.map(\.count)
            var isNumeric = [Bool](repeating: false, count: columns.count)
            for row in table.rows {
                for (column, cell) in row.enumerated() {
                    widths[column] = max(widths[column], cell.string.count)
                    if case .number = cell { isNumeric[column] = true }
                }
            }
            (self.widths, self.isNumeric, isCut) = (widths, isNumeric, limit != nil)
            if let limit { fit(to: limit) }
        }

        /// The names of the columns, and a line under them.
        var head: String { line(columns) + line(widths.map { String(repeating: "─", count: $0) }) }

        func line(_ row: [Cell]) -> String { line(row.map(\.string)) }

        private func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, text in
                let text = isCut ? Self.cut(text, to: widths[column]) : text
                let space = String(repeating: " ", count: max(0, widths[column] - text.count))
                return isNumeric[column] ? space + text : text + space
            }
            var line = padded.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }

        private static let narrowest = 12

        /// Takes from the widest column, again and again, until the line fits.
        private mutating func fit(to limit: Int) {
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
}

extension TextTable {
    /// As ``rendered(width:)``, but the texts of the last column are broken into lines where they are too wide: between words where there are
    /// any, and nothing is left out.
    func rendered(width limit: Int?, wrapping column: String) -> String {
        guard let limit, columns.last == column else { return rendered(width: limit) }
        let others = columns.indices.dropLast().map { index in
            (rows.map { $0[index].string.count } + [columns[index].count]).max() ?? 0
        }
        let room = max(Self.narrowestWrapped, limit - others.reduce(0) { $0 + $1 + 2 })
        var wrapped = self
        wrapped.rows = rows.flatMap { row in
            Self.lines(of: row[row.count - 1].string, width: room).enumerated().map { index, line in
                index == 0 ? row.dropLast() + [.text(line)] : row.dropLast().map { _ in .nothing } + [.text(line)]
            }
        }
        return wrapped.rendered()
    }

    private static func lines(of text: String, width: Int) -> [String] {
        var lines: [String] = []
        var rest = text[...]
        while rest.count > width {
            let piece = rest.prefix(width + 1)
            // A word that fills a line is cut.
            let end = piece.lastIndex(of: " ").flatMap { $0 > rest.startIndex ? $0 : nil } ?? piece.index(before: piece.endIndex)
            lines.append(String(rest[..<end]))
            rest = rest[end...].drop { $0 == " " }
        }
        return lines + (rest.isEmpty && !lines.isEmpty ? [] : [String(rest)])
    }

    private static let narrowestWrapped = 12
}

/// How an answer is printed.
enum OutputFormat {
    case table, json, csv
    /// CSV for a spreadsheet: cells that it would take for formulas are marked.
    case safeCSV
}

extension Printable {
    func rendered(as format: OutputFormat) throws -> String {
        switch format {
        case .table: return table.rendered(width: terminalWidth())
        case .csv, .safeCSV: return fields.map { csvLine($0, isSafe: format == .safeCSV) }.joined()
        case .json: return shownJSON(String(decoding: try programEncoder().encode(self), as: UTF8.self)) + "\n"
        }
    }
}

/// JSON in which nothing that a terminal acts upon stands as it is, where it goes to one; the same to a program.
func shownJSON(_ text: String) -> String {
    guard isatty(STDOUT_FILENO) == 1 else { return text }
    return text.spellingOut { scalar in
        scalar.utf16.map { "\\u" + String(0x10000 + UInt32($0), radix: 16).dropFirst() }.joined()
    }
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

/// Remarks on standard error, a line each.
func print(_ remarks: [Remark]) {
    for remark in remarks { printNote(remark.description) }
}
