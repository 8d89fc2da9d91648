/// A whole page.
public struct Document: Sendable {
    public var title: String
    public var body: HTML
    /// Where style and scripts come from.
    public var assets: Assets
    /// Said of the body for style and scripts: `page-neuron`.
    public var kind: String
    /// Of a page that is one file, its style.
    public var style: String
    /// Of a page that is one file, whether pictures are files beside it, which its policy then lets it load.
    public var hasFilesBeside = false

    public enum Assets: Sendable {
        /// From the server that sends the page.
        case linked(style: Address, icon: Address, scripts: [Address])
        /// Within the page, which is one file that needs nothing else. A policy forbids it to load anything.
        case inline(scripts: [String])
    }

    public init(
        title: String, kind: String = "page", assets: Assets, style: String = StyleSheet.text,
        @HTMLBuilder body: () throws -> HTML
    ) rethrows {
        self.style = style
        self.title = title
        self.kind = kind
        self.assets = assets
        self.body = try body()
    }

    private var isServed: Bool { if case .linked = assets { true } else { false } }

    /// As it is sent, or written to a file.
    public var text: String {
        let head = HTML(.head) {
            HTML(.meta, Attribute("charset", "utf-8"))
            HTML(.meta, .name("viewport"), Attribute("content", "width=device-width, initial-scale=1"))
            HTML(.meta, .name("color-scheme"), Attribute("content", "light dark"))
            // A form of a page says where it stands, so that one of another site is told from it.
            HTML(.meta, .name("referrer"), Attribute("content", isServed ? "same-origin" : "no-referrer"))
            HTML(.title) { title }
            switch assets {
            case .linked(let style, let icon, let scripts):
                HTML(.link, Attribute("rel", "icon"), .href(icon))
                HTML(.link, Attribute("rel", "stylesheet"), .href(style))
                for script in scripts { HTML(.script, .type("module"), .src(script)) }
            case .inline:
                HTML(
                    .meta, Attribute("http-equiv", "Content-Security-Policy"),
                    Attribute(
                        "content",
                        "default-src 'none'; img-src \(hasFilesBeside ? "'self' file:" : "data:"); style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
                    ))
                HTML.style(style)
            }
        }
        let scripts =
            if case .inline(let scripts) = assets { HTML(scripts.map { HTML.script($0) }) } else { HTML() }
        let page = HTML(.html, Attribute("lang", "en")) {
            head
            HTML(.body, .class(kind)) {
                body
                scripts
            }
        }
        return "<!doctype html>\n" + page.markup + "\n"
    }
}

/// The style of all pages, in light and dark.
public enum StyleSheet {
    public static let text = String(decoding: PackageResources.style_css, as: UTF8.self)
}
