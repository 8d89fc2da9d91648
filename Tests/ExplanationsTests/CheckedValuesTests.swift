import ArgumentParser
import Explanations
import TestSupport
import Testing

/// Checks of targets whose value is zero, below zero, or not a number.
struct CheckedValuesTests {
    /// Two convolutions without rectifier behind them, whose values go below zero.
    private static func network(bias: Float, scale: Float = 1) throws -> SmallNetwork {
        var model = ModelBuilder(input: [1, 3, 16, 16])
        let first = model.weight("a.weight", [4, 3, 3, 3], (0..<108).map { Float(($0 * 37) % 19) / 19 - 0.45 })
        let map = model.node("Relu", [model.node("Conv", ["image", first], ["pads": [1, 1, 1, 1]])])
        let second = model.weight("b.weight", [3, 4, 3, 3], (0..<108).map { scale * (Float(($0 * 23) % 17) / 17 - 0.4) })
        let shift = model.weight("b.bias", [3], [Float](repeating: bias, count: 3))
        let last = model.node("Conv", [map, second, shift], ["pads": [1, 1, 1, 1]])
        return try SmallNetwork(side: 16, model, output: last) { y, x in
            UInt8((y - 5) * (y - 5) + (x - 9) * (x - 9) < 14 ? 220 : 30 + (y * 7 + x * 5) % 40)
        }
    }

    private static let ramp = ExplanationMap(
        channels: 1, height: 16, width: 16, values: (0..<256).map { Float($0) }, isSigned: false)

    @Test func aValueBelowZeroIsMeasuredInItsOwnUnits() throws {
        let network = try Self.network(bias: -50)
        #expect(try network.value("b:1") < 0)
        let checks = try network.checks(Saliency.parse([]), "b:1")
        #expect(checks.obstacles.isEmpty, "\(checks.verdict)")
        let curves = try #require(checks.curves)
        #expect(curves.measure == .value)
        #expect(curves.deletion.values[0] == Double(try network.value("b:1")))
        // Nothing is left at its end: zero to the network, whose every place is the bias then.
        #expect(curves.deletion.values.last == -50)
        #expect(checks.randomisation != nil)
    }

    @Test(arguments: [["--method", "gradient"], ["--method", "integrated", "--steps", "3"], ["--method", "guided"]])
    func theSameMapAsOfAValueAboveZero(_ arguments: [String]) throws {
        // A bias changes the value, but neither gradient nor what deletion takes.
        let (low, high) = (try Self.network(bias: -50), try Self.network(bias: 50))
        let method = try Saliency.parse(arguments)
        #expect(try low.map(method, "b:0").values == high.map(method, "b:0").values)
        let (a, b) = (try low.checks(method, "b:0"), try high.checks(method, "b:0"))
        #expect(a.curves?.measure == .value && b.curves?.measure == .share)
        #expect(
            a.failures.filter { $0.check != .randomisation }.map(\.check)
                == b.failures.filter { $0.check != .randomisation }.map(\.check))
    }

    /// A window over a neuron that says the same whatever it sees: no map, no check, and no error.
    @Test func aValueThatNothingMovesIsNotJudged() throws {
        let network = try Self.network(bias: 0, scale: 0)
        let checks = try network.checks(Occlusion.parse(["--window", "4", "--stride", "4"]), "b:0")
        #expect(checks.failures.isEmpty && checks.curves == nil && checks.randomisation == nil)
        #expect(checks.verdict.hasPrefix("not judged by deletion, insertion and random weights: "))
        // A map of something else, held against it.
        let other = Self.ramp
        let (target, explainer) = (try network.fixture.target("b:0"), network.fixture.explainer)
        let judged = try MapChecks(of: Saliency.parse([]), map: other, subject: network.subject, target: target, by: explainer)
        #expect(
            judged.obstacles[.deletion]
                == "the value of b:0 is the same on every changed picture, so deletion and insertion say nothing of it")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func aValueThatIsNotFiniteIsNotJudged(_ bias: Float) throws {
        let network = try Self.network(bias: bias)
        let map = Self.ramp
        let (target, explainer) = (try network.fixture.target("b:0"), network.fixture.explainer)
        let checks = try MapChecks(of: Saliency.parse([]), map: map, subject: network.subject, target: target, by: explainer)
        #expect(checks.curves == nil)
        #expect(checks.obstacles[.deletion] == "the value of b:0 on a changed picture holds values that are not finite")
        #expect(!checks.verdict.contains("passes deletion"))
    }
}
