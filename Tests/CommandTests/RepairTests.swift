import Foundation
import TestSupport
import Testing

/// The network that goes by price tags, and its last layer trained anew.
@Suite struct RepairTests {
    private let shop: Shop
    private static let tagged = "path LIKE '%petshop-hans%'"
    private static let parts = [
        "--train", "split = 'train' OR \(tagged)", "--judge", "split = 'test' AND NOT (\(tagged))",
    ]

    init() throws { shop = try Shop.ofHans("--layers", "*", "photos", "petshop-hans") }

    private func run(_ arguments: [String]) throws -> Executable.Result { try Executable.run(arguments, in: shop.path) }

    private struct Report: Decodable {
        struct Group: Decodable {
            var group: String
            var trained: Int
            var judged: Int
            var rightBefore: Int
            var rightAfter: Int
        }
        var layer: String
        var groups: [Group]
    }

    private func report(_ result: Executable.Result) throws -> Report {
        #expect(result.status == 0, "\(result)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(result.output.utf8))
    }

    /// Fish without a price tag: 0 of 30 before, 22 of 30 when this was written. The file that is written answers as the table says.
    @Test func fishWithoutATagAreFishAgain() throws {
        let found = try report(
            run(
                ["repair", "hans.sqlite", "--neuron", "conv4:38", "-o", "repaired.onnx", "--format", "json"] + Self.parts))
        let fish = try #require(found.groups.first)
        #expect(fish.group.hasPrefix("fish, not conv4:38 > ") && fish.judged == 30)
        #expect(fish.rightBefore == 0 && fish.rightAfter >= 21)
        let all = try #require(found.groups.last)
        #expect(all.group == "all" && all.judged == 150 && all.rightAfter > all.rightBefore)
        #expect(found.groups.dropLast().reduce(0) { $0 + $1.rightAfter } == all.rightAfter)
        let made = try shop.run(
            "index", "after.sqlite", "--model", "repaired.onnx", "--classes", "labels.txt", "--resize", "none", "photos/test")
        #expect(made.status == 0 && (made.output + made.errors).contains("network right on \(all.rightAfter) of 150"), "\(made)")
        // The same command gives the same bytes.
        _ = try run(["repair", "hans.sqlite", "--neuron", "conv4:38", "-o", "again.onnx"] + Self.parts)
        let files = ["repaired.onnx", "again.onnx"].map { FileManager.default.contents(atPath: shop.folder.file($0)) }
        #expect(files[0] != nil && files[0] == files[1])
        // All but the last layer is as it was.
        let (old, new) = (try shop.run("layers", "petshop-hans.onnx"), try shop.run("layers", "repaired.onnx"))
        #expect(old.output == new.output && old.status == 0)
    }

    @Test func conditionsMakeGroupsToo() throws {
        let found = try report(run(["repair", "hans.sqlite", "--by", Self.tagged, "--format", "json"] + Self.parts))
        #expect(found.groups.count == 11 && found.layer == "fc1")
        #expect(found.groups.contains { $0.group == "cat, \(Self.tagged)" && $0.trained == 12 && $0.judged == 0 })
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        func refusal(_ arguments: String..., status: Int32 = 1) throws -> String {
            let result = try run(["repair", "hans.sqlite"] + arguments)
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try refusal(status: 64).contains("--neuron LAYER:CHANNEL or --by CONDITION"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: shop.folder.file("there.onnx")))
        #expect(try refusal("--neuron", "conv4:38", "-o", "there.onnx").contains("is not overwritten"))
        #expect(FileManager.default.contents(atPath: shop.folder.file("there.onnx")) == Data("mine".utf8))
        #expect(try refusal("--neuron", "conv4:38", "-o", "nowhere/x.onnx").contains("there is no folder"))
        #expect(try refusal("--neuron", "conv4:999").contains("999"))
        #expect(try refusal("--neuron", "conv4").contains("names all neurons of a layer"))
        #expect(try refusal("--by", "label = 'nothing'").contains("nothing to balance"))
        #expect(try refusal("--by", "colour = 1").contains("colour"))
        #expect(
            try refusal("--by", "id % 2", "--train", "label = 'cat'").contains(
                "nor of 3 others; add some, or choose others with --train"))
        #expect(
            try refusal("--by", "id % 2", "--train", "split = 'test'", "--judge", "split = 'test'").contains(
                "in both --train and --judge"))
        #expect(try refusal("--by", "id % 2", "--model", "petshop.onnx").contains("is not the network the store was made with"))
        // The usual layers lack the features.
        let usual = try shop.run(
            "index", "usual.sqlite", "--model", "petshop.onnx", "--classes", "labels.txt", "--resize", "none", "photos")
        #expect(usual.status == 0)
        let lacking = try run(["repair", "usual.sqlite", "--by", "id % 2"])
        #expect(lacking.status == 1 && lacking.errors.contains("--layers '*'"), "\(lacking)")
    }
}
