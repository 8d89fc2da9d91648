import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import TestSupport
import Testing

struct CAMHeadTests {
    /// Three overlapping clouds in four dimensions.
    private func problem(l2: Double) -> LogisticRegression {
        var noise = GaussianNoise(seed: 3)
        var (features, labels): ([Double], [Int]) = ([], [])
        for example in 0..<90 {
            labels.append(example % 3)
            features += (0..<4).map { ($0 == example % 3 ? 1.5 : 0) + Double(noise.next()) }
        }
        return LogisticRegression(features: features, labels: labels, featureCount: 4, classCount: 3, l2: l2)
    }

    @Test func gradientEqualsDifferences() {
        let problem = problem(l2: 0.1)
        var noise = GaussianNoise(seed: 1)
        let point = (0..<15).map { _ in Double(noise.next()) }
        var gradient = point
        var unused = point
        _ = problem.loss(point, gradient: &gradient)
        for index in point.indices {
            var (above, below) = (point, point)
            above[index] += 1e-5
            below[index] -= 1e-5
            let slope = (problem.loss(above, gradient: &unused) - problem.loss(below, gradient: &unused)) / 2e-5
            #expect(abs(slope - gradient[index]) < 1e-8)
        }
    }

    /// The optimum is one point; the slowest way leads there too.
    @Test(arguments: [1, 0.03, 1e-3])
    func equalsGradientDescent(l2: Double) {
        let problem = problem(l2: l2)
        let solution = problem.solved()
        #expect(solution.slope <= 1e-7)
        var point = [Double](repeating: 0, count: 15)
        var gradient = point
        for _ in 0..<(l2 < 0.01 ? 60_000 : 4000) {
            _ = problem.loss(point, gradient: &gradient)
            for index in point.indices { point[index] -= 0.5 * gradient[index] }
        }
        // The biases may be shifted together without any effect; both begin at a sum of 0 and keep it.
        for (a, b) in zip(solution.parameters, point) { #expect(abs(a - b) < 1e-4) }
    }

    /// The pet shop's network flattens; the means of its last map still tell most animals.
    @Test func fitsThePetshop() throws {
        let fixture = try ExplainerFixture.petshop(indexing: try Dataset(paths: [ExplainerFixture.fixtures + "/petshop"]))
        let store = fixture.store
        let head = try CAMHead(fitting: store)
        print("head of \(head.layer): \(head.accuracy) beside \(head.networkAccuracy), l2 \(head.l2), slope \(head.slope)")
        #expect(head.slope <= 1e-7)
        #expect((head.trained, head.judged) == (100, 150))
        #expect(head.judgedOn == "test" && head.networkAccuracy == 1)
        #expect(head.accuracy > 0.6)
        // The mean of a class's map and its bias are the class's score.
        let picture = try #require(try store.images().first)
        let map = try head.map(of: fixture.subject(picture.path), classIndex: 2, by: fixture.explainer)
        let means = try #require(try store.means(layer: head.layer))
        let own = head.weights[2 * head.channels..<3 * head.channels]
        let score = zip(means, own).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(map.values.reduce(0, +) / Float(map.values.count) - score) < 1e-4 * max(1, abs(score)))
        #expect(try CAMHead(fitting: store) == head)
    }

    /// Random weights begin with the layer that makes the map: the network's own last layers mean nothing to it.
    @Test func aFittedHeadIsTheFirstToBecomeNoise() throws {
        let fixture = try ExplainerFixture.petshop()
        let classes = fixture.store.description.classes
        var noise = GaussianNoise(seed: 8)
        try fixture.store.keep(
            CAMHead(
                layer: "conv4", classes: classes, channels: 64,
                weights: classes.flatMap { _ in (0..<64).map { _ in noise.next() } },
                bias: classes.map { _ in 0 }, l2: 1, slope: 0, trained: 1, judged: 1, judgedOn: "test", accuracy: 1,
                networkAccuracy: 1))
        let explainer = try Explainer(store: Store.open(path: fixture.store.path))
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let (method, target) = (try ClassActivationMap.parse([]), try fixture.target("class:dog"))
        let map = try method.map(of: subject, target: target, by: explainer)
        #expect(map.note == "CAM at conv4 by a fitted last layer")
        let result = try WeightRandomisation(of: method, map: map, subject: subject, target: target, by: explainer)
        #expect(result.stages.map(\.layer) == ["fitted last layer", "conv4", "conv3", "conv2", "conv1"])
        #expect(try #require(result.correlation(at: .classLayer)) < 0.99)
    }

    @Test func withoutSplitsAFifthIsHeldOut() throws {
        var dataset = try Dataset(paths: [ExplainerFixture.fixtures + "/petshop/train"])
        for index in dataset.items.indices { dataset.items[index].split = nil }
        let head = try CAMHead(fitting: ExplainerFixture.petshop(indexing: dataset).store)
        #expect((head.trained, head.judged, head.judgedOn) == (100, 20, "held out"))
    }

    /// Classes with few images, and labels that are none, are said.
    @Test func saysWhatItIsFittedTo() throws {
        var dataset = try Dataset(paths: [ExplainerFixture.fixtures + "/petshop/train"])
        for index in dataset.items.indices { dataset.items[index].split = nil }
        let whole = try ExplainerFixture.petshop(indexing: dataset).store
        #expect(try CAMHead.remarks(fitting: whole).isEmpty)
        // Three images of each class, and a bird that is called a bat.
        var kept: [String: Int] = [:]
        dataset = Dataset(
            items: dataset.items.filter { item in
                kept[item.label ?? "", default: 0] += 1
                return kept[item.label ?? "", default: 0] <= (item.label == "bird" ? 4 : 3)
            })
        let index = try #require(dataset.items.firstIndex { $0.label == "bird" })
        dataset.items[index].label = "bat"
        let store = try ExplainerFixture.petshop(indexing: dataset).store
        let remarks = try CAMHead.remarks(fitting: store).map(\.description)
        #expect(remarks.count == 2 && remarks[0].hasPrefix("1 of 16 images are not judged, such as /"))
        #expect(remarks[0].hasSuffix("the label bat is no class of the network, and they are left out"))
        #expect(
            remarks[1] == "5 of 5 labels have fewer than 5 images, such as cat with 3: none could be held out, so how well the "
                + "layer does is not known")
        #expect(try CAMHead(fitting: store).judged == 0)
    }

    @Test func saysWhatIsMissing() throws {
        let cats = try Dataset(paths: [ExplainerFixture.fixtures + "/petshop/val"])
        func message(_ dataset: Dataset, layer: String? = nil) throws -> String {
            do {
                _ = try CAMHead(fitting: ExplainerFixture.petshop(indexing: dataset).store, layer: layer)
                return ""
            } catch let error as ExplanationError { return String(error.description.drop { $0 != ":" }) }
        }
        #expect(
            try message(cats.labelled(by: .none).dataset)
                == ": none of its images has a class of the network as label; index them from a folder for each class")
        #expect(try message(cats, layer: "conv1") == ": it holds no means of layer conv1; index it with --means all")
        #expect(
            try message(Dataset(items: cats.items.filter { $0.label != "bird" }))
                == ": no image to train with is of class 'bird'; add some")
    }
}
