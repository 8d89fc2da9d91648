/// A string that is equal only to a string of the same bytes, as paths are: Swift's own strings are equal where they look alike, such as é of
/// one character and of two.
public struct ExactString: Hashable, Sendable, Comparable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static func == (a: ExactString, b: ExactString) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    public static func < (a: ExactString, b: ExactString) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension ExactString: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}
