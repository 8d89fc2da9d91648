import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Targets of networks that answer with a map: scores of classes at each place, or another picture.
@Suite struct SegmenterTests {
    private static let side = 12
    private let folder: TemporaryFolder
    private let fixture: ExplainerFixture
    private let subject: InputImage
    /// [class][place], of the file's own output.
    private let scores: [[Float]]

    /// A hidden layer of six channels, and three classes at each of 12×12 places.
    init() throws {
        folder = try TemporaryFolder()
        var (model, random) = (ModelBuilder(input: [1, 3, Self.side, Self.side]), SeededGenerator(seed: 31))
        for (name, shape) in [("hidden.weight", [6, 3, 3, 3]), ("out.weight", [3, 6, 1, 1])] {
            _ = model.weight(name, shape, SlowTensor(random: shape, using: &random).floats)
        }
        let hidden = model.node("Conv", ["image", "hidden.weight"], ["pads": [1, 1, 1, 1]], name: "hidden")
        let output = model.node("Conv", [model.node("Softplus", [hidden]), "out.weight"], name: "out", outputs: ["maps"])
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: folder.file("net.onnx")))
        var image = Image(width: Self.side, height: Self.side, fill: .black)
        for index in image.pixels.indices { image.pixels[index] = UInt8.random(in: 0...255, using: &random) }
        try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file("1.png")))
        var options = Network.Options()
        options.hasClasses = true
        fixture = try ExplainerFixture(
            model: folder.file("net.onnx"),
            preprocessing: Preprocessing(.plain, input: Size(width: Self.side, height: Self.side)),
            classes: ["sky", "road", "tree"], options: options)
        subject = try fixture.subject(folder.file("1.png"))
        let worker = try Network(contentsOf: folder.file("net.onnx"), options: options).makeWorker()
        _ = worker.input(image: 0).update(fromContentsOf: subject.tensor)
        try worker.run()
        let all = worker.output(image: 0)
        let places = Self.side * Self.side
        scores = (0..<3).map { Array(all[$0 * places..<($0 + 1) * places]) }
    }

    private func target(_ text: String) throws -> Target { try Target(sumOf: text, in: fixture.store.description) }

    private func value(_ text: String) throws -> Float { try fixture.explainer.value(of: target(text), on: subject) }

    /// Places where each class is the largest.
    private var regions: [[Int]] {
        (0..<3).map { own in
            scores[own].indices.filter { place in (0..<3).allSatisfy { scores[own][place] >= scores[$0][place] } }
        }
    }

    @Test func aClassIsItsRegion() throws {
        #expect(regions.filter { !$0.isEmpty }.count >= 2)
        for (index, name) in ["sky", "road", "tree"].enumerated() {
            guard !regions[index].isEmpty else {
                #expect(throws: ExplanationError.self) { try value("class:\(name)") }
                continue
            }
            let mean = regions[index].reduce(0) { $0 + scores[index][$1] } / Float(regions[index].count)
            for text in ["class:\(name)", "class:\(index)@argmax"] { #expect(abs(try value(text) - mean) < 1e-5, "\(text)") }
            #expect(abs(try value("class:\(name)@max") - (scores[index].max() ?? 0)) < 1e-5)
            #expect(try target(target("class:\(name)").text) == target("class:\(name)"))
        }
        let most = regions.indices.max { (regions[$0].count, $1) < (regions[$1].count, $0) } ?? 0
        #expect(try fixture.explainer.answer(on: subject).channel == most)
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        #expect(try archive.answer(on: subject).channel == most)
    }

    /// The map is of the input's size, and what it says of a window is what the region's mean loses.
    @Test func occlusionOfARegion() throws {
        let most = try fixture.explainer.answer(on: subject)
        let map = try Occlusion.parse(["--window", "4", "--stride", "4", "--fill", "black"])
            .pictureMap(of: subject, target: most, by: fixture.explainer)
        #expect((map.height, map.width) == (Self.side, Self.side))
        let served = try fixture.explainer.served(most, on: subject)
        var covered = subject
        for y in 4..<8 { for x in 0..<4 { for channel in 0..<3 { covered.tensor[(y * Self.side + x) * 3 + channel] = 0 } } }
        let lost = try value(most.text) - served.explainer.value(of: served.target, on: covered)
        #expect(abs(map.values[5 * Self.side + 2] - lost) < 1e-5)
    }

    @Test func regionsOfAnOutput() throws {
        let mean = scores[1].reduce(0, +) / Float(scores[1].count)
        #expect(abs(try value("output:maps[1]@mean") - mean) < 1e-5)
        let box = (2..<5).flatMap { y in (3..<9).map { scores[2][y * Self.side + $0] } }
        #expect(abs(try value("output:maps[2]@box 3,2,9,5") - box.reduce(0, +) / Float(box.count)) < 1e-5)
        #expect(abs(try value("output:maps[0,4,7]") - scores[0][4 * Self.side + 7]) < 1e-5)
        let difference = try value("output:maps[1]@mean - 2*output:maps[0]@sum")
        #expect(abs(difference - (mean - 2 * scores[0].reduce(0, +))) < 1e-3)
        for wrong in ["output:maps[3]@mean", "output:maps[0,1]@mean", "output:maps[0]@nothing", "output:maps[0]"] {
            #expect(throws: ExplanationError.self, "\(wrong)") { try value(wrong) }
        }
    }

    @Test func inputsAndAscentOfRegions() throws {
        let most = try fixture.explainer.answer(on: subject)
        let inputs = try NeuronInputs(of: most, from: "hidden", in: fixture.explainer)
        let subject = subject
        try inputs.run(on: 1) { _ in
            subject
        } body: { _, outcome in
            // The output is linear in the hidden layer, and has no bias.
            let made = try outcome.get()
            #expect(abs(made.contributions.reduce(0, +) - Double(made.value)) < 1e-4)
            #expect(abs(made.value - (try value(most.text))) < 1e-5)
        }
        var settings = AscentStyle.olah.settings(side: Self.side)
        (settings.steps, settings.start) = (20, .grey)
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        for text in ["class:road", "output:maps[1]@mean", "output:maps[2,4,7]"] {
            let objective = try Objective(text, in: fixture.store.description)
                .fillingPictures(in: fixture.store.description)
            let outcome = try archive.ascent(of: objective, settings: settings, style: .olah)
            #expect(outcome.record.last[0] > outcome.record.first[0], "\(text)")
        }
        let mixed = try Objective("output:maps[2,4,7] + hidden:1", in: fixture.store.description)
        #expect(throws: ExplanationError.self) { try archive.ascent(of: mixed, settings: settings, style: .olah) }
        #expect(throws: ExplanationError.self) { try Ablation(of: [[target("hidden:1")]], in: fixture.explainer) }
    }
}
