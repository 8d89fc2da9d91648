import Foundation
package import Support
import SwiftCSV

/// A table as text: cells separated by commas, semicolons or tabs, quoted or not, under the names of its columns.
package struct Table {
    package struct Row {
        /// As many as the widest row of the table has.
        package var cells: [String]
        /// Of the file, from 1, the names of the columns being the first.
        package var line: Int

        /// What a column says; nil for nothing.
        package func cell(_ column: Int?) -> String? {
            guard let column, cells.indices.contains(column) else { return nil }
            let text = cells[column].trimmingCharacters(in: .whitespaces)
            return text.isEmpty ? nil : text
        }
    }

    /// As written.
    package let header: [String]
    /// Those that say anything.
    package let rows: [Row]

    /// - Throws: `UnreadableText`.
    package init(contentsOf path: String) throws(UnreadableText) { try self.init(TextFile.read(path)) }

    /// - Throws: `UnreadableText` where a quote is not closed, or something follows one that is.
    package init(_ text: String) throws(UnreadableText) {
        var text = text
        var delimiter = CSVDelimiter.guessed(string: text)
        var line = 1
        // A first line `sep=;` is for spreadsheets.
        let first = text.prefix { !$0.isNewline }
        if first.lowercased().hasPrefix("sep="), first.count == 5, let separator = first.last {
            delimiter = CSVDelimiter(unicodeScalarLiteral: separator)
            text = String(text.dropFirst(first.count + 1))
            line += 1
        }
        guard text.utf8.count(where: { $0 == UInt8(ascii: "\"") }).isMultiple(of: 2) else {
            throw UnreadableText(reason: "it is no table: a quotation mark is not closed, as their number is odd")
        }
        let table: CSV<Enumerated>
        do {
            table = try CSV<Enumerated>(string: text, delimiter: delimiter, loadColumns: false)
        } catch {
            throw UnreadableText(
                reason:
                    "it is no table: something other than a separator follows a closed quotation mark; one within a cell is written twice"
            )
        }
        header = table.header
        var rows: [Row] = []
        for cells in table.rows {
            line += 1
            let start = line
            // A quoted cell may hold ends of lines.
            line += cells.reduce(0) { $0 + $1.count(where: \.isNewline) }
            if cells.contains(where: { !$0.isEmpty }) { rows.append(Row(cells: cells, line: start)) }
        }
        self.rows = rows
    }

    /// The column of the first of some names that the table has, however capitals and spaces are written.
    package func column(_ names: String...) -> Int? {
        let found = header.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        return names.lazy.compactMap { found.firstIndex(of: $0) }.first
    }
}
