import Foundation
import Images
import TestSupport
import Testing

/// Sheets of neurons that see most of a picture: dark where the neuron is silent, plain where nobody can run the network.
@Suite struct DarkSheetTests {
    private let folder: TemporaryFolder

    /// A network whose map is the red of a picture, though each cell sees 31 × 31 of its 32 × 32 pixels; and a grey picture with
    /// a white spot in the middle.
    init() throws {
        folder = try TemporaryFolder()
        var model = ModelBuilder(input: [nil, 3, 32, 32])
        var weights = [Float](repeating: 0, count: 3 * 31 * 31)
        weights[15 * 31 + 15] = 1
        _ = model.weight("w", [1, 3, 31, 31], weights)
        let map = model.node("Conv", ["image", "w"], ["pads": [15, 15, 15, 15]], name: "wide")
        try Data(model.bytes(outputs: [model.node("Relu", [map])])).write(to: URL(fileURLWithPath: folder.file("wide.onnx")))
        try FileManager.default.createDirectory(atPath: folder.file("pictures"), withIntermediateDirectories: true)
        var picture = Image(width: 32, height: 32, fill: Color(128, 128, 128))
        picture.fill(x: 15, y: 15, width: 2, height: 2, with: .white)
        try Data(picture.pngData()).write(to: URL(fileURLWithPath: folder.file("pictures/spot.png")))
        let made = try run(
            "index", "wide.sqlite", "--model", "wide.onnx", "--classes", "none", "--preprocess", "raw", "--resize", "none",
            "pictures")
        #expect(made.status == 0, "\(made)")
    }

    private func run(_ arguments: String...) throws -> Executable.Result { try Executable.run(arguments, in: folder.path) }

    /// How many pixels of a picture are grey, of this level.
    private func count(_ level: UInt8, in name: String) throws -> Int {
        let pixels = try ImageReader().decode(contentsOf: folder.file(name)).pixels
        return stride(from: 0, to: pixels.count, by: 3).count { pixels[$0..<$0 + 3].allSatisfy { $0 == level } }
    }

    private func sheet(_ name: String, _ options: String...) throws -> Executable.Result {
        try Executable.run(["top", "wide.sqlite", "wide:0", "--sheet", name] + options, in: folder.path)
    }

    @Test func whereTheNeuronIsSilentItIsDark() throws {
        let dark = try sheet("dark.png")
        #expect(dark.status == 0 && dark.errors.isEmpty, "\(dark)")
        // 128 of 255 is 0.502 of the maximum, which leaves 0.25 + 0.75 · 0.502 of 128.
        #expect(try count(80, in: "dark.png") > 40_000 && count(128, in: "dark.png") == 0)
        let plain = try sheet("plain.png", "--plain")
        #expect(plain.status == 0 && plain.errors.isEmpty, "\(plain)")
        #expect(try count(128, in: "plain.png") > 40_000 && count(80, in: "plain.png") == 0)
        // Whole images with the field around it are as they are.
        #expect(try sheet("whole.png", "--whole").status == 0)
        #expect(try count(128, in: "whole.png") > 40_000)
        for name in ["dark.png", "plain.png", "whole.png"] {
            let verified = try run("verify", name)
            #expect(verified.status == 0, "\(verified)")
        }
    }

    @Test func withoutTheNetworkItIsPlainAndSaysSo() throws {
        #expect(try sheet("dark.png").status == 0)
        try FileManager.default.moveItem(atPath: folder.file("wide.onnx"), toPath: folder.file("moved.onnx"))
        let plain = try sheet("plain.png")
        #expect(plain.status == 0 && plain.errors.contains("drawn plain, not dark where neurons are silent: "), "\(plain)")
        #expect(try count(128, in: "plain.png") > 40_000)
        #expect(try run("verify", "plain.png").status == 0)
        // What is dark needs the network again.
        let gone = try run("verify", "dark.png")
        #expect(gone.status == 1 && gone.errors.contains("wide.onnx"), "\(gone)")
        #expect(try run("verify", "dark.png", "--model", "moved.onnx").status == 0)
        #expect(try sheet("again.png", "--model", "moved.onnx").status == 0)
        #expect(try count(80, in: "again.png") > 40_000)
        // A picture whose file has gone cannot be run, and is the store's thumbnail, or missing.
        try FileManager.default.removeItem(atPath: folder.file("pictures/spot.png"))
        let missing = try sheet("missing.png", "--model", "moved.onnx")
        #expect(missing.status == 0 || missing.errors.contains("spot.png"), "\(missing)")
    }
}
