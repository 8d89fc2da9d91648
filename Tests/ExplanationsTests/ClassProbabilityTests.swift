import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Scores and probabilities, in whatever words a file ends.
struct ClassProbabilityTests {
    /// What a file makes of its scores, and what that is.
    struct Head: Sendable, CustomTestStringConvertible {
        var name: String
        var classes = 3
        var build: @Sendable (inout ModelBuilder, String) -> String
        var probability: @Sendable ([Double], Int) -> Double
        var testDescription: String { name }
    }

    private static func softmax(_ scores: [Double], _ channel: Int) -> Double {
        exp(scores[channel]) / scores.reduce(0) { $0 + exp($1) }
    }
    private static func sigmoid(_ scores: [Double], _ channel: Int) -> Double { 1 / (1 + exp(-scores[channel])) }

    static let heads: [Head] = [
        Head(name: "scores", build: { _, scores in scores }, probability: softmax),
        Head(name: "one score", classes: 1, build: { _, scores in scores }, probability: sigmoid),
        Head(name: "softmax", build: { $0.node("Softmax", [$1], ["axis": 1]) }, probability: softmax),
        Head(name: "logarithm of softmax", build: { $0.node("LogSoftmax", [$1], ["axis": 1]) }, probability: softmax),
        Head(name: "sigmoid", build: { $0.node("Sigmoid", [$1]) }, probability: sigmoid),
        Head(name: "one sigmoid", classes: 1, build: { $0.node("Sigmoid", [$1]) }, probability: sigmoid),
        Head(
            name: "softmax, clipped",
            build: { model, scores in
                model.node(
                    "Clip",
                    [
                        model.node("Softmax", [scores], ["axis": 1]), model.weight("low", [], [1e-7]),
                        model.weight("high", [], [0.4]),
                    ])
            }, probability: { min(softmax($0, $1), 0.4) }),
        Head(
            name: "softmax, scaled and shifted",
            build: { model, scores in
                let scaled = model.node("Mul", [model.node("Softmax", [scores], ["axis": 1]), model.weight("scale", [], [0.9])])
                return model.node("Add", [scaled, model.weight("shift", [1], [0.03])])
            }, probability: { 0.9 * softmax($0, $1) + 0.03 }),
        Head(
            name: "softmax of scores by a temperature",
            build: { model, scores in
                model.node("Softmax", [model.node("Div", [scores, model.weight("t", [], [2])])], ["axis": 1])
            }, probability: softmax),
        Head(
            name: "exp x / Σ exp x",
            build: { model, scores in
                let power = model.node("Exp", [scores])
                return model.node("Div", [power, model.node("ReduceSum", [power, model.integers([1])])])
            }, probability: softmax),
        Head(
            name: "exp(x − max x) / Σ",
            build: { model, scores in
                let power = model.node("Exp", [model.node("Sub", [scores, model.node("ReduceMax", [scores], ["axes": [1]])])])
                return model.node("Div", [power, model.node("ReduceSum", [power, model.integers([1])])])
            }, probability: softmax),
        Head(
            name: "1 / (1 + exp(−x))",
            build: { model, scores in
                let one = model.weight("one", [1], [1])
                let sum = model.node("Add", [model.node("Exp", [model.node("Neg", [scores])]), one])
                return model.node("Div", [one, sum])
            }, probability: sigmoid),
        Head(
            name: "1 / (1 + exp(0 − x))",
            build: { model, scores in
                let one = model.weight("one", [1], [1])
                let negative = model.node("Sub", [model.weight("zero", [1], [0]), scores])
                return model.node("Div", [one, model.node("Add", [one, model.node("Exp", [negative])])])
            }, probability: sigmoid),
        Head(
            name: "(1 + exp(−x))⁻¹",
            build: { model, scores in
                let sum = model.node(
                    "Add", [model.node("Exp", [model.node("Neg", [scores])]), model.weight("one", [1], [1])])
                return model.node("Pow", [sum, model.weight("power", [1], [-1])])
            }, probability: sigmoid),
        Head(
            name: "exp x / (exp x + 1)",
            build: { model, scores in
                let power = model.node("Exp", [scores])
                return model.node("Div", [power, model.node("Add", [power, model.weight("one", [1], [1])])])
            }, probability: sigmoid),
        Head(
            name: "(tanh(x / 2) + 1) / 2",
            build: { model, scores in
                let half = model.weight("half", [1], [0.5])
                let tanh = model.node("Tanh", [model.node("Mul", [scores, half])])
                return model.node("Mul", [model.node("Add", [tanh, model.weight("one", [1], [1])]), half])
            }, probability: sigmoid),
        Head(
            name: "tanh(x / 2) / 2 + 1 / 2",
            build: { model, scores in
                let half = model.weight("half", [1], [0.5])
                let tanh = model.node("Tanh", [model.node("Div", [scores, model.weight("two", [1], [2])])])
                return model.node("Add", [model.node("Mul", [tanh, half]), half])
            }, probability: sigmoid),
        Head(
            name: "exp(x − log Σ exp x)",
            build: { model, scores in
                let total = model.node("ReduceLogSumExp", [scores], ["axes": [1]])
                return model.node("Exp", [model.node("Sub", [scores, total])])
            }, probability: softmax),
        Head(
            name: "logarithm, then exp",
            build: { $0.node("Exp", [$0.node("LogSoftmax", [$1], ["axis": 1])]) }, probability: softmax),
    ]

    private func fixture(_ head: Head, in folder: TemporaryFolder) throws -> (fixture: ExplainerFixture, scores: String) {
        var (model, random) = (ModelBuilder(input: [nil, 3, 32, 32]), SeededGenerator(seed: 3))
        func weights(_ name: String, _ shape: [Int]) -> String {
            model.weight(name, shape, (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) })
        }
        let convolution = model.node("Conv", ["image", weights("conv.weight", [6, 3, 3, 3])], ["pads": [1, 1, 1, 1]])
        let flat = model.node("Flatten", [model.node("GlobalAveragePool", [model.node("Relu", [convolution])])])
        let scores = model.node(
            "Gemm", [flat, weights("fc.weight", [6, head.classes]), weights("fc.bias", [head.classes])], outputs: ["the scores"])
        let path = folder.file("m.onnx")
        let output = head.build(&model, scores)
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        let recipe = Preprocessing(.plain, input: Size(width: 32, height: 32))
        return (try ExplainerFixture(model: path, preprocessing: recipe), output)
    }

    @Test(arguments: heads)
    func scoresComeBeforeAndProbabilitiesAreTheFiles(_ head: Head) throws {
        let folder = try TemporaryFolder()
        let (fixture, _) = try fixture(head, in: folder)
        let logits = try #require(fixture.explainer.network.logits)
        #expect(logits.channels == head.classes)
        // By a temperature, the scores are those that the softmax reads.
        #expect(logits.tensor == "the scores" || head.name.contains("temperature"), "\(logits.tensor)")
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:0")
        let scores = try fixture.explainer.activations(of: logits, on: subject).map { Double($0) }
        // One window over everything: the map is what is left of the picture.
        let arguments = ["--window", "32", "--stride", "32"]
        let map = try Occlusion.parse(arguments + ["--probability"]).map(of: subject, target: target, by: fixture.explainer)
        let loss = try Occlusion.parse(arguments).map(of: subject, target: target, by: fixture.explainer)
        let black = try fixture.scores([Float](repeating: 0, count: subject.tensor.count)).map { Double($0) }
        #expect(
            abs(Double(map.values[0]) - head.probability(black, 0)) < 1e-5, "\(map.values[0]) for \(head.probability(black, 0))")
        #expect(abs(Double(loss.values[0]) - (scores[0] - black[0])) < 1e-4)
    }

    /// What is made of probabilities is some already, and no score that a softmax is to be taken of.
    @Test(arguments: ["1 − p", "prior", "pair", "square", "some", "two networks"])
    func answersMadeOfProbabilities(_ kind: String) throws {
        let folder = try TemporaryFolder()
        @Sendable func build(_ model: inout ModelBuilder, _ scores: String) -> String {
            let softmax = model.node("Softmax", [scores], ["axis": 1])
            let one = model.weight("one", [1], [1])
            switch kind {
            case "1 − p": return model.node("Sub", [one, softmax])
            case "prior":
                let weighed = model.node("Mul", [softmax, model.weight("prior", [1, 3], [0.2, 0.3, 0.5])])
                return model.node("Div", [weighed, model.node("ReduceSum", [weighed, model.integers([1])])])
            case "pair":
                let sigmoid = model.node("Sigmoid", [scores])
                return model.node("Concat", [model.node("Sub", [one, sigmoid]), sigmoid], ["axis": 1])
            case "square": return model.node("Pow", [softmax, model.weight("two", [1], [2])])
            case "some":
                return model.node("Slice", [softmax, model.integers([1]), model.integers([3]), model.integers([1])])
            default:
                let other = model.node("Sigmoid", [scores])
                return model.node("Mul", [model.node("Add", [softmax, other]), model.weight("half", [1], [0.5])])
            }
        }
        let head = Head(name: kind, build: build, probability: { _, _ in 0 })
        let (fixture, _) = try fixture(head, in: folder)
        let logits = try #require(fixture.explainer.network.logits)
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let arguments = ["--window", "32", "--stride", "32", "--probability"]
        let map = try Occlusion.parse(arguments).map(
            of: subject, target: try fixture.target("\(logits.name):1"), by: fixture.explainer)
        let black = try fixture.scores([Float](repeating: 0, count: subject.tensor.count))
        #expect(abs(map.values[0] - black[1]) < 1e-5, "\(map.values[0]) for \(black)")
    }

    /// Probabilities with windows that leave parts, by patches and by whole passes.
    @Test func patchesGiveTheSameProbabilities() throws {
        let folder = try TemporaryFolder()
        let (fixture, _) = try fixture(Self.heads[4], in: folder)
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:1")
        let arguments = ["--window", "8", "--stride", "4", "--probability"]
        let patched = try Occlusion.parse(arguments).map(of: subject, target: target, by: fixture.explainer)
        let whole = try Occlusion.parse(arguments + ["--full"]).map(of: subject, target: target, by: fixture.explainer)
        #expect(zip(patched.values, whole.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func aSigmoidIsSaturatedAndItsScoreIsNot() throws {
        let folder = try TemporaryFolder()
        var model = ModelBuilder(input: [1, 3, 8, 8])
        let score = model.node(
            "Conv", ["image", model.weight("w", [1, 3, 1, 1], [0.1, 0.1, 0.1]), model.weight("b", [1], [40])], name: "score")
        let output = model.node("Sigmoid", [score], name: "sigmoid")
        let path = folder.file("m.onnx")
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        let recipe = Preprocessing(.plain, input: Size(width: 8, height: 8))
        var options = Network.Options()
        options.layers = ["*"]
        let fixture = try ExplainerFixture(model: path, preprocessing: recipe, options: options)
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let map = try Saliency.parse([]).map(of: subject, target: try fixture.target("score:0"), by: fixture.explainer)
        #expect(map.values.contains { abs($0 - 0.1) < 1e-6 })
        let after = try fixture.target("sigmoid:0")
        #expect(throws: ExplanationError.saturated(target: after.text, value: 1, operation: "Sigmoid")) {
            try Saliency.parse([]).map(of: subject, target: after, by: fixture.explainer)
        }
    }

    /// A store that was recorded before activation functions is explained there.
    @Test func layersAreExplainedWhereTheyWereRecorded() throws {
        for beforeActivation in [false, true] {
            let folder = try TemporaryFolder()
            var model = ModelBuilder(input: [1, 3, 8, 8])
            let weights = model.weight("w", [2, 3, 1, 1], [1, 1, 1, -1, -1, -1])
            let bias = model.weight("b", [2], [-0.5, -0.5])
            let map = model.node("Relu", [model.node("Conv", ["image", weights, bias], name: "conv")])
            let path = folder.file("m.onnx")
            let output = model.node("GlobalAveragePool", [map])
            try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
            var options = Network.Options()
            options.beforeActivation = beforeActivation
            let recipe = Preprocessing(.plain, input: Size(width: 8, height: 8))
            let fixture = try ExplainerFixture(model: path, preprocessing: recipe, options: options)
            let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
            // Below zero everywhere: silent after the ReLU, and a number before it.
            let target = try fixture.target("\(fixture.store.description.layers[0].name):1")
            let value = try fixture.explainer.value(of: target, on: subject)
            #expect(beforeActivation ? value < 0 : value == 0, "\(value)")
            if beforeActivation {
                let gradient = try Saliency.parse([]).map(of: subject, target: target, by: fixture.explainer)
                #expect(gradient.values.contains(-1))
            } else {
                #expect(throws: ExplanationError.flat(target: target.text)) {
                    try Saliency.parse([]).map(of: subject, target: target, by: fixture.explainer)
                }
            }
        }
    }
}
