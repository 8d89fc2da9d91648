import ActivationStore
import Explorer
import Foundation
import TestSupport
import Testing
import neurodex

/// Labels, classes and files whose names are HTML, or turn the direction of text.
@Suite struct HostileNamesTests {
    @Test func namesAreTextOnEveryPage() throws {
        let shop = try Shop(withStore: false)
        let label = "<i>a\u{202E}b'\"&"
        let folder = shop.folder.file("evil/\(label)")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let source = Fixtures.path("petshop")
        let files = try FileManager.default.subpathsOfDirectory(atPath: source).filter { $0.hasSuffix(".png") }.sorted().prefix(6)
        for (index, file) in files.enumerated() {
            try FileManager.default.copyItem(atPath: source + "/" + file, toPath: folder + "/<u>\(index)\u{2066}.png")
        }
        let classes = try String(contentsOfFile: Fixtures.path("petshop/labels.txt"), encoding: .utf8)
            .split(separator: "\n").indices.map { "\(label) \($0)" }
        try classes.joined(separator: "\n").write(toFile: shop.folder.file("classes.txt"), atomically: true, encoding: .utf8)
        let made = try shop.run(
            "index", "evil.sqlite", "--model", "petshop.onnx", "--classes", "classes.txt", "--resize", "none", "evil")
        #expect(made.status == 0, "\(made)")
        let store = try Store.open(path: shop.folder.file("evil.sqlite"))
        let explorer = try Explorer(store, commands: ServeCommand.commands, port: 8117)
        for target in [
            "/", "/images", "/images?sort=conv4:3", "/image/0", "/neuron/conv4:3", "/neuron/class:0", "/layer/conv4",
            "/explanations?image=0&image=1&method=cam&method=deconv", "/explanations", "/contrast?image=0&image=1", "/drop",
            "/ascent/class:0?steps=2&style=simonyan", "/find?text=a", "/explanations?image=%3Ci%3E", "/suspects",
        ] {
            let response = explorer.respond(to: Request(target, headers: ["host": "127.0.0.1:8117"]))
            let page = String(decoding: response.body, as: UTF8.self)
            #expect(!page.contains("<i>") && !page.contains("<u>"), "\(target)")
            #expect(!page.unicodeScalars.contains("\u{202E}") && !page.unicodeScalars.contains("\u{2066}"), "\(target)")
            #expect(page.hasPrefix("<!doctype html>"), "\(target)")
        }
    }
}
