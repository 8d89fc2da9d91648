import ActivationStore
import Explorer
import Foundation
import TestSupport
import Testing
import neurodex

/// What people say of a store is kept beside it, and the store stays as it is.
@Suite struct ReviewTests {
    private let shop: Shop
    private let store: Store
    private let explorer: Explorer

    init() throws {
        shop = try Shop()
        store = try Store.open(path: shop.folder.file("shop.sqlite"))
        explorer = try Explorer(store, commands: ServeCommand.commands, port: 8117)
    }

    private func ask(_ target: String, method: String = "GET", _ headers: [String: String] = [:]) -> Response {
        explorer.respond(
            to: Request(target, method: method, headers: ["host": "127.0.0.1:8117"].merging(headers) { _, new in new }))
    }

    private func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }

    private var file: String { shop.folder.file("shop.review.json") }

    @Test func decisionsAreKeptBesideTheStoreAndExported() throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: store.path))
        #expect(text(ask("/review.csv")) == "kind,image,sha256,neuron,label,suggested,answer,note,decided\n")
        let image = try #require(try store.image(id: 7))
        let kept = ask(
            "/review?kind=suspect&image=7&label=cat&suggested=dog&answer=yes&note=%3Cb%3E%20%22x%22,", method: "POST",
            ["origin": "http://127.0.0.1:8117"])
        #expect(kept.status == .seeOther && kept.headers["Location"] == "/review?kind=suspect", "\(text(kept))")
        let lines = text(ask("/review.csv")).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[1].hasPrefix("suspect,\(image.path),"))
        #expect(lines[1].contains(",,cat,dog,yes,\"<b> \"\"x\"\",\","))
        let tasks = try #require(
            try JSONSerialization.jsonObject(with: ask("/review/tasks.json").body) as? [[String: Any]])
        #expect(tasks.count == 1)
        #expect((tasks[0]["data"] as? [String: String])?["image"] == image.path)
        #expect("\(tasks[0]["annotations"] ?? "")".contains("dog"))
        // Decided otherwise: in its place. A shortcut is another decision.
        #expect(ask("/review?kind=suspect&image=7&label=cat&suggested=dog&answer=skip", method: "POST").status == .seeOther)
        #expect(ask("/review?kind=shortcut&neuron=conv4:3&label=cat&answer=no", method: "POST").status == .seeOther)
        #expect(text(ask("/review.csv")).split(separator: "\n").count == 3)
        #expect(try JSONSerialization.jsonObject(with: ask("/review/tasks.json").body) as? [[String: Any]] != nil)
        #expect(text(ask("/review")).contains("0 yes, 0 no, 1 skipped"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: store.path)) == before)
    }

    @Test func whatCannotBeKeptIsRefusedInWords() throws {
        for (target, status, words) in [
            ("/review?kind=suspect&image=7&label=cat&answer=perhaps", Response.Status.badRequest, "yes, no or skip"),
            ("/review?kind=guess&label=cat&answer=yes", .badRequest, "suspect or shortcut"),
            ("/review?kind=suspect&image=99999&label=cat&answer=yes", .notFound, "99999"),
            ("/review?kind=shortcut&neuron=conv4:999&label=cat&answer=yes", .notFound, "conv4"),
            ("/review/neuron?neuron=conv4&name=x", .badRequest, "conv4"),
            (
                "/review?kind=suspect&image=7&answer=yes&label=" + String(repeating: "a", count: 5000), .badRequest,
                "longer than 4000"
            ),
        ] {
            let response = ask(target, method: "POST")
            #expect(
                response.status == status && text(response).contains(words), "\(target.prefix(80)): \(text(response).suffix(900))"
            )
        }
        #expect(ask("/neuron/conv4:3", method: "POST").status == .notAllowed)
        let foreign = ask("/review/neuron?neuron=conv4:3&name=x", method: "POST", ["origin": "http://evil.example"])
        #expect(foreign.status == .forbidden)
        #expect(!FileManager.default.fileExists(atPath: file))
        let reader = try Explorer(
            store, options: Explorer.Options(keeps: false), commands: ServeCommand.commands, port: 8117)
        let refused = reader.respond(
            to: Request("/review/neuron?neuron=conv4:3&name=x", method: "POST", headers: ["host": "127.0.0.1:8117"]))
        #expect(refused.status == .forbidden && text(refused).contains("only reads"))
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: file))
        #expect(text(ask("/review")).contains("is not a review that this neurodex wrote"))
        #expect(ask("/neuron/conv4:3").status == .ok)
    }

    @Test func namesOfNeuronsAreShownWhereverTheyAre() throws {
        #expect(ask("/review/neuron?neuron=conv4:3&name=%3Ceyes%3E&note=of%20cats", method: "POST").status == .seeOther)
        for page in ["/neuron/conv4:3", "/layer/conv4", "/review", "/find?text=of%20cats", "/neurons?layer=conv4"] {
            #expect(text(ask(page)).contains("&lt;eyes&gt;"), "\(page)")
        }
        #expect(text(ask("/find?text=of%20cats")).contains("href=\"/neuron/conv4:3\""))
        // Others open the same file.
        let other = try Explorer(store, commands: ServeCommand.commands, port: 8117)
        let page = other.respond(to: Request("/neuron/conv4:3", headers: ["host": "127.0.0.1:8117"]))
        #expect(text(page).contains("&lt;eyes&gt;"))
        #expect(ask("/review/neuron?neuron=conv4:3&name=&note=", method: "POST").status == .seeOther)
        #expect(!text(ask("/layer/conv4")).contains("&lt;eyes&gt;"))
    }
}
