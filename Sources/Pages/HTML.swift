import Support

/// A piece of a page. Whatever is put into it as text stays text: what HTML acts upon is escaped, and control characters and marks that turn
/// the direction of text are spelt out, so that no name of a file or of a layer changes the page it stands on.
///
/// ```swift
/// HTML(.p, .class("note")) {
///     "Images of "
///     HTML(.a, .href(Address("label", name))) { name }
/// }
/// ```
public struct HTML: Sendable, Equatable {
    /// As it is sent.
    public private(set) var markup: String

    private init(markup: String) { self.markup = markup }

    /// Nothing.
    public init() { markup = "" }

    /// Text, which is escaped.
    public init(_ text: String) { markup = Self.escaped(text) }

    /// An element with what is in it.
    public init(_ tag: Tag, _ attributes: Attribute?..., @HTMLBuilder content: () throws -> HTML) rethrows {
        self.init(tag, attributes, try content())
    }

    /// An element with nothing in it.
    public init(_ tag: Tag, _ attributes: Attribute?...) { self.init(tag, attributes, HTML()) }

    public init(_ tag: Tag, _ attributes: [Attribute?], _ content: HTML) {
        var markup = "<\(tag.rawValue)"
        for case let attribute? in attributes { markup += attribute.markup }
        markup += ">"
        if !tag.isVoid { markup += content.markup + "</\(tag.rawValue)>" }
        self.markup = markup
    }

    /// Pieces, one after the other.
    public init(_ pieces: some Sequence<HTML>) { markup = pieces.reduce(into: "") { $0 += $1.markup } }

    public var isEmpty: Bool { markup.isEmpty }

    /// A style sheet of ours within a page.
    /// - Precondition: the text cannot end its element.
    static func style(_ text: String) -> HTML { raw("style", "", text) }

    /// A script of ours within a page that needs no server.
    /// - Precondition: the text cannot end its element.
    static func script(_ text: String) -> HTML { raw("script", " type=\"module\"", text) }

    private static func raw(_ name: String, _ attributes: String, _ text: String) -> HTML {
        precondition(!text.lowercased().contains("</\(name)"), "the text of an element '\(name)' does not end it")
        return HTML(markup: "<\(name)\(attributes)>\(text)</\(name)>")
    }

    static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.markup + b.markup) }

    /// As text, or within quotes.
    static func escaped(_ text: String) -> String {
        let shown = text.shown(keeping: "\n\t")
        guard shown.utf8.contains(where: { special[Int($0)] }) else { return shown }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(shown.utf8.count + 32)
        for byte in shown.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case UInt8(ascii: "'"): bytes += "&#39;".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let special: [Bool] = (0..<256).map { "&<>\"'".utf8.contains(UInt8($0)) }
}

/// Elements that pages are made of.
public enum Tag: String, Sendable {
    case html, head, body, title, meta, link, script
    case header, footer, nav, main, section, article, aside, div, h1, h2, h3
    case p, span, a, b, em, code, pre, kbd, small, mark, br, hr, sup, sub
    case ul, ol, li, dl, dt, dd
    case table, caption, thead, tbody, tr, th, td
    case figure, figcaption, img, picture
    case form, input, button, label, select, option, textarea, datalist, fieldset, legend, details, summary, dialog, meter
    case progress, output, canvas, template, noscript
    case svg, g, path, rect, circle, line, text, tspan, polyline

    /// Whether it holds nothing and is not closed.
    var isVoid: Bool {
        switch self {
        case .meta, .link, .br, .hr, .img, .input: true
        default: false
        }
    }
}

/// What stands in an element's tag: a name of ours, and any value.
public struct Attribute: Sendable {
    let markup: String

    /// - Parameter name: written as it is.
    public init(_ name: StaticString, _ value: String) { markup = " \(name)=\"\(HTML.escaped(value))\"" }

    /// Without a value: `disabled`.
    public init(_ name: StaticString) { markup = " \(name)" }

    public init(_ name: StaticString, _ value: Int) { self.init(name, "\(value)") }

    /// A length or a share, to a hundredth.
    public init(_ name: StaticString, _ value: Double) {
        self.init(name, ((value * 100).rounded() / 100).shortText)
    }

    /// An address that leads nowhere while the page is made is left out: see ``Linking``.
    public init(_ name: StaticString, _ address: Address) { self.init(name, text: Linking.link(address)) }

    /// Of a picture, where pages are files of what the picture is in.
    public init(_ name: StaticString, picture address: Address) { self.init(name, text: Linking.picture(address)) }

    private init(_ name: StaticString, text: String?) {
        markup = text.map { " \(name)=\"\(HTML.escaped($0))\"" } ?? ""
    }

    public static func `class`(_ names: String) -> Attribute { Attribute("class", names) }
    public static func id(_ name: String) -> Attribute { Attribute("id", name) }
    public static func href(_ address: Address) -> Attribute { Attribute("href", address) }
    public static func src(_ address: Address) -> Attribute { Attribute("src", picture: address) }
    public static func alt(_ text: String) -> Attribute { Attribute("alt", text) }
    public static func title(_ text: String) -> Attribute { Attribute("title", text) }
    public static func name(_ text: String) -> Attribute { Attribute("name", text) }
    public static func value(_ text: String) -> Attribute { Attribute("value", text) }
    public static func type(_ text: String) -> Attribute { Attribute("type", text) }
    public static func width(_ pixels: Int) -> Attribute { Attribute("width", pixels) }
    public static func height(_ pixels: Int) -> Attribute { Attribute("height", pixels) }
    /// What stands there for readers who do not see it.
    public static func label(_ text: String) -> Attribute { Attribute("aria-label", text) }
    public static let hidden = Attribute("hidden")
}

/// Text and elements, one after the other.
@resultBuilder
public enum HTMLBuilder {
    public static func buildExpression(_ text: String) -> HTML { HTML(text) }
    public static func buildExpression(_ number: Int) -> HTML { HTML("\(number)") }
    public static func buildExpression(_ html: HTML) -> HTML { html }
    public static func buildExpression(_ pieces: [HTML]) -> HTML { HTML(pieces) }
    public static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML() }
    public static func buildBlock(_ pieces: HTML...) -> HTML { HTML(pieces) }
    public static func buildOptional(_ html: HTML?) -> HTML { html ?? HTML() }
    public static func buildEither(first html: HTML) -> HTML { html }
    public static func buildEither(second html: HTML) -> HTML { html }
    public static func buildArray(_ pieces: [HTML]) -> HTML { HTML(pieces) }
}
