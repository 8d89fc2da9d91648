import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Regions that a user drew, as targets.
@Suite struct RegionMaskTests {
    private let folder: TemporaryFolder
    private let fixture: ExplainerFixture
    private let subject: InputImage

    init() throws {
        folder = try TemporaryFolder()
        fixture = try ExplainerFixture.petshop()
        subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/cat/cat-31.jpg")
    }

    /// - Parameter isIn: by column and row.
    private func draw(_ name: String, width: Int = 96, height: Int = 96, _ isIn: (Int, Int) -> Bool) throws -> String {
        var image = Image(width: width, height: height, fill: .black)
        for y in 0..<height {
            for x in 0..<width where isIn(x, y) { image.pixels[(y * width + x) * 3 + 1] = 1 }
        }
        try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    private func value(_ text: String) throws -> Float { try fixture.explainer.value(of: fixture.target(text), on: subject) }

    private func refusal(_ text: String) -> String {
        do {
            return "\(try value(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func aRectangleIsABox() throws {
        let file = try draw("a - b @ c.png") { x, y in (10..<40).contains(x) && (20..<70).contains(y) }
        for neuron in ["conv1:3", "conv3:5"] {
            #expect(try value("\(neuron)@mask \(file)") == value("\(neuron)@box 10,20,40,70"), "\(neuron)")
        }
        // Half as wide and high, it is stretched.
        let half = try draw("half.png", width: 48, height: 48) { x, y in (5..<20).contains(x) && (10..<35).contains(y) }
        #expect(try value("conv2:7@mask \(half)") == value("conv2:7@box 10,20,40,70"))
        // One pixel between the places of conv4: the nearest.
        let dot = try draw("dot.png") { x, y in x == 50 && y == 30 }
        #expect(try value("conv4:5@mask \(dot)") == value("conv4:5@box 50,30,51,31"))
    }

    /// Two parts: the mean over the places of `conv1` (one a pixel) that lie in either.
    @Test func anyShapeIsTheMeanOverItsPlaces() throws {
        func isIn(_ x: Int, _ y: Int) -> Bool { (x - 20) * (x - 20) + (y - 30) * (y - 30) < 90 || (x > 80 && y > 60) }
        let target = try fixture.target("conv1:3@mask " + draw("two.png", isIn))
        let layer = try fixture.explainer.layer(of: target)
        try #require(layer.height == 96 && layer.width == 96)
        let map = try fixture.explainer.activations(of: layer, on: subject)
        let own = (0..<96 * 96).filter { isIn($0 % 96, $0 / 96) }.map { map[$0 * layer.channels + 3] }
        #expect(abs(try fixture.explainer.value(of: target, on: subject) - own.reduce(0, +) / Float(own.count)) < 1e-5)
        let saliency = try Saliency.parse([]).pictureMap(of: subject, target: target, by: fixture.explainer)
        // A convolution of 3×3 sees one pixel beyond the region.
        for (index, value) in saliency.plane.enumerated() where value != 0 {
            let (x, y) = (index % 96, index / 96)
            #expect((-1...1).contains { dy in (-1...1).contains { isIn(x + $0, y + dy) } })
        }
        #expect(saliency.plane.contains { $0 != 0 })
    }

    /// Places of a transformer are cells, whose middles count.
    @Test func boxesOfTokensAreOfTheirCells() throws {
        let tokens = ExplainerFixture.fixtures + "/attention"
        var preprocessing = Preprocessing(.torchvision, input: Size(width: 32, height: 32))
        preprocessing.resize = .none
        let fixture = try ExplainerFixture(model: tokens + "/class-token.onnx", preprocessing: preprocessing)
        let picture = try fixture.subject(tokens + "/picture.png")
        let layer = try #require(fixture.store.description.layers.last { $0.height == 4 && $0.name.hasPrefix("blocks.0") }).name
        let places = try fixture.explainer.placed(fixture.target("\(layer):1@box 8,16,24,24"), on: picture).reduction
        #expect(places == .places([9, 10]))
        let file = try draw("cells.png", width: 32, height: 32) { x, y in x >= 8 && x < 24 && y >= 16 && y < 24 }
        #expect(try fixture.explainer.placed(fixture.target("\(layer):1@mask \(file)"), on: picture).reduction == places)
    }

    @Test func wrongMasksAreRefused() throws {
        let wide = try draw("wide.png", width: 96, height: 64) { _, _ in true }
        #expect(refusal("conv1:3@mask \(wide)").contains("is 96×96 pixels, and the mask '\(wide)' 96×64"))
        let black = try draw("black.png") { _, _ in false }
        #expect(refusal("conv1:3@mask \(black)") == "'\(black)' is black everywhere; what is not black is the region")
        #expect(refusal("conv1:3@mask /nowhere/m.png").contains("'/nowhere/m.png' cannot be read as a mask"))
        #expect(refusal("conv1:3@mask").contains("behind @mask stands a picture"))
        #expect(refusal("class:cat@mask \(wide)").contains("is one number for the whole picture"))
    }

    /// The same name with another region is another target.
    @Test func whatIsKeptIsOfTheRegion() throws {
        let file = try draw("m.png") { x, _ in x < 30 }
        let (first, method) = (try fixture.target("conv1:3@mask \(file)"), try Saliency.parse([]))
        let archive = try ExplanationArchive(store: fixture.store, keeps: true, toolVersion: "test")
        let made = try archive.explanation(of: subject, target: first, by: method)
        #expect(try !made.wasKept && archive.explanation(of: subject, target: fixture.target(first.text), by: method).wasKept)
        _ = try draw("m.png") { x, _ in x > 60 }
        let other = try archive.explanation(of: subject, target: fixture.target(first.text), by: method)
        #expect(!other.wasKept && other.map != made.map)
    }
}
