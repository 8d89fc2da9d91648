import ActivationStore
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport
import Testing

/// Ascent on the pet shop's network.
struct AscentTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("fixtures").path
    static let classes = ["cat", "dog", "bird", "fish", "rabbit"]

    /// A store of nothing but the network: ascent needs images only to begin with one.
    static func store(_ folder: TemporaryFolder, classes: [String] = classes) throws -> Store {
        let network = try Network(contentsOf: fixtures + "/petshop.onnx")
        let preprocessing = Preprocessing(
            resize: .none, crop: Size(width: 96, height: 96), mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
        let path = folder.file("s.sqlite")
        let writer = try StoreWriter.open(
            path: path, description: try StoreDescription(network, preprocessing: preprocessing, classes: classes, topCount: 1),
            run: RunRecord(toolVersion: "test"))
        try writer.finish()
        return try Store.open(path: path)
    }

    private func run(
        _ text: String, style: AscentStyle = .olah, jobs: Int = 1, _ change: (inout AscentSettings) -> Void = { _ in }
    ) throws -> Ascent.Result {
        let store = try Self.store(TemporaryFolder())
        var settings = style.settings(side: 96)
        settings.steps = 40
        change(&settings)
        let explainer = try Explainer(store: store, jobs: jobs)
        return try Ascent(try Objective(text, in: store.description), settings: settings, explainer: explainer).run()
    }

    @Test(
        arguments: [
            "class:cat", "class:fish@max", "conv1:3", "conv2:7@mean", "conv3:5@4,9", "pool_3:5", "conv4:3@mean",
            "0.7*conv3:3 - 0.2*class:dog + conv4:5@mean", "-class:bird", "class:cat + class:cat",
        ], [AscentStyle.simonyan, .yosinski, .olah])
    func rises(_ text: String, _ style: AscentStyle) throws {
        let result = try run(text, style: style) {
            // A place that moves about in the views need not rise where it stands.
            if text.hasSuffix("@4,9") { ($0.jitter, $0.scale, $0.rotation) = (0, 0, 0) }
        }
        #expect(result.last[0] > result.first[0], "\(text) with \(style.rawValue): \(result.first) to \(result.last)")
        #expect(result.curve.count == 40)
        #expect(result.pictures[0].width == 96 && result.pictures[0].height == 96)
    }

    @Test func risesFromGreyAndWithEveryPenalty() throws {
        for kind in ParametrisationKind.allCases {
            for optimizer in OptimizerKind.allCases {
                let result = try run("class:rabbit") {
                    ($0.parametrisation, $0.optimizer, $0.start) = (kind, optimizer, .grey)
                    ($0.l2, $0.tv, $0.steps) = (1e-5, 1e-4, 40)
                }
                #expect(result.last[0] > result.first[0] + 0.3)
            }
        }
    }

    /// What a neuron is before its ReLU has a gradient where the neuron itself is silent.
    @Test func silentNeuronsWake() throws {
        let store = try Self.store(TemporaryFolder())
        var options = Network.Options()
        options.beforeActivation = true
        let network = try DifferentiableNetwork(contentsOf: Self.fixtures + "/petshop.onnx", options: options)
        for name in ["conv4", "pool_3"] {
            let tensor = store.description.layers.first { $0.name == name }?.tensor
            let layer = try #require(network.layers.first { $0.tensor == tensor })
            let before = try #require(try network.neuronBeforeRectifier(layer, channel: 9))
            #expect(before.channel == 9 && before.isPooled == (name == "pool_3"))
            #expect(before.layer.tensor != tensor)
        }
        for channel in 0..<48 { #expect(throws: Never.self) { try run("conv4:\(channel)") { ($0.steps, $0.jitter) = (1, 0) } } }
    }

    @Test func sameBytes() throws {
        func settings(_ settings: inout AscentSettings) { (settings.count, settings.steps, settings.diversity) = (3, 4, 5) }
        let first = try run("conv3:5@mean", jobs: 1, settings)
        let again = try run("conv3:5@mean", jobs: 1, settings)
        let other = try run("conv3:5@mean", jobs: 2, settings)
        #expect(first.tensors == again.tensors && first.tensors == other.tensors)
        #expect(first.curve == other.curve)
        #expect(first.tensors[0] != first.tensors[1])
        let seeded = try run("conv3:5@mean", jobs: 2) {
            settings(&$0)
            $0.seed = 1
        }
        #expect(seeded.tensors != first.tensors)
        // Without a comparison a picture does not depend on how many are made.
        let (one, two) = (try run("class:dog") { $0.count = 1 }, try run("class:dog", jobs: 2) { $0.count = 2 })
        #expect(one.tensors[0] == two.tensors[0])
    }

    /// The gradient of a sum over several layers in one pass is the sum of one pass each.
    @Test func severalLayersInOnePass() throws {
        let network = try DifferentiableNetwork(contentsOf: Self.fixtures + "/petshop.onnx")
        let layers = try ["conv2", "conv4", "conv3"].map { try network.layer(named: $0) } + [try #require(network.logits)]
        var noise = GaussianNoise(seed: 5)
        let image = (0..<96 * 96 * 3).map { _ in noise.next() }
        func gradient(_ layers: [Layer]) throws -> [Float] {
            let pass = try GradientPass(network, layers: layers)
            _ = pass.input(image: 0).update(fromContentsOf: image)
            try pass.forward()
            for (index, layer) in layers.enumerated() {
                #expect(pass.value(of: layer, image: 0).contains { $0 != 0 }, "\(layer.name) \(index)")
                let seed = pass.seed(of: layer, image: 0)
                for k in seed.indices { seed[k] = Float(k % 7) - 3 }
            }
            try pass.backward()
            return Array(pass.inputGradient(image: 0))
        }
        var sum = [Float](repeating: 0, count: image.count)
        for layer in layers { for (index, value) in try gradient([layer]).enumerated() { sum[index] += value } }
        #expect(relativeDistance(try gradient(layers), sum) < 1e-5)
        #expect(relativeDistance(try gradient(layers.reversed()), sum) < 1e-5)
    }

    @Test func endsWhenItRisesNoMore() throws {
        let result = try run("class:cat", style: .simonyan) { ($0.steps, $0.patience, $0.rate, $0.l2) = (300, 5, 2, 1) }
        #expect(result.endedEarly && result.curve.count < 300)
    }

    /// Beginning with an image: a file, or the neuron's best one.
    @Test func beginsWithAnImage() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try Self.store(folder)
        let explainer = try Explainer(store: store, jobs: 1)
        var settings = AscentSettings()
        (settings.steps, settings.rate) = (1, 1e-4)
        let path = Self.fixtures + "/petshop/test/dog/dog-31.jpg"
        settings.start = .file(path)
        let ascent = try Ascent(try Objective("class:dog", in: store.description), settings: settings, explainer: explainer)
        let picture = try ascent.run(
            from: Ascent.startSubject(
                of: ascent.objective, ascent.settings, store: store, preprocessing: explainer.preprocessing)?.tensor
        ).pictures[0]
        let original = try ImageReader().decode(contentsOf: path)
        let difference = zip(picture.pixels, original.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(difference < picture.pixels.count)
        settings.start = .best
        let best = try Ascent(try Objective("class:dog", in: store.description), settings: settings, explainer: explainer)
        #expect(throws: ExplanationError.self) {
            try Ascent.startSubject(of: best.objective, best.settings, store: store, preprocessing: explainer.preprocessing)
        }
    }

    @Test func settingsThatMakeNoSense() {
        for change in [
            { $0.steps = 0 }, { $0.rate = 0 }, { $0.rate = .nan }, { $0.l2 = -1 }, { $0.tv = .infinity }, { $0.count = 0 },
            { $0.blur = 1 },
            { $0.normClip = 5 }, { $0.diversity = 1 }, { $0.jitter = -1 }, { $0.scale = 1 }, { $0.rotation = 181 },
            { $0.patience = -1 },
        ] as [(inout AscentSettings) -> Void] {
            var settings = AscentSettings()
            change(&settings)
            #expect(throws: ExplanationError.self) { try settings.validate() }
        }
        for style in AscentStyle.allCases { #expect(throws: Never.self) { try style.settings(side: 224).validate() } }
    }
}

/// The grammar of objectives, as a table.
struct AscentObjectiveTests {
    @Test(arguments: [
        ("class:cat", "class:cat"), ("conv4:5", "conv4:5"), ("conv4:5@mean", "conv4:5@mean"), ("class:0", "class:cat"),
        ("0.5*class:cat", "0.5*class:cat"), ("-class:cat", "-class:cat"), ("- class:cat", "-class:cat"),
        ("-2*conv1:0", "-2.0*conv1:0"),
        ("class:a - b", "class:a - b"), ("class:a - b - class:cat", "class:a - b - class:cat"),
        ("0.7*conv3:3 - 0.2*class:cat + conv4:5@mean", "0.7*conv3:3 - 0.2*class:cat + conv4:5@mean"),
        ("1*conv1:0 + 2 * conv1:1", "conv1:0 + 2.0*conv1:1"),
        ("conv1:0 - -1*conv1:1", "conv1:0 + conv1:1"),
    ]) func sense(text: String, expected: String) throws {
        let store = try AscentTests.store(TemporaryFolder(), classes: ["cat", "a - b", "x", "y", "z"])
        // A class whose name has a minus in it is found where it stands alone, and only there.
        guard !text.hasPrefix("class:a - b -") else {
            #expect(throws: StoreError.self) { try Objective(text, in: store.description) }
            return
        }
        #expect(try Objective(text, in: store.description).text == expected)
    }

    @Test(arguments: [
        "", " ", "+", "-", "class:cat +", "+ class:cat", "class:cat + + class:dog", "class:cat class:dog", "0*class:cat",
        "nan*class:cat",
        "inf*conv1:0", "x*conv1:0", "*conv1:0", "conv1", "conv1:99", "conv9:1", "class:unicorn", "conv1:1@median", "conv1:1@1",
        "conv1:1@96,0",
        "conv1:1@-1,0", "2*", "conv1:0+conv1:1", "1e39*conv1:0",
    ]) func nonsense(text: String) throws {
        let store = try AscentTests.store(TemporaryFolder())
        #expect {
            try Objective(text, in: store.description)
        } throws: { error in
            error is StoreError || error is ExplanationError
        }
    }

    @Test func values() throws {
        let description = try AscentTests.store(TemporaryFolder()).description
        let (cat, dog) = (try Objective("class:cat", in: description), try Objective("class:dog", in: description))
        #expect((cat + -0.5 * dog).text == "class:cat - 0.5*class:dog")
        #expect(try cat + -0.5 * dog == Objective("class:cat - 0.5*class:dog", in: description))
        #expect(try Objective((2 * (cat + dog)).text, in: description) == 2 * (cat + dog))
    }
}
