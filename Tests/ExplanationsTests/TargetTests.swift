import ActivationStore
import ArgumentParser
import Explanations
import Images
import Indexing
import NeuralNetwork
import Search
import TestSupport
import Testing

/// What a target's text means: its value, its gradient, and what is refused.
@Suite struct TargetTests {
    private let fixture: ExplainerFixture
    private let subject: InputImage

    init() throws {
        fixture = try ExplainerFixture.petshop()
        subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
    }

    private func target(_ text: String) throws -> Target { try Target(sumOf: text, in: fixture.store.description) }

    private func value(_ text: String) throws -> Float { try fixture.explainer.value(of: target(text), on: subject) }

    private func gradient(_ text: String) throws -> [Float] {
        try Saliency.parse([]).pictureMap(of: subject, target: target(text), by: fixture.explainer).values
    }

    /// Gradients are linear: that of a sum is the sum of theirs.
    @Test(
        arguments: [
            ("class:cat - class:dog", ["class:cat": 1, "class:dog": -1]), ("-class:cat", ["class:cat": -1]),
            ("2*class:fish + class:bird - 0.5*class:cat", ["class:fish": 2, "class:bird": 1, "class:cat": -0.5]),
            ("conv4:3@sum - conv4:5@mean", ["conv4:3@sum": 1, "conv4:5@mean": -1]),
            ("conv4:3@max + conv4:3@mean", ["conv4:3@max": 1, "conv4:3@mean": 1]),
        ] as [(String, [String: Float])])
    func sums(_ text: String, _ parts: [String: Float]) throws {
        let expected = try parts.reduce(Float.zero) { $0 + $1.value * (try value($1.key)) }
        #expect(abs(try value(text) - expected) < 1e-4 * max(1, abs(expected)))
        let gradients = try parts.map { (try gradient($0.key), $0.value) }
        let sum = gradients[0].0.indices.map { index in gradients.reduce(Float.zero) { $0 + $1.1 * $1.0[index] } }
        let largest = sum.map(abs).max() ?? 0
        #expect(largest > 0)
        #expect(largestError(try gradient(text), sum) < 1e-4 * largest)
        // Read again, the text is the same target.
        let once = try target(text)
        #expect(try target(once.text) == once)
        #expect(!once.isOneNeuron)
    }

    @Test func reductions() throws {
        let layer = try #require(fixture.explainer.network.layers.first { $0.name == "conv4" })
        let map = try fixture.explainer.activations(of: layer, on: subject)
        let places = layer.height * layer.width
        let own = (0..<places).map { map[$0 * layer.channels + 3] }
        #expect(try value("conv4:3@sum") == own.reduce(0, +))
        // A box around everything is the mean, of whatever size the picture is.
        let size = subject.framed.placement.source
        #expect(abs(try value("conv4:3@box 0,0,\(size.width),\(size.height)") - own.reduce(0, +) / Float(places)) < 1e-6)
        // Of the left half, the places left of the middle.
        let left = (0..<places).filter { place in
            let field = layer.receptiveField.x
            return Double(field.start + place % layer.width * field.stride) + Double(field.size) / 2 < 48
        }
        let half = left.reduce(Float.zero) { $0 + own[$1] } / Float(left.count)
        #expect(abs(try value("conv4:3@box 0,0,\(size.width / 2),\(size.height)") - half) < 1e-6)
        #expect(left.count * 2 == places)
        // Smaller than a cell: the nearest.
        #expect(own.contains(try value("conv4:3@box 40,40,41,41")))
        // Where no other channel is larger.
        let winners = (0..<places).map { place in
            (0..<layer.channels).max { (map[place * layer.channels + $0], $1) < (map[place * layer.channels + $1], $0) } ?? 0
        }
        let winner = try #require(winners.first)
        let region = winners.indices.filter { winners[$0] == winner }
        let mean = region.reduce(Float.zero) { $0 + map[$1 * layer.channels + winner] } / Float(region.count)
        #expect(abs(try value("conv4:\(winner)@argmax") - mean) < 1e-6)
    }

    /// The gradient of a part is of that part's field alone, and its places stay where they were while windows cover them.
    @Test func aBoxIsExplainedByItself() throws {
        let box = "conv2:7@box 0,0,16,16"
        let gradient = try Saliency.parse([]).pictureMap(of: subject, target: target(box), by: fixture.explainer)
        let (width, channels) = (gradient.width, gradient.channels)
        let plane = gradient.values.count / channels
        let far = (0..<plane).filter { $0 / width > 40 && $0 % width > 40 }
        #expect(far.allSatisfy { place in (0..<channels).allSatisfy { gradient.values[$0 * plane + place] == 0 } })
        #expect(gradient.values.contains { $0 != 0 })
        let occlusion = try Occlusion.parse(["--window", "16", "--stride", "16"])
        let covered = try fixture.explainer.placed(target("conv4:3@box 20,20,60,60 - conv4:5@mean"), on: subject)
        let map = try occlusion.pictureMap(of: subject, target: covered, by: fixture.explainer)
        #expect(map.values.contains { $0 != 0 })
    }

    /// Two classes beside each other: what speaks for one and against the other, by each method.
    @Test func everyMethodExplainsADifference() throws {
        let difference = try target("class:cat - class:dog")
        #expect(difference.caption == "cat - dog" && difference.quantity == "sum of scores")
        let occlusion = try Occlusion.parse(["--window", "24", "--stride", "24"])
        let maps = try ["class:cat - class:dog", "class:cat", "class:dog"].map {
            try occlusion.pictureMap(of: subject, target: target($0), by: fixture.explainer).values
        }
        #expect(largestError(maps[0], zip(maps[1], maps[2]).map { $0 - $1 }) < 1e-4)
        let cam = try ClassActivationMap.parse([]).pictureMap(of: subject, target: difference, by: fixture.explainer)
        #expect(cam.values.contains { $0 != 0 })
        #expect(throws: ExplanationError.self) {
            try Occlusion.parse(["--probability"]).pictureMap(of: subject, target: difference, by: fixture.explainer)
        }
    }

    @Test(arguments: [
        ("conv4:3 + conv3:1", "adds neurons of the layers conv4 and conv3"),
        ("conv4:3@most", "after @ stands max, mean, sum, argmax"),
        ("conv4:3@box 1,2,3", "a box is left, top, right and bottom"), ("conv4:3@box 30,30,10,40", "a box is left, top"),
        ("class:cat@box 0,0,9,9", "is one number for the whole picture"), ("class:cat -", "lacks a target beside"),
        ("0*class:cat", "has the factor '0'"), ("conv4:3@99,0", "outside the layer's map"),
    ])
    func isRefused(_ text: String, _ problem: String) throws {
        do {
            _ = try target(text)
            Issue.record("'\(text)' was taken")
        } catch let error as ExplanationError {
            #expect("\(error)".contains(problem), "\(error)")
        }
    }

    @Test func aBoxThatIsNotSeenIsRefused() throws {
        do {
            _ = try value("conv4:3@box 5000,5000,5010,5010")
            Issue.record("it was taken")
        } catch let error as ExplanationError {
            #expect("\(error)".contains("in which the network sees nothing of"), "\(error)")
        }
    }
}

/// Why two images are alike: the distance that `similar` goes by, and its gradient.
@Suite struct SimilarityTargetTests {
    @Test func itIsTheDistanceOfSimilar() throws {
        let folder = ExplainerFixture.fixtures + "/petshop/test/dog"
        let fixture = try ExplainerFixture.petshop(indexing: try Dataset(paths: [folder]))
        let archive = try ExplanationArchive(store: fixture.store, keeps: false, toolVersion: "test")
        let (one, other) = (folder + "/dog-31.jpg", folder + "/dog-32.jpg")
        let query = SimilarQuery(image: one, layer: ["conv4"], count: 100)
        let distance = try #require(try query.run(in: fixture.store).first { $0.image == other }?.distance)
        let target = try Target(sumOf: "similar:\(one)@conv4", in: fixture.store.description)
        #expect(try Target(sumOf: target.text, in: fixture.store.description) == target)
        let subject = try archive.subject(other)
        let explanation = try archive.explanation(of: subject, target: target, by: Saliency.parse([]))
        #expect(abs(Double(explanation.value) + distance) < 1e-4 * distance)
        #expect(explanation.map.values.contains { $0 != 0 })
        // By default, by the layer that similar takes.
        let plain = try Target(sumOf: "similar:\(one)", in: fixture.store.description)
        let first = try #require(try SimilarQuery(image: one, count: 100).run(in: fixture.store).first { $0.image == other })
        let value = try archive.explanation(
            of: subject, target: plain, by: Occlusion.parse(["--window", "48", "--stride", "48"])
        ).value
        #expect(abs(Double(value) + first.distance) < 1e-4 * first.distance)
        #expect(throws: StoreError.self) {
            let gone = try Target(sumOf: "similar:nowhere.jpg", in: fixture.store.description)
            return try archive.explanation(of: subject, target: gone, by: Saliency.parse([]))
        }
    }
}
