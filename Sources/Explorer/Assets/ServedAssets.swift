import Foundation
import Pages
import Support

/// Style, scripts and icon, which are part of the program.
struct ServedAssets: Sendable {
    private struct Asset: Sendable {
        var type: String
        var data: Data
        var tag: String
    }

    private let assets: [String: Asset]

    init() {
        func asset(_ type: String, _ data: Data) -> Asset {
            Asset(type: type, data: data, tag: "\"\(SHA256.hash(data: data).hexadecimal.prefix(32))\"")
        }
        assets = [
            "style.css": asset("text/css; charset=utf-8", Data(StyleSheet.text.utf8)),
            "page.js": asset("text/javascript; charset=utf-8", Data(PackageResources.page_js)),
            "explorer.js": asset("text/javascript; charset=utf-8", Data(PackageResources.explorer_js)),
            "maps.js": asset("text/javascript; charset=utf-8", Data(PackageResources.maps_js)),
            "review.js": asset("text/javascript; charset=utf-8", Data(PackageResources.review_js)),
            "drop.js": asset("text/javascript; charset=utf-8", Data(PackageResources.drop_js)),
            "icon.svg": asset("image/svg+xml", Data(PackageResources.icon_svg)),
        ]
    }

    /// Style and icon, for pages that are files.
    var files: [(name: String, data: Data)] {
        ["icon.svg", "style.css"].compactMap { name in assets[name].map { (name, $0.data) } }
    }

    /// - Parameter kind: of the page.
    static func document(kind: String) -> Document.Assets {
        let scripts = ["explorer.js", "maps.js", "drop.js"] + (kind == "review" ? ["review.js"] : [])
        return .linked(
            style: Address("assets", "style.css"), icon: Address("assets", "icon.svg"),
            scripts: scripts.map { Address("assets", $0) })
    }

    /// Nil for what is none of them.
    func response(to address: Address) -> Response? {
        guard address.path.count == 2, address.path[0] == "assets", let asset = assets[address.path[1]] else { return nil }
        return Response(type: asset.type, body: asset.data, headers: ["ETag": asset.tag])
    }
}
