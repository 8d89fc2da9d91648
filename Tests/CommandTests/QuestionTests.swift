import Foundation
import SwiftCSV
import TestSupport
import Testing

/// The questions to a store of the pet shop, as a user asks them.
@Suite struct QuestionTests {
    private func objects(_ result: Executable.Result) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]], "\(result)")
    }

    /// Every list is a table, JSON with the same keys for all, and CSV with as many rows.
    @Test func everyFormat() throws {
        let shop = try Shop()
        let image = "photos/test/cat/cat-43.jpg"
        let questions: [(arguments: [String], keys: Set<String>)] = [
            (["top", "conv4:3", "conv4:17", "--by", "sum"], ["rank", "image", "image_id", "label", "value"]),
            (
                ["top", "conv4:3", "--from", "decile", "-k", "1"],
                ["layer", "channel", "rank", "image", "image_id", "label", "value", "y", "x", "decile"]
            ),
            (["similar", image], ["rank", "image", "image_id", "label", "distance"]),
            (["profile", image], ["layer", "channel", "rank", "percentile", "value", "y", "x", "deviations", "class"]),
            (
                ["neurons", "--layer", "conv4"],
                ["layer", "channel", "images", "nans", "minimum", "maximum", "mean", "deviation", "zero_share"]
            ),
            (["neurons", "--duplicate", "--threshold", "0.5"], ["layer", "channel", "other", "correlation"]),
            (
                ["neurons", "--selective", "cat"],
                ["layer", "channel", "label", "images", "auroc", "average_precision", "gap", "copies"]
            ),
            (
                ["neurons", "--of", "conv4:3"],
                ["layer", "channel", "label", "images", "auroc", "average_precision", "gap", "copies"]
            ),
            (["contrast", "--a", "label = 'cat'"], ["layer", "channel", "rank", "auroc", "p", "q", "copies"]),
        ]
        for (arguments, keys) in questions {
            func ask(_ format: String) throws -> Executable.Result {
                try Executable.run([arguments[0], "shop.sqlite"] + arguments.dropFirst() + ["--format", format], in: shop.path)
            }
            let json = try objects(ask("json"))
            #expect(!json.isEmpty && Set(json.map { Set($0.keys) }) == [keys], "\(arguments)")
            let csv = try CSV<Named>(string: try ask("csv").output)
            #expect(Set(csv.header) == keys && csv.rows.count == json.count)
            let table = try ask("table")
            #expect(table.output.split(separator: "\n").count == json.count + 2 && table.errors.isEmpty, "\(table)")
        }
    }

    /// A file that the store has not is run through the network; a copy of one that it has is that one.
    @Test func imagesFromElsewhere() throws {
        let shop = try Shop()
        let copy = shop.folder.file("copy.jpg")
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test/cat/cat-43.jpg"), toPath: copy)
        let own = try shop.run("similar", "shop.sqlite", "cat-43.jpg")
        #expect(own.status == 0)
        #expect(try shop.run("similar", "shop.sqlite", "copy.jpg").output == own.output)

        // Pixels that the store knows in other bytes: at distance 0 from itself, and as strong.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: copy))
        try (bytes + Data("after the end".utf8)).write(to: URL(fileURLWithPath: shop.folder.file("other.jpg")))
        let nearest = try #require(
            try objects(shop.run("similar", "shop.sqlite", "other.jpg", "-k", "1", "--format", "json")).first)
        #expect((nearest["image"] as? String)?.hasSuffix("cat-43.jpg") == true)
        #expect(nearest["distance"] as? Double ?? 1 < 1e-4)
        let profiles = try ["cat-43.jpg", "other.jpg"].map {
            try objects(shop.run("profile", "shop.sqlite", $0, "-k", "1", "--format", "json"))
        }
        let (inStore, outside) = (try #require(profiles[0].first), try #require(profiles[1].first))
        #expect(inStore["layer"] as? String == outside["layer"] as? String)
        #expect(inStore["channel"] as? Int == outside["channel"] as? Int)
        let values = try [inStore, outside].map { try #require($0["value"] as? Double) }
        #expect(abs(values[0] - values[1]) <= 1e-4 * abs(values[0]), "\(values)")

        let missing = try shop.run("similar", "shop.sqlite", "nowhere.jpg")
        #expect(missing.status == 1 && missing.errors.contains("the store has no image nowhere.jpg"))
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: shop.folder.file("text.jpg")))
        let unreadable = try shop.run("profile", "shop.sqlite", "text.jpg")
        #expect(unreadable.status == 1 && unreadable.errors.contains("text.jpg"))
    }

    @Test func picturesAreDrawn() throws {
        let shop = try Shop()
        for arguments in [
            ["top", "shop.sqlite", "conv4:3", "conv4:17", "--by", "max", "--sheet", "a.png"],
            ["top", "shop.sqlite", "conv4:3", "--from", "decile", "-k", "2", "--sheet", "b.png"],
            ["similar", "shop.sqlite", "12", "--sheet", "c.png"], ["neurons", "shop.sqlite", "conv4:3", "-o", "d.png"],
            ["suspects", "shop.sqlite", "--by", "neurons", "--sheet", "e.png"],
        ] {
            let result = try Executable.run(arguments, in: shop.path)
            #expect(result.status == 0, "\(result)")
            let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file(arguments.last ?? "")))
            #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        }
    }

    @Test func wrongUsageIsSaid() throws {
        let shop = try Shop()
        func errors(_ arguments: String..., status: Int32) throws -> String {
            let result = try Executable.run(arguments, in: shop.path)
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try errors("neurons", "shop.sqlite", "--dead", "--duplicate", status: 64).contains("one question at a time"))
        #expect(try errors("neurons", "shop.sqlite", "-o", "x.png", status: 64).contains("name it"))
        #expect(try errors("neurons", "shop.sqlite", "--where", "1", status: 64).contains("--where goes with"))
        #expect(try errors("neurons", "shop.sqlite", "--selective", "bat", status: 1).contains("did you mean cat?"))
        #expect(try errors("neurons", "shop.sqlite", "conv4", status: 1).contains("conv4:0"))
        #expect(
            try errors("top", "shop.sqlite", "conv4:3", "--lowest", "--from", "random", status: 64).contains("exclude each other")
        )
        #expect(
            try errors("contrast", "shop.sqlite", "--a", "1; DROP TABLE image", status: 1).contains(
                "holds more than one statement"))
        #expect(try errors("shortcuts", "shop.sqlite", "--share", "7", status: 1).contains("0 to 1"))
    }

    /// The network that looks at the price tag is found out, by the neurons that see it; the honest one is not accused.
    @Test func shortcutsNameThePriceTag() throws {
        let shop = try Shop()
        for (name, target) in [("hans.onnx", "petshop-hans.onnx"), ("tagged", "petshop-hans")] {
            try FileManager.default.createSymbolicLink(atPath: shop.folder.file(name), withDestinationPath: Fixtures.path(target))
        }
        let made = try shop.run(
            "index", "hans.sqlite", "--model", "hans.onnx", "--classes", "labels.txt", "--resize", "none", "tagged")
        #expect(made.status == 0, "\(made)")
        // The neurons that see the tag are one finding; asked for apart, a row each.
        let grouped = try objects(shop.run("shortcuts", "hans.sqlite", "-k", "100", "--format", "json"))
        let hits = try objects(shop.run("shortcuts", "hans.sqlite", "-k", "100", "--copies", "--format", "json"))
        let members = grouped.reduce(0) { $0 + 1 + (($1["copies"] as? [Any])?.count ?? 0) }
        #expect(members == hits.count && grouped.count * 2 <= hits.count, "\(grouped)")
        #expect(hits.count >= 5 && hits.allSatisfy { $0["label"] as? String == "fish" }, "\(hits)")

        // Of those in conv4, the maximum on a fish is seen at its tag: cell (y, x) looks at the pixels about 8y + 4 and 8x + 4.
        let boxes = try CSV<Named>(url: URL(fileURLWithPath: Fixtures.path("petshop-hans/boxes.csv")))
        let tags = Dictionary(uniqueKeysWithValues: boxes.rows.filter { $0["label"] == "fish" }.map { ($0["file"] ?? "", $0) })
        var (seen, all) = (0, 0)
        for hit in hits where hit["layer"] as? String == "conv4" {
            let shown = try objects(
                shop.run(
                    "top", "hans.sqlite", "conv4:\(hit["channel"] ?? "")", "-k", "12", "--where", "label = 'fish'", "--format",
                    "json"))
            for one in shown {
                let file = (one["image"] as? String ?? "").split(separator: "/").suffix(3).joined(separator: "/")
                let tag = try #require(tags[file], "\(file)")
                func near(_ key: String, _ low: String, _ high: String) -> Bool {
                    guard let cell = one[key] as? Int, let from = tag[low].flatMap({ Int($0) }),
                        let to = tag[high].flatMap({ Int($0) })
                    else { return false }
                    return (from - 8...to + 8).contains(8 * cell + 4)
                }
                all += 1
                seen += near("y", "tag_y0", "tag_y1") && near("x", "tag_x0", "tag_x1") ? 1 : 0
            }
        }
        #expect(all >= 36 && seen * 10 >= all * 8, "\(seen) of \(all)")
        let honest = try shop.run("shortcuts", "shop.sqlite", "--format", "json")
        #expect(try objects(honest).isEmpty && honest.errors.contains("none has its maxima in one place on"), "\(honest)")
    }

    /// An empty answer says what was looked at, and JSON stays JSON.
    @Test func nothingHasAReason() throws {
        let shop = try Shop()
        let asked: [(arguments: [String], reason: String)] = [
            (["top", "conv4:3", "--where", "label = 'bat'"], "no image has label = 'bat'; did you mean cat?"),
            (
                ["top", "conv4:3", "conv4:4", "--by", "sum", "--where", "label = 'bat'"],
                "no image has label = 'bat'; did you mean cat?"
            ),
            (["similar", "cat-43.jpg", "--where", "label = 'bat'"], "no image has label = 'bat'; did you mean cat?"),
            (["neurons", "--layer", "fc2", "--dead"], "looked at 5 neurons over "),
            (["neurons", "--layer", "fc2", "--saturated", "--constant"], "none is constant, or at its largest value on half"),
            (["neurons", "--layer", "fc2", "--duplicate", "--threshold", "1"], "looked at 10 pairs of neurons: none has a rank"),
            (
                ["contrast", "--a", "label = 'cat'", "--layer", "conv1:0", "--rate", "0"],
                "looked at 1 neurons: none is found at the"
            ),
            (["shortcuts", "--layer", "fc2"], "looked at 0 of 5 neurons: only those with a map of 4×4 cells"),
        ]
        for (arguments, reason) in asked {
            for format in ["json", "table", "csv"] {
                let result = try Executable.run(
                    [arguments[0], "shop.sqlite"] + arguments.dropFirst() + ["--format", format], in: shop.path)
                #expect(result.status == 0 && result.errors.contains(reason), "\(arguments): \(result)")
                if format == "json" { #expect(result.output == "[]\n") }
            }
        }
    }

    /// Columns of one name are all there, in every format.
    @Test func columnsOfOneName() throws {
        let shop = try Shop()
        let statement = "SELECT 1 AS value, 2 AS value, 3 AS \"value:1\", 4 AS value, 5 AS other"
        let found = try objects(shop.run("sql", "shop.sqlite", statement, "--format", "json"))
        #expect(found as? [[String: Int]] == [["value": 1, "value:2": 2, "value:1": 3, "value:3": 4, "other": 5]])
        let csv = try shop.run("sql", "shop.sqlite", statement, "--format", "csv").output
        #expect(csv == "value,value:2,value:1,value:3,other\n1,2,3,4,5\n")
        #expect(try shop.run("sql", "shop.sqlite", statement).output.hasPrefix("value  value:2  value:1  value:3  other\n"))
        let joined = try objects(
            shop.run(
                "sql", "shop.sqlite",
                "SELECT a.value, b.value FROM activation a JOIN activation b USING (image_id) WHERE a.layer = 'conv4' "
                    + "AND a.channel = 3 AND b.layer = 'conv4' AND b.channel = 5 AND image_id = 2", "--format", "json"))
        #expect(joined.count == 1 && Set(joined[0].keys) == ["value", "value:1"] && joined[0].values.allSatisfy { $0 is Double })
    }
}
