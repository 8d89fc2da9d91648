import ActivationStore
import Explorer
import Foundation
import TestSupport
import Testing
import neurodex

/// Two stores behind one port, and pages as files.
@Suite struct ServedStoresTests {
    private let shop: Shop
    private let served: ServedStores

    init() throws {
        let shop = try Shop()
        self.shop = shop
        try FileManager.default.createDirectory(atPath: shop.folder.file("b"), withIntermediateDirectories: false)
        let other = try shop.run(
            "index", "b/shop.sqlite", "--model", Fixtures.path("petshop-hans.onnx"), "--classes", "labels.txt", "--resize",
            "none",
            "photos")
        #expect(other.status == 0, "\(other)")
        let stores = try ["shop.sqlite", "b/shop.sqlite"].map { try Store.open(path: shop.folder.file($0)) }
        let photos = shop.folder.file("photos")
        served = try ServedStores(stores) { store, others in
            try Explorer(
                store, options: Explorer.Options(images: photos, others: others), commands: ServeCommand.commands, port: 8117)
        }
    }

    private func ask(_ target: String) -> Response {
        served.respond(to: Request(target, headers: ["host": "127.0.0.1:8117"]))
    }

    private func text(_ target: String) -> String { String(decoding: ask(target).body, as: UTF8.self) }

    private func links(_ page: String) -> [String] {
        page.matches(of: #/(?:href|src|action)="([^"]*)"/#).map { String($0.output.1) }
    }

    @Test func anAddressSaysOfWhatStoreItIs() throws {
        #expect(served.stores.map(\.name) == ["shop", "shop-2"])
        #expect(text("/").contains("petshop") && text("/@shop-2/").contains("petshop-hans"))
        for page in ["/@shop-2", "/@shop-2/layer/conv4", "/@shop-2/neuron/conv4:3", "/@shop-2/image/7", "/%40shop-2/images"] {
            #expect(ask(page).status == .ok, "\(page)")
            let links = links(text(page)).filter { $0.hasPrefix("/") }
            // All stay in the store, but those that lead to the other.
            let away = links.filter { $0 != "/" && !$0.hasPrefix("/@shop-2") }
            #expect(page.contains("/image/") ? away.count == 1 && away[0].hasPrefix("/image/") : away.isEmpty, "\(page): \(away)")
            #expect(links.contains("/"))
        }
        for link in links(text("/@shop-2/neuron/conv4:3")).filter({
            $0.hasPrefix("/@shop-2/picture") || $0.hasPrefix("/@shop-2/assets")
        }) {
            #expect(ask(link.replacing("&amp;", with: "&")).status == .ok, "\(link)")
        }
        #expect(ask("/@nobody/").status == .notFound && ask("/@shop/").status == .notFound)
        #expect(ask("/@shop-2/../shop").status == .notFound)
    }

    @Test func twoStoresAreComparedAsTheCommandDoes() throws {
        let page = text("/diff?with=shop-2&k=3")
        #expect(page.contains("predictions changed") && page.contains("href=\"/@shop-2/neuron/"), "\(page.suffix(500))")
        #expect(links(page).contains { $0.hasPrefix("/@shop-2/picture/") } && links(page).contains { $0.hasPrefix("/picture/") })
        let json = text("/diff.json?k=3&by=index")
        let command = try shop.run("diff", "shop.sqlite", "b/shop.sqlite", "-k", "3", "--by", "index", "--format", "json")
        #expect(command.status == 0 && json == command.output)
        #expect(ask("/diff?by=magic").status == .badRequest)
        #expect(text("/diff?with=shopp").contains("no store of this server is called"))
        // Back, from the other's pages.
        #expect(text("/@shop-2/diff").contains("href=\"/neuron/"))
    }

    @Test func whatAnotherStoreSaysIsOnPages() throws {
        let (here, there) = (served.stores[0].store, served.stores[1].store)
        let others = Dictionary(try there.images().map { ($0.sha256, $0) }) { first, _ in first }
        let changed = try here.images().filter { $0.predictedClass != others[$0.sha256]?.predictedClass }
        let broken = changed.filter { image in
            let classes = here.description.classes
            return image.predictedClass.map { classes[$0] } == image.label
        }
        let first = try #require(broken.first, "the networks answer alike: nothing is tested")
        let page = text("/images?in-shop-2=broken")
        #expect(page.matches(of: #/<input type="checkbox"/#).count == min(broken.count, 60))
        #expect(page.contains("href=\"/image/\(first.id)\""))
        #expect(text("/images").contains("Answer in @shop-2"))
        #expect(ask("/images?in-shop-2=magic").status == .badRequest)
        let image = text("/image/\(first.id)")
        let other = try #require(others[first.sha256])
        #expect(image.contains("The answer changed: \(first.label ?? "") here"))
        #expect(image.contains("href=\"/@shop-2/image/\(other.id)\""))
        #expect(text("/@shop-2/image/\(other.id)").contains("href=\"/image/\(first.id)\""))
        // The map by drift has the numbers of the comparison.
        #expect(text("/?color=drift").contains("drift against @shop-2"))
        #expect(ask("/?color=drift").status == .ok)
    }

    @Test func aStoreAloneHasNoneToBeComparedWith() throws {
        let alone = try Explorer(served.stores[0].store, commands: ServeCommand.commands, port: 8117)
        let answer = alone.respond(to: Request("/diff", headers: ["host": "127.0.0.1:8117"]))
        #expect(answer.status == .badRequest && String(decoding: answer.body, as: UTF8.self).contains("neurodex serve monday"))
        let drift = alone.respond(to: Request("/?color=drift", headers: ["host": "127.0.0.1:8117"]))
        #expect(drift.status == .badRequest)
    }

    @Test func aPageIsOneFile() throws {
        for target in [
            "/.html", "/neuron/conv4:3.html?k=5", "/image/7.html", "/layer/conv4.html", "/diff.html?k=2", "/review.html",
        ] {
            let response = ask(target)
            #expect(response.status == .ok && response.headers["Content-Type"] == "text/html; charset=utf-8", "\(target)")
            let page = text(target)
            #expect(
                links(page).allSatisfy { $0.hasPrefix("data:image/") || $0.hasPrefix("#") }, "\(target): \(links(page).prefix(9))"
            )
            #expect(page.contains("default-src 'none'") || page.contains("default-src &#39;none&#39;"))
        }
        // Pictures of both stores are inside.
        #expect(text("/diff.html?k=2").components(separatedBy: "src=\"data:image/").count > 21)
        #expect(text("/neuron/conv4:3.html?k=5").components(separatedBy: "src=\"data:image/").count == 6)
    }

    @Test func aFolderOfPagesNeedsNoServer() throws {
        let made = try shop.run(
            "site", "shop.sqlite", "-o", "pages", "--layers", "conv4", "--most-neurons", "5", "--most-images", "9")
        #expect(made.status == 0, "\(made)")
        #expect(made.errors.contains("pages of 1 layers, 5 neurons and 9 images"))
        #expect(made.errors.contains("59 neurons have no page; --most-neurons 64 makes them"))
        #expect(made.errors.contains("images that are shown have no page"))
        let folder = shop.folder.file("pages")
        let pages = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".html") }
        // The overview, two pages of the layer's neurons, 5 neurons and 9 images.
        #expect(pages.count == 17, "\(pages)")
        for page in pages {
            let text = try String(contentsOfFile: folder + "/" + page, encoding: .utf8)
            for link in links(text) where !link.hasPrefix("#") {
                #expect(FileManager.default.fileExists(atPath: folder + "/" + link), "\(page): \(link)")
            }
            #expect(!text.contains("<script"))
        }
        #expect(try shop.run("site", "shop.sqlite", "-o", "pages").errors.contains("is not empty"))
        let unknown = try shop.run("site", "shop.sqlite", "-o", "other", "--layers", "conv9")
        #expect(unknown.status != 0 && unknown.errors.contains("conv9"))
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("other")))
    }
}
