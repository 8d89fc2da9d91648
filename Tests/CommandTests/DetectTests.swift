import Foundation
import Images
import TestSupport
import Testing

/// The boxes of a detector on the command line, and why they are there.
@Suite struct DetectTests {
    private let shop: Shop

    init() throws {
        shop = try Shop(withStore: false)
        let (model, output) = DetectorModels.yolov8()
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: shop.folder.file("net.onnx")))
        try Data(DetectorModels.pairs().bytes(outputs: ["boxes", "scores"]))
            .write(to: URL(fileURLWithPath: shop.folder.file("pairs.onnx")))
        try Data("one\ntwo\nthree\n".utf8).write(to: URL(fileURLWithPath: shop.folder.file("names.txt")))
    }

    private struct Row: Decodable, Equatable {
        struct Box: Decodable, Equatable {
            var box: Int
            var index: Int
            var name: String?
            var score: Float
            var x0: Double
            var y0: Double
            var x1: Double
            var y1: Double
            var place: Int

            enum CodingKeys: String, CodingKey {
                case box, index, score, x0, y0, x1, y1, place
                case name = "class"
            }
        }

        var image: String
        var width: Int
        var height: Int
        var boxes: [Box]
    }

    private func rows(_ result: Executable.Result) throws -> [Row] {
        #expect(result.status == 0, "\(result)")
        return try JSONDecoder().decode([Row].self, from: Data(result.output.utf8))
    }

    @Test func itListsBoxesOfPicturesAndFolders() throws {
        let one = try shop.run("detect", "net.onnx", "photos/test/dog/dog-31.jpg", "--format", "json")
        let row = try #require(try rows(one).first)
        #expect(row.width == 96 && row.height == 96 && !row.boxes.isEmpty)
        #expect(one.errors.contains("read as yolov8: 3 classes, 84 places a picture; scores of 0.25 or more, IoU up to 0.45"))
        #expect(
            row.boxes.map(\.box) == Array(1...row.boxes.count) && row.boxes.map(\.score) == row.boxes.map(\.score).sorted(by: >))
        for box in row.boxes {
            #expect(
                box.score >= 0.25 && 0 <= box.x0 && box.x0 < box.x1 && box.x1 <= 96 && 0 <= box.y0 && box.y0 < box.y1
                    && box.y1 <= 96)
            #expect(box.name == nil)
        }
        let named = try rows(
            shop.run(
                "detect", "net.onnx", "photos/test/dog/dog-31.jpg", "--classes", "names.txt", "--score", "0.5", "--iou", "1",
                "--format", "json"))
        #expect(named[0].boxes.allSatisfy { $0.score >= 0.5 && $0.name == ["one", "two", "three"][$0.index] })
        let table = try shop.run("detect", "net.onnx", "photos/test/dog", "--format", "csv")
        #expect(table.status == 0 && table.output.hasPrefix("image,box,index,class,score,x0,y0,x1,y1,place\n"))
        #expect(table.output.contains("dog-31.jpg,1,") && table.output.contains("dog-32"))
        let none = try shop.run("detect", "net.onnx", "photos/test/dog/dog-31.jpg", "--score", "1")
        #expect(none.status == 0 && none.errors.contains("1 of 1 image has no box of a score of 1.0 or more, such as"), "\(none)")
        let pairs = try shop.run("detect", "pairs.onnx", "photos/test/dog/dog-31.jpg")
        #expect(pairs.status == 0 && pairs.errors.contains("read as pairs: 3 classes"), "\(pairs)")
    }

    @Test func whatItCannotDoIsSaid() throws {
        let image = "photos/test/dog/dog-31.jpg"
        for (arguments, status, words) in [
            (["net.onnx", image, "--score", "2"], 64, "--score takes a share from 0 to 1, not 2.0"),
            (["net.onnx", image, "--head", "yolov3"], 64, "yolov8"),
            (["net.onnx", image, "--head", "pairs"], 1, "it has 'output0' [7, 84]"),
            (["net.onnx", image, "--classes", "labels.txt"], 1, "has 3 classes by its shape, read as yolov8, and 5 are named"),
            (
                ["petshop.onnx", image], 1,
                "has none of a detector's outputs: it has 'scores' [5]; say which is read with --output"
            ),
            (["net.onnx", "photos/none.jpg"], 1, "photos/none.jpg is not there"),
            (["labels.txt", image], 1, "labels.txt"),
            (["net.onnx", image, "--draw", "boxes.txt"], 64, "name it boxes.png"),
            (["net.onnx", "photos", "--draw", "boxes.png"], 64, "--draw draws up to 64 images, not 300"),
            (["net.onnx"], 64, "images"),
        ] as [([String], Int32, String)] {
            let result = try Executable.run(["detect"] + arguments, in: shop.path)
            #expect(result.status == status && result.errors.contains(words), "\(arguments): \(result)")
        }
        // One of a folder that is no picture is passed over, and said.
        try FileManager.default.createDirectory(atPath: shop.folder.file("mine"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Fixtures.path("petshop/test/dog/dog-31.jpg"), toPath: shop.folder.file("mine/a.jpg"))
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: shop.folder.file("mine/b.jpg")))
        let some = try shop.run("detect", "net.onnx", "mine")
        #expect(some.status == 2 && some.errors.contains("not looked at: 1 of 2 images"), "\(some)")
    }

    @Test func figuresAreMadeAgain() throws {
        let drawn = try shop.run(
            "detect", "net.onnx", "photos/test/dog/dog-31.jpg", "photos/test/cat/cat-43.jpg", "--draw", "boxes.png", "--size",
            "200",
            "--classes", "names.txt", "--iou", "0.3")
        #expect(drawn.status == 0, "\(drawn)")
        let picture = try ImageReader().decode(contentsOf: shop.folder.file("boxes.png"))
        #expect(picture.width > 400 && picture.height > 200)
        let again = try shop.run("verify", "boxes.png")
        #expect(again.status == 0 && again.output.contains("in every pixel"), "\(again)")
    }

    /// A file that chooses its boxes by operators that are not read, alone and in a store.
    @Test(arguments: ["NonMaxSuppression", "TopK"]) func whatIsChosenIsReadBefore(_ selection: String) throws {
        let (model, outputs) = DetectorModels.selecting(selection)
        try Data(model.bytes(outputs: outputs)).write(to: URL(fileURLWithPath: shop.folder.file("nms.onnx")))
        let image = "photos/test/dog/dog-31.jpg"
        let found = try shop.run("detect", "nms.onnx", image, "--draw", "boxes.png")
        #expect(found.status == 0 && found.errors.contains("taken before \(selection)"), "\(found)")
        #expect(found.errors.contains("boxes 'boxes' and scores '"), "\(found)")
        #expect(try shop.run("verify", "boxes.png").status == 0)
        let refused = try shop.run("index", "n.sqlite", "--model", "nms.onnx", "photos/test/dog")
        #expect(refused.status == 1 && refused.errors.contains("name a tensor of the file with --output"), "\(refused)")
        let made = try shop.run("index", "n.sqlite", "--model", "nms.onnx", "--output", "boxes", "photos/test/dog")
        #expect(made.status == 0, "\(made)")
        let stored = try shop.run("detect", "n.sqlite", image)
        #expect(stored.status == 0, "\(stored)")
        let why = try shop.run("occlusion", "n.sqlite", image, "--target", "box:1", "--window", "32", "--stride", "32")
        #expect(why.status == 0, "\(why)")
        let half = try shop.run("detect", "nms.onnx", image, "--boxes", "boxes")
        #expect(half.status == 64 && half.errors.contains("--boxes and --scores go together"), "\(half)")
    }

    /// A store of a detector: its neurons are the numbers of a place, and its boxes are targets.
    @Test func storesOfDetectors() throws {
        let made = try shop.run("index", "s.sqlite", "--model", "net.onnx", "--preprocess", "letterbox", "photos/test/dog")
        #expect(made.status == 0, "\(made)")
        let image = "photos/test/dog/dog-31.jpg"
        let stored = try rows(shop.run("detect", "s.sqlite", image, "--format", "json"))
        let bare = try rows(shop.run("detect", "net.onnx", image, "--format", "json"))
        #expect(stored[0].boxes == bare[0].boxes)
        let layers = try shop.run("layers", "s.sqlite")
        #expect(layers.output.contains("1×84"), "\(layers)")
        let odd = try shop.run("detect", "s.sqlite", image, "--preprocess", "plain")
        #expect(odd.status == 64 && odd.errors.contains("--preprocess is for a network's own file"), "\(odd)")
        for command in ["saliency", "occlusion", "cam"] {
            let why = try shop.run(command, "s.sqlite", image, "--target", "box:1", "-o", "\(command).png", "--format", "json")
            #expect(why.status == 0, "\(why)")
            let again = try shop.run("verify", "\(command).png")
            #expect(again.status == 0, "\(again)")
        }
        let element = try shop.run("saliency", "s.sqlite", image, "--target", "output:output0[5,17]")
        #expect(element.status == 0, "\(element)")
        let beyond = try shop.run("occlusion", "s.sqlite", image, "--target", "box:500")
        #expect(
            beyond.status == 1 && beyond.errors.contains("has no box 500: it has \(stored[0].boxes.count) of a score"),
            "\(beyond)")
        let ascent = try shop.run("ascend", "s.sqlite", "box:1", "-o", "a.png")
        #expect(ascent.status != 0 && ascent.errors.contains("ascent makes one"), "\(ascent)")
        let other = try shop.run("ascend", "s.sqlite", "output:output0[5,17]", "--steps", "4", "-o", "a.png")
        #expect(other.status == 0, "\(other)")
    }
}
