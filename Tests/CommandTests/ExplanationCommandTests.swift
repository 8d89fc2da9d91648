import ActivationStore
import Foundation
import Images
import TestSupport
import Testing

/// What commands say of maps that name no place, of checks, and of the room of explanations.
@Suite struct ExplanationCommandTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: shop.folder.file(name))[.size] as? Int ?? 0
    }

    /// A window as large as the picture takes the same from every place of it.
    @Test func aMapWithoutMaximumIsSaid() throws {
        let command = [
            "occlusion", "shop.sqlite", "photos/test/cat/cat-43.jpg", "--window", "96", "--stride", "96", "--truth",
            "photos/boxes.csv", "--segment", "-o", "a.png",
        ]
        let table = try Executable.run(command, in: shop.path)
        #expect(table.status == 0, "\(table)")
        #expect(table.errors.contains("photos/test/cat/cat-43.jpg, class:cat: the map is "))
        #expect(table.errors.contains(" everywhere: it has no maximum\n"))
        #expect(table.errors.contains("0 of 1 maxima in a box; ") && table.errors.contains("; 1 of the maps has no maximum"))
        let json = try Executable.run(command + ["--format", "json"], in: shop.path)
        let entries = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        #expect(entries[0]["peak_y"] == nil && entries[0]["hit"] as? Bool == false && entries[0]["segment"] == nil)
        #expect(try shop.run("verify", "a.png").status == 0)
    }

    @Test func attentionIsDrawnAndMadeAgain() throws {
        for name in ["class-token.onnx", "picture.png"] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("attention/\(name)"), toPath: shop.folder.file(name))
        }
        let made = try shop.run("index", "t.sqlite", "--model", "class-token.onnx", "--resize", "none", "picture.png")
        #expect(made.status == 0, "\(made)")
        let ways = [
            [], ["--layer", "blocks.0", "--head", "all"], ["--method", "rollout"], ["--method", "gradient", "--check"],
        ]
        for (index, options) in ways.enumerated() {
            let command = [
                "attention", "t.sqlite", "picture.png", "-o", "\(index).png", "--raw", "\(index).npy", "--format", "json",
            ]
            let drawn = try Executable.run(command + options, in: shop.path)
            #expect(drawn.status == 0, "\(options): \(drawn)")
            #expect(try shop.run("verify", "\(index).png").status == 0, "\(options)")
            let raw = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("\(index).npy")))
            let shape = options.contains("all") ? "(2, 4, 4)" : "(4, 4)"
            #expect(String(decoding: raw.prefix(128), as: UTF8.self).contains("'shape': \(shape)"))
        }
        let kept = try shop.run("explanations", "t.sqlite", "--method", "attention")
        #expect(kept.status == 0 && kept.output.contains("attention"), "\(kept)")
        let none = try shop.run("attention", "shop.sqlite", "photos/test/cat/cat-43.jpg")
        #expect(none.status == 1 && none.errors.contains("has no attention over a picture's tokens"), "\(none)")
        let wrong = try shop.run("attention", "t.sqlite", "picture.png", "--layer", "block")
        #expect(wrong.status == 1 && wrong.errors.contains("blocks.2.attn"), "\(wrong)")
    }

    @Test func guidedBackpropagationIsNotCertified() throws {
        let picture = "photos/test/dog/dog-46.jpg"
        let checked = try shop.run(
            "saliency", "shop.sqlite", picture, "--method", "guided", "--check", "-o", "a.png", "--format", "csv")
        #expect(checked.status == 0, "\(checked)")
        #expect(checked.output.contains("survives random weights: class layer, 0."), "\(checked.output)")
        #expect(!checked.output.contains("passes"))
        #expect(try shop.run("verify", "a.png").status == 0)
        let text = PNG.text(in: Array(try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("a.png")))))
        #expect(text.contains { $0.keyword == "neurodex:checks" && $0.text.hasPrefix("rule 3: survives random weights") })
        // Asked for without checks, it is drawn without them, and can be made again so.
        #expect(try shop.run("saliency", "shop.sqlite", picture, "--method", "guided", "-o", "b.png").status == 0)
        let verified = try shop.run("verify", "b.png")
        #expect(verified.status == 0, "\(verified)")
    }

    /// Pictures of version 0.1: their integrated gradients are made by the rule of that time, and their checks are not made
    /// again.
    @Test func picturesOfOlderRulesAreUnderstood() throws {
        let picture = "photos/test/dog/dog-46.jpg"
        func rewrite(_ name: String, _ change: ([(String, String)]) -> [(String, String)]) throws {
            let path = shop.folder.file(name)
            let image = try ImageReader().decode(contentsOf: path)
            let text = PNG.text(in: Array(try Data(contentsOf: URL(fileURLWithPath: path)))).map { ($0.keyword, $0.text) }
            try Data(try image.pngData(text: change(text))).write(to: URL(fileURLWithPath: path))
        }
        let options = ["--method", "integrated", "--steps", "4", "--quadrature", "riemann_trapezoid", "-o", "a.png"]
        #expect(try Executable.run(["saliency", "shop.sqlite", picture] + options, in: shop.path).status == 0)
        try rewrite("a.png") { text in
            text.map { keyword, value in
                let old = value.replacing("\"--quadrature\",\"riemann_trapezoid\",", with: "")
                return (keyword, keyword == "Software" ? "neurodex 0.0.1" : old)
            }
        }
        let verified = try shop.run("verify", "a.png")
        #expect(verified.status == 0, "\(verified)")
        #expect(verified.output.contains("--quadrature riemann_trapezoid"))

        #expect(try shop.run("cam", "shop.sqlite", picture, "--check", "-o", "b.png").status == 0)
        try rewrite("b.png") { $0.filter { $0.0 != "neurodex:checks" } }
        let refused = try shop.run("verify", "b.png")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("b.png shows checks by an older rule"), "\(refused)")
        #expect(refused.errors.contains("Draw it anew: neurodex cam "), "\(refused)")
    }

    @Test func removedExplanationsGiveTheirRoomBack() throws {
        let before = try size("shop.sqlite")
        for image in ["cat-43", "cat-45", "cat-46"] {
            #expect(try shop.run("saliency", "shop.sqlite", "photos/test/cat/\(image).jpg").status == 0)
        }
        #expect(try size("shop.sqlite") > before + 300_000)
        let removed = try shop.run("explanations", "shop.sqlite", "--remove", "--all")
        #expect(removed.status == 0 && removed.errors.hasPrefix("3 explanations removed, "), "\(removed)")
        #expect(removed.errors.hasSuffix(" bytes given back\n"), "\(removed)")
        #expect(try size("shop.sqlite") <= before)
        let verified = try shop.run("verify", "shop.sqlite", "--sample", "2")
        #expect(verified.status == 0, "\(verified)")
        let compacted = try shop.run("compact", "shop.sqlite")
        #expect(compacted.errors == "shop.sqlite: nothing to do, no image or explanation was removed\n")
    }

    /// As a program of version 0.1 left it.
    @Test func compactGivesBackWhatIsFree() throws {
        #expect(try shop.run("saliency", "shop.sqlite", "photos/test/cat/cat-43.jpg").status == 0)
        let whole = try size("shop.sqlite")
        let removed = try Executable.shell(
            "/usr/bin/python3 -c \"import sqlite3; c = sqlite3.connect('shop.sqlite'); c.execute('DELETE FROM explanation'); c.commit()\"",
            in: shop.path)
        try #require(removed.status == 0, "\(removed)")
        #expect(try size("shop.sqlite") == whole)
        let compacted = try shop.run("compact", "shop.sqlite")
        #expect(
            compacted.errors.hasPrefix("shop.sqlite: the room of what was removed given back, \(whole) bytes are "),
            "\(compacted)")
        #expect(try size("shop.sqlite") < whole - 100_000)
        #expect(try shop.run("verify", "shop.sqlite", "--sample", "0").status == 0)
    }

    /// What is finished when the user stops a command is kept and printed.
    @Test func whatWasDoneBeforeCtrlCIsKept() throws {
        let images = (31...42).map { "photos/test/cat/cat-\($0).jpg" }
        let options = ["--method", "smoothgrad", "--samples", "300", "--format", "csv", "--raw", "maps"]
        let running = try Executable.Running(Executable.path, ["saliency", "shop.sqlite"] + images + options, in: shop.path)
        let deadline = Date().addingTimeInterval(120)
        while try Store.open(path: shop.folder.file("shop.sqlite")).explanations().isEmpty, Date() < deadline {
            Thread.sleep(forTimeInterval: 0.02)
        }
        running.send(SIGINT)
        let ended = try running.wait(timeout: 120)
        let rows = ended.output.split(separator: "\n").dropFirst()
        #expect(ended.status == 130 && !ended.isSignal, "\(ended)")
        #expect(rows.count >= 1 && rows.count < 12)
        #expect(ended.errors.contains("stopped after \(rows.count) of 12 images"), "\(ended)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("maps")).count == rows.count)
        #expect(try Store.open(path: shop.folder.file("shop.sqlite")).explanations().count == rows.count)
    }

    /// Projections that were made before Ctrl-C are written, listed and kept; the sheet is of whole neurons.
    @Test func stoppedProjectionsAreKept() throws {
        let neurons = (0..<40).map { "conv4:\($0)" }
        let options = ["-k", "6", "--format", "csv", "--raw", "maps", "-o", "sheet.png"]
        let running = try Executable.Running(Executable.path, ["deconv", "shop.sqlite"] + neurons + options, in: shop.path)
        let deadline = Date().addingTimeInterval(120)
        let path = shop.folder.file("shop.sqlite")
        while try Store.open(path: path).explanations().count < 8, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
        running.send(SIGINT)
        let ended = try running.wait(timeout: 120)
        let rows = ended.output.split(separator: "\n").dropFirst()
        #expect(ended.status == 130 && !ended.isSignal, "\(ended)")
        #expect(rows.count >= 8 && rows.count < 240, "\(rows.count)")
        #expect(ended.errors.contains("stopped after \(rows.count) projections"), "\(ended)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("maps")).count == rows.count)
        #expect(try shop.run("verify", "sheet.png", "--yes").status == 0)
    }

    /// Rows that were found before Ctrl-C are printed, whole in their format.
    @Test(arguments: ["csv", "json", "table"]) func stoppedStatementsGiveWhatTheyFound(format: String) throws {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 500 OR i < 0"
        let running = try Executable.Running(
            Executable.path, ["sql", "shop.sqlite", endless, "--format", format], in: shop.path)
        Thread.sleep(forTimeInterval: 3)
        running.send(SIGINT)
        let ended = try running.wait(timeout: 60)
        #expect(ended.status == 130 && !ended.isSignal, "\(ended.status)")
        #expect(ended.errors.contains("stopped after 499 rows"), "\(ended.errors)")
        if format == "json" {
            let rows = try JSONDecoder().decode([[String: Int]].self, from: Data(ended.output.utf8))
            #expect(rows.compactMap { $0["i"] } == Array(1..<500))
        } else {
            #expect(ended.output.split(separator: "\n").count == (format == "table" ? 501 : 500))
        }
    }
}
