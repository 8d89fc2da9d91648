import Foundation
import Images
import TestSupport
import Testing

/// Pictures that say what made them, and results that the store keeps.
@Suite struct FigureTests {
    private let shop: Shop

    init() throws { shop = try Shop() }

    private func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: shop.folder.file(name))) }

    @Test(arguments: [
        "saliency shop.sqlite test/cat/cat-43.jpg test/dog/dog-43.jpg --scale shared --colormap viridis -o a.png",
        "occlusion shop.sqlite photos/test/cat/cat-43.jpg --window 48 --stride 24 --target class:dog -o a.png",
        "cam shop.sqlite 7 --boxes all -o a.png", "deconv shop.sqlite conv4:3 conv2:5 -k 2 --rule guided -o a.png",
        "deconv shop.sqlite conv4:3 --image photos/test/cat/cat-43.jpg --position 4,5 -o a.png",
        "deconv shop.sqlite conv4:3 conv4:5 --image photos/test/cat --image 7 --where id>3 -k 3 -o a.png",
        "ascend shop.sqlite class:cat --steps 3 --count 2 -o a.png",
        "ascend shop.sqlite conv4:3 --steps 3 --style yosinski --from best -o a.png",
    ])
    func aPictureCanBeMadeAgain(_ line: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        let first = try Executable.run(arguments, in: shop.path)
        #expect(first.status == 0, "\(first)")
        let made = try data("a.png")
        let verified = try shop.run("verify", "a.png")
        #expect(verified.status == 0 && verified.output.hasPrefix("a.png: made again, the same in every pixel: neurodex "))
        // Asked for again: from the store, the same bytes and words.
        let second = try Executable.run(arguments, in: shop.path)
        #expect(second.output == first.output && second.errors == first.errors)
        #expect(try data("a.png") == made)
        let anew = try Executable.run(arguments + ["--no-keep"], in: shop.path)
        #expect(anew.status == 0, "\(anew)")
        #expect(try data("a.png") == made)
    }

    /// Figures are SVGs too, which say as much and are made again as well; one that was changed is found out.
    @Test(arguments: [
        "cam shop.sqlite 7 --target class:cat --target class:dog --size 300 -o a.svg",
        "top shop.sqlite conv4:3 -k 2 --sheet a.svg",
        "neurons shop.sqlite conv4:3 -o a.svg", "ascend shop.sqlite class:cat --steps 2 -o a.svg",
    ])
    func aDrawingCanBeMadeAgain(_ line: String) throws {
        let first = try Executable.run(line.split(separator: " ").map(String.init), in: shop.path)
        #expect(first.status == 0, "\(first)")
        let verified = try shop.run("verify", "a.svg")
        #expect(verified.status == 0 && verified.output.hasPrefix("a.svg: made again, the same in every byte: "), "\(verified)")
        let changed = String(decoding: try data("a.svg"), as: UTF8.self).replacing(
            "</text>", with: "!</text>", maxReplacements: 1)
        try Data(changed.utf8).write(to: URL(fileURLWithPath: shop.folder.file("a.svg")))
        let found = try shop.run("verify", "a.svg")
        #expect(found.status == 1 && found.errors.contains("the drawing differs from the one made anew"), "\(found)")
    }

    /// And PDFs, by the ending of the name.
    @Test(arguments: [
        "saliency shop.sqlite 7 --segment -o a.pdf", "top shop.sqlite conv4:3 -k 2 --sheet a.pdf",
        "neurons shop.sqlite conv4:3 -o a.pdf", "card shop.sqlite conv4:3 --steps 2 -o a.pdf",
    ])
    func aPDFCanBeMadeAgain(_ line: String) throws {
        let first = try Executable.run(line.split(separator: " ").map(String.init), in: shop.path)
        #expect(first.status == 0, "\(first)")
        let bytes = try data("a.pdf")
        #expect(bytes.starts(with: Data("%PDF-1.4".utf8)) && bytes.suffix(6) == Data("%%EOF\n".utf8))
        let verified = try shop.run("verify", "a.pdf")
        #expect(verified.status == 0 && verified.output.hasPrefix("a.pdf: made again, the same in every byte: "), "\(verified)")
        // A letter's outline is changed.
        var changed = bytes
        let place = try #require(changed.range(of: Data("\nf\nendstream".utf8)))
        changed.replaceSubrange(place, with: Data("\nn\nendstream".utf8))
        try changed.write(to: URL(fileURLWithPath: shop.folder.file("a.pdf")))
        let found = try shop.run("verify", "a.pdf")
        #expect(found.status == 1 && found.errors.contains("the drawing differs from the one made anew"), "\(found)")
    }

    /// Sheets are as large as they are asked for; what is not drawn has no size.
    @Test func sheetsHaveASize() throws {
        for (name, size) in [("small.png", 80), ("large.png", 640)] {
            let made = try shop.run("top", "shop.sqlite", "conv4:3", "-k", "2", "--sheet", name, "--size", "\(size)")
            #expect(made.status == 0, "\(made)")
            // Two pictures of 160 units, 12 between them, and 20 around.
            #expect(try ImageReader().decode(contentsOf: shop.folder.file(name)).width == 372 * size / 160)
            #expect(try shop.run("verify", name).status == 0)
        }
        #expect(try shop.run("top", "shop.sqlite", "conv4:3", "--size", "80").status == 64)
        let huge = try shop.run("top", "shop.sqlite", "conv4", "-k", "9", "--sheet", "huge.png", "--size", "4096")
        #expect(huge.status == 1 && huge.errors.contains("a smaller --size"), "\(huge)")
    }

    /// Several targets stand side by side, and their maps are files of their own.
    @Test func severalTargetsAreExplainedAtOnce() throws {
        let one = try shop.run("cam", "shop.sqlite", "7", "--target", "class:cat", "--size", "224", "-o", "one.png")
        let two = try shop.run(
            "cam", "shop.sqlite", "7", "--target", "class:cat", "--target", "class:dog", "--size", "224", "-o", "two.png",
            "--raw",
            "maps")
        #expect(one.status == 0 && two.status == 0, "\(one) \(two)")
        #expect(two.output.contains("class:cat") && two.output.contains("class:dog"))
        let pictures = try ["one.png", "two.png"].map { try ImageReader().decode(contentsOf: shop.folder.file($0)) }
        #expect(pictures[1].width == pictures[0].width + 240)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("maps")).count == 2)
        #expect(try shop.run("saliency", "shop.sqlite", "7", "--clip", "40").status == 64)
        #expect(try shop.run("saliency", "shop.sqlite", "7", "--size", "9", "-o", "a.png").status == 64)
    }

    @Test(arguments: [
        "top shop.sqlite conv4:3 class:cat -k 3 --whole --where split='test' --sheet a.png",
        "top shop.sqlite conv4:3 --from near:0.5 --distinct -k 3 --sheet a.png",
        "top shop.sqlite conv4:3 conv4:17 --by l2 --lowest -k 3 --sheet a.png",
        "similar shop.sqlite 7 --layer conv4 --layer pool_3:2 --metric cosine -k 3 --sheet a.png",
        "similar shop.sqlite outside.png -k 3 --sheet a.png",
        "suspects shop.sqlite --by neurons --witnesses 3 --where id<>3 --sheet a.png",
        "shortcuts shop.sqlite --share 0.1 --auroc 0.6 -k 2 --sheet a.png",
        "predict shop.sqlite --where id<>3 --matrix a.png", "filters shop.sqlite --size 100 -o a.png",
        "explain shop.sqlite 7 --size 200 -o a.png", "explain shop.sqlite outside.png --target class:dog -o a.png",
        "card shop.sqlite conv4:3 --steps 2 --size 200 -o a.png", "card shop.sqlite class:cat --steps 2 -o a.png",
        "maps shop.sqlite conv2:0-7 --image 7 -o a.png", "maps shop.sqlite conv4 --image outside.png -o a.png",
        "neurons shop.sqlite conv4:3 --bins 7 --where label='cat' -o a.png",
    ])
    func aSheetCanBeMadeAgain(_ line: String) throws {
        let outside = try ImageReader().decode(contentsOf: shop.folder.file("photos/test/cat/cat-43.jpg"))
        try Data(outside.cropped(columns: 3..<90, rows: 0..<80).pngData()).write(
            to: URL(fileURLWithPath: shop.folder.file("outside.png")))
        let arguments = line.split(separator: " ").map(String.init)
        let first = try Executable.run(arguments, in: shop.path)
        #expect(first.status == 0, "\(first)")
        let verified = try shop.run("verify", "a.png")
        #expect(verified.status == 0 && verified.output.hasPrefix("a.png: made again, the same in every pixel: "), "\(verified)")
    }

    /// Values that begin with a hyphen, or hold what shells and options are parted by.
    @Test(arguments: [
        ["top", "shop.sqlite", "conv4:3", "-k", "2", "--where=-1 < id", "--seed=-3", "--sheet=-a.png"],
        ["top", "shop.sqlite", "conv4:3", "-k", "2", "--where", "label = \"cat\" OR split='test'", "--sheet=-a.png"],
        ["neurons", "shop.sqlite", "conv4:3", "--where=-id <= 0", "--out=-a.png"],
        ["suspects", "shop.sqlite", "--by", "neurons", "--where=-1 < id", "-k", "3", "--sheet=-a.png"],
        ["similar", "shop.sqlite", "--where=-(-1) < id", "-k", "3", "--sheet=-a.png", "--", "-outside.png"],
        ["diff", "shop.sqlite", "--layer=conv4", "--match", "conv4=conv4", "-k", "1", "--sheet=-a.png", "--", "-b.sqlite"],
        ["deconv", "shop.sqlite", "conv4:3", "--image=-outside.png", "--out=-a.png"],
        ["deconv", "shop.sqlite", "conv4:3", "-k", "1", "--where=-1 < id", "--out=-a.png"],
        ["cam", "shop.sqlite", "--beside=-b.sqlite", "--out=-a.png", "--", "-outside.png"],
        ["ascend", "shop.sqlite", "--steps", "2", "--from=-outside.png", "--output=-a.png", "--", "-class:cat"],
    ])
    func valuesThatLookLikeOptionsAreWrittenSo(_ arguments: [String]) throws {
        for (name, file) in [
            ("-outside.png", "photos/test/cat/cat-43.jpg"), ("-b.sqlite", "shop.sqlite"),
        ] {
            try FileManager.default.copyItem(atPath: shop.folder.file(file), toPath: shop.folder.file(name))
        }
        let first = try Executable.run(arguments, in: shop.path)
        #expect(first.status == 0, "\(first)")
        let verified = try shop.run("verify", "--", "-a.png")
        #expect(verified.status == 0 && verified.output.hasPrefix("-a.png: made again, the same in every pixel: "), "\(verified)")
        // The command that is shown works as it is shown.
        let line = verified.output.trimmingCharacters(in: .newlines).split(separator: ": ").dropFirst(2).joined(separator: ": ")
        let typed = try Executable.shell(line, in: shop.path)
        #expect(typed.status == (arguments[0] == "ascend" ? 64 : 0), "\(line): \(typed)")
    }

    @Test func aSheetOfNothingIsNotDrawn() throws {
        let empty = try shop.run("top", "shop.sqlite", "conv4:3", "--where", "1=0", "--sheet", "empty.png")
        #expect(empty.status == 0 && empty.errors.hasSuffix("\nnothing was found, so no sheet was drawn\n"), "\(empty)")
        #expect(empty.errors.contains("1=0"), "\(empty)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder.file("empty.png")))
    }

    @Test func mapsAreCheckedSegmentedAndCompared() throws {
        let command = [
            "saliency", "shop.sqlite", "photos/test/cat/cat-43.jpg", "photos/test/dog/dog-46.jpg", "--method", "smoothgrad",
            "--samples",
            "8", "--segment", "--check", "--truth", "photos/boxes.csv", "-o", "a.png",
        ]
        let first = try Executable.run(command + ["--format", "json"], in: shop.path)
        #expect(first.status == 0, "\(first)")
        #expect(first.errors.contains(" of 2 maxima in a box; the picture's middle: "))
        let entries = try #require(try JSONSerialization.jsonObject(with: Data(first.output.utf8)) as? [[String: Any]])
        for entry in entries {
            #expect(entry["hit"] is Bool)
            let segment = try #require(entry["segment"] as? [String: Any])
            let (share, iou) = (try #require(segment["share"] as? Double), try #require(segment["iou"] as? Double))
            #expect(share > 0 && share < 1 && iou > 0 && iou < 1)
            let checks = try #require(entry["checks"] as? [String: Any])
            #expect(checks["curves"] != nil && checks["randomisation"] != nil)
        }
        let made = try data("a.png")
        let second = try Executable.run(command + ["--format", "json"], in: shop.path)
        #expect(second.output == first.output)
        #expect(try data("a.png") == made)
        #expect(try shop.run("verify", "a.png").status == 0)
        // Checks that were made stay with the map, also for who does not ask for them.
        let plain = try Executable.run(
            [
                "saliency", "shop.sqlite", "photos/test/cat/cat-43.jpg", "--method", "smoothgrad", "--samples", "8", "--format",
                "json",
            ], in: shop.path)
        #expect(plain.output.contains("\"randomisation\""))

        let masked = try shop.run("cam", "shop.sqlite", "photos/test/cat/cat-43.jpg", "--mask", "mask.png")
        #expect(masked.status == 0, "\(masked)")
        let mask = try ImageReader().decode(contentsOf: shop.folder.file("mask.png"))
        #expect((mask.width, mask.height) == (96, 96) && Set(mask.pixels) == [0, 255])
        let lost = try shop.run("cam", "shop.sqlite", "photos/test/cat/cat-43.jpg", "--truth", "labels.txt")
        #expect(lost.status == 1 && lost.errors.contains("has no column file, x0, y0, x1, y1"))
    }

    @Test func aPictureThatWasChangedIsFoundOut() throws {
        #expect(try shop.run("cam", "shop.sqlite", "7", "-o", "a.png").status == 0)
        let text = PNG.text(in: Array(try data("a.png")))
        let picture = try ImageReader().decode(contentsOf: shop.folder.file("a.png"))
        var pixels = picture.pixels
        pixels[pixels.count / 2] ^= 8
        let changed = try Image(width: picture.width, height: picture.height, pixels: pixels).pngData(
            text: text.map { ($0.keyword, $0.text) })
        try Data(changed).write(to: URL(fileURLWithPath: shop.folder.file("b.png")))
        let found = try shop.run("verify", "b.png")
        #expect(found.status == 1 && found.output.isEmpty)
        #expect(found.errors.contains("1 of \(pixels.count) pixel values differ, by up to 8 of 255 levels"))
        try Data(picture.pngData()).write(to: URL(fileURLWithPath: shop.folder.file("c.png")))
        let mute = try shop.run("verify", "c.png")
        #expect(mute.status == 1 && mute.errors.contains("c.png does not say what made it"))
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: shop.folder.file("a.png"), toPath: folder.file("a.png"))
        let lost = try Executable.run(["verify", "a.png"], in: folder.path)
        #expect(
            lost.status == 1
                && lost.errors.contains("was made from the store shop.sqlite, which is not there; say where it is with --store"))
        try FileManager.default.moveItem(atPath: shop.folder.file("shop.sqlite"), toPath: shop.folder.file("moved.sqlite"))
        let moved = try shop.run("verify", "a.png", "--store", "moved.sqlite", "--model", "petshop.onnx")
        #expect(moved.status == 0, "\(moved)")
    }

    @Test func explanationsAreListedExportedAndRemoved() throws {
        for line in ["cam shop.sqlite 7 8", "saliency shop.sqlite 7", "ascend shop.sqlite class:cat --steps 2 -o x.png"] {
            #expect(try Executable.run(line.split(separator: " ").map(String.init), in: shop.path).status == 0)
        }
        let listed = try shop.run("explanations", "shop.sqlite", "--format", "csv").output.split(separator: "\n")
        #expect(listed.count == 5)
        #expect(listed.dropFirst().map { $0.split(separator: ",")[1] } == ["cam", "cam", "saliency", "ascend"])
        #expect(try shop.run("explanations", "shop.sqlite", "--method", "cam", "--export", "out").status == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: shop.folder.file("out")).sorted()
                == ["00001-cam.npy", "00001-cam.png", "00002-cam.npy", "00002-cam.png", "explanations.csv"])
        let verified = try shop.run("verify", "out/00002-cam.png")
        #expect(verified.status == 0, "\(verified)")
        #expect(try shop.run("explanations", "shop.sqlite", "--remove").status == 64)
        #expect(try shop.run("explanations", "shop.sqlite", "9", "--remove").errors.contains("keeps no explanation 9"))
        #expect(try shop.run("explanations", "shop.sqlite", "1", "3", "--remove").errors.hasPrefix("2 explanations removed"))
        #expect(try shop.run("explanations", "shop.sqlite", "--format", "csv").output.split(separator: "\n").count == 3)
        #expect(try shop.run("explanations", "shop.sqlite", "--remove", "--all").errors.hasPrefix("2 explanations removed"))
    }

    /// What was exported when the user stopped it is whole, and listed.
    @Test func anExportThatIsStoppedIsKept() throws {
        #expect(try shop.run("saliency", "shop.sqlite", "7", "8", "9", "10").status == 0)
        let folder = shop.folder.file("out")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        // The second picture waits for a reader, so that the program can be stopped there.
        mkfifo(folder + "/00002-saliency.png", 0o644)
        let running = try Executable.Running(Executable.path, ["explanations", "shop.sqlite", "--export", "out"], in: shop.path)
        while running.isRunning, !FileManager.default.fileExists(atPath: folder + "/00001-saliency.npy") { usleep(1000) }
        usleep(200_000)
        running.send(SIGINT)
        let reader = try #require(FileHandle(forReadingAtPath: folder + "/00002-saliency.png"))
        #expect(reader.readDataToEndOfFile().starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let result = try running.wait()
        #expect(result.status == 130 && result.errors.contains("stopped after 2 of 4 explanations"), "\(result)")
        let list = try String(contentsOfFile: folder + "/explanations.csv", encoding: .utf8)
        #expect(list.split(separator: "\n").count == 3)
        #expect(FileManager.default.fileExists(atPath: folder + "/00002-saliency.npy"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/00003-saliency.png"))
    }

    @Test func aLastLayerIsFittedAndUsed() throws {
        let before = try shop.run("cam", "shop.sqlite", "test/cat/cat-43.jpg")
        #expect(before.errors == "Grad-CAM at conv4: the network does not end in global average pooling\n")
        let dry = try shop.run("cam", "fit", "shop.sqlite", "--format", "csv", "--dry-run")
        #expect(dry.status == 0 && dry.errors.contains("nothing was written"), "\(dry)")
        #expect(try shop.run("cam", "shop.sqlite", "test/cat/cat-43.jpg").errors == before.errors)
        let fitted = try shop.run("cam", "fit", "shop.sqlite", "--format", "csv")
        #expect(fitted.status == 0, "\(fitted)")
        #expect(fitted.output == dry.output)
        let cells = fitted.output.split(separator: "\n").last?.split(separator: ",") ?? []
        #expect(cells.first == "pool_3" && cells.last == "1.0")
        let after = try shop.run("cam", "shop.sqlite", "test/cat/cat-43.jpg")
        #expect(after.errors == "CAM at pool_3 by a fitted last layer\n")
    }

    @Test func whatCannotBeSaysSo() throws {
        func expect(_ words: String, _ line: String) throws {
            let result = try Executable.run(line.split(separator: " ").map(String.init), in: shop.path)
            #expect(result.status != 0 && result.output.isEmpty, "\(line): \(result)")
            #expect(result.errors.contains(words), "\(line): \(result)")
        }
        try expect("names all neurons of a layer", "deconv shop.sqlite conv4 -o a.png")
        try expect("outside the layer's map of 12×12", "deconv shop.sqlite conv4:3 --position 12,0 -o a.png")
        try expect("a place y,x of the map, box x0,y0,x1,y1", "deconv shop.sqlite conv4:3 --position here -o a.png")
        try expect("no image is left to explain", "deconv shop.sqlite conv4:3 --image 3 --where 1=0")
        try expect("no image of the store has a value of conv4:3", "deconv shop.sqlite conv4:3 --where 1=0")
        try expect("no layer is named conv9", "deconv shop.sqlite conv9:3")
        try expect("'sideways' is invalid for '--rule <rule>'", "deconv shop.sqlite conv4:3 --rule sideways")
        try expect(
            "--window takes a side of 1 to 96 pixels (the network's input is 96×96), not 97",
            "occlusion shop.sqlite 3 --window 97")
        try expect("no layer is named nothing", "saliency shop.sqlite 3 --target nothing:3")
        try expect("has no map of more than one position", "cam shop.sqlite 3 --method grad-cam --layer fc1")
        try expect("say where the picture goes", "ascend shop.sqlite class:cat")
        try expect("--store says where a picture's store is", "verify shop.sqlite --store x.sqlite")
        try expect("there is no such file", "explanations none.sqlite")
    }

    @Test func withoutLabelsThereIsNothingToFit() throws {
        let made = try shop.run("index", "bare.sqlite", "--model", "petshop.onnx", "--resize", "none", "photos/test/cat")
        #expect(made.status == 0, "\(made)")
        let fitted = try shop.run("cam", "fit", "bare.sqlite")
        #expect(
            fitted.status == 1
                && fitted.errors.contains("cannot fit a last layer to bare.sqlite: it does not know the names of the classes"))
    }

    @Test func anImageThatChangedIsSaid() throws {
        let file = shop.folder.file("own.jpg")
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test/cat/cat-43.jpg"), toPath: file)
        #expect(try shop.run("index", "own.sqlite", "--model", "petshop.onnx", "--resize", "none", "own.jpg").status == 0)
        #expect(try shop.run("saliency", "own.sqlite", "own.jpg").status == 0)
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.copyItem(atPath: Fixtures.path("petshop/test/dog/dog-43.jpg"), toPath: file)
        #expect(try shop.run("saliency", "own.sqlite", "own.jpg").errors.contains("has changed since it was indexed"))
        try FileManager.default.removeItem(atPath: file)
        #expect(try shop.run("saliency", "own.sqlite", "0").errors.contains("is in the store, but the file has gone"))
    }
}
