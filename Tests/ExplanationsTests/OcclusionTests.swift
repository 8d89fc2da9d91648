import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// Beside one window at a time, and on the pet shop.
struct OcclusionTests {
    @Test func windowsStartAtMultiplesOfTheStrideAndTheLastIsCut() {
        let windows = OcclusionWindows(height: 10, width: 12, channels: 1, side: 4, stride: 4)
        #expect(windows.rows == [0..<4, 4..<8, 8..<10])
        #expect(windows.columns == [0..<4, 4..<8, 8..<12])
        #expect(OcclusionWindows(height: 4, width: 5, channels: 1, side: 4, stride: 3).columns == [0..<4, 3..<5])
        #expect(OcclusionWindows(height: 4, width: 4, channels: 1, side: 4, stride: 1).count == 1)
        // What is the same everywhere has that mean everywhere.
        let overlapping = OcclusionWindows(height: 11, width: 13, channels: 1, side: 5, stride: 2)
        var sum = [Double](repeating: 0, count: 11 * 13)
        for index in 0..<overlapping.count { overlapping.add(3, of: index, to: &sum) }
        #expect(overlapping.mean(sum).allSatisfy { $0 == 3 })
    }

    /// Constants that differ from place to place, as a mean picture does, wherever they stand and however few axes they have.
    @Test(arguments: [[1, 1, 64, 64], [1, 3, 64, 64], [3, 64, 64], [64, 64], [64], [1, 3, 64, 1], [1, 3, 1, 1], [1]])
    func placesOfConstantsMove(_ shape: [Int]) throws {
        let folder = try TemporaryFolder()
        var (model, random) = (ModelBuilder(input: [nil, 3, 64, 64]), SeededGenerator(seed: 9))
        func weights(_ name: String, _ shape: [Int]) -> String {
            model.weight(name, shape, (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) })
        }
        let less = model.node("Sub", ["image", weights("mean picture", shape)])
        let convolution = model.node("Conv", [less, weights("conv.weight", [6, 3, 3, 3])], ["pads": [1, 1, 1, 1]])
        let other = shape.contains(3) ? [1, 6, 64, 64] : shape
        let larger = model.node(
            "Max", [weights("thresholds", other), model.node("Mul", [convolution, weights("factors", other)])])
        let flat = model.node("Flatten", [model.node("GlobalAveragePool", [larger])])
        let output = model.node("MatMul", [flat, weights("fc.weight", [6, 3])])
        let path = folder.file("m.onnx")
        try Data(model.bytes(outputs: [output])).write(to: URL(fileURLWithPath: path))
        let recipe = Preprocessing(.plain, input: Size(width: 64, height: 64))
        let fixture = try ExplainerFixture(model: path, preprocessing: recipe)
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:1")
        for arguments in [[], ["--window", "9", "--stride", "7"]] {
            let patched = try Occlusion.parse(arguments).map(of: subject, target: target, by: fixture.explainer)
            let whole = try Occlusion.parse(arguments + ["--full"]).map(of: subject, target: target, by: fixture.explainer)
            #expect(largestError(patched.values, whole.values) < 1e-4, "\(shape), \(arguments)")
        }
    }

    /// Each window on its own through the network, and the mean of each pixel's windows.
    @Test(arguments: ["mean", "grey", "black"])
    func equalsOneWindowAtATime(_ fill: String) throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:dog")
        let arguments = ["--window", "40", "--stride", "25", "--fill", fill]
        let drop = try Occlusion.parse(arguments).map(of: subject, target: target, by: fixture.explainer)
        let chance = try Occlusion.parse(arguments + ["--probability"]).map(of: subject, target: target, by: fixture.explainer)

        let table = fixture.explainer.preprocessing.table
        let level = ["mean": nil, "grey": 128, "black": 0][fill] ?? nil
        func probability(_ scores: [Float]) -> Double {
            exp(Double(scores[target.channel])) / scores.reduce(0.0) { $0 + exp(Double($1)) }
        }
        let whole = try fixture.scores(subject.tensor)
        var sums = [[Double]](repeating: [], count: 96 * 96)
        var chances = sums
        for top in [0, 25, 50, 75] {
            for left in [0, 25, 50, 75] {
                let pixels = (top..<min(top + 40, 96)).flatMap { y in (left..<min(left + 40, 96)).map { y * 96 + $0 } }
                var tensor = subject.tensor
                for pixel in pixels {
                    for channel in 0..<3 { tensor[pixel * 3 + channel] = level.map { table[channel * 256 + $0] } ?? 0 }
                }
                let scores = try fixture.scores(tensor)
                for pixel in pixels {
                    sums[pixel].append(Double(whole[target.channel] - scores[target.channel]))
                    chances[pixel].append(probability(scores))
                }
            }
        }
        func mean(_ values: [Double]) -> Float { Float(values.reduce(0, +) / Double(values.count)) }
        #expect(largestError(drop.values, sums.map(mean)) < 1e-5)
        #expect(largestError(chance.values, chances.map(mean)) < 1e-5)
        #expect(drop.isSigned && !chance.isSigned)
    }

    @Test func theSameBitsWhateverTheNumberOfWorkers() throws {
        let maps = try [1, 2, 3].map { jobs in
            let fixture = try ExplainerFixture.petshop(jobs: jobs)
            let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/cat/cat-31.jpg")
            return try Occlusion.parse(["--fill", "blur"]).map(
                of: subject, target: fixture.target("conv4:3@mean"), by: fixture.explainer)
        }
        #expect(maps[0] == maps[1] && maps[0] == maps[2])
    }

    /// What is computed of patches is what whole passes give, at the edges too, for classes and for neurons on the way.
    @Test(arguments: [("16", "8", "class:dog"), ("9", "7", "class:cat"), ("20", "13", "conv3:4"), ("12", "12", "pool_2:0@mean")])
    func incrementalEqualsFull(_ window: String, _ stride: String, _ target: String) throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let maps = try [[], ["--full"]].map {
            try Occlusion.parse(["--window", window, "--stride", stride] + $0).map(
                of: subject, target: fixture.target(target), by: fixture.explainer)
        }
        #expect(largestError(maps[0].values, maps[1].values) < 1e-5)
    }

    @Test func incrementalIsUsedWhereItComputesLess() throws {
        let network = try ExplainerFixture.petshop().explainer.network
        let logits = try #require(network.logits)
        func isUsed(_ side: Int, _ share: Double) throws -> Bool {
            let windows = OcclusionWindows(height: 96, width: 96, channels: 3, side: side, stride: 8)
            return try IncrementalPass.passes(
                network, layer: logits, rows: windows.rows, columns: windows.columns,
                over: [Float](repeating: 0, count: 96 * 96 * 3), batch: 1, count: 1, ifLessThan: share) != nil
        }
        #expect(try isUsed(16, 0.8))
        #expect(try !isUsed(96, 0.8))
    }

    @Test func blurKeepsWhatIsFlatAndTheSum() {
        #expect(blurred([Float](repeating: 2, count: 5 * 7 * 3), height: 5, width: 7, deviation: 1).allSatisfy { $0 == 2 })
        var point = [Float](repeating: 0, count: 21 * 21)
        point[10 * 21 + 10] = 1
        let spread = blurred(point, height: 21, width: 21, deviation: 2)
        #expect(abs(spread.reduce(0, +) - 1) < 1e-5)
        #expect(abs(spread[10 * 21 + 12] / spread[10 * 21 + 10] - Float(exp(-0.5))) < 1e-5)
    }

    @Test func saysWhatIsWrong() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/cat/cat-31.jpg")
        #expect(refusal(of: ["--stride", "0"], by: Occlusion.self).hasPrefix("--stride takes 1 to 32 pixels"))
        #expect(refusal(of: ["--window", "8", "--stride", "9"], by: Occlusion.self).hasPrefix("--stride takes 1 to 8 pixels"))
        #expect(refusal(of: ["--window", "0"], by: Occlusion.self) == "--window takes a side of 1 pixel or more, not 0")
        func message(_ arguments: [String], _ target: String) throws -> String {
            do {
                _ = try Occlusion.parse(arguments).map(of: subject, target: fixture.target(target), by: fixture.explainer)
                return ""
            } catch let error as ExplanationError { return error.description }
        }
        #expect(
            try message(["--window", "97"], "class:cat")
                == "--window takes a side of 1 to 96 pixels (the network's input is 96×96), not 97")
        #expect(
            try message(["--probability"], "conv4:3") == "--probability takes a class as target, such as class:0, not conv4:3")
    }

    /// The animal classifier looks at the animal.
    @Test func petshopPeaksAreOnTheAnimal() throws {
        let share = try hits("petshop", pictures: PetshopPicture.all("petshop", split: "test"), every: 15) { $0.animal }
        #expect(share >= 0.9)
    }

    /// The one that was trained with price tags looks at those.
    @Test func hansPeaksAreOnTheTag() throws {
        let fish = try PetshopPicture.all("petshop-hans", split: "test").filter { $0.label == "fish" }
        #expect(try hits("petshop-hans", pictures: fish, every: 3) { $0.tag } >= (ExplainerFixture.isStress ? 0.9 : 0.75))
    }

    /// The share of the rightly classified pictures in which the map's peak is in a box.
    private func hits(
        _ network: String, pictures: [PetshopPicture], every step: Int, box: (PetshopPicture) -> Rectangle?
    ) throws -> Double {
        let fixture = try ExplainerFixture.petshop(network)
        let method = try Occlusion.parse(["--window", "16", "--stride", "8"])
        var (found, asked) = (0, 0)
        for index in Swift.stride(from: 0, to: pictures.count, by: ExplainerFixture.isStress ? 1 : step) {
            let picture = pictures[index]
            let subject = try fixture.subject(picture.path)
            let target = try fixture.target("class:" + picture.label)
            let scores = try fixture.scores(subject.tensor)
            guard scores.firstIndex(of: scores.max() ?? 0) == target.channel else { continue }
            asked += 1
            let peak = try #require(try method.map(of: subject, target: target, by: fixture.explainer).peak)
            if box(picture)?.contains(peak) == true { found += 1 }
        }
        print("\(network): \(found) of \(asked) peaks in the box")
        return Double(found) / Double(max(asked, 1))
    }
}

/// SqueezeNet 1.1 beside Captum.
@Suite(.enabled(if: Shared.has("reference/squeezenet1.1-explanations"), "needs ../shared: reference/squeezenet1.1-explanations"))
struct OcclusionReferenceTests {
    @Test(arguments: ReferenceTests.photographs)
    func captum(_ photograph: String) throws {
        let fixture = try ExplainerFixture.squeezeNet()
        let subject = try fixture.subject(Shared.path("real/photos/imagenet-sample/\(photograph).JPEG"))
        let target = try fixture.target(ReferenceTests.target(photograph))
        let maps = try [[], ["--full"]].map {
            try Occlusion.parse(["--stride", "16"] + $0).map(of: subject, target: target, by: fixture.explainer)
        }
        let expected = try ReferenceTests.reference(photograph, "occlusion")
        let errors = maps.map { largestError($0.values, expected) } + [largestError(maps[0].values, maps[1].values)]
        print(photograph, "occlusion", errors)
        #expect(errors[0] < 1e-4 && errors[1] < 1e-4 && errors[2] < 1e-5)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["NEURODEX_BENCHMARK"] != nil, "measures; set NEURODEX_BENCHMARK"))
    func speed() throws {
        let fixture = try ExplainerFixture.squeezeNet()
        let subject = try fixture.subject(Shared.path("real/photos/imagenet-sample/\(ReferenceTests.photographs[0]).JPEG"))
        let target = try fixture.target("class:1")
        for arguments in [[], ["--full"], [], ["--full"], [], ["--full"]] {
            let time = try ContinuousClock().measure {
                _ = try Occlusion.parse(arguments).map(of: subject, target: target, by: fixture.explainer)
            }
            print("occlusion-625", arguments, time)
        }
    }
}
