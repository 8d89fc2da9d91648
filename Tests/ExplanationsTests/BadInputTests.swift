import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Every method, and every check of its map, on networks of one channel and of another shape, and on networks that give no good numbers.
struct BadInputTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var channels: Int
        var height: Int
        var width: Int
        var testDescription: String { "\(channels)×\(height)×\(width)" }
    }

    static let shapes = [
        Shape(channels: 1, height: 20, width: 20), Shape(channels: 1, height: 21, width: 34),
        Shape(channels: 3, height: 36, width: 18),
    ]

    /// Two convolutions of stride 2, global pooling unless it flattens, four classes.
    private static func model(_ shape: Shape, flattens: Bool = false, bias: Float = 0, lastWeight: Float? = nil) -> [UInt8] {
        var (model, random) = (ModelBuilder(input: [1, shape.channels, shape.height, shape.width]), SeededGenerator(seed: 12))
        func weight(_ name: String, _ shape: [Int]) -> String {
            model.weight(name, shape, (0..<shape.reduce(1, *)).map { _ in Float.random(in: -0.5...0.6, using: &random) })
        }
        func rectified(_ value: String, _ name: String, _ inputs: Int, _ outputs: Int) -> String {
            let shift = model.weight("\(name).bias", [outputs], [Float](repeating: bias, count: outputs))
            let weights = weight("\(name).weight", [outputs, inputs, 3, 3])
            return model.node(
                "Relu", [model.node("Conv", [value, weights, shift], ["strides": [2, 2], "pads": [1, 1, 1, 1]])])
        }
        var value = rectified(rectified("image", "one", shape.channels, 6), "two", 6, 8)
        if !flattens { value = model.node("GlobalAveragePool", [value]) }
        let places = flattens ? (shape.height + 3) / 4 * ((shape.width + 3) / 4) : 1
        let last = lastWeight.map { model.weight("fc.weight", [4, 8 * places], [Float](repeating: $0, count: 32 * places)) }
        value = model.node(
            "Gemm", [model.node("Flatten", [value]), last ?? weight("fc.weight", [4, 8 * places])], ["transB": 1])
        return model.bytes(outputs: [value])
    }

    /// The network, and a picture of coloured noise with a bright spot.
    private struct Setup {
        let folder: TemporaryFolder
        let fixture: ExplainerFixture
        let subject: InputImage

        init(_ shape: Shape, model: [UInt8], jobs: Int? = nil) throws {
            folder = try TemporaryFolder()
            try Data(model).write(to: URL(fileURLWithPath: folder.file("m.onnx")))
            var random = SeededGenerator(seed: 1)
            var image = Image(width: shape.width + 3, height: shape.height + 9, fill: .black)
            for index in image.pixels.indices { image.pixels[index] = UInt8.random(in: 0...120, using: &random) }
            for y in 10..<18 { for x in 6..<13 { image.pixels[(y * image.width + x) * 3] = 250 } }
            try Data(try image.pngData(text: [])).write(to: URL(fileURLWithPath: folder.file("a.png")))
            let size = Size(width: shape.width, height: shape.height)
            var preprocessing = Preprocessing(.torchvision, input: size, channelCount: shape.channels)
            preprocessing.resize = .none
            fixture = try ExplainerFixture(model: folder.file("m.onnx"), preprocessing: preprocessing, jobs: jobs)
            subject = try fixture.subject(folder.file("a.png"))
        }
    }

    /// Every method there is, with what small pictures need.
    private static func methods() throws -> [any ExplanationMethod] {
        var result: [any ExplanationMethod] = []
        // These networks have no tokens; see AttentionTests.
        for type in explanationMethods where type.name != Attention.name {
            result.append(try type.parse(type.name == Occlusion.name ? ["--window", "7", "--stride", "4"] : []))
        }
        for kind in Saliency.Kind.allCases {
            result.append(try Saliency.parse(["--method", kind.rawValue, "--samples", "3", "--steps", "3"]))
        }
        result.append(try Occlusion.parse(["--window", "6", "--stride", "6", "--fill", "blur", "--probability"]))
        result.append(try ClassActivationMap.parse(["--method", "grad-cam"]))
        return result
    }

    @Test(arguments: shapes, [false, true])
    func shapesAndBits(_ shape: Shape, _ flattens: Bool) throws {
        let setups = try [1, 4].map { try Setup(shape, model: Self.model(shape, flattens: flattens), jobs: $0) }
        let size = Size(width: shape.width, height: shape.height)
        for text in ["class:2", "two:3@mean"] {
            for method in try Self.methods() {
                if text != "class:2", (method as? Occlusion)?.probability == true { continue }
                var settings = PerturbationCurves.Settings()
                (settings.steps, settings.movedMaps) = (3, 1)
                let results = try setups.map { setup in
                    let (explainer, target) = (setup.fixture.explainer, try setup.fixture.target(text))
                    let map = try method.map(of: setup.subject, target: target, by: explainer)
                    let checks = try MapChecks(
                        of: method, map: map, subject: setup.subject, target: target, by: explainer, settings: settings, stages: 2
                    )
                    let mask = try? SaliencySegmentation().mask(of: map, over: setup.subject.framed.image)
                    return (map: map, checks: checks, mask: mask)
                }
                let map = results[0].map
                let what = Comment(rawValue: "\(type(of: method).name) \(method.arguments) of \(text)")
                #expect(map == results[1].map, what)
                #expect(results[0].checks == results[1].checks, what)
                #expect(results[0].mask == results[1].mask, what)
                #expect(map.values.count == map.channels * map.height * map.width && map.values.allSatisfy(\.isFinite), what)
                switch method {
                case is Saliency:
                    #expect((map.channels, map.height, map.width) == (shape.channels, shape.height, shape.width), what)
                case is Occlusion: #expect((map.channels, map.height, map.width) == (1, shape.height, shape.width), what)
                case is ClassActivationMap:
                    #expect((map.height, map.width) == ((shape.height + 3) / 4, (shape.width + 3) / 4) || text != "class:2", what)
                default: break
                }
                if let mask = results[0].mask { #expect((mask.height, mask.width) == (shape.height, shape.width), what) }
                var game = PointingGame()
                let whole = Rectangle(x: 0, y: 0, width: Double(shape.width), height: Double(shape.height))
                #expect(try game.add(map, boxes: [whole], in: size) == !map.isConstant, what)
                #expect(
                    results[0].checks.randomisation?.stages.map(\.layer)
                        == (text == "class:2" ? ["fc", "two", "one"] : ["two", "one"]))
            }
        }
    }

    /// Every rectifier is shut, so nothing depends on the picture.
    @Test func aZeroGradientIsFlat() throws {
        let shape = Self.shapes[1]
        let setup = try Setup(shape, model: Self.model(shape, bias: -100))
        let (explainer, target) = (setup.fixture.explainer, try setup.fixture.target("class:1"))
        for method in try Self.methods() {
            if (method as? Deconvolution)?.rule == .deconvnet { continue }
            if let saliency = method as? Saliency {
                // Deconvolution's rule does not ask what was silent on the way forward.
                guard saliency.method != .deconvnet else { continue }
                #expect(throws: ExplanationError.flat(target: target.text)) {
                    try method.map(of: setup.subject, target: target, by: explainer)
                }
                continue
            }
            // A window changes nothing; behind the rectifiers there is a gradient, but nothing that it could weigh.
            let map = try method.map(of: setup.subject, target: target, by: explainer)
            #expect(Set(map.values).count == 1)
            let checks = try MapChecks(of: method, map: map, subject: setup.subject, target: target, by: explainer, stages: 2)
            // It orders no pixels, and so is neither good nor bad.
            #expect(checks.failures.isEmpty && checks.curves == nil && checks.randomisation == nil)
            let reason = "the map to check is the same everywhere, so it names no place"
            #expect(checks.verdict == "not judged by deletion, insertion and random weights: \(reason)")
            #expect(map.peak == nil && map.emptiness?.hasSuffix(" everywhere: it has no maximum") == true)
            #expect(method.boxes(of: map, in: Size(width: shape.width, height: shape.height)).isEmpty)
            #expect(throws: ExplanationError.self) { try SaliencySegmentation().mask(of: map, over: setup.subject.framed.image) }
        }
    }

    /// A weight that is not a number: maps of it are not drawn, not pointed with, not cut by and not checked.
    @Test(arguments: [Float.nan, .infinity])
    func whatIsNotFiniteIsRefused(_ weight: Float) throws {
        let shape = Self.shapes[2]
        let setup = try Setup(shape, model: Self.model(shape, flattens: true, bias: 0.5, lastWeight: weight))
        let (explainer, target) = (setup.fixture.explainer, try setup.fixture.target("class:1"))
        let image = setup.subject.framed.image
        for method in try Self.methods() {
            let what = Comment(rawValue: "\(type(of: method).name) \(method.arguments)")
            let map: ExplanationMap
            do {
                map = try method.map(of: setup.subject, target: target, by: explainer)
            } catch let error as ExplanationError {
                guard case .notFinite = error else {
                    Issue.record("\(what): \(error)")
                    continue
                }
                continue
            }
            #expect(map.values.contains { !$0.isFinite }, what)
            func refuses(_ body: () throws -> Void) -> Bool {
                do { try body() } catch ExplanationError.notFinite { return true } catch { return false }
                return false
            }
            let look = MapLook(isSigned: true, quantity: "score")
            let panel = Figure.Panel(.map(map, look, boxes: []), title: "class:1")
            #expect(
                refuses { _ = try Figure(heading: "h", rows: [.init(image: image, title: "a.png", panels: [panel])]).page() },
                what)
            var game = PointingGame()
            let box = Rectangle(x: 0, y: 0, width: 4, height: 4)
            #expect(refuses { try game.add(map, boxes: [box], in: Size(width: 18, height: 36)) }, what)
            #expect(refuses { _ = try SaliencySegmentation().mask(of: map, over: image) }, what)
            let checks = try MapChecks(of: method, map: map, subject: setup.subject, target: target, by: explainer, stages: 2)
            let reason = "the map to check holds values that are not finite"
            #expect(checks.verdict == "not judged by deletion, insertion and random weights: \(reason)", what)
        }
        // A good map of a bad network.
        let good = ExplanationMap(channels: 1, height: 2, width: 2, values: [1, 2, 3, 4], isSigned: false)
        #expect(throws: ExplanationError.notFinite(what: "the value of \(target.text) on a changed picture")) {
            try PerturbationCurves(of: good, subject: setup.subject, target: target, by: explainer)
        }
    }
}
