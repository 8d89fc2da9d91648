import Foundation
import TestSupport
import Testing

/// How pictures are prepared: as the file says, or as the command finds out.
@Suite struct PreprocessingCommandTests {
    private let shop: Shop

    init() throws { shop = try Shop(withStore: false) }

    /// The pet shop's network with a recipe in its metadata.
    private func writeModel(_ recipe: String) throws {
        var message = try #require(ProtoMessage([UInt8](Data(contentsOf: URL(fileURLWithPath: Fixtures.path("petshop.onnx"))))))
        var entry = ProtoMessage()
        entry.add(1, "neurodex.preprocessing")
        entry.add(2, recipe)
        message.add(14, entry)
        try Data(message.bytes).write(to: URL(fileURLWithPath: shop.folder.file("own.onnx")))
    }

    @Test func theFilesOwnRecipeIsTheDefault() throws {
        try writeModel(
            #"{"channels":"rgb","crop":"96x96","deviation":[1,1,1],"divisor":255,"interpolation":"bicubic","mean":[0,0,0],"pillow":13,"resize":"none"}"#
        )
        let own = try shop.run("index", "own.sqlite", "--model", "own.onnx", "photos/test/cat")
        #expect(own.status == 0 && own.errors.contains("neurodex.preprocessing"), "\(own)")
        #expect(own.errors.contains("values 0 to 1") && own.errors.contains("bicubic"))
        let said = try shop.run("index", "said.sqlite", "--model", "own.onnx", "--preprocess", "torchvision", "photos/test/cat")
        #expect(said.status == 0 && !said.errors.contains("neurodex.preprocessing"), "\(said)")
        #expect(said.errors.contains("ImageNet mean"))
        // The store's own goes before the file's.
        let again = try shop.run("index", "said.sqlite", "photos/test/dog")
        #expect(again.status == 0 && again.errors.contains("ImageNet mean"), "\(again)")
    }

    @Test func aRecipeThatCannotBeMeantIsRefused() throws {
        try writeModel("{}")
        let result = try shop.run("index", "own.sqlite", "--model", "own.onnx", "photos/test/cat")
        #expect(result.status == 1 && result.errors.contains("neurodex.preprocessing"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("own.sqlite")))
        let said = try shop.run("index", "own.sqlite", "--model", "own.onnx", "--preprocess", "plain", "photos/test/cat")
        #expect(said.status == 0, "\(said)")
    }

    @Test func theUsualWaysAreTried() throws {
        let result = try shop.run(
            "preprocessing", "petshop.onnx", "photos/test", "--classes", "labels.txt", "-k", "30", "--format", "json")
        #expect(result.status == 0, "\(result)")
        struct Row: Decodable {
            var recipe: String
            var right: Int
            var labelled: Int
            var pictures: String
        }
        let rows = try JSONDecoder().decode([Row].self, from: Data(result.output.utf8))
        #expect(rows.first?.recipe.hasPrefix("torchvision") == true && rows.first?.labelled == 30)
        #expect(rows.contains { $0.recipe == "caffe (BGR)" } && rows.count > 6)
        #expect(result.errors.contains("does best: right on"))
        // The options that the last line gives make a store of the recipe that is listed first.
        let options = try #require(result.errors.split(separator: "index with: ").last).split(whereSeparator: \.isWhitespace)
        let index = try Executable.run(
            ["index", "best.sqlite", "--model", "petshop.onnx"] + options.map(String.init) + ["photos/test/cat"], in: shop.path)
        let pictures = try #require(rows.first).pictures
        #expect(index.status == 0 && index.errors.contains(pictures), "\(index)")
        let table = try shop.run("preprocessing", "petshop.onnx", "photos/test", "-k", "5")
        #expect(table.status == 0 && table.errors.contains("--classes and labels tell more"), "\(table)")
    }

    @Test func lettersOfALetterboxAreKeptAndHeldTo() throws {
        let boxed = try shop.run(
            "index", "boxed.sqlite", "--model", "petshop.onnx", "--preprocess", "letterbox", "photos/test/cat")
        #expect(boxed.status == 0 && boxed.errors.contains("letterbox 96, padded with 114, opencv, values 0 to 1"), "\(boxed)")
        #expect(try shop.run("info", "boxed.sqlite").output.contains("padded with 114"))
        // The same again goes on; another colour or corner is another recipe.
        #expect(try shop.run("index", "boxed.sqlite", "photos/test/dog").status == 0)
        for options in [["--pad-color", "0"], ["--resize", "letterbox-corner"], ["--preprocess", "plain"]] {
            let other = try Executable.run(["index", "boxed.sqlite"] + options + ["photos/test/bird"], in: shop.path)
            #expect(other.status == 1 && other.errors.contains("preprocessing"), "\(other)")
        }
        // A letterbox brings its grey along, and a crop its black; what is said goes before both.
        let grey = try shop.run(
            "index", "grey.sqlite", "--model", "petshop.onnx", "--resize", "letterbox", "--preprocess", "torchvision",
            "photos/test/cat")
        #expect(grey.errors.contains("letterbox 96, padded with 114, ImageNet mean"), "\(grey)")
        let red = try shop.run(
            "index", "red.sqlite", "--model", "petshop.onnx", "--resize", "letterbox-corner", "--pad-color", "255,0,0",
            "photos/test/cat")
        #expect(red.errors.contains("letterbox 96 from the corner, padded with 255,0,0, ImageNet mean"), "\(red)")
        let wrong = try shop.run("index", "no.sqlite", "--model", "petshop.onnx", "--pad-color", "mauve", "photos/test/cat")
        #expect(wrong.status == 64 && wrong.errors.contains("mauve"), "\(wrong)")
    }
}
