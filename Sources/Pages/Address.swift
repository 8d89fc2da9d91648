/// Where a page is: a path of this server or beside this file, and what is asked of it. Every part is encoded, so that a layer's name with a
/// slash or a question mark is one part of the path.
public struct Address: Hashable, Sendable {
    public var path: [String]
    /// In order; a name may stand several times.
    public var query: [Field]
    public var fragment: String?
    /// Whether it starts at the server's root; else at the page that it stands on.
    public var isAbsolute = true
    /// Whether it starts at the server's root whatever part of it a page is of: see ``Linking``.
    public var isOfServer = false
    /// Given instead of the parts: a picture within the page.
    private var data: String?
    var isData: Bool { data != nil }

    /// What is asked of a page by a name; a flag has an empty value.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    public init(_ path: String..., query: [Field] = [], fragment: String? = nil) {
        (self.path, self.query, self.fragment) = (path, query, fragment)
    }

    public init(path: [String], query: [Field] = []) { (self.path, self.query) = (path, query) }

    /// Within the page: `#name`.
    public static func fragment(_ name: String) -> Address {
        var address = Address()
        (address.fragment, address.isAbsolute) = (name, false)
        return address
    }

    /// A file beside the page.
    public static func beside(_ path: String...) -> Address {
        var address = Address(path: path)
        address.isAbsolute = false
        return address
    }

    /// A picture that is part of the page.
    /// - Parameters:
    ///   - type: `image/png`, `image/jpeg`.
    ///   - base64: its bytes.
    public static func data(type: StaticString, base64: String) -> Address {
        precondition(
            base64.utf8.allSatisfy { isPlain($0) || [UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "=")].contains($0) })
        var address = Address()
        address.data = "data:\(type);base64,\(base64)"
        return address
    }

    /// As it stands in a link.
    public var text: String {
        if let data { return data }
        let path = path.map { Self.encoded($0, keeping: ":@,") }.joined(separator: "/")
        var text = isAbsolute ? "/" + path : path
        if !query.isEmpty {
            text +=
                "?"
                + query.map { Self.encoded($0.name) + ($0.value.isEmpty ? "" : "=" + Self.encoded($0.value, keeping: ":,/")) }
                .joined(separator: "&")
        }
        if let fragment { text += "#" + Self.encoded(fragment) }
        return text
    }

    /// With one thing asked otherwise: the fields of this name are replaced, by none where the value is nil.
    public func with(_ name: String, _ value: String?) -> Address {
        var address = self
        address.query.removeAll { $0.name == name }
        if let value { address.query.append(Field(name, value)) }
        return address
    }

    /// The bytes that RFC 3986 calls unreserved as they are, all others as `%HH`. A part that is `.` or `..` alone would be taken for a step.
    static func encoded(_ text: String, keeping kept: String = "") -> String {
        if text == "." || text == ".." { return text.replacing(".", with: "%2E") }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) || kept.utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }
}

extension Address {
    /// Reads an address as a browser sends it.
    /// - Returns: nil where it is none: a percent sign without two digits, bytes that are not UTF-8, a zero, or no slash at the beginning.
    public init?(target: String) {
        guard target.utf8.first == UInt8(ascii: "/") else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path: [String] = []
        for part in parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let text = Self.decoded(part) else { return nil }
            path.append(text)
        }
        if path.last == "" { path.removeLast() }
        self.init(path: path)
        guard parts.count == 2 else { return }
        for part in parts[1].split(separator: "&") {
            let field = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(field[0], plusIsSpace: true), !name.isEmpty,
                let value = Self.decoded(field.count == 2 ? field[1] : "", plusIsSpace: true)
            else { return nil }
            query.append(Field(name, value))
        }
    }

    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var (bytes, rest) = ([UInt8](), Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit), high | low != 0 else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case 0...0x20, 0x7F: return nil
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The first value of a name.
    public subscript(name: String) -> String? { query.first { $0.name == name }?.value }
}
