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
        }
        let rows = try JSONDecoder().decode([Row].self, from: Data(result.output.utf8))
        #expect(rows.first?.recipe.hasPrefix("torchvision") == true && rows.first?.labelled == 30)
        #expect(rows.contains { $0.recipe == "caffe (BGR)" } && rows.count > 6)
        #expect(result.errors.contains("does best: right on"))
        let table = try shop.run("preprocessing", "petshop.onnx", "photos/test", "-k", "5")
        #expect(table.status == 0 && table.errors.contains("--classes and labels tell more"), "\(table)")
    }
}
