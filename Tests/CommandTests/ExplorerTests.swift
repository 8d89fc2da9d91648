import ActivationStore
import ArgumentParser
import Explorer
import Foundation
import GRDB
import Images
import Pages
import Search
import TestSupport
import Testing
import neurodex

/// The pages of the pet shop's store: without a socket, and one through it.
@Suite struct ExplorerTests {
    private let shop: Shop
    private let store: Store
    private let explorer: Explorer

    init() throws {
        shop = try Shop()
        store = try Store.open(path: shop.folder.file("shop.sqlite"))
        explorer = try Explorer(
            store, options: Explorer.Options(images: shop.folder.file("photos")), commands: ServeCommand.commands, port: 8117)
    }

    private func ask(_ target: String, _ headers: [String: String] = [:], method: String = "GET") -> Response {
        explorer.respond(
            to: Request(target, method: method, headers: ["host": "127.0.0.1:8117"].merging(headers) { _, new in new }))
    }

    private func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }

    /// Options of a command line as fields of an address.
    private func fields(_ options: [String]) -> [Address.Field] {
        var (fields, rest) = ([Address.Field](), options[...])
        while let word = rest.popFirst() {
            let parts = word.drop { $0 == "-" }.split(separator: "=", maxSplits: 1).map(String.init)
            if word.hasPrefix("--"), parts.count == 2 {
                fields.append(Address.Field(parts[0], parts[1]))
            } else if let value = rest.first, !value.hasPrefix("-") {
                rest.removeFirst()
                fields.append(Address.Field(parts[0], value))
            } else {
                fields.append(Address.Field(parts[0], ""))
            }
        }
        return fields
    }

    @Test(arguments: [
        "/", "/?color=mean", "/?color=auroc&selective=cat", "/drop", "/explanations", "/images?sort=conv4:3", "/layer/conv4",
        "/layer/conv4?sort=maximum&reverse", "/layer/conv4?selective=cat",
        "/layer/conv4?where=label%20%3D%20'cat'", "/neuron/conv4:3", "/neuron/conv4:3?k=9&from=decile", "/neuron/class:cat",
        "/neuron/conv4:3?where=label%20%3C%3E%20'dog'&distinct", "/image/7", "/images", "/images?where=NOT%20correct&sort=score",
        "/images?page=2", "/contrast", "/contrast?a=label%20%3D%20'cat'", "/suspects", "/shortcuts", "/sql", "/top/conv4:3",
        "/similar/7", "/profile/7?k=3", "/neurons?dead", "/sql?operand=SELECT%201", "/find?text=conv", "/find?text=", "/top?help",
    ])
    func everyPageIsThere(target: String) {
        let response = ask(target)
        #expect(response.status == .ok, "\(target): \(text(response).suffix(800))")
        let page = text(response)
        #expect(page.hasPrefix("<!doctype html>"))
        #expect(page.contains("<h1>"))
        // Nothing from elsewhere, no script within, no style within.
        #expect(!page.contains("http://") && !page.contains("https://"))
        #expect(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="))
        #expect(response.headers["Content-Security-Policy"]?.contains("default-src 'none'") == true)
    }

    /// A row of a layer's page is one picture, of which each place shows a square.
    @Test func aNeuronsCropsAreOnePicture() throws {
        let page = text(ask("/layer/conv4"))
        let images = page.matches(of: #/<img src="(/strip[^"]*)" class="square square-(\d)"/#)
        let strips = images.map { String($0.output.1).replacing("&amp;", with: "&") }
        #expect(images.count == 48 * 9 && Set(strips).count == 48)
        #expect(images.prefix(9).map { String($0.output.2) } == (0...8).map { "\($0)" })
        let response = ask(strips[0])
        let strip = try Image(decoding: Array(response.body))
        #expect(response.status == .ok && strip.width == 9 * 160 && strip.height == 160)
        #expect(ask(strips[0], ["if-none-match": response.headers["ETag"] ?? ""]).status == .notModified)
        // A square is the crop that the neuron's page shows, as large as it fits.
        let hit = try #require(try TopQuery(neurons: ["conv4:0"], count: 9).run(in: store).last)
        let crop = try Image(
            decoding: Array(
                ask("/picture/\(hit.imageID)?layer=conv4&y=\(hit.y)&x=\(hit.x)&size=160").body))
        let scale = 160 / Double(max(crop.width, crop.height))
        let fitted = crop.resized(
            width: Int((Double(crop.width) * scale).rounded()), height: Int((Double(crop.height) * scale).rounded()))
        let (left, top) = ((160 - fitted.width) / 2, (160 - fitted.height) / 2)
        let differences = (0..<9).map { square -> Double in
            let start = square * 160 + left
            let part = strip.cropped(columns: start..<start + fitted.width, rows: top..<top + fitted.height)
            let sum = zip(part.pixels, fitted.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
            return Double(sum) / Double(part.pixels.count)
        }
        // Both were compressed as JPEGs.
        #expect(differences[8] == differences.min() && differences[8] < 8, "\(differences)")
        for wrong in ["/strip", "/strip?layer=conv4", "/strip?layer=conv4&cells=1.2", "/strip?layer=conv4&cells=1.99.0"] {
            #expect(ask(wrong).status == .badRequest, "\(wrong)")
        }
        #expect(ask("/strip?layer=conv4&cells=99999.0.0").status == .notFound)
    }

    /// Lines of the map are those of the graph, or say that they are not.
    @Test func theMapSaysWhatGoesWhere() throws {
        #expect(text(ask("/")).contains("Lines lead from what a layer is computed from."))
        let elsewhere = try Explorer(
            store, options: Explorer.Options(model: shop.folder.file("nothing.onnx")), commands: ServeCommand.commands, port: 8117
        )
        let page = text(elsewhere.respond(to: Request("/", headers: ["host": "127.0.0.1:8117"])))
        #expect(page.contains("Lines are that order alone"))
    }

    @Test(arguments: queries.map { $0.name }.filter { $0 != "sql" }) func aQuestionsJSONIsThatOfItsCommand(name: String) throws {
        func check<Q: Query>(_: Q.Type) throws {
            for sample in Q.samples(try SampleGround(store)) {
                let command = try Neurodex.parseAsRoot(
                    Spelling.command(
                        name, options: sample.options + ["--format", "json"], operands: [store.path] + sample.operands))
                let expected = try #require(command as? any AnsweringCommand).text()
                let last = sample.operands.last.map { $0 + ".json" }
                let path = last.map { [name] + sample.operands.dropLast() + [$0] } ?? [name + ".json"]
                let response = ask(Address(path: path, query: fields(sample.options)).text)
                #expect(response.headers["Content-Type"] == "application/json")
                #expect(text(response) == expected, "\(sample.options) \(sample.operands)")
            }
        }
        let question = try #require(queries.first { $0.name == name })
        try check(question)
    }

    @Test func pagesJSONIsThatOfTheirCommands() throws {
        let pairs: [(String, [String])] = [
            ("/.json", ["info", "shop.sqlite"]), ("/neuron/conv4:3.json?k=9", ["top", "shop.sqlite", "conv4:3", "-k", "9"]),
            ("/layer/conv4.json?sort=mean", ["neurons", "shop.sqlite", "--layer", "conv4", "--sort", "mean"]),
            ("/image/7.json", ["profile", "shop.sqlite", "7"]),
            ("/sql.json?operand=SELECT%20label%20FROM%20label", ["sql", "shop.sqlite", "SELECT label FROM label"]),
            ("/sql.json?operand=SELECT%20name%20FROM%20label", ["sql", "shop.sqlite", "SELECT name FROM label"]),
        ]
        for (target, words) in pairs {
            let printed = try Executable.run(words + ["--format", "json"], in: shop.path)
            let response = ask(target)
            if printed.status == 0 {
                let found = text(response).replacingOccurrences(of: store.path, with: "shop.sqlite")
                #expect(found == printed.output, "\(target)")
            } else {
                #expect(response.status == .badRequest, "\(target)")
            }
        }
    }

    @Test func whatIsWrongIsSaidInWords() {
        func check(_ target: String, _ status: Response.Status, _ words: String) {
            let response = ask(target)
            #expect(response.status == status, "\(target)")
            #expect(text(response).contains(words), "\(target): \(text(response))")
        }
        check("/neuron/conv4:3?kk=9", .badRequest, "Unknown option")
        check("/neuron/conv4:3.json?k=0", .badRequest, "-k")
        check("/neuron/conv4:999", .notFound, "conv4")
        check("/neuron/conv44:3", .notFound, "did you mean")
        check("/neuron/conv4:3?where=nonsense", .badRequest, "nonsense")
        check("/image/99999", .notFound, "99999")
        check("/nowhere", .notFound, "there is no page")
        check("/contrst", .notFound, "did you mean contrast?")
        check("/images?k=9", .badRequest, "images takes where, sort, label")
        check("/?color=red", .badRequest, "zeros, dead, mean or auroc")
        check("/?color=auroc&selective=horse", .badRequest, "horse")
        check("/sql?operand=DELETE%20FROM%20image", .badRequest, "refused")
        check("/neuron/%3Cscript%3E:1", .notFound, "&lt;script&gt;")
    }

    /// A file of this machine is not read for whoever sees a page.
    @Test func filesAreNotReadForPages() {
        let response = ask("/concepts/conv4?vectors=/etc/passwd&words=/etc/passwd&names=/etc/passwd")
        #expect(
            response.status == .badRequest && text(response).contains("which pages do not read"), "\(text(response).suffix(400))")
    }

    /// What an attribute is damaged in does not hide the images and neurons.
    @Test func aDamagedAttributeIsSaidAndTheRestShown() throws {
        let count = try store.imageCount()
        try store.keep(
            [Attribute(name: "tag", kind: .binary, values: (0..<count).map { Double($0 % 2) })], numbering: store.imageNumbering()
        )
        #expect(text(ask("/images")).contains("has=tag") && text(ask("/neuron/class:cat")).contains("In words"))
        try DatabaseQueue(path: store.path).write { try $0.execute(sql: "UPDATE attribute SET list = replace(list, '[0', '[1')") }
        let explorer = try Explorer(
            Store.open(path: store.path), options: Explorer.Options(images: nil), commands: ServeCommand.commands, port: 8117)
        for target in ["/", "/images", "/neuron/conv4:3"] {
            let response = explorer.respond(to: Request(target, method: "GET", headers: ["host": "127.0.0.1:8117"]))
            #expect(
                response.status == .ok && text(response).contains("in its table attribute"),
                "\(target): \(text(response).suffix(900))")
        }
    }

    @Test func hostileAddressesGiveNothing() {
        for target in ["", "x", "/%", "/%00", "/%FF", "http://evil/", "/a b", "*"] { #expect(ask(target).status == .badRequest) }
        for target in [
            "/../../etc/passwd", "/assets/../../etc/passwd", "/assets/..%2F..%2Fetc%2Fpasswd", "/picture/../etc",
            "/picture/%2Fetc%2Fpasswd",
            "/picture/-1", "/picture/999999", "/assets/", "/assets/x.js",
        ] {
            let response = ask(target)
            #expect(response.status == .notFound, "\(target)")
            #expect(!text(response).contains("root:"))
        }
        #expect(ask("/picture/1?size=100000").status == .badRequest)
        #expect(ask("/picture/1?layer=conv4&y=999&x=0").status == .badRequest)
        #expect(ask("/", method: "POST").status == .notAllowed)
        #expect(ask("/", method: "DELETE").status == .notAllowed)
    }

    @Test func otherOriginsAreRefused() {
        #expect(ask("/", ["host": "evil.example"]).status == .forbidden)
        #expect(ask("/", ["host": ""]).status == .forbidden)
        #expect(ask("/", ["host": "localhost:8117"]).status == .ok)
        #expect(ask("/", ["origin": "http://evil.example"]).status == .forbidden)
        #expect(ask("/", ["origin": "http://127.0.0.1:8117"]).status == .ok)
        #expect(ask("/picture/1", ["sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"]).status == .forbidden)
        #expect(ask("/", ["sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"]).status == .ok)
    }

    @Test func aTokenIsAskedFor() throws {
        let guarded = try Explorer(store, commands: ServeCommand.commands, port: 80, token: "secret")
        func ask(_ target: String, _ headers: [String: String] = [:]) -> Response {
            guarded.respond(to: Request(target, headers: ["host": "photos.example"].merging(headers) { _, new in new }))
        }
        #expect(ask("/").status == .forbidden)
        #expect(ask("/?token=wrong").status == .forbidden)
        let opened = ask("/layer/conv4?token=secret&sort=mean")
        #expect(opened.status == .seeOther)
        #expect(opened.headers["Location"] == "/layer/conv4?sort=mean")
        #expect(opened.headers["Set-Cookie"] == "neurodex=secret; Path=/; HttpOnly; SameSite=Strict")
        #expect(ask("/", ["cookie": "a=b; neurodex=secret"]).status == .ok)
        #expect(ask("/", ["cookie": "neurodex=secre"]).status == .forbidden)
        #expect(Explorer.newToken().count == 32 && Explorer.newToken() != Explorer.newToken())
    }

    @Test func picturesAreKeptByTheirHash() throws {
        let whole = ask("/picture/7?size=64")
        #expect(whole.status == .ok && whole.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let tag = try #require(whole.headers["ETag"])
        let again = ask("/picture/7?size=64", ["if-none-match": tag])
        #expect(again.status == .notModified && again.body.isEmpty)
        let crop = ask("/picture/7?size=64&layer=conv1&y=0&x=0")
        #expect(crop.status == .ok && crop.headers["ETag"] != tag && crop.body != whole.body)
    }

    /// A process of its own: other tests hold the threads that a server here would wait for.
    @Test func aServerAnswersAndSurvives() throws {
        let server = try Executable.Running(Executable.path, ["serve", "shop.sqlite", "--port", "0"], in: shop.path)
        defer { server.send(SIGKILL) }
        let deadline = Date().addingTimeInterval(60)
        while !server.output.hasSuffix("/\n"), server.isRunning, Date() < deadline { usleep(10_000) }
        let port = try #require(server.output.firstMatch(of: #/http://127\.0\.0\.1:(\d+)//#).flatMap { Int($0.output.1) })
        func send(_ text: String) throws -> String { try Client(port: port).exchange(text) }
        let page = try send("GET /layer/conv4 HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
        #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.contains("conv4"))
        #expect(try send("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
        let large = "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 40000)
        #expect(try send(large).hasPrefix("HTTP/1.1 431 "))
        // A head that never ends is given up.
        #expect(try send("GET / HTTP/1.1\r\nHost:") == "")
        let two = "GET /assets/icon.svg HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        let both = try send(two + "\r\n" + two + "Connection: close\r\n\r\n")
        #expect(both.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
    }
}
