import Foundation
import Support

/// Cells of a text as a spreadsheet writes it, one row after the other, as places in its bytes: millions of rows take no
/// memory of their own.
struct CellReader {
    /// Bytes of the text without a byte-order mark.
    let bytes: UnsafeBufferPointer<UInt8>
    let delimiter: UInt8
    private(set) var place = 0
    /// Of the row that was read last, from 1.
    private(set) var line = 0
    private var nextLine = 1

    /// The separator is that of `,`, `;` and tab which the first line has most of, or that of a line `sep=;` before it, which is
    /// for spreadsheets.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        self.bytes = UnsafeBufferPointer(rebasing: bytes[start...])
        let head = self.bytes.prefix { $0 != UInt8(ascii: "\n") }
        let counts = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")].map { sign in (sign, head.count { $0 == sign }) }
        let sign = String(decoding: head.prefix(7), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard sign.lowercased().hasPrefix("sep="), sign.utf8.count == 5, let separator = sign.utf8.last, head.count <= 6 else {
            delimiter = counts.reduce(counts[0]) { $1.1 > $0.1 ? $1 : $0 }.0
            return
        }
        delimiter = separator
        (place, nextLine) = (min(head.count + 1, self.bytes.count), 2)
    }

    /// Reads the next row that is not empty into `cells`, without quotes around them; false at the end.
    /// - Throws: `UnreadableText` for a quote that is not closed, and for text behind one that is.
    mutating func next(_ cells: inout [Range<Int>]) throws(UnreadableText) -> Bool {
        while place < bytes.count {
            line = nextLine
            cells.removeAll(keepingCapacity: true)
            var isLast = false
            while !isLast {
                cells.append(try cell())
                isLast = place >= bytes.count || bytes[place] != delimiter
                if !isLast || place < bytes.count { place += 1 }
            }
            nextLine += 1
            if cells.count > 1 || !cells[0].isEmpty { return true }
        }
        return false
    }

    /// The cell that begins here; afterwards `place` is at its separator, the line's end, or the end of the text.
    private mutating func cell() throws(UnreadableText) -> Range<Int> {
        if place < bytes.count, bytes[place] == UInt8(ascii: "\"") { return try quoted() }
        let start = place
        while place < bytes.count, bytes[place] != delimiter, bytes[place] != UInt8(ascii: "\n") { place += 1 }
        return trimmed(start..<place)
    }

    private mutating func quoted() throws(UnreadableText) -> Range<Int> {
        let start = place + 1
        place = start
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\"") {
                guard place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "\"") else { break }
                place += 1
            } else if bytes[place] == UInt8(ascii: "\n") {
                nextLine += 1
            }
            place += 1
        }
        guard place < bytes.count else { throw UnreadableText(reason: "line \(line): a quotation mark is not closed") }
        let end = place
        let rest = end + 1
        while place < bytes.count, bytes[place] != delimiter, bytes[place] != UInt8(ascii: "\n") { place += 1 }
        guard trimmed(rest..<max(place, rest)).isEmpty else {
            throw UnreadableText(
                reason:
                    "line \(line): something other than a separator follows a closed quotation mark; one within a cell is written twice"
            )
        }
        return start..<end
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 13 || byte == 9 }
        while start < end, isSpace(bytes[start]) { start += 1 }
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    /// A cell as text, with doubled quotes single.
    func text(_ cell: Range<Int>) -> String {
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[cell]), as: UTF8.self)
        return text.contains("\"\"") ? text.replacing("\"\"", with: "\"") : text
    }

    func isSame(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        guard a.count == b.count, let start = bytes.baseAddress else { return false }
        return memcmp(start + a.lowerBound, start + b.lowerBound, a.count) == 0
    }
}
