import ArgumentParser
import Explanations
import Foundation
import TestSupport
import Testing

struct QuadratureTests {
    /// Of a linear network, which has one gradient everywhere.
    private static func linear() throws -> SmallNetwork {
        var model = ModelBuilder(input: [1, 3, 4, 4])
        let weights = model.weight("fc.weight", [2, 48], (0..<96).map { Float($0 % 11) / 10 - 0.4 })
        let bias = model.weight("fc.bias", [2], [0.5, -2])
        let scores = model.node("Gemm", [model.node("Flatten", ["image"]), weights, bias], ["transB": 1])
        return try SmallNetwork(side: 4, model, output: scores) { y, x in UInt8(50 + 40 * y + 7 * x) }
    }

    private func sum(_ network: SmallNetwork, _ arguments: [String]) throws -> Double {
        let method = try Saliency.parse(["--method", "integrated"] + arguments)
        return try network.map(method, "class:1").values.reduce(0) { $0 + Double($1) }
    }

    /// Sundararajan et al.'s completeness: the map adds up to the score less that of the baseline, here the bias.
    @Test(arguments: [1, 2, 3, 7, 8, 32, 200])
    func aLinearNetworksMapAddsUpToTheScore(_ steps: Int) throws {
        let network = try Self.linear()
        let difference = Double(try network.value("class:1")) + 2
        #expect(abs(difference) > 1)
        #expect(abs(try sum(network, ["--steps", "\(steps)"]) - difference) < 1e-5 * abs(difference))
    }

    @Test func riemannsTrapezoidIsAsMuchTooSmallAsCaptums() throws {
        let network = try Self.linear()
        let difference = Double(try network.value("class:1")) + 2
        for steps in [2, 5, 32] {
            let sum = try sum(network, ["--steps", "\(steps)", "--quadrature", "riemann_trapezoid"])
            #expect(abs(sum - difference * (1 - 1 / Double(steps))) < 1e-5 * abs(difference))
        }
        #expect(
            refusal(of: ["--steps", "1", "--quadrature", "riemann_trapezoid"], by: Saliency.self)
                == "--steps takes a count of 2 or more, not 1")
    }

    /// numpy.polynomial.legendre.leggauss(n), brought from −1...1 to 0...1.
    @Test func pointsAreThoseOfTheTables() {
        let five = Quadrature.gausslegendre.points(5)
        let places = [0.04691007703066802, 0.23076534494715845, 0.5, 0.7692346550528415, 0.953089922969332]
        let weights = [0.11846344252809464, 0.23931433524968318, 0.28444444444444444, 0.23931433524968318, 0.11846344252809464]
        for index in 0..<5 {
            #expect(abs(five[index].place - places[index]) < 1e-14 && abs(five[index].weight - weights[index]) < 1e-14)
        }
        #expect(Quadrature.gausslegendre.points(1).map(\.place) == [0.5])
    }

    /// n points are exact up to degree 2n − 1.
    @Test(arguments: [1, 2, 3, 10, 50, 301])
    func polynomialsAreExact(_ count: Int) {
        let points = Quadrature.gausslegendre.points(count)
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.place < $1.place })
        for degree in [0, 1, count, 2 * count - 1] {
            let sum = points.reduce(0) { $0 + $1.weight * pow($1.place, Double(degree)) }
            #expect(abs(sum - 1 / Double(degree + 1)) < 1e-12)
        }
    }
}
