import Foundation
import Pages

extension Explorer {
    /// What a page is made for.
    enum PageForm {
        /// For whoever asked the server.
        case served
        /// One file that needs no server, with its pictures inside.
        case file
        /// A file of a folder of pages.
        case ofSite
    }

    /// `.html` behind a path: the page as one file. Links to other pages lead nowhere there, as the server may be gone.
    func pageFile(_ wanted: Wanted, _ connection: Connection) throws -> Response {
        let linking = Linking(
            link: { _ in nil },
            picture: { [self] address in
                guard let response = filePicture(address, connection),
                    let type = response.headers["Content-Type"]
                else { return nil }
                return "data:\(type);base64,\(response.body.base64EncodedString())"
            })
        let text = try linking.used {
            try document(page(of: wanted, connection), as: .file).text
        }
        guard text.utf8.count <= Self.mostBytes else {
            throw Refusal(
                sentence: "the page with its pictures is longer than \(Self.mostBytes >> 20) MB; ask for less", status: .tooLong)
        }
        var response = Response(type: "text/html; charset=utf-8", body: Data(text.utf8))
        // Its style and pictures stand in it, and nothing else is let in; it has no scripts and no forms.
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        return response
    }

    /// A picture of a page, also of another store.
    private func filePicture(_ address: Address, _ connection: Connection) -> Response? {
        var (explorer, address): (Explorer?, Address) = (self, address)
        if address.isOfServer {
            let other = others.first { address.path.first == "@" + $0.name } ?? others.first { $0.isFirst }
            explorer = other?.door.explorer
            if other?.isFirst == false { address.path.removeFirst() }
        }
        guard let explorer else { return nil }
        return explorer.anyPicture(address, connection)
    }

    /// The frame of a page that is a file: no forms, and no way to pages that are not there.
    func fileDocument(_ page: Answer, as form: PageForm) throws -> Document {
        let body = try page.body()
        let assets: Document.Assets =
            form == .file
            ? .inline(scripts: []) : .linked(style: .beside("style.css"), icon: .beside("icon.svg"), scripts: [])
        return Document(title: "\(page.title) · neurodex", kind: "page page-\(page.kind) exported", assets: assets) {
            HTML(.header, .class("bar")) {
                HTML(.a, .class("brand"), form == .ofSite ? .href(Address()) : nil) { "neurodex" }
                if form == .ofSite {
                    HTML(.nav, .label("Pages")) {
                        for key in page.keys { HTML(.a, .href(key.address)) { Self.word(of: key.name) } }
                    }
                }
            }
            HTML(.main, .id("main")) {
                HTML(.div, .class("head")) {
                    Self.headline(page)
                }
                body
                HTML(.p, .class("quiet")) {
                    "Made by "
                    HTML(.code) { page.command }
                }
            }
        }
    }

    private static func word(of key: String) -> String {
        ["ArrowLeft": "← before", "ArrowRight": "next →", "ArrowUp": "↑ layer before", "ArrowDown": "↓ next layer"][key] ?? key
    }
}
