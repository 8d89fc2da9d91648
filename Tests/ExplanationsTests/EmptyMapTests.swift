import ArgumentParser
import Explanations
import Images
import TestSupport
import Testing

/// Maps that name no place: they have no maximum, hit nothing, and are not judged.
struct EmptyMapTests {
    /// A convolution whose every place speaks against the classes, so that Grad-CAM is cut to zero.
    private static func negative() throws -> SmallNetwork {
        var model = ModelBuilder(input: [1, 3, 8, 8])
        let kernel = model.weight("conv.weight", [2, 3, 1, 1], [0.5, 0.25, 0.5, 0.25, 0.5, 0.25])
        let map = model.node("Relu", [model.node("Conv", ["image", kernel])])
        let weights = model.weight("fc.weight", [2, 128], [Float](repeating: -1, count: 256))
        let scores = model.node("Gemm", [model.node("Flatten", [map]), weights], ["transB": 1])
        return try SmallNetwork(side: 8, model, output: scores) { y, x in UInt8(40 + 20 * y + x) }
    }

    @Test func aMapOfZerosHasNoMaximum() throws {
        let network = try Self.negative()
        let method = try ClassActivationMap.parse(["--method", "grad-cam"])
        let map = try network.map(method, "class:1")
        #expect(map.values.allSatisfy { $0 == 0 })
        #expect(map.peak == nil)
        #expect(map.emptiness == "the map is zero everywhere: it has no maximum")
        let size = Size(width: 8, height: 8)
        #expect(method.boxes(of: map, in: size).isEmpty)

        // The first pixel, where the maximum was said to be, lies in the box.
        var game = PointingGame()
        #expect(try game.add(map, boxes: [Rectangle(x: 0, y: 0, width: 4, height: 4)], in: size) == false)
        #expect((game.asked, game.hits, game.empty) == (1, 0, 1))

        let checks = try network.checks(method, "class:1")
        let reason = "the map to check is the same everywhere, so it names no place"
        #expect(checks.failures.isEmpty)
        #expect(checks.verdict == "not judged by deletion, insertion and random weights: \(reason)")
    }

    /// Whatever the one value is.
    @Test(arguments: [Float(0), 2.5, -1])
    func aMapOfOneValueHasNoMaximum(_ value: Float) throws {
        for shape in [(1, 1, 1), (1, 4, 6), (3, 4, 6)] {
            let count = shape.0 * shape.1 * shape.2
            let map = ExplanationMap(
                channels: shape.0, height: shape.1, width: shape.2, values: [Float](repeating: value, count: count),
                isSigned: true)
            #expect(map.isConstant && map.peak == nil && map.emptiness != nil)
            #expect(map.boundingBoxes(share: 0.2, in: Size(width: 12, height: 12)).isEmpty)
        }
        let other = ExplanationMap(channels: 1, height: 1, width: 3, values: [value, value, value + 1], isSigned: true)
        #expect(other.peak.map { [$0.y, $0.x] } == [0, 2] && other.emptiness == nil)
    }

    /// A picture that is the baseline itself: the network has a gradient there, and the map is zero all the same.
    @Test(arguments: [["--method", "input-gradient"], ["--method", "integrated", "--steps", "4"]])
    func aPictureOfTheBaselineIsNoSilence(_ arguments: [String]) throws {
        var model = ModelBuilder(input: [1, 3, 4, 4])
        let weights = model.weight("fc.weight", [2, 48], (0..<96).map { Float($0 % 7) - 3 })
        let scores = model.node("Gemm", [model.node("Flatten", ["image"]), weights], ["transB": 1])
        let network = try SmallNetwork(side: 4, model, output: scores) { _, _ in 0 }
        let map = try network.map(Saliency.parse(arguments), "class:1")
        #expect(map.values.allSatisfy { $0 == 0 } && map.emptiness != nil)
    }
}
