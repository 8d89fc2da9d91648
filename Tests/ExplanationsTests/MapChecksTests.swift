import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Where the picture has edges: as sharp as any saliency map, and nothing of the network in it.
struct EdgesMethod: ExplanationMethod {
    static let name = "edges"
    static let abstract = "Where the picture has edges."
    init() {}
    var arguments: [String] { [] }
    var caption: String { "Edges" }

    func look(of map: ExplanationMap, target: Target) -> MapLook { MapLook(isSigned: false, quantity: "edge") }
    var grain: MapGrain { .pixels }

    func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let (height, width, channels) = (
            explainer.network.input.height, explainer.network.input.width, explainer.network.input.channels
        )
        func value(_ y: Int, _ x: Int) -> Float {
            subject.tensor[(min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)) * channels]
        }
        let values = (0..<height * width).map { pixel -> Float in
            let (y, x) = (pixel / width, pixel % width)
            return abs(value(y, x + 1) - value(y, x - 1)) + abs(value(y + 1, x) - value(y - 1, x))
        }
        return ExplanationMap(channels: 1, height: height, width: width, values: values, isSigned: false)
    }
}

struct WeightRandomisationTests {
    @Test func stagesAreSpreadEvenly() {
        func steps(_ layers: Int, _ stages: Int) -> [Int] { WeightCascade.steps(layers: layers, stages: stages).map(\.layers) }
        #expect(steps(26, 8) == [1, 5, 9, 13, 14, 18, 22, 26])
        #expect(steps(6, 8) == [1, 2, 3, 4, 5, 6])
        #expect(steps(1, 8) == [1])
        #expect(steps(0, 8).isEmpty)
        #expect(steps(9, 1) == [1, 5, 9], "those that are judged are always there")
        #expect(WeightCascade.steps(layers: 2, stages: 8).map(\.parts) == [[.classLayer, .upperHalf], [.all]])
        #expect(WeightCascade.steps(layers: 1, stages: 8).map(\.parts) == [[.classLayer, .upperHalf, .all]])
    }

    private func run(
        _ method: any ExplanationMethod, _ path: String, _ text: String, seed: UInt64 = 0, jobs: Int? = nil
    ) throws -> WeightRandomisation {
        let fixture = try ExplainerFixture.petshop(jobs: jobs)
        let (subject, target) = (try fixture.subject(path), try fixture.target(text))
        let map = try method.map(of: subject, target: target, by: fixture.explainer)
        return try WeightRandomisation(
            of: method, map: map, subject: subject, target: target, by: fixture.explainer, seed: seed)
    }

    private static let dog = ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg"

    @Test func edgesDoNotCareAndGradientsDo() throws {
        let edges = try run(EdgesMethod(), Self.dog, "class:dog")
        #expect(edges.stages.map(\.layer) == ["fc2", "fc1", "conv4", "conv3", "conv2", "conv1"])
        #expect(edges.stages.allSatisfy { $0.correlation == 1 && $0.outcome == .map })
        #expect(edges.stages.map(\.correlations.count) == [3, 1, 3, 1, 1, 3])
        let gradient = try run(try Saliency.parse([]), Self.dog, "class:dog")
        #expect(gradient.stages.map(\.layers) == [1, 2, 3, 4, 5, 6])
        for part in WeightCascade.Part.allCases {
            #expect(try #require(gradient.correlation(at: part)) < gradient.limit)
        }
    }

    @Test func onlyTheLayersBeforeTheTarget() throws {
        let result = try run(try Saliency.parse([]), Self.dog, "conv2:7@mean")
        #expect(result.stages.map(\.layer) == ["conv2", "conv1"])
    }

    @Test func sameSeedSameNumbers() throws {
        let method = try Saliency.parse(["--method", "integrated", "--steps", "4"])
        let results = try [1, 4].map { try run(method, Self.dog, "class:dog", jobs: $0) }
        #expect(results[0] == results[1])
        #expect(try run(method, Self.dog, "class:dog", seed: 1) != results[0])
        #expect(try JSONDecoder().decode(WeightRandomisation.self, from: JSONEncoder().encode(results[0])) == results[0])
    }

    /// A neuron that noise silences has no gradient: that is not judged, and said.
    @Test func flatIsSaid() throws {
        let fixture = try ExplainerFixture.petshop()
        let (subject, method) = (try fixture.subject(Self.dog), try Saliency.parse([]))
        var flat: [WeightRandomisation.Stage] = []
        for channel in 0..<64 where flat.isEmpty {
            let target = try fixture.target("conv4:\(channel)@5,5")
            guard let map = try? method.map(of: subject, target: target, by: fixture.explainer) else { continue }
            let result = try WeightRandomisation(of: method, map: map, subject: subject, target: target, by: fixture.explainer)
            flat = result.stages.filter { $0.outcome == .flat && $0.parts.isEmpty }
        }
        #expect(!flat.isEmpty && flat.allSatisfy { $0.correlation == nil && $0.correlations.isEmpty })
    }
}

/// Over pictures of the pet shop, by every method.
struct MapChecksTests {
    /// Of one test picture of each class.
    private func checks(_ method: any ExplanationMethod, every step: Int = 30) throws -> [MapChecks] {
        let fixture = try ExplainerFixture.petshop()
        let pictures = try PetshopPicture.all("petshop", split: "test")
        return try stride(from: 0, to: pictures.count, by: step).map { index in
            let (subject, target) = (
                try fixture.subject(pictures[index].path), try fixture.target("class:" + pictures[index].label)
            )
            let map = try method.map(of: subject, target: target, by: fixture.explainer)
            return try MapChecks(of: method, map: map, subject: subject, target: target, by: fixture.explainer)
        }
    }

    @Test func edgesFailRandomisation() throws {
        for checks in try checks(EdgesMethod()) {
            #expect(WeightCascade.Part.allCases.allSatisfy { checks.randomisation?.correlation(at: $0) == 1 })
            #expect(checks.failures.first?.check == .randomisation)
            #expect(checks.verdict.hasPrefix("survives random weights: class layer, 1.00"))
        }
    }

    /// The magnitudes of guided backpropagation do change until the last stage: the class's layer alone shows that the map is not
    /// the class's.
    @Test(arguments: ["guided"])
    func mapsThatDoNotDependOnTheClassFail(_ name: String) throws {
        for checks in try checks(try Saliency.parse(["--method", name])) {
            #expect(checks.failures.first?.check == .randomisation, "\(checks.verdict)")
            #expect(checks.survivedParts.first?.part == .classLayer)
        }
    }

    @Test(arguments: ["gradient", "integrated"])
    func saliencyPasses(_ name: String) throws {
        for checks in try checks(try Saliency.parse(["--method", name, "--steps", "8"])) {
            #expect(checks.failures.isEmpty, "\(checks.verdict)")
            #expect(checks.verdict == "passes deletion, insertion and random weights")
        }
    }

    @Test func gradCAMPasses() throws {
        for checks in try checks(try ClassActivationMap.parse([])) { #expect(checks.failures.isEmpty, "\(checks.verdict)") }
    }

    /// A map turned about points at what matters least.
    @Test func aMapUpsideDownFailsDeletionAndInsertion() throws {
        let fixture = try ExplainerFixture.petshop()
        let picture = try #require(try PetshopPicture.all("petshop", split: "test").first { $0.label == "dog" })
        let (subject, target) = (try fixture.subject(picture.path), try fixture.target("class:dog"))
        let method = try ClassActivationMap.parse([])
        var map = try method.map(of: subject, target: target, by: fixture.explainer)
        map.values = map.values.map { -$0 }
        let checks = try MapChecks(of: method, map: map, subject: subject, target: target, by: fixture.explainer, stages: 1)
        #expect(checks.failures.map(\.check).filter { $0 != .randomisation } == [.deletion, .insertion])
        #expect(checks.verdict.contains("deletion no better than random ("))
        #expect(checks.verdict.contains("; insertion no better than random ("))
    }

    /// Whatever the numbers are, a sentence fits below a panel.
    @Test func sentencesAreShort() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("conv3:4")
        let map = try EdgesMethod().map(of: subject, target: target, by: fixture.explainer)
        var checks = try MapChecks(of: EdgesMethod(), map: map, subject: subject, target: target, by: fixture.explainer)
        checks.curves?.deletion.area = 123.456
        checks.curves?.deletion.movedArea = 99.999
        checks.curves?.deletion.movedAreas = [99.999]
        checks.curves?.insertion.area = -123.456
        checks.curves?.insertion.movedArea = 100
        checks.curves?.insertion.movedAreas = [100]
        #expect(checks.failures.map(\.check) == [.randomisation, .deletion, .insertion])
        #expect(checks.failures.allSatisfy { $0.sentence.count <= 60 })
        #expect(try JSONDecoder().decode(MapChecks.self, from: JSONEncoder().encode(checks)) == checks)
    }

    /// Better than all moved maps but one, and no worse: as good is not better.
    @Test func oneMovedMapMayBeBetter() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:dog")
        let method = try ClassActivationMap.parse([])
        let map = try method.map(of: subject, target: target, by: fixture.explainer)
        var checks = try MapChecks(of: method, map: map, subject: subject, target: target, by: fixture.explainer, stages: 1)
        #expect(checks.curves?.deletion.movedAreas.count == 9)
        func fails(_ areas: [Double]) -> Bool {
            checks.curves?.deletion.movedAreas = areas
            return checks.failures.contains { $0.check == .deletion }
        }
        checks.curves?.deletion.area = 0.2
        checks.curves?.deletion.movedArea = 0.2
        #expect(!fails([0.1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]))
        #expect(fails([0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]), "as good is not better")
        #expect(checks.verdict.contains("deletion no better than random (0.20, 0.20)"))
    }
}
