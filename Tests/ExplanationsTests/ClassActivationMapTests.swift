import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

struct ClassActivationMapTests {
    @Test func gradCAMOfANetworkThatFlattens() throws {
        let fixture = try ExplainerFixture.petshop()
        #expect(fixture.explainer.network.classifierHead == nil)
        var (found, asked) = (0, 0)
        let pictures = try PetshopPicture.all("petshop", split: "test")
        for picture in ExplainerFixture.isStress ? pictures : stride(from: 0, to: pictures.count, by: 15).map({ pictures[$0] }) {
            let subject = try fixture.subject(picture.path)
            let map = try ClassActivationMap.parse([]).map(
                of: subject, target: fixture.target("class:" + picture.label), by: fixture.explainer)
            #expect(map.note == "Grad-CAM at conv4: the network does not end in global average pooling")
            asked += 1
            if let peak = map.stretched(to: Size(width: 96, height: 96)).peak, picture.animal.contains(peak) { found += 1 }
        }
        print("petshop, Grad-CAM: \(found) of \(asked) peaks in the box")
        #expect(Double(found) >= 0.9 * Double(asked))
    }

    /// From the papers: the layer's map weighed by the means of the gradient, or by what of it is above zero, one place after the other.
    @Test(arguments: ["grad-cam", "layer-cam"]) func gradientMapsEqualTheirFormulas(_ method: String) throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-31.jpg")
        let target = try fixture.target("class:fish")
        let map = try ClassActivationMap.parse(["--layer", "conv3", "--method", method]).map(
            of: subject, target: target, by: fixture.explainer)
        #expect(map.note == (method == "grad-cam" ? "Grad-CAM at conv3" : "LayerCAM at conv3"))
        let network = fixture.explainer.network
        let layer = try network.layer(named: "conv3")
        let pass = try GradientPass(network, layer: #require(network.logits), keeping: [layer])
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.forward()
        pass.seed(image: 0)[target.channel] = 1
        try pass.backward()
        let activation = try #require(pass.activation(of: layer, image: 0))
        let gradient = try #require(pass.gradient(of: layer, image: 0))
        var expected = [Float](repeating: 0, count: map.values.count)
        for channel in 0..<layer.channels {
            var weight: Float = 0
            for place in expected.indices { weight += gradient[place * layer.channels + channel] / Float(expected.count) }
            for place in expected.indices {
                let own = method == "grad-cam" ? weight : max(gradient[place * layer.channels + channel], 0)
                expected[place] += own * activation[place * layer.channels + channel]
            }
        }
        #expect(largestError(map.values, expected.map { max(0, $0) }) < 1e-4)
        #expect((map.height, map.width) == (layer.height, layer.width))
    }

    @Test func saysWhatIsWrong() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/cat/cat-31.jpg")
        func message(_ arguments: [String], _ target: String) throws -> String {
            do {
                _ = try ClassActivationMap.parse(arguments).map(
                    of: subject, target: fixture.target(target), by: fixture.explainer)
                return ""
            } catch let error as ExplanationError { return error.description }
        }
        #expect(
            try message(["--method", "cam"], "class:cat")
                == "--method cam takes a class of a network that ends in global average pooling, or a last layer made with: neurodex cam fit STORE, not this (the network does not end in global average pooling)"
        )
        #expect(try message(["--layer", "conv4"], "conv2:3") == "--layer takes a layer that conv2:3 depends on, not conv4")
        #expect(
            try message(["--layer", "fc1"], "class:cat")
                == "layer fc1 has no map of more than one position; name a layer that has one")
        #expect(
            refusal(of: ["--method", "cam", "--layer", "conv4"], by: ClassActivationMap.self)
                == "--method cam takes no --layer, as it has one of its own, not --layer conv4")
    }
}

/// SqueezeNet 1.1, whose classes have maps of their own, beside PyTorch and Captum.
@Suite(.enabled(if: Shared.has("reference/squeezenet1.1-explanations"), "needs ../shared: reference/squeezenet1.1-explanations"))
struct ClassActivationMapReferenceTests {
    @Test(arguments: ReferenceTests.photographs)
    func captum(_ photograph: String) throws {
        let fixture = try ExplainerFixture.squeezeNet()
        let subject = try fixture.subject(Shared.path("real/photos/imagenet-sample/\(photograph).JPEG"))
        let target = try fixture.target(ReferenceTests.target(photograph))
        for (method, name) in [("cam", "cam"), ("auto", "cam"), ("grad-cam", "gradcam")] {
            let map = try ClassActivationMap.parse(["--method", method]).map(of: subject, target: target, by: fixture.explainer)
            let error = largestError(map.values, try ReferenceTests.reference(photograph, name))
            print(photograph, method, error, map.note ?? "")
            #expect(error < 1e-4)
        }
    }
}

/// The mean of a class's map, with the class's bias, is its score: whatever way a network writes it.
@Suite(.enabled(if: Shared.has("real/models"), "needs ../shared: real/models"))
struct ClassifierHeadTests {
    /// GlobalAveragePool or AveragePool, Flatten or Reshape, Gemm; SqueezeNet's classes have maps of their own.
    @Test(arguments: [
        "cifar10/resnet20-cifar10-folded", "cifar10/resnet20-cifar10-bn", "imagenet/squeezenet1.1-7",
    ])
    func theMeanOfAMapIsTheScore(_ model: String) throws {
        try expectMeansAreScores(try DifferentiableNetwork(contentsOf: Shared.path("real/models/\(model).onnx")))
    }

    @Test func aNetworkThatFlattensHasNone() throws {
        #expect(try DifferentiableNetwork(contentsOf: Shared.path("real/models/mnist/mnist-8.onnx")).classifierHead == nil)
    }
}

/// On a seeded input.
func expectMeansAreScores(_ network: DifferentiableNetwork, location: SourceLocation = #_sourceLocation) throws {
    let head = try #require(network.classifierHead, sourceLocation: location)
    let logits = try #require(network.logits, sourceLocation: location)
    let whole = try ForwardPass.passes(network, layer: logits, count: 1)[0]
    let part = try ForwardPass.passes(network, to: head, count: 1)[0]
    var random = SeededGenerator(seed: 5)
    for index in whole.input(image: 0).indices {
        let value = Float.random(in: -2...2, using: &random)
        whole.input(image: 0)[index] = value
        part.input(image: 0)[index] = value
    }
    try whole.run()
    try part.run()
    let scores = Array(whole.activation(image: 0))
    let means = (0..<head.classes).map { index in
        let map = head.activationMap(ofClass: index, map: part.activation(image: 0))
        let bias: Float = if case .linear(_, let bias) = head.weights { bias[index] } else { 0 }
        return map.reduce(0, +) / Float(map.count) + bias
    }
    #expect(largestError(means, scores) < 1e-5, sourceLocation: location)
}
