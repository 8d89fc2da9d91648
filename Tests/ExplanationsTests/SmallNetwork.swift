import ActivationStore
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport

/// A network of a few numbers, and a picture of its size whose levels are the network's input.
struct SmallNetwork {
    let folder: TemporaryFolder
    let fixture: ExplainerFixture
    let subject: InputImage

    /// - Parameter level: of the picture at (y, x), for all colours.
    init(side: Int, _ model: ModelBuilder, output: String, level: (Int, Int) -> UInt8) throws {
        folder = try TemporaryFolder()
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: folder.file("net.onnx")))
        var image = Image(width: side, height: side, fill: .black)
        for y in 0..<side {
            for x in 0..<side { for color in 0..<3 { image.pixels[(y * side + x) * 3 + color] = level(y, x) } }
        }
        try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file("1.png")))
        fixture = try ExplainerFixture(
            model: folder.file("net.onnx"),
            preprocessing: Preprocessing(.plain, input: Size(width: side, height: side)))
        subject = try fixture.subject(folder.file("1.png"))
    }

    func map(_ method: some ExplanationMethod, _ target: String) throws -> ExplanationMap {
        try method.map(of: subject, target: fixture.target(target), by: fixture.explainer)
    }

    func checks(_ method: some ExplanationMethod, _ target: String) throws -> MapChecks {
        try MapChecks(
            of: method, map: map(method, target), subject: subject, target: fixture.target(target), by: fixture.explainer)
    }

    func value(_ target: String) throws -> Float {
        try fixture.explainer.value(of: fixture.target(target), on: subject)
    }
}
