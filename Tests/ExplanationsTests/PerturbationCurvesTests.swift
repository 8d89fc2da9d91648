import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

struct PerturbationCurvesTests {
    private static let dog = ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg"

    @Test func turnsAndAreas() {
        #expect(PerturbationCurves.turns([1, 3, 3, -2, 0]) == [2, 0, 1, 4, 3], "of equal ones the first")
        #expect(PerturbationCurves.area([1, 0]) == 0.5)
        #expect(PerturbationCurves.area([1, 0.5, 0, 0]) == 1.0 / 3)
        #expect(PerturbationCurves.area([0.3, 0.3, 0.3]) == 0.3)
    }

    /// One picture after the other: the pixels of the largest values gone, or there.
    @Test(arguments: ["class:dog", "class:fish", "conv3:4", "conv4:7@mean"])
    func equalsOnePictureAtATime(_ text: String) throws {
        let fixture = try ExplainerFixture.petshop()
        let (subject, target) = (try fixture.subject(Self.dog), try fixture.target(text))
        let method = try Occlusion.parse(["--window", "24", "--stride", "12"])
        let map = try method.map(of: subject, target: target, by: fixture.explainer)
        var settings = PerturbationCurves.Settings()
        settings.steps = 5
        let curves = try PerturbationCurves(of: map, subject: subject, target: target, by: fixture.explainer, settings: settings)

        let order = (0..<96 * 96).sorted { map.values[$0] != map.values[$1] ? map.values[$0] > map.values[$1] : $0 < $1 }
        let blur = blurred(subject.tensor, height: 96, width: 96, deviation: 7)
        let layer = try fixture.explainer.layer(of: target)
        func value(_ tensor: [Float]) throws -> Double {
            if text.hasPrefix("class:") {
                let scores = try fixture.scores(tensor)
                return exp(Double(scores[target.channel])) / scores.reduce(0) { $0 + exp(Double($1)) }
            }
            var other = subject
            other.tensor = tensor
            let value = try fixture.explainer.value(of: target, on: other)
            return Double(value) / Double(try fixture.explainer.value(of: target, on: subject))
        }
        for (step, pixels) in [0, 1843, 3686, 5530, 7373, 9216].enumerated() {
            var (deleted, inserted) = (subject.tensor, blur)
            for pixel in order[..<pixels] {
                for channel in pixel * 3..<pixel * 3 + 3 {
                    deleted[channel] = 0
                    inserted[channel] = subject.tensor[channel]
                }
            }
            #expect(abs(try value(deleted) - curves.deletion.values[step]) < 1e-5)
            #expect(abs(try value(inserted) - curves.insertion.values[step]) < 1e-5)
        }
        #expect(curves.deletion.values.count == 6 && curves.insertion.values.count == 6)
        #expect(curves.measure == (layer.isLogits ? .probability : .share))
        #expect(abs(curves.deletion.area - PerturbationCurves.area(curves.deletion.values)) < 1e-12)
    }

    @Test func theSameBitsWhateverTheNumberOfWorkers() throws {
        let curves = try [1, 2, 4].map { jobs in
            let fixture = try ExplainerFixture.petshop(jobs: jobs)
            let (subject, target) = (try fixture.subject(Self.dog), try fixture.target("class:dog"))
            let map = try Saliency.parse([]).map(of: subject, target: target, by: fixture.explainer)
            return try PerturbationCurves(of: map, subject: subject, target: target, by: fixture.explainer)
        }
        #expect(curves[0] == curves[1] && curves[0] == curves[2])
        #expect(try JSONDecoder().decode(PerturbationCurves.self, from: JSONEncoder().encode(curves[0])) == curves[0])
    }

    /// Where a fish's tag is taken from Hans, its answer goes; the rest of the picture is worth little to it.
    @Test func aMapOfTheTagTakesTheFishFromHans() throws {
        let fixture = try ExplainerFixture.petshop("petshop-hans")
        var better = 0
        let fish = try PetshopPicture.all("petshop-hans", split: "test").filter { $0.label == "fish" }
        for picture in fish {
            let (subject, target) = (try fixture.subject(picture.path), try fixture.target("class:fish"))
            let map = Mask(boxes: [try #require(picture.tag)], in: Size(width: 96, height: 96)).map
            let curves = try PerturbationCurves(of: map, subject: subject, target: target, by: fixture.explainer)
            if curves.deletion.area < curves.deletion.movedArea { better += 1 }
            #expect(curves.deletion.values[2] < 0.5, "the tag is less than a sixteenth of the picture")
        }
        #expect(better >= fish.count - 1)
    }

    /// Why a map stands beside itself in other places: noise takes from a network faster than blocks at random do, and says nothing.
    @Test func noiseBeatsBlocksButNotItself() throws {
        let fixture = try ExplainerFixture.petshop()
        var (area, blocks, moved) = (0.0, 0.0, 0.0)
        let pictures = try PetshopPicture.all("petshop", split: "test")
        for index in stride(from: 0, to: pictures.count, by: 6) {
            let (subject, target) = (
                try fixture.subject(pictures[index].path), try fixture.target("class:" + pictures[index].label)
            )
            var random = GaussianNoise(seed: UInt64(index), stream: 9)
            let values = (0..<96 * 96).map { _ in random.next() }
            let map = ExplanationMap(channels: 1, height: 96, width: 96, values: values, isSigned: true)
            let curve = try PerturbationCurves(of: map, subject: subject, target: target, by: fixture.explainer).deletion
            area += curve.area / 25
            blocks += curve.blocksArea / 25
            moved += curve.movedArea / 25
        }
        print("noise: deletion \(area), blocks \(blocks), moved \(moved)")
        #expect(area < blocks - 0.05)
        #expect(abs(area - moved) < 0.05)
    }

    @Test func aSilentNeuronIsMeasuredInItsOwnUnits() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(Self.dog)
        let map = ExplanationMap(channels: 1, height: 2, width: 2, values: [1, 2, 3, 4], isSigned: false)
        let silent = try (0..<64).map { try fixture.target("conv4:\($0)") }.first {
            try fixture.explainer.value(of: $0, on: subject) == 0
        }
        let target = try #require(silent)
        let curves = try PerturbationCurves(of: map, subject: subject, target: target, by: fixture.explainer)
        #expect(curves.measure == .value)
        #expect(curves.deletion.values[0] == 0 && curves.insertion.values.last == 0)
        let flat = ExplanationMap(channels: 1, height: 2, width: 2, values: [3, 3, 3, 3], isSigned: false)
        #expect(throws: ExplanationError.constant(what: "the map to check")) {
            try PerturbationCurves(of: flat, subject: subject, target: target, by: fixture.explainer)
        }
        let broken = ExplanationMap(channels: 1, height: 1, width: 2, values: [1, .infinity], isSigned: false)
        #expect(throws: ExplanationError.notFinite(what: "the map to check")) {
            try PerturbationCurves(of: broken, subject: subject, target: fixture.target("class:dog"), by: fixture.explainer)
        }
    }
}
