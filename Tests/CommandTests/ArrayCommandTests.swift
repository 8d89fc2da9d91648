import Foundation
import Images
import TestSupport
import Testing

/// Arrays of any number of channels, from the files to explanations.
@Suite struct ArrayCommandTests {
    private let folder: TemporaryFolder

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    /// Four arrays of 4×16×16 in two folders, and a network of 4 channels whose first layer's channel 0 is their third.
    init() throws {
        folder = try TemporaryFolder()
        var random = SeededGenerator(seed: 3)
        for (index, name) in ["low/a", "low/b", "high/c", "high/d"].enumerated() {
            let numbers = (0..<4 * 256).map { place in
                Double.random(in: -1...1, using: &random) + (place / 256 == 2 ? Double(10 * index) : 0)
            }
            let path = folder.file("arrays/\(name).npy")
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let data = NumpyFile.data(numbers, shape: [4, 16, 16], kind: "<f4") { number in
                withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { Array($0) }
            }
            try data.write(to: URL(fileURLWithPath: path))
        }
        var model = ModelBuilder(input: [1, 4, 16, 16])
        _ = model.weight("w", [2, 4, 1, 1], [0, 0, 1, 0, 1, 0, 0, -1])
        let map = model.node("Relu", [model.node("Conv", ["image", "w"], name: "conv")])
        let means = model.node("Flatten", [model.node("GlobalAveragePool", [map])])
        _ = model.weight("head", [2, 2], [-1, 1, 0, 0])
        let scores = model.node("Gemm", [means, "head"], name: "scores")
        try Data(model.bytes(outputs: [scores])).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
        try Data("low\nhigh\n".utf8).write(to: URL(fileURLWithPath: folder.file("classes.txt")))
    }

    private func index() throws {
        let made = try run("index", "s.sqlite", "--model", "m.onnx", "--classes", "classes.txt", "arrays")
        #expect(made.status == 0 && made.errors.contains("the network takes their numbers as they are"), "\(made)")
    }

    @Test func theyAreIndexedAsTheyAre() throws {
        try index()
        let rows = try run(
            "sql", "s.sqlite", "--format", "csv", "SELECT path, height, width, label FROM image_info ORDER BY path")
        #expect(rows.output.contains("arrays/high/c.npy,16,16,high"), "\(rows)")
        let top = try run("top", "s.sqlite", "conv:0", "-k", "4", "--format", "csv", "--sheet", "top.png")
        let order = top.output.split(separator: "\n").dropFirst().compactMap { line in
            ["a", "b", "c", "d"].first { line.contains("/\($0).npy") }
        }
        #expect(top.status == 0 && order == ["d", "c", "b", "a"], "\(top)")
        let info = try run("info", "s.sqlite")
        #expect(info.output.contains("4×16×16") && info.output.contains("bands"), "\(info)")
        #expect(try run("verify", "s.sqlite").status == 0)
        #expect(try run("verify", "top.png").status == 0)
        // The same again has nothing to do.
        #expect(try run("index", "s.sqlite", "arrays").status == 0)
    }

    @Test func theyAreExplained() throws {
        try index()
        let asked = [
            ["saliency"], ["occlusion", "--window", "4", "--stride", "4"], ["cam"],
            ["saliency", "--method", "integrated"],
        ]
        for (place, words) in asked.enumerated() {
            let result = try Executable.run(
                words + ["s.sqlite", "arrays/high/d.npy", "--target", "class:1", "-o", "\(place).png"], in: folder.path)
            #expect(result.status == 0, "\(words): \(result)")
            #expect(FileManager.default.fileExists(atPath: folder.file("\(place).png")), "\(words)")
        }
        let drawn = try run("saliency", "s.sqlite", "arrays/high/d.npy", "--target", "class:1", "-o", "drawn.svg")
        let text = try String(contentsOfFile: folder.file("drawn.svg"), encoding: .utf8)
        #expect(drawn.status == 0 && text.contains("drawn from −0.99"), "\(drawn)")
        let deconv = try run("deconv", "s.sqlite", "conv:0", "-k", "2", "-o", "deconv.png")
        #expect(deconv.status == 0, "\(deconv)")
        let report = try run("report", "s.sqlite", "-o", "r.html")
        #expect(report.status == 0, "\(report)")
    }

    @Test func whatDoesNotFitIsCounted() throws {
        try NumpyFile.data([1, 2], shape: [1, 2]).write(to: URL(fileURLWithPath: folder.file("arrays/low/flat.npy")))
        try FileManager.default.copyItem(
            atPath: Fixtures.path("awkward/grey.jpg"), toPath: folder.file("arrays/low/photo.jpg"))
        let made = try run("index", "s.sqlite", "--model", "m.onnx", "--classes", "classes.txt", "arrays")
        #expect(made.status == 2, "\(made)")
        #expect(made.errors.contains("is a NumPy array of 1×2, and here it takes one of 4×rows×columns or rows×columns×4"))
        #expect(made.errors.contains("is a JPEG image, of 3 channels at most, and the network takes 4"))
        let wrong = try run("index", "t.sqlite", "--model", "m.onnx", "--preprocess", "torchvision", "arrays")
        #expect(wrong.status == 64 && wrong.errors.contains("has the means of 3 colours"), "\(wrong)")
    }
}
