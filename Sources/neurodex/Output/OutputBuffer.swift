import Foundation
import Search
import Support

/// Standard output by large pieces.
final class OutputBuffer {
    /// The time that a reader takes for them.
    let pauses = ReaderPauses()
    private var text = ""
    private static let piece = 1 << 16

    func write(_ more: String) {
        text += more
        if text.utf8.count > Self.piece { flush() }
    }

    /// Bytes as lower-case hexadecimal.
    func write(hex bytes: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count, by: Self.piece) {
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.piece, bytes.count)])
            write(
                String(unsafeUninitializedCapacity: 2 * part.count) { target in
                    for index in 0..<part.count {
                        target[2 * index] = Self.digit(part[index] >> 4)
                        target[2 * index + 1] = Self.digit(part[index] & 15)
                    }
                    return 2 * part.count
                })
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    func flush() {
        pauses.during { printOut(text) }
        text.removeAll(keepingCapacity: text.utf8.count <= 2 * Self.piece)
    }
}

/// An answer that is printed part by part, as it is found, in the memory of a part.
struct PartialListing {
    private let format: OutputFormat
    private let buffer = OutputBuffer()
    private var isFirst = true
    /// Rows of a table that wait until the widths of its columns are known.
    private var waiting: TextTable?
    private var layout: TextTable.Layout?
    /// Rows that the columns are made to hold; longer texts than in these push what comes after them.
    private static let measured = 20_000

    init(as format: OutputFormat) { self.format = format }

    mutating func add(_ part: some Printable) throws {
        switch format {
        case .table: add(part.table)
        case .csv, .safeCSV:
            for fields in isFirst ? part.fields[...] : part.fields.dropFirst() {
                buffer.write(csvLine(fields, isSafe: format == .safeCSV))
            }
        case .json:
            // A part is a list too.
            let list = shownJSON(String(decoding: try programEncoder().encode(part), as: UTF8.self))
            guard list != "[]" else { return }
            buffer.write((isFirst ? "[" : ",") + list.dropFirst().dropLast())
        }
        isFirst = false
    }

    /// - Parameter empty: what is printed where nothing was found.
    mutating func finish(empty: some Printable) throws {
        if isFirst { buffer.write(try empty.rendered(as: format)) } else if format == .json { buffer.write("]\n") }
        settle()
        buffer.flush()
    }

    private mutating func add(_ table: TextTable) {
        guard layout == nil else { return write(table.rows) }
        if waiting == nil { waiting = table } else { waiting?.rows += table.rows }
        if waiting?.rows.count ?? 0 >= Self.measured { settle() }
    }

    private mutating func settle() {
        guard let table = waiting else { return }
        let layout = TextTable.Layout(table, width: terminalWidth())
        (self.layout, waiting) = (layout, nil)
        buffer.write(layout.head)
        write(table.rows)
    }

    private func write(_ rows: [[TextTable.Cell]]) {
        guard let layout else { return }
        for row in rows { buffer.write(layout.line(row)) }
    }
}
