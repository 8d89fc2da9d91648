import Foundation
import SwiftCSV
import TestSupport
import Testing

/// What the commands print, in every format.
@Suite struct FormatTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }

    private func keys(_ objects: [[String: Any]]) -> Set<Set<String>> { Set(objects.map { Set($0.keys) }) }

    @Test func topAsJSONAndCSV() throws {
        let json = try objects(try shop.run("top", "shop.sqlite", "conv4:17", "class:cat", "-k", "3", "--format", "json").output)
        #expect(json.count == 6)
        #expect(keys(json) == [["layer", "channel", "rank", "image", "image_id", "label", "value", "y", "x"]])
        let result = try shop.run("top", "shop.sqlite", "conv4:17", "class:cat", "-k", "3", "--format", "csv")
        // A list with images has nothing to explain.
        #expect(result.errors.isEmpty)
        let csv = try CSV<Named>(string: result.output)
        #expect(csv.header == ["layer", "channel", "rank", "image", "image_id", "label", "value", "y", "x"])
        for (object, row) in zip(json, csv.rows) {
            #expect(row["image"] == object["image"] as? String)
            #expect(row["channel"].flatMap { Int($0) } == object["channel"] as? Int)
            // All digits: the value comes back as the float it was.
            #expect(row["value"].flatMap { Float($0) } == (object["value"] as? Double).map { Float($0) })
        }
        #expect(json.first?["label"] as? String == "bird")
    }

    @Test func layersAsJSONAndCSV() throws {
        let json = try objects(try shop.run("layers", "shop.sqlite", "--format", "json").output)
        #expect(
            keys(json)
                == [["layer", "tensor", "operator", "channels", "height", "width", "receptive_field", "logits"]])
        #expect(
            json.map { $0["layer"] as? String } == [
                "conv1", "pool", "conv2", "pool_1", "conv3", "pool_2", "conv4", "pool_3", "fc2",
            ])
        #expect(json.last?["logits"] as? Bool == true)
        let csv = try CSV<Named>(string: try shop.run("layers", "shop.sqlite", "--format", "csv").output)
        #expect(csv.rows.map { $0["tensor"] } == json.map { $0["tensor"] as? String })
        // The same layers without a store; all of them with --all.
        #expect(try shop.run("layers", "petshop.onnx").output == shop.run("layers", "shop.sqlite").output)
        #expect(try shop.run("layers", "petshop.onnx", "--all").output.contains("fc1"))
    }

    @Test func infoAsJSON() throws {
        let output = try shop.run("info", "shop.sqlite", "--format", "json").output
        let info = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(info["images"] as? Int == 300)
        #expect(info["neurons"] as? Int == 325)
        #expect(info["layers"] as? Int == 9)
        #expect(try shop.run("info", "shop.sqlite").output.contains("bird 60, cat 60, dog 60, fish 60, rabbit 60"))
    }

    @Test func sqlInEveryFormat() throws {
        let statement = "SELECT 1 AS a, NULL AS b, 2.5 AS c, 'x\"y,z' || char(10) || 'é' AS d, x'00ff' AS e"
        let json = try objects(try shop.run("sql", "shop.sqlite", statement, "--format", "json").output)
        #expect(json.count == 1)
        #expect(json[0]["b"] is NSNull)
        #expect(json[0]["d"] as? String == "x\"y,z\né")
        #expect(json[0]["e"] as? String == "00ff")
        let csv = try CSV<Named>(string: try shop.run("sql", "shop.sqlite", statement, "--format", "csv").output)
        #expect(csv.rows == [["a": "1", "b": "", "c": "2.5", "d": "x\"y,z\né", "e": "00ff"]])
        let table = try shop.run("sql", "shop.sqlite", statement).output
        #expect(table.split(separator: "\n").count == 3)
    }

    @Test func standardOutputIsCleanAndPlain() throws {
        for arguments in [
            ["info", "shop.sqlite"], ["layers", "shop.sqlite"], ["top", "shop.sqlite", "conv1:0"], ["verify", "shop.sqlite"],
        ] {
            let result = try Executable.run(arguments, in: shop.path)
            #expect(result.status == 0)
            #expect(result.errors.isEmpty, "\(result)")
            #expect(!result.output.contains("\u{1B}"))
        }
        let again = try shop.run("index", "shop.sqlite", "photos")
        #expect(again.output.isEmpty)
        #expect(again.errors == "shop.sqlite: nothing to do, all 300 images were there already\n")
    }

    @Test func aReaderThatGoesIsNoMatter() throws {
        let result = try Executable.shell("neurodex top shop.sqlite conv1 conv2 conv3 conv4 -k 100 | head -1", in: shop.path)
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("neuron"))
        #expect(result.errors.isEmpty, "\(result)")
    }

    @Test func aSheetIsDrawn() throws {
        let result = try shop.run("top", "shop.sqlite", "conv4:17", "class:fish", "-k", "4", "--sheet", "sheet.png")
        #expect(result.status == 0)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("sheet.png")))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let nowhere = try shop.run("top", "shop.sqlite", "conv4:17", "--sheet", "no/sheet.png")
        #expect(nowhere.status == 1)
        #expect(nowhere.errors.contains("cannot write 'no/sheet.png'"))
    }
}
