internal import Foundation

/// Fields as a line of CSV, as RFC 4180 has it.
///
/// - Parameter isSafe: whether an apostrophe is put before what a spreadsheet would take for a formula and compute: text that begins with
///   `=`, `+`, `-` or `@`, as they are or in full width, or with a tab or an end of line, and is no number.
public func csvLine(_ fields: [String], isSafe: Bool = false) -> String {
    fields.map { field in
        let field = isSafe && isFormula(field) ? "'" + field : field
        guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
        return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }.joined(separator: ",") + "\n"
}

private func isFormula(_ field: String) -> Bool {
    guard let first = field.unicodeScalars.first, "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(first) else { return false }
    return Double(field) == nil
}
