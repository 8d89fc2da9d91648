import Foundation
import SwiftCSV
import TestSupport
import Testing

/// `diff`, as a user asks it of the honest network and of the one that looks at price tags.
@Suite struct DiffCommandTests {
    private let shop: Shop

    init() throws {
        shop = try Shop()
        for (name, target) in [("hans.onnx", "petshop-hans.onnx"), ("tagged", "petshop-hans")] {
            try FileManager.default.createSymbolicLink(atPath: shop.folder.file(name), withDestinationPath: Fixtures.path(target))
        }
        for (store, model) in [("honest.sqlite", "petshop.onnx"), ("hans.sqlite", "hans.onnx")] {
            let made = try shop.run("index", store, "--model", model, "--classes", "labels.txt", "--resize", "none", "tagged")
            precondition(made.status == 0, "\(made)")
        }
    }

    private func diff(_ arguments: String..., from a: String = "honest.sqlite") throws -> Executable.Result {
        try Executable.run(["diff", a, "hans.sqlite"] + arguments, in: shop.path)
    }

    @Test func everyFormat() throws {
        let neuron: Set<String> = [
            "layer", "channel", "layer_b", "channel_b", "correlation", "drift", "shift", "shared", "jaccard", "fate",
        ]
        let lists: [(arguments: [String], keys: Set<String>)] = [
            (
                ["--layers"],
                ["layer", "layer_b", "neurons", "correlated", "median_correlation", "kept", "overlap", "died", "woke"]
            ),
            (["--top", "-k", "3"], ["layer", "channel", "move", "rank", "image", "image_id", "label", "value"]),
            (
                ["--predictions"],
                ["image", "image_id", "label", "predicted_a", "predicted_b", "correct_a", "correct_b"]
            ),
        ]
        for (arguments, keys) in lists {
            func ask(_ format: String) throws -> String {
                let result = try Executable.run(
                    ["diff", "honest.sqlite", "hans.sqlite"] + arguments + ["--format", format], in: shop.path)
                #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
                return result.output
            }
            let json = try #require(try JSONSerialization.jsonObject(with: Data(ask("json").utf8)) as? [[String: Any]])
            let csv = try CSV<Named>(string: try ask("csv"))
            #expect(!json.isEmpty && Set(csv.header) == keys && csv.rows.count == json.count, "\(arguments)")
            for object in json { #expect(Set(object.keys) == keys) }
            #expect(try ask("table").split(separator: "\n").count == json.count + 2)
        }
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(diff("--format", "json").output.utf8)) as? [String: Any])
        #expect(
            Set(json.keys) == [
                "images", "same_model", "layers", "left_out", "neurons", "predictions", "died", "woke", "uncorrelated", "apart",
            ])
        let died = try #require(json["died"] as? [[String: Any]])
        #expect(!died.isEmpty && died.allSatisfy { Set($0.keys) == neuron && $0["fate"] as? String == "died" })
        #expect((json["images"] as? [String: Int]) == ["compared": 60, "only_a": 0, "only_b": 0])
        let neurons = try #require(json["neurons"] as? [[String: Any]])
        #expect(neurons.count == 10 && neurons.allSatisfy { Set($0.keys) == neuron && $0["fate"] is NSNull })
        let csv = try CSV<Named>(string: diff("--format", "csv", "-k", "400").output)
        #expect(Set(csv.header) == neuron && csv.rows.count == 325)
        let table = try diff().output
        #expect(table.hasPrefix("60 images compared; 0 more are in A alone, 0 in B alone\n"))
        #expect(table.contains("of 60 with a label 98.3 % are right in A and 98.3 % in B"))
    }

    @Test func aSheetIsDrawn() throws {
        let result = try diff("--layer", "conv4", "-k", "2", "--strongest", "4", "--sheet", "sheet.png")
        #expect(result.status == 0, "\(result)")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: shop.folder.file("sheet.png")))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func wrongUsageIsSaid() throws {
        func errors(_ result: Executable.Result, status: Int32) -> String {
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try errors(diff("-k", "0"), status: 64).contains("-k is 0"))
        #expect(try errors(diff("--strongest", "0"), status: 64).contains("1 to 1000"))
        #expect(try errors(diff("--top", "--layers"), status: 64).contains("--layers"))
        #expect(try errors(diff("--layer", "conv44"), status: 1).contains("did you mean conv4, conv1 or conv2?"))
        #expect(try errors(diff("--match", "conv4"), status: 1).contains("no equals sign"))
        #expect(try errors(diff("--by", "name"), status: 64).contains("one of 'correlation', 'assignment' or 'index'"))
        #expect(try errors(diff(from: "shop.sqlite"), status: 1).contains("have no image in common"))
        #expect(try errors(diff(from: "none.sqlite"), status: 1).contains("there is no such file"))
        #expect(try errors(diff("--match", "conv4=conv3", "--by", "index"), status: 1).contains("--by index needs as many"))
    }
}
