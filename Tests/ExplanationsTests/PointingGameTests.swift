import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

struct PointingGameTests {
    private func map(_ rows: [[Float]]) -> ExplanationMap {
        ExplanationMap(channels: 1, height: rows.count, width: rows[0].count, values: rows.flatMap { $0 }, isSigned: true)
    }

    @Test func countsHits() throws {
        var game = PointingGame()
        #expect(game.share == nil && game.chance == nil && game.centerShare == nil)
        let size = Size(width: 8, height: 4)
        // Stretched, the value of a corner is the corner pixel's.
        let corner = map([[0, -9, 0, 1], [0, 0, 0, 5]])
        func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> Rectangle {
            Rectangle(x: x, y: y, width: width, height: height)
        }
        let peak = try #require(corner.stretched(to: size).peak)
        #expect(peak.y == 3 && peak.x == 7)
        #expect(try game.add(corner, boxes: [box(7, 3, 1, 1)], in: size) == true)
        #expect(try game.add(corner, boxes: [box(0, 0, 7, 4)], in: size) == false, "the right edge is outside")
        #expect(try game.add(corner, boxes: [box(0, 0, 1, 1), box(6, 2, 2, 2)], in: size) == true, "any box will do")
        #expect(try game.add(corner, boxes: [], in: size) == nil, "nothing to hit")
        #expect(game.asked == 3 && game.hits == 2 && game.centerHits == 1)
        #expect(game.share == 2.0 / 3 && game.centerShare == 1.0 / 3)
        let chance: Double = (1.0 + 28.0 + 5.0) / 96
        #expect(abs(try #require(game.chance) - chance) < 1e-12)
        var near = PointingGame(tolerance: 1)
        #expect(try near.add(corner, boxes: [box(0, 0, 7, 4)], in: size) == true)
        #expect(try near.add(corner, boxes: [box(0, 0, 6, 4)], in: size) == false)
        #expect(try JSONDecoder().decode(PointingGame.self, from: JSONEncoder().encode(game)) == game)
    }

    @Test func aMapWithNaNPointsNowhere() throws {
        var game = PointingGame()
        #expect(throws: ExplanationError.notFinite(what: "the map to point with")) {
            try game.add(
                map([[1, .nan]]), boxes: [Rectangle(x: 0, y: 0, width: 1, height: 1)], in: Size(width: 2, height: 1))
        }
        #expect(game.asked == 0)
    }

    /// Occlusion as the fixtures' own figures have it: a window of a sixth of the picture finds a tag of a fifth, one of a quarter does not.
    /// SmoothGrad with 16 copies, which is where its maximum has settled.
    private static func method(_ name: String) throws -> any ExplanationMethod {
        switch name {
        case "occlusion": try Occlusion.parse(["--window", "16", "--stride", "8"])
        case "grad-cam": try ClassActivationMap.parse(["--method", "grad-cam"])
        case "smoothgrad": try Saliency.parse(["--method", "smoothgrad", "--samples", "16"])
        default: try Saliency.parse(["--method", name])
        }
    }

    /// Of the rightly classified pictures of a label (nil for all), with boxes of a prefix.
    private func play(
        _ network: String, _ folder: String, label: String? = nil, prefix: String = "", by name: String, every step: Int = 1
    ) throws -> PointingGame {
        let fixture = try ExplainerFixture.petshop(network)
        let table = try BoxTable(contentsOf: ExplainerFixture.fixtures + "/\(folder)/boxes.csv", prefix: prefix)
        let method = try Self.method(name)
        var game = PointingGame()
        let rows = table.rows.filter { $0.split == "test" && (label == nil || $0.label == label) }
        for index in stride(from: 0, to: rows.count, by: step) {
            let subject = try fixture.subject(table.file(of: rows[index]))
            let target = try fixture.target("class:" + #require(rows[index].label))
            guard try fixture.explainer.answer(on: subject) == target else { continue }
            let map = try method.map(of: subject, target: target, by: fixture.explainer)
            try game.add(map, boxes: table.boxes(of: subject), in: subject.framed.placement.crop)
        }
        print(network, prefix.isEmpty ? "animal" : prefix, name, "\(game.hits) of \(game.asked), chance", game.chance ?? 0)
        return game
    }

    /// The honest network looks at the animal, in 9 of 10 pictures at least by every method. Of 150 pictures; `NEURODEX_STRESS` asks for all by
    /// the slower methods too.
    @Test(arguments: ["gradient", "smoothgrad", "guided", "occlusion", "grad-cam"])
    func animals(_ name: String) throws {
        let step = ["smoothgrad", "occlusion"].contains(name) && !ExplainerFixture.isStress ? 5 : 1
        let game = try play("petshop", "petshop", by: name, every: step)
        #expect(game.asked == 150 / step)
        #expect(try #require(game.share) >= 0.9)
        #expect(try #require(game.chance) < 0.45)
    }

    /// Hans looks at the price tag. Its box is 4 % of the picture.
    @Test(arguments: ["gradient", "smoothgrad", "occlusion"])
    func tags(_ name: String) throws {
        let game = try play("petshop-hans", "petshop-hans", label: "fish", prefix: "tag", by: name)
        #expect(game.asked == 12)
        #expect(try #require(game.share) >= 0.9)
        #expect(try #require(game.chance) < 0.06)
    }

    /// Grad-CAM averages the gradient over all places, which a network that flattens does not: it does not find the tag that the answer rests on.
    @Test func gradCAMMissesTags() throws {
        let game = try play("petshop-hans", "petshop-hans", label: "fish", prefix: "tag", by: "grad-cam")
        #expect(try #require(game.share) <= 0.4)
    }
}
