import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Attention beside PyTorch's, by Tools/make-attention-reference.py: two networks of 4×4 patches, three blocks and two heads.
@Suite struct AttentionTests {
    private struct Reference: Decodable {
        var scores: [Float]
        /// [block][head][query][key].
        var weights: [[[[Float]]]]
        /// [query][key].
        var rollout: [[Float]]
        /// [class][query][key].
        var gradient: [[[Float]]]
        /// [class][patch].
        var cam: [[Float]]?
    }

    /// Of gradients and sums of many channels, as a share of a map's largest value: PyTorch's own in single precision are up to 1.6e-5 from the
    /// expected ones, which are in double precision.
    private static let rounding: Float = 5e-5

    private static let folder = ExplainerFixture.fixtures + "/attention"

    private static func reference(_ name: String) throws -> Reference {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/expected.json"))
        return try #require(try JSONDecoder().decode([String: Reference].self, from: data)[name])
    }

    private static func fixture(_ name: String) throws -> (ExplainerFixture, InputImage) {
        var preprocessing = Preprocessing(.torchvision, input: Size(width: 32, height: 32))
        preprocessing.resize = .none
        let fixture = try ExplainerFixture(model: "\(folder)/\(name).onnx", preprocessing: preprocessing)
        return (fixture, try fixture.subject(folder + "/picture.png"))
    }

    /// Of rows [query][key], the one of a query or their mean, without the `prefix` first keys.
    private static func row(_ rows: [[Float]], _ query: Int?, prefix: Int) -> [Float] {
        if let query { return Array(rows[query].dropFirst(prefix)) }
        let own = rows.dropFirst(prefix)
        return rows[0].indices.dropFirst(prefix).map { key in own.reduce(0) { $0 + $1[key] } / Float(own.count) }
    }

    private static func mean(_ heads: [[[Float]]]) -> [[Float]] {
        heads[0].indices.map { query in
            heads[0][query].indices.map { key in heads.reduce(0) { $0 + $1[query][key] } / Float(heads.count) }
        }
    }

    @Test(arguments: [("class-token", 1), ("mean", 0)]) func mapsArePyTorchs(_ name: String, _ prefix: Int) throws {
        let (expected, (fixture, subject)) = (try Self.reference(name), try Self.fixture(name))
        let layers = try fixture.explainer.network.attentions()
        let grid = AttentionLayer.Grid(prefix: prefix, height: 4, width: 4)
        #expect(layers.map(\.name) == ["blocks.0.attn", "blocks.1.attn", "blocks.2.attn"])
        #expect(layers.allSatisfy { $0.heads == 2 && $0.queryGrid == grid && $0.keyGrid == grid && $0.isSquare })
        #expect(largestError(try fixture.scores(subject.tensor), expected.scores) < 1e-5)
        func map(_ options: [String], _ target: String = "class:1") throws -> ExplanationMap {
            try Attention.parse(options).map(of: subject, target: fixture.target(target), by: fixture.explainer)
        }
        let usual = prefix > 0 ? 0 : nil
        for (block, heads) in expected.weights.enumerated() {
            let layer = ["--layer", "blocks.\(block)"]
            #expect(largestError(try map(layer).values, Self.row(Self.mean(heads), usual, prefix: prefix)) < 1e-5)
            let all = try map(layer + ["--head", "all"])
            #expect((all.channels, all.height, all.width) == (2, 4, 4))
            #expect(largestError(all.values, heads.flatMap { Self.row($0, usual, prefix: prefix) }) < 1e-5)
            let place = try map(layer + ["--head", "1", "--query", "2,3"])
            #expect(largestError(place.values, Self.row(heads[1], prefix + 11, prefix: prefix)) < 1e-5)
            #expect(place.note?.hasPrefix("attention of place 2,3 at blocks.\(block).attn, head 1") == true)
        }
        #expect(try map([]).values == map(["--layer", "blocks.2.attn"]).values)
        for (query, index) in [(nil, usual), ("mean", nil), ("0,1", prefix + 1)] as [(String?, Int?)] {
            let options = query.map { ["--query", $0] } ?? []
            #expect(
                largestError(
                    try map(["--method", "rollout"] + options).values, Self.row(expected.rollout, index, prefix: prefix)) < 1e-5
            )
            for (number, relevance) in expected.gradient.enumerated() {
                let found = try map(["--method", "gradient"] + options, "class:\(number)")
                #expect(
                    largestError(found.values, Self.row(relevance, index, prefix: prefix)) < Self.rounding,
                    "class \(number) of \(query ?? "-")")
            }
        }
    }

    @Test func classActivationMapOfTokensIsPyTorchs() throws {
        let (expected, (fixture, subject)) = (try Self.reference("mean"), try Self.fixture("mean"))
        for (index, values) in try #require(expected.cam).enumerated() {
            let target = try fixture.target("class:\(index)")
            let map = try ClassActivationMap.parse([]).map(of: subject, target: target, by: fixture.explainer)
            #expect((map.height, map.width, map.isSigned, map.note) == (4, 4, true, "CAM at norm"))
            #expect(largestError(map.values, values) < Self.rounding)
        }
    }

    /// A head that reads the class token alone averages no places.
    @Test func aClassTokenHasNoClassActivationMap() throws {
        let (fixture, subject) = try Self.fixture("class-token")
        let target = try fixture.target("class:1")
        let map = try ClassActivationMap.parse([]).map(of: subject, target: target, by: fixture.explainer)
        let reason = "the network's scores are of the class token alone, and no mean of places"
        // Of the last block no place is read.
        #expect(map.note?.hasPrefix("Grad-CAM at blocks.1") == true && map.note?.hasSuffix(": \(reason)") == true)
        #expect((map.height, map.width, map.isSigned) == (4, 4, false))
        #expect {
            try ClassActivationMap.parse(["--method", "cam"]).map(of: subject, target: target, by: fixture.explainer)
        } throws: {
            "\($0)".contains(reason) && "\($0)".contains("grad-cam")
        }
    }

    @Test func whatIsNotThereIsSaid() throws {
        let (fixture, subject) = try Self.fixture("mean")
        func message(_ options: [String], _ target: String = "class:1") -> String {
            do {
                let method = try Attention.parse(options)
                _ = try method.map(of: subject, target: fixture.target(target), by: fixture.explainer)
                return "made"
            } catch {
                return "\(error)"
            }
        }
        #expect(message(["--query", "class"]).hasPrefix("--query class is not at blocks.2.attn: there is no token before"))
        #expect(message(["--query", "4,0"]).hasSuffix("its tokens are 4×4, counted from 0,0"))
        #expect(message(["--head", "2"]) == "--head takes 0 to 1, mean or all at blocks.2.attn, not 2")
        #expect(message(["--layer", "blocks.7"]).contains("blocks.1.attn"))
        #expect(message(["--method", "gradient"], "patches:0@0,0").hasPrefix("patches is computed from no attention"))
        let inner = try #require(fixture.store.description.layers.last { $0.height == 4 && $0.name.hasPrefix("blocks.0") })
        #expect(message(["--method", "gradient"], "\(inner.name):0@1,2") == "made")
        for options in [["--head", "x"], ["--head", "-1"], ["--query", "a"], ["--method", "rollout", "--head", "0"]] {
            #expect(refusal(of: options, by: Attention.self) != "taken", "\(options)")
        }
        let petshop = try ExplainerFixture.petshop()
        let dog = try petshop.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        #expect(throws: ExplanationError.attention(.none(target: nil))) {
            try Attention.parse([]).map(of: dog, target: petshop.target("class:dog"), by: petshop.explainer)
        }
    }
}
