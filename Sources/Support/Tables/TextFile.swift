import Foundation

/// A text that a user wrote: names of classes, labels, a table.
package enum TextFile {
    /// A file's text without a byte-order mark: UTF-8, or UTF-16 where a mark says so.
    /// - Throws: `UnreadableText`, also for a NUL character, which no name can have.
    package static func read(_ path: String) throws(UnreadableText) -> String {
        // Of a device, such as /dev/zero, there may be no end.
        var status = stat()
        guard stat(path, &status) != 0 || ![S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT) else {
            throw UnreadableText(reason: "it is a device, and no file")
        }
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw UnreadableText(reason: "there is no such file, or it cannot be read")
        }
        var text: String
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            guard let decoded = String(data: bytes, encoding: .utf16) else {
                throw UnreadableText(reason: "it begins as UTF-16 text and is none; save it as UTF-8")
            }
            text = decoded
        } else {
            guard let decoded = String(validating: bytes, as: UTF8.self) else {
                throw UnreadableText(reason: "it is not UTF-8 text; save it as UTF-8")
            }
            text = decoded
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        if let nul = text.utf8.firstIndex(of: 0) {
            let line = text[..<nul].count(where: \.isNewline) + 1
            throw UnreadableText(reason: "line \(line) has a NUL character, which no name can have")
        }
        return text
    }

    /// Lines without their ends; empty ones at the end are none.
    package static func lines(_ text: String) -> [String] {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// Why a file is not the text that it should be; whoever wanted it adds what it is for.
package struct UnreadableText: Error {
    package var reason: String

    package init(reason: String) { self.reason = reason }
}
