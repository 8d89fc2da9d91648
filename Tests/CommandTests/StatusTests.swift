import Foundation
import TestSupport
import Testing

/// What is refused: with which exit status, and in which words. Standard output stays empty.
@Suite struct StatusTests {
    private let shop: Shop

    init() throws {
        shop = try Shop()
        try FileManager.default.createDirectory(atPath: shop.folder.file("empty"), withIntermediateDirectories: false)
        try Data("cat\n".utf8).write(to: URL(fileURLWithPath: shop.folder.file("one.txt")))
    }

    private func expect(_ status: Int32, _ words: String, _ arguments: String, location: SourceLocation = #_sourceLocation) throws
    {
        let result = try Executable.run(arguments.split(separator: " ").map(String.init), in: shop.path)
        #expect(result.status == status, "\(arguments): \(result)", sourceLocation: location)
        #expect(result.errors.contains(words), "\(arguments): \(result)", sourceLocation: location)
        #expect(result.output.isEmpty, "\(arguments): \(result)", sourceLocation: location)
        #expect(result.errors.split(separator: "\n").count <= 4, "\(arguments): \(result)", sourceLocation: location)
    }

    @Test func wrongUsage() throws {
        try expect(64, "--top takes a count of 1 or more, not 0", "index new.sqlite --model petshop.onnx --top 0 photos")
        try expect(64, "--jobs takes a count from 1 to 1024, not 0", "index new.sqlite --model petshop.onnx --jobs 0 photos")
        try expect(64, "--batch takes a count from 1 to 64, not 0", "index new.sqlite --model petshop.onnx --batch 0 photos")
        try expect(64, "Missing expected argument '<images> ...'", "index new.sqlite --model petshop.onnx")
        try expect(64, "--model names the network", "index new.sqlite photos")
        try expect(64, "help index", "index new.sqlite photos")
        try expect(64, "--resize takes a number", "index new.sqlite --model petshop.onnx --resize big photos")
        try expect(64, "--mean takes 3 numbers", "index new.sqlite --model petshop.onnx --mean 1,2 photos")
        try expect(64, "--std divides by 0", "index new.sqlite --model petshop.onnx --std 0,1,1 photos")
        try expect(64, "-k is 0, and has to be at least 1", "top shop.sqlite conv1 -k 0")
        try expect(64, "--whole says how --sheet draws", "top shop.sqlite conv1 --whole")
        try expect(64, "Unknown option '--colour'", "top shop.sqlite conv1 --colour")
    }

    @Test func storesThatAreNone() throws {
        try expect(1, "empty is a folder; a store is one file", "info empty")
        try expect(1, "empty is a folder; a store is one file", "index empty --model petshop.onnx photos")
        try expect(1, "no.sqlite: there is no such file; make a store with", "top no.sqlite conv1")
        try expect(1, "there is no folder no", "index no/new.sqlite --model petshop.onnx photos")
        try expect(1, "labels.txt is not a neurodex store", "layers labels.txt")
        try expect(1, "labels.txt is not a neurodex store", "index labels.txt --model petshop.onnx photos")
    }

    /// SQLite knows names that are no files; a store is a file of the very name that was given, or refused.
    @Test func namesThatSQLiteTakesForOthers() throws {
        for command in [
            "index @ --model petshop.onnx photos", "info @", "merge @ shop.sqlite", "compact @", "remove @ 1", "verify @",
        ] {
            let words = command.split(separator: " ").map { $0 == "@" ? "" : String($0) }
            let result = try Executable.run(words, in: shop.path)
            #expect(result.status == 1 && result.errors.contains("the name of the store is empty"), "\(command): \(result)")
        }
        for name in [":memory:", "file::memory:", "file:b.sqlite", "file:c.sqlite?mode=memory", "a%20b.sqlite?x=1"] {
            let made = try shop.run("index", name, "--model", "petshop.onnx", "--resize", "none", "photos/val/cat")
            #expect(made.status == 0, "\(name): \(made)")
            let bytes = try FileManager.default.attributesOfItem(atPath: shop.folder.file(name))[.size] as? Int ?? 0
            #expect(bytes > 10_000, "\(name)")
            #expect(try shop.run("top", name, "conv1:0", "--where", "label = 'cat'", "-k", "1").status == 0, "\(name)")
            #expect(try shop.run("sql", name, "SELECT count(*) FROM image").status == 0, "\(name)")
            #expect(try shop.run("remove", name, "1").status == 0, "\(name)")
            #expect(try shop.run("compact", name).status == 0, "\(name)")
            #expect(try shop.run("merge", name + "-all", name).status == 0, "\(name)")
            #expect(try shop.run("verify", name, "--sample", "1").status == 0, "\(name)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: shop.path)
        #expect(!names.contains { ["b.sqlite", "c.sqlite", "a b.sqlite", "-writing", "-merging"].contains($0) }, "\(names)")
    }

    @Test func namesThatAreNotThere() throws {
        try expect(1, "no layer is named conv5; did you mean conv1, conv2 or conv3?", "top shop.sqlite conv5:1")
        try expect(1, "layer conv4 has no channel 64: its channels are 0 to 63", "top shop.sqlite conv4:64")
        try expect(1, "no class is named rabit; did you mean rabbit?", "top shop.sqlite class:rabit")
        try expect(
            1, "there is no layer 'cnov1'; did you mean conv1", "index new.sqlite --model petshop.onnx --layers cnov1 photos")
        try expect(
            1, "there is no output 'score'; did you mean scores?", "index new.sqlite --model petshop.onnx --output score photos")
        try expect(1, "there is no file or folder 'fotos'", "index new.sqlite --model petshop.onnx fotos")
        try expect(1, "cannot read the model no.onnx: there is no such file", "index new.sqlite --model no.onnx photos")
        try expect(1, "the network is not at 'no.onnx' any more", "verify shop.sqlite --model no.onnx")
    }

    @Test func imagesAndLabelsThatDoNotFit() throws {
        try expect(1, "there is no image in 'empty'", "index new.sqlite --model petshop.onnx empty")
        try expect(1, "has 5 labels for 300 images", "index new.sqlite --model petshop.onnx --labels labels.txt photos")
        try expect(
            1, "has 1 class names, but the network has 5 outputs",
            "index new.sqlite --model petshop.onnx --classes one.txt photos")
        mkfifo(shop.folder.file("pipe.jpg"), 0o644)
        try expect(1, "is no file but a pipe", "index new.sqlite --model petshop.onnx pipe.jpg")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("new.sqlite")))
    }

    @Test func aStoreOfSomethingElse() throws {
        let hans = Fixtures.path("petshop-hans.onnx")
        let before = try StoreDump(shop.folder.file("shop.sqlite"))
        try expect(1, "made with another model: the store has petshop", "index shop.sqlite --model \(hans) photos")
        try expect(
            1, "another preprocessing: the store has resize none, this run has resize 50", "index shop.sqlite --resize 50 photos")
        try expect(1, "made with another layer list", "index shop.sqlite --layers conv* photos")
        try expect(1, "made with another layer list", "index shop.sqlite --record pre photos")
        try expect(1, "another --top: the store has 100, this run has 7", "index shop.sqlite --top 7 photos")
        try expect(1, "is not the network that the store was made with", "verify shop.sqlite --model \(hans)")
        #expect(try StoreDump(shop.folder.file("shop.sqlite")) == before)
    }

    @Test func statementsThatWrite() throws {
        let before = try StoreDump(shop.folder.file("shop.sqlite"))
        for statement in [
            "DELETE FROM image", "DROP TABLE image", "PRAGMA user_version = 9", "ATTACH 'x' AS y", "SELECT 1; SELECT 2", "",
        ] {
            let result = try shop.run("sql", "shop.sqlite", statement)
            #expect(result.status == 1, "\(statement): \(result)")
            #expect(result.errors.hasPrefix("Error: "))
        }
        #expect(try shop.run("sql", "shop.sqlite", "SELEC 1").errors.contains("syntax error"))
        #expect(try StoreDump(shop.folder.file("shop.sqlite")) == before)
    }

    @Test func aStoreGoesOnAsItWasMade() throws {
        #expect(
            try shop.run(
                "index", "pre.sqlite", "--model", "petshop.onnx", "--record", "pre", "--layers", "conv*", "--top", "7",
                "--preprocess", "plain", "photos/val"
            ).status == 0)
        let more = try shop.run("index", "pre.sqlite", "./photos/val/", "photos/test")
        #expect(more.status == 0)
        #expect(more.errors.contains("150 images in"))
        #expect(more.errors.contains("50 were there already"))
        #expect(try shop.run("verify", "pre.sqlite").status == 0)
    }
}
