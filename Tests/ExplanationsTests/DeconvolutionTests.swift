import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

@Suite struct DeconvolutionTests {
    private let fixture: ExplainerFixture
    private let dog = ExplainerFixture.fixtures + "/petshop/test/dog/dog-46.jpg"

    init() throws { fixture = try ExplainerFixture.petshop() }

    private func map(_ target: String, _ options: [String] = []) throws -> ExplanationMap {
        try Deconvolution.parse(options).map(of: fixture.subject(dog), target: fixture.target(target), by: fixture.explainer)
    }

    @Test func isZeroOutsideTheReceptiveField() throws {
        let layer = try #require(fixture.store.description.layers.first { $0.name == "conv4" })
        let size = fixture.explainer.preprocessing.crop
        for (y, x) in [(0, 0), (1, 1), (5, 8), (layer.height - 1, layer.width - 1)] {
            let target = try fixture.target("conv4:3@\(y),\(x)")
            guard let map = try? map("conv4:3@\(y),\(x)") else { continue }
            let area = layer.field(of: target, in: size).pixels(in: size)
            var (inside, outside): (Float, Float) = (0, 0)
            for channel in 0..<3 {
                for row in 0..<size.height {
                    for column in 0..<size.width {
                        let value = abs(map.values[(channel * size.height + row) * size.width + column])
                        if area.rows.contains(row) && area.columns.contains(column) {
                            inside = max(inside, value)
                        } else {
                            outside = max(outside, value)
                        }
                    }
                }
            }
            #expect(outside == 0 && inside > 0, "at \(y),\(x)")
        }
    }

    @Test func theMaximumIsItsPosition() throws {
        let place = try fixture.explainer.place(of: fixture.target("conv4:3"), on: fixture.subject(dog))
        #expect(try map("conv4:3@\(place.y),\(place.x)").values == map("conv4:3").values)
    }

    @Test func rulesDiffer() throws {
        let (deconvnet, guided, gradient) = (
            try map("conv4:3"), try map("conv4:3", ["--rule", "guided"]), try map("conv4:3", ["--rule", "gradient"])
        )
        #expect(deconvnet.values != guided.values && guided.values != gradient.values)
        let saliency = try Saliency.parse([]).map(
            of: fixture.subject(dog), target: fixture.target("conv4:3"), by: fixture.explainer)
        #expect(gradient.values == saliency.values)
    }

    @Test func theSheetShowsWhatWasSeenAndWhatWasAnswered() throws {
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        let subject = try archive.subject(dog)
        let target = try fixture.target("conv4:3@1,1")
        let explanation = try archive.explanation(of: subject, target: target, by: Deconvolution.parse([]))
        let layer = try #require(fixture.store.description.layers.first { $0.name == "conv4" })
        func sheet(_ map: ExplanationMap) throws -> Image {
            var changed = explanation
            changed.map = map
            var sheet = ProjectionSheet()
            let projection = Projection(changed, of: layer, on: subject, in: archive.preprocessing.crop)
            sheet.add("conv4:3", of: layer, [projection], rule: .deconvnet, channelOrder: .rgb)
            return try sheet.page().rendered()
        }
        let drawn = try sheet(explanation.map)
        var nothing = explanation.map
        nothing.values = [Float](repeating: 0, count: nothing.values.count)
        let blank = try sheet(nothing)
        #expect((drawn.width, drawn.height) == (blank.width, blank.height))
        // The upper row is the picture either way; the lower one is the projection, or grey.
        let half = drawn.width * 3 * (drawn.height / 2)
        #expect(drawn.pixels[..<half] == blank.pixels[..<half])
        #expect(drawn.pixels[half...] != blank.pixels[half...])
        let middle = (drawn.width / 2 + drawn.width * (drawn.height - 100)) * 3
        #expect(blank.pixels[middle..<middle + 3] == [128, 128, 128])
    }
}
