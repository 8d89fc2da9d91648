import Foundation
import TestSupport
import Testing

/// The network that goes by price tags, beside masks of animals, tags and floors.
@Suite struct DissectTests {
    private struct Row: Decodable, Equatable {
        var layer: String
        var channel: Int
        var concept: String
        var iou: Double
        var precision: Double?
        var recall: Double?
        var threshold: Float
        var images: Int
    }

    private let shop: Shop

    init() throws {
        shop = try Shop.ofHans("petshop-hans")
        for (name, target) in [("petshop", "petshop"), ("petshop-swapped", "petshop-swapped"), ("masks", "masks")] {
            try FileManager.default.createSymbolicLink(atPath: shop.folder.file(name), withDestinationPath: Fixtures.path(target))
        }
    }

    private func indexAll() throws {
        let made = try shop.run(
            "index", "all.sqlite", "--model", "petshop-hans.onnx", "--classes", "labels.txt", "--resize", "none", "petshop/test",
            "petshop-hans", "petshop-swapped")
        #expect(made.status == 0, "\(made)")
    }

    private func rows(_ arguments: String...) throws -> (rows: [Row], errors: String) {
        let result = try Executable.run(["dissect"] + arguments + ["--format", "json"], in: shop.path)
        #expect(result.status == 0, "\(result)")
        return (try JSONDecoder().decode([Row].self, from: Data(result.output.utf8)), result.errors)
    }

    private struct Reference: Decodable {
        var images: Int
        var concepts: [String]
        var thresholds: [Float]
        var iou: [[Double]]
    }

    /// Against ONNX Runtime and NumPy: fixtures/expected/dissection.json, by Tools/make-dissection-reference.py. Their maps
    /// differ in the last digits, so a pixel at a threshold may fall to the other side.
    @Test func asByNumPy() throws {
        try indexAll()
        let reference = try JSONDecoder().decode(
            Reference.self, from: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("expected/dissection.json"))))
        let (found, errors) = try rows("all.sqlite", "masks", "--layer", "conv4", "--pairs", "--min-iou", "0")
        #expect(found.count == 64 * reference.concepts.count && found.allSatisfy { $0.layer == "conv4" })
        #expect(found.map(\.iou) == found.map(\.iou).sorted(by: >))
        for row in found {
            let concept = try #require(reference.concepts.firstIndex(of: row.concept))
            #expect(abs(row.iou - reference.iou[row.channel][concept]) < 2e-4, "\(row)")
            let threshold = reference.thresholds[row.channel]
            #expect(abs(row.threshold - threshold) <= 1e-4 * max(1, abs(threshold)), "\(row)")
        }
        #expect(errors.contains("on \(reference.images) images") && !errors.contains("masks are of"), "\(errors)")
        // By default the same layer, each neuron's best concept.
        let (best, again) = try rows("all.sqlite", "masks")
        let most = Dictionary(grouping: found, by: \.channel).compactMapValues { $0.max { $0.iou < $1.iou } }
        #expect(best.count == most.values.count { $0.iou > 0.04 } && best.allSatisfy { $0.iou == most[$0.channel]?.iou })
        #expect(again.contains("conv4: \(best.count) of 64 neurons tell"), "\(again)")
    }

    /// What is kept is given without the network or the images, and is what was made; other masks are not it.
    @Test func whatIsKept() throws {
        let (first, made) = try rows("hans.sqlite", "masks", "-o", "d.png")
        #expect(!made.contains("as the store keeps it"))
        let moved = shop.folder.file("petshop-hans.onnx")
        try FileManager.default.removeItem(atPath: moved)
        let (kept, said) = try rows("hans.sqlite", "masks/petshop-hans", "--colors", "masks/colors.csv")
        #expect(kept == first && said.contains("as the store keeps it: the network was not run"))
        let concepts = try rows("hans.sqlite", "masks", "--concept", "tag", "-k", "2").rows
        #expect(concepts.count <= 2 && concepts.allSatisfy { $0.concept == "tag" })
        let none = try rows("hans.sqlite", "masks", "--concept", "floor", "--min-iou", "0.9")
        #expect(none.rows.isEmpty && none.errors.contains("nothing has an IoU above 0.9; the largest is 0."), "\(none)")
        let listed = try shop.run("explanations", "hans.sqlite", "--method", "dissect", "--format", "csv")
        #expect(listed.output.contains(",dissect,conv4,") && listed.output.split(separator: "\n").count == 2, "\(listed)")
        #expect(try shop.run("explanations", "hans.sqlite", "--export", "out").status == 0)
        let page = try shop.run("verify", "hans.sqlite", "--sample", "0")
        #expect(page.status == 0, "\(page)")
        for arguments in [
            ["boxes.csv"], ["masks", "--quantile", "0.01"], ["masks", "--layer", "conv3"], ["masks", "--no-keep"],
        ] {
            let other = arguments[0] == "boxes.csv" ? ["petshop-hans/boxes.csv"] : arguments
            let result = try Executable.run(["dissect", "hans.sqlite"] + other, in: shop.path)
            #expect(result.status == 1 && result.errors.contains("petshop-hans.onnx"), "\(arguments): \(result)")
        }
        try FileManager.default.createSymbolicLink(atPath: moved, withDestinationPath: Fixtures.path("petshop-hans.onnx"))
        let chart = try shop.run("verify", "out/00001-dissect.png")
        #expect(chart.status == 0, "\(chart)")
        let verified = try shop.run("verify", "d.png")
        #expect(verified.status == 0, "\(verified)")
        // Images that are removed take no part any more.
        #expect(try shop.run("remove", "hans.sqlite", "--where", "label = 'cat'").status == 0)
        let (fewer, notes) = try rows("hans.sqlite", "masks")
        #expect(
            !notes.contains("as the store keeps it") && notes.contains("on 48 images")
                && notes.contains("187 of 235 masks are of no image"), "\(notes)")
        #expect(fewer != first && !fewer.contains { $0.concept == "cat" })
    }

    @Test func pictures() throws {
        for (name, options) in [
            ("chart.svg", ["--draw", "chart"]), ("images.png", ["-k", "2"]), ("boxes.pdf", ["--concept", "tag", "-k", "1"]),
        ] {
            let masks = name == "boxes.pdf" ? "petshop-hans/boxes.csv" : "masks"
            let drawn = try Executable.run(
                ["dissect", "hans.sqlite", masks, "--layer", "conv3", "--layer", "conv4", "-o", name] + options, in: shop.path)
            #expect(drawn.status == 0, "\(drawn)")
            let verified = try shop.run("verify", name)
            #expect(verified.status == 0, "\(verified)")
        }
    }

    @Test func imagesThatAreGoneAreSaid() throws {
        try FileManager.default.removeItem(atPath: shop.folder.file("petshop-hans"))
        let all = try shop.run("dissect", "hans.sqlite", "masks")
        #expect(all.status == 1 && all.errors.contains("none of the 60 images can be looked at"), "\(all)")
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop-hans"), toPath: shop.folder.file("petshop-hans"))
        for name in try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("petshop-hans/test/dog")) {
            try FileManager.default.removeItem(atPath: shop.folder.file("petshop-hans/test/dog/" + name))
        }
        let some = try shop.run("dissect", "hans.sqlite", "masks")
        #expect(
            some.status == 2 && some.errors.contains("not looked at: 12 of 60 images") && some.errors.contains("on 48 images"),
            "\(some)")
        #expect(some.errors.contains("not kept in the store"))
        #expect(try shop.run("explanations", "hans.sqlite", "--format", "csv").output.split(separator: "\n").count == 1)
    }

    /// A sentence each, and nothing is written.
    @Test func whatCannotBeDoneIsSaid() throws {
        func refusal(_ arguments: String..., status: Int32 = 1) throws -> String {
            let result = try Executable.run(["dissect", "hans.sqlite"] + arguments, in: shop.path)
            #expect(result.status == status && result.output.isEmpty, "\(result)")
            return result.errors
        }
        #expect(try refusal("nowhere").contains("there is no file or folder 'nowhere'"))
        #expect(try refusal("labels.txt").contains("none of the masks that are read"))
        #expect(try refusal("masks/petshop-hans").contains("there is no 'masks/petshop-hans/colors.csv'"))
        #expect(try refusal("masks", "--layer", "conv5").contains("did you mean conv"))
        #expect(try refusal("masks", "--layer", "fc2").contains("no map of more than one position"))
        #expect(try refusal("masks", "--layer", "conv4:3").contains("name conv4"))
        #expect(try refusal("masks", "--concept", "tagg").contains("has no concept 'tagg'; did you mean tag?"))
        #expect(try refusal("masks", "--quantile", "1", status: 64).contains("--quantile takes a share"))
        #expect(try refusal("masks", "--min-iou", "1", status: 64).contains("--min-iou takes an IoU"))
        #expect(try refusal("masks", "-k", "0", status: 64).contains("0"))
        #expect(try refusal("masks", "-o", "x.jpg", status: 64).contains("x.png"))
        #expect(try shop.run("explanations", "hans.sqlite", "--format", "csv").output.split(separator: "\n").count == 1)
    }
}
