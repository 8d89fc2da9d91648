import ActivationStore
import Foundation
import TestSupport
import Testing

/// What `info` says of a store.
@Suite struct InfoTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func object(_ store: String = "shop.sqlite") throws -> [String: Any] {
        let output = try shop.run("info", store, "--format", "json").output
        return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    @Test func programsGetObjects() throws {
        let info = try object()
        let model = try #require(info["model"] as? [String: Any])
        #expect(model["name"] as? String == "petshop" && (model["sha256"] as? String)?.count == 64)
        #expect(info["input"] as? [String: Int] == ["channels": 3, "height": 96, "width": 96])
        let preprocessing = try #require(info["preprocessing"] as? [String: Any])
        #expect(preprocessing["mean"] as? [Double] == [0.485, 0.456, 0.406])
        #expect(info["labels"] as? [String: Int] == ["bird": 60, "cat": 60, "dog": 60, "fish": 60, "rabbit": 60])
        #expect(info["splits"] as? [String: Int] == ["test": 150, "train": 100, "val": 50])
        #expect(info["answers"] as? [String: Int] == ["right": 300, "of": 300])
        #expect(info["state"] as? String == "complete" && info["planned"] == nil)
    }

    @Test func bytesAnActivationAreWithoutExplanations() throws {
        func figures() throws -> (file: Int, explanations: Int, each: Double) {
            let bytes = try #require(try object()["bytes"] as? [String: Any])
            return (
                try #require(bytes["file"] as? Int), try #require(bytes["explanations"] as? Int),
                try #require(bytes["per_activation"] as? Double)
            )
        }
        let before = try figures()
        #expect(before.each > 10 && before.each < 20)
        #expect(try shop.run("saliency", "shop.sqlite", "1", "2", "3", "4", "5", "6", "7", "8").status == 0)
        #expect(try shop.run("cam", "fit", "shop.sqlite").status == 0)
        let after = try figures()
        #expect(after.file > before.file && after.explanations > before.explanations)
        #expect(after.each == before.each)
        #expect(try shop.run("explanations", "shop.sqlite", "--remove", "--all").status == 0)
        #expect(try figures().each == before.each)
    }

    @Test func aTerminalIsNotOverrun() throws {
        try FileManager.default.createDirectory(
            atPath: shop.folder.file("a folder of some length/and another one"), withIntermediateDirectories: true)
        let path = "a folder of some length/and another one/" + String(repeating: "long-", count: 20) + "name.onnx"
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop.onnx"), toPath: shop.folder.file(path))
        #expect(try shop.run("index", "long.sqlite", "--model", path, "--resize", "none", "photos/val").status == 0)
        for columns in [80, 60] as [UInt16] {
            let terminal = try Terminal(["info", "long.sqlite"], in: shop.path, columns: columns)
            #expect(terminal.wait() == 0)
            #expect(terminal.lines.allSatisfy { $0.count <= Int(columns) }, "\(terminal.lines)")
            // Nothing is left out.
            let text = terminal.lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined()
            #expect(
                text.replacingOccurrences(of: " ", with: "").contains(path.replacingOccurrences(of: " ", with: "")), "\(text)")
        }
        // Where nobody looks, a fact is a line.
        #expect(try shop.run("info", "long.sqlite").output.contains(path + ")\n"))
    }

    @Test func aRunThatWasStoppedIsSaidToBe() throws {
        let running = try Executable.Running(
            Executable.path,
            ["index", "cut.sqlite", "--model", "petshop.onnx", "--resize", "none", "--block", "8", "--jobs", "1", "photos"],
            in: shop.path)
        while running.isRunning && (try? Store.open(path: shop.folder.file("cut.sqlite")).imageCount()) ?? 0 < 8 { usleep(1000) }
        running.send(SIGINT)
        let stopped = try running.wait()
        #expect(stopped.status == 130, "\(stopped)")
        let info = try object("cut.sqlite")
        let images = try #require(info["images"] as? Int)
        #expect(info["state"] as? String == "interrupted" && info["planned"] as? Int == 300 && images < 300)
        #expect(
            try shop.run("info", "cut.sqlite").output.contains(
                "interrupted: \(images) of 300 images; the same index command goes on"))
        #expect(try shop.run("index", "cut.sqlite", "photos").status == 0)
        #expect(try object("cut.sqlite")["state"] as? String == "complete")
    }

    @Test func aRunThatWasKilledIsSaidToBe() throws {
        let running = try Executable.Running(
            Executable.path,
            ["index", "cut.sqlite", "--model", "petshop.onnx", "--resize", "none", "--block", "8", "--jobs", "1", "photos"],
            in: shop.path)
        while running.isRunning && (try? Store.open(path: shop.folder.file("cut.sqlite")).imageCount()) ?? 0 < 8 { usleep(1000) }
        #expect(try shop.run("info", "cut.sqlite").output.contains("being written: "))
        running.send(SIGKILL)
        _ = try running.wait()
        let images = try #require(try object("cut.sqlite")["images"] as? Int)
        #expect(images < 300)
        #expect(try shop.run("info", "cut.sqlite").output.contains("interrupted: \(images) of 300 images"))
    }
}
