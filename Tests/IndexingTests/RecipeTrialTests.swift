import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport
import Testing

/// Ways to prepare pictures, tried on the pet shop's network, which was trained on torchvision's.
@Suite struct RecipeTrialTests {
    private static let classes = ["cat", "dog", "bird", "fish", "rabbit"]

    private func trial(classes: [String] = Self.classes) throws -> (network: Network, trial: RecipeTrial) {
        var options = Network.Options()
        options.batch = 1
        let network = try Network(contentsOf: Fixtures.path("petshop.onnx"), options: options)
        return (network, try #require(RecipeTrial(network, classes: classes, jobs: 2)))
    }

    private func items() throws -> [Dataset.Item] { try Dataset(paths: [Fixtures.path("petshop/test")]).items }

    @Test func theRecipeOfTheTrainingIsRightMostOften() throws {
        let (network, trial) = try trial()
        let sample = trial.sample(of: try items(), count: 40)
        let outcomes = try trial.usual(on: sample)
        let first = try #require(outcomes.first)
        #expect(first.images == 40 && first.labelled == 40)
        #expect(first.recipe.hasPrefix("torchvision"))
        #expect(outcomes.count > RecipeTrial.scalings(for: network.input).count)
        let letterbox = try #require(outcomes.first { $0.recipe.hasSuffix("letterbox") })
        #expect(
            letterbox.preprocessing.resize == .letterbox(.center) && letterbox.pictures.contains("letterbox 96, padded with 114"))
        let bytes = try #require(outcomes.first { $0.recipe == "0…255" })
        #expect(bytes.right < first.right)
        // Best first.
        #expect(zip(outcomes, outcomes.dropFirst()).allSatisfy { ($0.accuracy ?? 0) >= ($1.accuracy ?? 0) })
    }

    /// By hand: one image at a time, the scores' softmax from its definition.
    @Test func countsAreThoseOfASlowLoop() throws {
        let (network, trial) = try trial()
        let sample = trial.sample(of: try items(), count: 7)
        let recipe = RecipeTrial.scalings(for: network.input)[2]
        let outcome = try trial.outcome(of: recipe, on: sample)
        let scores = try #require(network.layers.last { $0.isLogits })
        let worker = try network.makeWorker()
        var (right, top, entropy) = (0, 0.0, 0.0)
        for item in sample {
            let framed = try ImageReader().read(contentsOf: item.path, framing: recipe.preprocessing.framing)
            recipe.preprocessing.write(framed.image, to: worker.input(image: 0))
            try worker.run()
            let values = (0..<scores.channels).map { exp(Double(worker.maxima(image: 0)[scores.firstNeuron + $0])) }
            let shares = values.map { $0 / values.reduce(0, +) }
            let largest = try #require(shares.max())
            if Self.classes[shares.firstIndex(of: largest) ?? 0] == item.label { right += 1 }
            top += largest
            entropy -= shares.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
        }
        #expect(outcome.right == right)
        #expect(abs(outcome.topProbability - top / 7) < 1e-9)
        #expect(abs(outcome.entropy - entropy / 7) < 1e-9)
    }

    @Test func withoutNamesOfClassesNothingIsJudged() throws {
        let (_, trial) = try trial(classes: [])
        let outcome = try #require(try trial.usual(on: trial.sample(of: try items(), count: 5)).first)
        #expect(outcome.labelled == 0 && outcome.accuracy == nil && outcome.images == 5)
    }

    @Test func filesThatAreNoPicturesAreNotCounted() throws {
        let (network, trial) = try trial()
        let missing = Dataset.Item(path: "/nowhere/1.png", label: "cat")
        let outcome = try trial.outcome(of: RecipeTrial.scalings(for: network.input)[0], on: [missing])
        #expect(outcome.images == 0 && outcome.topProbability == 0)
    }

    /// The check before a long run: a wrong recipe is said where enough images are there, the right one never.
    @Test func wrongRecipesAreSaidBeforeALongRun() throws {
        let (network, _) = try trial()
        let check = RecipeCheck(network, classes: Self.classes, jobs: 2)
        let items = try items()
        let many = (0..<2600).map { items[$0 % items.count] }
        let right = Preprocessing(.torchvision, input: Size(width: 96, height: 96))
        let wrong = Preprocessing(.plain, input: Size(width: 96, height: 96))
        #expect(try check.warning(right, on: many) == nil)
        let warning = try #require(try check.warning(wrong, on: many))
        #expect(warning.contains("pictures may be prepared wrongly") && warning.contains("'torchvision'"))
        #expect(try check.warning(wrong, on: items) == nil)
        #expect(try RecipeCheck(network, classes: [], jobs: 2).warning(wrong, on: many) == nil)
    }
}
