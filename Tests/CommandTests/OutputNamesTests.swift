import Foundation
import Images
import TestSupport
import Testing

/// Numbers that a network answers with, by name: `index --outputs`.
@Suite struct OutputNamesTests {
    private let folder: TemporaryFolder

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    private func write(_ lines: String..., to name: String) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: folder.file(name)))
    }

    /// A network that answers with the mean of red and of blue, times 10, over four flat pictures.
    init() throws {
        folder = try TemporaryFolder()
        var model = ModelBuilder(input: [1, 3, 8, 8])
        _ = model.weight("w", [3, 3, 1, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1])
        let map = model.node("Conv", ["image", "w"], name: "conv")
        let means = model.node("Flatten", [model.node("GlobalAveragePool", [map])])
        _ = model.weight("head", [3, 2], [10, 0, 0, 0, 0, 10])
        try Data(model.bytes(outputs: [model.node("MatMul", [means, "head"], name: "numbers")])).write(
            to: URL(fileURLWithPath: folder.file("m.onnx")))
        try FileManager.default.createDirectory(atPath: folder.file("flat"), withIntermediateDirectories: true)
        for red in 0..<4 {
            let picture = Image(width: 8, height: 8, fill: Color(UInt8(60 * red), 9, UInt8(200 - 50 * red)))
            try Data(try picture.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file("flat/\(red).png")))
        }
        try write("age [years]", "yaw [°]", to: "names.txt")
    }

    private func index(_ names: String = "names.txt") throws -> Executable.Result {
        try run("index", "s.sqlite", "--model", "m.onnx", "--outputs", names, "--preprocess", "raw", "--resize", "none", "flat")
    }

    @Test func namesAreKeptAndAsked() throws {
        let made = try index()
        #expect(made.status == 0, "\(made)")
        let info = try run("info", "s.sqlite").output
        #expect(info.contains("age [years], yaw [°]") && info.contains("pictures of 16 bits as numbers"), "\(info)")
        // With its unit or without, and as the neuron that it is.
        for name in ["output:age", "output:age [years]", "numbers:0"] {
            let top = try run("top", "s.sqlite", name, "-k", "4", "--format", "csv")
            let order = top.output.split(separator: "\n").dropFirst().compactMap { line in
                (0..<4).first { line.contains("/\($0).png") }
            }
            #expect(top.status == 0 && order == [3, 2, 1, 0] && top.output.contains("1800"), "\(top)")
        }
        let explained = try run("saliency", "s.sqlite", "flat/3.png", "--target", "output:yaw", "-o", "yaw.svg")
        let text = try String(contentsOfFile: folder.file("yaw.svg"), encoding: .utf8)
        #expect(explained.status == 0 && text.contains("output:yaw [°]") && text.contains("value 500"), "\(explained)")
        #expect(try run("verify", "yaw.svg").status == 0)
        #expect(try run("verify", "s.sqlite").status == 0)
        // The same again has nothing to do, with the names or without.
        #expect(try index().status == 0)
        #expect(try run("index", "s.sqlite", "flat").status == 0)
        let answers = try run("predict", "s.sqlite")
        #expect(answers.status == 1 && answers.errors.contains("answers with numbers"), "\(answers)")
    }

    @Test func whatDoesNotFitIsRefused() throws {
        try write("age", to: "few.txt")
        try write("age", "age", to: "twice.txt")
        #expect(try index("few.txt").errors.contains("'few.txt' has 1 lines, and the network answers with 2 numbers"))
        #expect(try index("twice.txt").errors.contains("'twice.txt' names 'age' twice"))
        #expect(try !index("none.txt").errors.isEmpty)
        let both = try run("index", "s.sqlite", "--model", "m.onnx", "--outputs", "names.txt", "--classes", "names.txt", "flat")
        #expect(both.status == 64 && both.errors.contains("leave one of them out"), "\(both)")
        #expect(try index().status == 0)
        try write("weight [kg]", "height [m]", to: "other.txt")
        let other = try index("other.txt")
        #expect(other.status == 1 && other.errors.contains("weight [kg], height [m]"), "\(other)")
        let wrong = try run("top", "s.sqlite", "output:weight")
        #expect(wrong.status == 1 && wrong.errors.contains("output"), "\(wrong)")
    }
}
