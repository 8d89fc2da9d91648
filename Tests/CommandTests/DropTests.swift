import ActivationStore
import Explorer
import Foundation
import Pages
import TestSupport
import Testing
import neurodex

/// What is sent to the explorer, and what pages make of neurons and ticked images.
@Suite struct DropTests {
    private let shop: Shop
    private let store: Store
    private let explorer: Explorer

    init() throws {
        shop = try Shop()
        store = try Store.open(path: shop.folder.file("shop.sqlite"))
        explorer = try Explorer(store, commands: ServeCommand.commands, port: 8117)
    }

    private func ask(_ target: String) -> Response {
        explorer.respond(to: Request(target, headers: ["host": "127.0.0.1:8117"]))
    }

    private func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }

    private func send(_ files: [(name: String, bytes: Data)], _ headers: [String: String] = [:]) -> Response {
        var body = Data()
        for file in files {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"\(file.name)\"\r\n\r\n".utf8)
            body += file.bytes + Data("\r\n".utf8)
        }
        body += Data("--xyz--\r\n".utf8)
        var request = Request(
            "/drop", method: "POST",
            headers: ["host": "127.0.0.1:8117", "content-type": "multipart/form-data; boundary=xyz"].merging(headers) { $1 })
        request.body = body
        return explorer.respond(to: request)
    }

    /// A picture that the store does not have: one of its own with a chunk of text.
    private func picture() throws -> Data {
        let image = try #require(try store.image(id: 7))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file(image.path)))
        // After the header, a text chunk, whose checksum no decoder of pictures needs to like.
        return bytes + Data([0])
    }

    @Test func aDroppedPictureIsLookedAt() throws {
        let count = try store.imageCount()
        let before = try Data(contentsOf: URL(fileURLWithPath: store.path))
        let response = send([("new.png", try picture()), ("<b>.txt", Data("no picture".utf8))])
        #expect(response.status == .seeOther)
        let address = try #require(response.headers["Location"])
        let page = text(ask(address))
        #expect(page.contains("new.png"))
        #expect(page.contains("Not taken: ") && page.contains("&lt;b&gt;.txt"))
        #expect(page.contains("Its prediction"))
        // What the command says of the same file.
        try picture().write(to: URL(fileURLWithPath: shop.folder.file("new.png")))
        let printed = try shop.run("profile", "shop.sqlite", "new.png", "-k", "12", "--format", "csv")
        let neurons = printed.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
        #expect(neurons.count == 12)
        for neuron in neurons { #expect(page.contains("\(neuron[0]):\(neuron[1])")) }
        let image = try #require(page.firstMatch(of: #/dropped:[0-9a-f]{64}/#)).output
        let map = text(ask("/explanations?image=\(image)&method=cam"))
        #expect(map.contains("<figure class=\"map\" data-map"))
        #expect(ask("/map.npy?image=\(image)&method=saliency").body.starts(with: [0x93]))
        // The store has got nothing.
        #expect(try store.imageCount() == count)
        #expect(try store.explanations().isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: store.path)) == before)
    }

    @Test func whatTheStoreHasIsSaid() throws {
        let image = try #require(try store.image(id: 7))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file(image.path)))
        let response = send([("copy.png", bytes)])
        let page = text(ask(try #require(response.headers["Location"])))
        #expect(page.contains("The store has it") && page.contains(image.path))
    }

    @Test func wrongFormsAreRefused() throws {
        #expect(send([]).status == .badRequest)
        #expect(send([("a.png", Data())], ["content-type": "multipart/form-data"]).status == .badRequest)
        #expect(send([("a.png", Data())], ["content-type": "multipart/form-data; boundary=other"]).status == .badRequest)
        #expect(send((1...25).map { ("\($0).png", Data()) }).status == .badRequest)
        #expect(send([("a.png", try picture())], ["origin": "http://evil.example"]).status == .forbidden)
        #expect(send([("a.png", try picture())], ["origin": "null"]).status == .forbidden)
        #expect(ask("/drop").status == .ok)
        #expect(ask("/drop/nothing").status == .notFound)
        #expect(ask("/explanations?image=dropped:0000").status == .notFound)
        let put = Request("/drop", method: "PUT", headers: ["host": "127.0.0.1:8117"])
        #expect(explorer.respond(to: put).status == .notAllowed)
        let other = Request("/images", method: "POST", headers: ["host": "127.0.0.1:8117"])
        #expect(explorer.respond(to: other).status == .notAllowed)
    }

    @Test func aserverTakesAPicture() throws {
        let server = try Executable.Running(
            Executable.path, ["serve", "shop.sqlite", "--port", "0", "--read-only"], in: shop.path)
        defer { server.send(SIGKILL) }
        let port = try server.port()
        let bytes = try picture()
        func post(_ length: Int, _ target: String) throws -> String {
            let head =
                "POST \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\nContent-Length: \(length)\r\n\r\n"
            return try Client(port: port).exchange(Array(head.utf8) + Array(bytes))
        }
        let answer = try post(bytes.count, "/drop?name=new.png")
        #expect(answer.hasPrefix("HTTP/1.1 303 "))
        let address = try #require(answer.firstMatch(of: #/Location: (\S+)/#)).output.1
        let page = try Client(port: port).exchange(
            "GET \(address) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
        #expect(page.contains("new.png") && page.contains("Its prediction"))
        #expect(try post(100 << 20, "/drop").hasPrefix("HTTP/1.1 413 "))
        #expect(try post(bytes.count, "/images").hasPrefix("HTTP/1.1 413 "))
    }

    // MARK: Neurons and ticked images

    @Test func anAscentIsMadeAndKept() throws {
        let target = "/ascent/conv4:3?style=simonyan&steps=3"
        let page = text(ask(target))
        #expect(page.contains("<svg class=\"chart climb\"") && page.contains("step 3"))
        #expect(try store.explanations().map(\.method) == ["ascend"])
        let printed = try shop.run("ascend", "shop.sqlite", "conv4:3", "--style", "simonyan", "--steps", "3", "--json")
        #expect(text(ask("/ascent/conv4:3.json?style=simonyan&steps=3")) == printed.output)
        #expect(ask("/ascent.png?target=conv4:3&picture=0&style=simonyan&steps=3").body.starts(with: [0x89, 0x50]))
        #expect(ask("/ascent.png?target=conv4:3&picture=1&style=simonyan&steps=3").status == .notFound)
        #expect(text(ask("/ascent/conv4:3?style=picasso")).contains("picasso"))
        #expect(text(ask("/ascent/conv4:3?steps=100000")).contains("at most"))
        #expect(ask("/ascent/conv4:3?steps=3&from=/etc/passwd").status == .notFound)
    }

    @Test func aNeuronsPageHasWhatIsLikeIt() throws {
        let page = text(ask("/neuron/conv4:3"))
        let printed = try shop.run(
            "neurons", "shop.sqlite", "--duplicate", "--layer", "conv4:3", "--threshold", "0", "-k", "3", "--format", "csv")
        let pairs = printed.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
        #expect(!pairs.isEmpty)
        for pair in pairs {
            #expect(pair[1] == "3" || pair[2] == "3", "\(pair)")
            #expect(page.contains("/neuron/conv4:\(pair[1] == "3" ? pair[2] : pair[1])"))
        }
        // Its receptive field is drawn in whole images.
        #expect(page.contains("<svg class=\"field\""))
        #expect(text(ask("/neuron/conv4:3?whole")).contains("tiles whole"))
    }

    @Test func tickedImagesAreContrasted() throws {
        let page = text(ask("/contrast?image=9&image=7"))
        #expect(page.contains("id IN (7, 9)"))
        #expect(page.contains("class=\"mirror\""))
        let printed = try shop.run("contrast", "shop.sqlite", "--a", "id IN (7, 9)", "--format", "json")
        #expect(text(ask("/contrast.json?image=9&image=7")) == printed.output)
        #expect(ask("/contrast?image=x").status == .badRequest)
        #expect(ask("/contrast?image=7&a=label='cat'").status == .badRequest)
    }

    @Test func facetsHoldTogether() throws {
        func page(_ target: String) -> String { text(ask(target)) }
        let both = page("/images?label=cat&split=val")
        #expect(both.contains("label = &#39;cat&#39; AND split = &#39;val&#39;"))
        // A facet that is set is taken away, and another is set beside it.
        #expect(both.contains("href=\"/images?split=val\" aria-current=\"true\""))
        #expect(both.contains("href=\"/images?label=cat&amp;split=val&amp;right=no\""))
        let printed = try shop.run(
            "sql", "shop.sqlite",
            "SELECT count(*) FROM image_info WHERE label = 'cat' AND split = 'val' AND (id > 3)", "--format", "csv")
        let count = printed.output.split(separator: "\n").last.flatMap { Int($0) }
        let shown = page("/images?label=cat&split=val&where=id%20%3E%203").matches(of: #/name="image" value="/#).count
        #expect(shown == count)
        #expect(text(ask("/images.json?label=cot")).contains("did you mean cat"))
        #expect(page("/images?where=label%20%3D%20'cat'").contains("href=\"/images\" aria-current=\"true\""))
    }

    @Test func imagesAreSortedByANeuron() throws {
        let printed = try shop.run("top", "shop.sqlite", "conv4:3", "-k", "60", "--where", "label <> 'cat'", "--format", "json")
        #expect(text(ask("/images.json?sort=conv4:3&where=label%20%3C%3E%20'cat'")) == printed.output)
        let page = text(ask("/images?sort=conv4:3&page=2"))
        #expect(page.matches(of: #/name="image" value="/#).count == 60)
        #expect(page.contains("answer=cat"))
        #expect(ask("/images?sort=conv44:3").status == .notFound)
        #expect(ask("/images?sort=size").status == .badRequest)
    }
}
