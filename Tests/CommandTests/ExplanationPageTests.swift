import ActivationStore
import Explorer
import Foundation
import Pages
import TestSupport
import Testing
import neurodex

/// Explanations on pages: without a socket, and one server of its own.
@Suite struct ExplanationPageTests {
    private let shop: Shop
    private let store: Store
    private let explorer: Explorer

    init() throws {
        shop = try Shop()
        store = try Store.open(path: shop.folder.file("shop.sqlite"))
        explorer = try Self.explorer(store, keeps: true)
    }

    private static func explorer(_ store: Store, keeps: Bool) throws -> Explorer {
        try Explorer(store, options: Explorer.Options(keeps: keeps), commands: ServeCommand.commands, port: 8117)
    }

    private func ask(_ target: String, of explorer: Explorer? = nil) -> Response {
        (explorer ?? self.explorer).respond(to: Request(target, headers: ["host": "127.0.0.1:8117"]))
    }

    private func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func whatIsAskedForIsShownAndKept() throws {
        let target = "/explanations?image=7&method=saliency%20--method%20guided&target=class:cat"
        let page = text(ask(target))
        #expect(page.contains("Guided backpropagation"))
        #expect(page.contains("neurodex saliency \(store.path) --method guided") || page.contains("saliency --method guided"))
        #expect(!page.contains(" style=") && !page.contains(" onclick="))
        let kept = try store.explanations()
        #expect(kept.map(\.method) == ["saliency"])
        #expect(kept.first?.arguments == ["--method", "guided"])
        #expect(kept.first?.target == "class:cat")
        // A new explorer has it of the store, and the command too.
        let again = text(ask(target, of: try Self.explorer(store, keeps: true)))
        #expect(again.contains("kept in the store"))
        #expect(try store.explanations().count == 1)
        let printed = try shop.run(
            "saliency", "shop.sqlite", "7", "--method", "guided", "--target", "class:cat", "--raw", "a.npy")
        #expect(printed.status == 0)
        #expect(try store.explanations().count == 1)
        let raw = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("a.npy")))
        #expect(ask("/map.npy?image=7&method=saliency%20--method%20guided&target=class:cat").body == raw)
    }

    @Test func readOnlyWritesNothing() throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: store.path))
        let reader = try Self.explorer(store, keeps: false)
        let target = "/explanations?image=7&method=cam&check"
        #expect(text(ask(target, of: reader)).contains("passes") || text(ask(target, of: reader)).contains("no better"))
        #expect(ask("/map.png?image=7&method=cam", of: reader).body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try store.explanations().isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: store.path)) == before)
        // What the store has is shown all the same.
        #expect(ask("/explanations?image=9&method=deconv&target=conv4:3").status == .ok)
        #expect(text(ask("/explanations", of: reader)).contains("deconv"))
    }

    @Test(arguments: [
        ("image=7&method=saliency&target=class:cat", ["saliency", "7", "--target", "class:cat"]),
        ("image=7&image=9&method=cam", ["cam", "7", "9"]),
        (
            "image=7&method=occlusion&options=--window%2024%20--stride%2024&target=conv2:3@mean&target=class:dog",
            ["occlusion", "7", "--window", "24", "--stride", "24", "--target", "conv2:3@mean", "--target", "class:dog"]
        ),
        (
            "image=7&method=cam%20--method%20grad-cam&layer=conv3&target=class:dog",
            ["cam", "7", "--method", "grad-cam", "--layer", "conv3", "--target", "class:dog"]
        ),
        ("image=7&method=deconv&target=conv4:3", ["deconv", "conv4:3", "--image", "7"]),
    ]) func jsonIsThatOfTheCommand(query: String, words: [String]) throws {
        for format in ["json", "csv"] {
            let printed = try Executable.run(
                [words[0], "shop.sqlite"] + words.dropFirst() + ["--format", format], in: shop.path)
            #expect(printed.status == 0, "\(printed)")
            let response = ask("/explanations.\(format)?\(query)")
            #expect(text(response) == printed.output, "\(query)")
        }
    }

    @Test func keptOnesAreListedAsTheCommandListsThem() throws {
        #expect(text(ask("/explanations")).contains("The store keeps none"))
        #expect(ask("/explanations?image=7&method=cam&method=saliency").status == .ok)
        for options in [[], ["--method", "cam"]] {
            let printed = try Executable.run(["explanations", "shop.sqlite", "--format", "json"] + options, in: shop.path)
            #expect(text(ask("/explanations.json\(options.isEmpty ? "" : "?method=cam")")) == printed.output)
        }
        let id = try #require(store.explanations().first?.id)
        #expect(ask("/kept/\(id).png").body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(ask("/kept/99.png").status == .notFound)
    }

    @Test func whatAMethodOutlinesIsDrawn() throws {
        let query = "image=7&method=cam&target=class:cat"
        let listed = text(ask("/explanations.json?\(query)"))
        let box = try #require(listed.firstMatch(of: #/"boxes":\[\[(\d+),(\d+),(\d+),(\d+)\]\]/#)).output
        let rectangle = "x=\"\(box.1)\" y=\"\(box.2)\" width=\"\(box.3)\" height=\"\(box.4)\""
        #expect(text(ask("/explanations?\(query)")).contains(rectangle))
        #expect(!text(ask("/explanations?image=7&method=cam%20--boxes%20none&target=class:cat")).contains("field boxes"))
    }

    @Test func mapsOfOneMethodShareAScale() throws {
        func limits(_ target: String) -> [String] {
            text(ask(target)).matches(of: #/data-limit="([^"]*)"/#).map { String($0.output.1) }
        }
        let query = "/explanations?image=7&image=9&method=saliency&method=cam&target=class:cat"
        let shared = limits(query)
        #expect(shared.count == 4 && shared[0] == shared[2] && shared[1] == shared[3] && shared[0] != shared[1])
        let own = limits(query + "&scale=own")
        #expect(own.count == 4 && own[0] != own[2])
        #expect(Set(own).isSuperset(of: shared))
    }

    @Test func whatIsWrongIsSaidInWords() {
        func check(_ query: String, _ status: Response.Status, _ words: String) {
            let response = ask("/explanations.json?\(query)")
            #expect(response.status == status, "\(query)")
            #expect(text(response).contains(words), "\(query): \(text(response))")
        }
        check("image=7&method=salency", .badRequest, "did you mean saliency?")
        check("image=7&method=saliency%20--method%20gided", .badRequest, "gided")
        check("image=7&method=saliency%20--out%20/tmp/x", .badRequest, "--out")
        check("image=7&method=saliency%20--sigma%20-1", .badRequest, "sigma")
        check("image=7&target=conv44:1", .notFound, "conv4")
        check("image=7&target=conv4", .badRequest, "names all neurons")
        check("image=99999", .notFound, "99999")
        // No file of the machine is read, whatever it is.
        check("image=/etc/passwd", .notFound, "/etc/passwd")
        check("image=../shop.sqlite", .notFound, "shop.sqlite")
        check("image=7&layer=conv3", .badRequest, "layer is of cam alone")
        check("image=7&scale=big", .badRequest, "shared or own")
        check("image=7&mehod=cam", .badRequest, "did you mean method?")
        check("image=7&method=occlusion%20--window%20500", .badRequest, "--window")
        check((1...40).map { "image=\($0)" }.joined(separator: "&"), .badRequest, "at most 36")
        // On a page, what cannot be made stands in its place.
        let page = text(ask("/explanations?image=7&method=cam&method=occlusion%20--window%20500"))
        #expect(page.contains("--window takes") && page.contains("Grad-CAM") || page.contains("class activation"))
    }

    /// A process of its own: progress arrives, the second time at once, and closing the connection ends the work.
    @Test func aServerTellsProgressAndStops() throws {
        let server = try Executable.Running(Executable.path, ["serve", "shop.sqlite", "--port", "0"], in: shop.path)
        defer { server.send(SIGKILL) }
        let port = try server.port()
        func request(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n" }
        // Some thousand passes, which take seconds.
        let long = "/explaining?image=7&method=occlusion%20--window%204%20--stride%201%20--full"
        let left = try Client(port: port)
        left.send(request(long))
        #expect(left.read(until: "event: progress").contains("text/event-stream"))
        left.close()
        let short = "/explaining?image=9&method=occlusion%20--window%2012%20--stride%204"
        let first = try Client(port: port).exchange(request(short))
        #expect(first.contains("event: progress") && first.contains("event: done"))
        let second = try Client(port: port).exchange(request(short))
        #expect(!second.contains("event: progress") && second.contains("event: done"))
        #expect(first.contains("\"page\":\"/explanations?image=9&method=occlusion%20--window%2012%20--stride%204\""))
        // The long one was not kept, as it ended with its connection; the short one was.
        #expect(try store.explanations().map(\.image) == [store.image(named: "9").path])
    }

    @Test func aBrowserThatIsNotThereIsSaid() throws {
        let server = try Executable.Running(
            "/bin/sh", ["-c", "PATH=/nowhere exec '\(Executable.path)' serve shop.sqlite --port 0 --open --read-only 2>&1"],
            in: shop.path)
        defer { server.send(SIGKILL) }
        _ = try server.port()
        let deadline = Date().addingTimeInterval(30)
        while !server.output.contains("open the address above by hand"), Date() < deadline { usleep(10_000) }
        #expect(server.output.contains("is not there, which opens browsers; open the address above by hand"))
        #expect(server.output.contains("read only"))
    }
}

extension Executable.Running {
    /// The port that a server prints.
    func port() throws -> Int {
        let deadline = Date().addingTimeInterval(60)
        while output.firstMatch(of: #/http://127\.0\.0\.1:(\d+)/\n/#) == nil, isRunning, Date() < deadline { usleep(10_000) }
        return try #require(output.firstMatch(of: #/http://127\.0\.0\.1:(\d+)//#).flatMap { Int($0.output.1) })
    }
}
