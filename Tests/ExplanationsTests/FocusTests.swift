import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import TestSupport
import Testing

/// A network that makes only a few channels of its last map says of them what the whole one says.
@Suite struct FocusTests {
    /// Gradients and scores of some inputs, by either network.
    private func compare(_ fixture: ExplainerFixture, _ target: Target, _ tensor: [Float]) throws {
        let network = fixture.explainer.network
        let layer = try fixture.explainer.layer(of: target)
        let (focused, first) = try #require(try network.focused(on: layer, channel: target.channel))
        let narrow = try focused.layer(named: layer.name)
        #expect(narrow.channels == 16 && (narrow.height, narrow.width) == (layer.height, layer.width))
        var own = target
        own.channel -= first
        #expect((0..<16).contains(own.channel))
        func answer(_ network: DifferentiableNetwork, _ layer: Layer, _ target: Target) throws -> (
            value: Float, gradient: [Float]
        ) {
            let pass = try GradientPass(network, layer: layer)
            _ = pass.input(image: 0).update(fromContentsOf: tensor)
            try pass.forward()
            let map = pass.activation(image: 0)
            target.seed(pass.seed(image: 0), map: map, channels: layer.channels, width: layer.width)
            let value = target.value(of: map, channels: layer.channels, width: layer.width)
            try pass.backward()
            return (value, Array(pass.inputGradient(image: 0)))
        }
        let (whole, part) = (try answer(network, layer, target), try answer(focused, narrow, own))
        #expect(abs(whole.value - part.value) <= 1e-5 * abs(whole.value), "\(target.text)")
        #expect(relativeDistance(part.gradient, whole.gradient) < 1e-5, "\(target.text)")
    }

    @Test func hiddenNeurons() throws {
        let fixture = try ExplainerFixture.petshop()
        let subject = try fixture.subject(ExplainerFixture.fixtures + "/petshop/test/dog/dog-46.jpg")
        // Those that the picture does not silence.
        let active = try (0..<64).map { try fixture.target("conv4:\($0)") }.filter {
            try fixture.explainer.value(of: $0, on: subject) > 0
        }
        #expect(active.count > 10)
        for target in active {
            try compare(fixture, target, subject.tensor)
            try compare(fixture, fixture.target(target.text + "@mean"), subject.tensor)
        }
    }

    @Test func whatFlattensIsLeftWhole() throws {
        let fixture = try ExplainerFixture.petshop()
        let layer = try fixture.explainer.layer(of: fixture.target("class:cat"))
        #expect(try fixture.explainer.network.focused(on: layer, channel: 1)?.first == nil)
    }

    @Test(.enabled(if: Shared.has("real/models/imagenet/squeezenet1.1-7.onnx"), "needs ../shared: SqueezeNet 1.1"))
    func classesWithMapsOfTheirOwn() throws {
        let fixture = try ExplainerFixture.squeezeNet()
        let subject = try fixture.subject(Shared.path("real/photos/imagenet-sample/n02099601_golden_retriever.JPEG"))
        for index in [0, 207, 999] { try compare(fixture, fixture.target("class:\(index)"), subject.tensor) }
    }
}
