import ActivationStore
import ArgumentParser
import Explanations
import Images
import TestSupport
import Testing

/// Pictures of neurons that see nearly everything: dark where the neuron is silent.
@Suite struct WideFieldTests {
    private let fixture: ExplainerFixture
    private let archive: ExplanationArchive
    private let layer: LayerRecord

    init() throws {
        fixture = try ExplainerFixture.petshop()
        archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        layer = try #require(fixture.store.description.layers.first { $0.name == "conv4" })
    }

    /// Of a layer whose field is not known, which is taken for everything.
    private func projections(by archive: ExplanationArchive) throws -> (narrow: Projection, wide: Projection) {
        let subject = try fixture.subject(Fixtures.path("petshop/test/dog/dog-46.jpg"))
        let place = try fixture.explainer.place(of: try fixture.target("conv4:3"), on: subject)
        let explanation = try self.archive.explanation(
            of: subject, target: try fixture.target("conv4:3@\(place.y),\(place.x)"), by: try Deconvolution.parse([]))
        var everywhere = layer
        everywhere.receptiveField = nil
        let size = archive.preprocessing.crop
        let lit = archive.lit([
            Projection(explanation, of: layer, on: subject, in: size),
            Projection(explanation, of: everywhere, on: subject, in: size),
        ])
        return (lit[0], lit[1])
    }

    @Test func onlyAWideFieldIsDarkened() throws {
        let (narrow, wide) = try projections(by: archive)
        #expect(!narrow.isWide && narrow.activation == nil && narrow.seen == narrow.subject.framed.image)
        let activation = try #require(wide.activation)
        #expect(wide.isWide && activation.count == 96 * 96 && activation.allSatisfy { (0...1).contains($0) })
        // Brightest around the cell of the maximum, whose middle is here.
        let place = try #require(wide.explanation.target.place)
        let (cell, height) = (96 / layer.width, 96 / layer.height)
        let peak = activation.indices.max { activation[$0] < activation[$1] } ?? 0
        #expect(abs(peak / 96 - (place.y * height + height / 2)) <= height)
        #expect(abs(peak % 96 - (place.x * cell + cell / 2)) <= cell)
        let (image, seen) = (wide.subject.framed.image, wide.seen)
        var silent = 0
        for (pixel, level) in activation.enumerated() {
            let (before, after) = (Int(image.pixels[3 * pixel]), Int(seen.pixels[3 * pixel]))
            #expect(after <= before)
            if level == 0 {
                silent += 1
                #expect(abs(4 * after - before) <= 2)
            }
        }
        #expect(silent > 96)
        #expect(try projections(by: archive).wide.seen == seen)
    }

    @Test func aNetworkThatIsGoneIsSaid() throws {
        let gone = try ExplanationArchive(store: fixture.store, model: "/nowhere.onnx", keeps: false, toolVersion: "test")
        let (narrow, wide) = try projections(by: gone)
        #expect(wide.activation == nil && wide.isUnlit && !narrow.isUnlit)
        #expect(ProjectionSheet.remark([wide]) == "; not darkened: the network could not be run")
        #expect(ProjectionSheet.remark([narrow]).isEmpty)
        #expect(try ProjectionSheet.remark([projections(by: archive).wide]) == "; dark where the neuron is silent")
    }
}
