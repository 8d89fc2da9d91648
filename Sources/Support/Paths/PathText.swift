#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Paths as text. The system's paths are bytes; one that is not UTF-8 has each byte that does not fit written as `\xE9`, so that it can be
/// printed, kept and typed. A backslash of a name that reads like such a byte is itself written so, `\x5C`: every path has one text, and
/// every text stands for one path.
public enum PathText {
    /// The text of a path's bytes.
    public static func text(of bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !hasEscape(text.utf8) { return text }
        var (result, rest) = ([UInt8](), Array(bytes)[...])
        while let byte = rest.first {
            let length = characterLength(rest)
            if length == 0 || byte == backslash && escaped(rest) != nil {
                result += escape(byte)
                rest = rest.dropFirst()
            } else {
                result += rest.prefix(length)
                rest = rest.dropFirst(length)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes that a text stands for.
    public static func bytes(of text: String) -> [UInt8] {
        let plain = Array(text.utf8)
        guard hasEscape(plain) else { return plain }
        var (result, rest) = ([UInt8](), plain[...])
        while let byte = rest.first {
            if let meant = escaped(rest) {
                result.append(meant)
                rest = rest.dropFirst(4)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// Runs `body` on the path as the system takes it, zero at its end.
    public static func withPath<Result>(_ text: String, _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        guard hasEscape(text.utf8) else { return try text.withCString(body) }
        return try (bytes(of: text) + [0]).map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a path has a zero at its end at least") }
            return try body(start)
        }
    }

    /// What a user typed, as text of a path: `a\xE9.png` may be the name of a file to the letter.
    public static func typed(_ text: String) -> String {
        guard hasEscape(text.utf8), access(text, F_OK) == 0 else { return text }
        return PathText.text(of: Array(text.utf8))
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func hasEscape(_ bytes: some Collection<UInt8>) -> Bool {
        guard let start = bytes.firstIndex(of: backslash) else { return false }
        return bytes[start...].indices.contains { bytes[$0] == backslash && escaped(bytes[$0...]) != nil }
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [backslash, UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// The byte that `\xHH` at the beginning stands for: no character of ASCII but the backslash is written so.
    private static func escaped(_ bytes: some Collection<UInt8>) -> UInt8? {
        let four = Array(bytes.prefix(4))
        guard four.count == 4, four[0] == backslash, four[1] == UInt8(ascii: "x"), let high = digit(four[2]),
            let low = digit(four[3])
        else { return nil }
        let byte = high << 4 | low
        return byte >= 0x80 || byte == backslash ? byte : nil
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        default: nil
        }
    }

    /// Bytes of the UTF-8 character at the beginning; 0 where there is none.
    private static func characterLength(_ bytes: ArraySlice<UInt8>) -> Int {
        for length in 1...4 where bytes.count >= length {
            if String(validating: bytes.prefix(length), as: UTF8.self) != nil { return length }
        }
        return 0
    }
}
