import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// A pass on two threads gives what it gives on one, to the last bit; so do passes that share what they are compiled to.
@Suite struct TeamTests {
    /// The bits of everything that comes of an image: answer and gradient, forward alone too.
    private func bits(_ network: DifferentiableNetwork, _ pass: GradientPass, _ forward: ForwardPass, threads: Int) throws
        -> [UInt32]
    {
        var random = SeededGenerator(seed: 5)
        (pass.threads, forward.threads) = (threads, threads)
        for index in pass.input(image: 0).indices {
            let value = Float.random(in: -2...2, using: &random)
            pass.input(image: 0)[index] = value
            forward.input(image: 0)[index] = value
        }
        try pass.forward()
        try forward.run()
        var bits = pass.activation(image: 0).map(\.bitPattern) + forward.activation(image: 0).map(\.bitPattern)
        for index in pass.seed(image: 0).indices { pass.seed(image: 0)[index] = Float.random(in: -1...1, using: &random) }
        try pass.backward()
        bits += pass.inputGradient(image: 0).map(\.bitPattern)
        return bits
    }

    private func expectNoDifference(_ network: DifferentiableNetwork, _ name: String) throws {
        let logits = try #require(network.logits)
        for rule in BackwardRule.allCases {
            let passes = try GradientPass.passes(network, layers: [logits], rule: rule, count: 2)
            let forward = try ForwardPass.passes(network, layer: logits, count: 1)[0]
            let one = try bits(network, passes[0], forward, threads: 1)
            #expect(one.contains { $0 != 0 })
            #expect(try bits(network, passes[0], forward, threads: 2) == one, "\(name), \(rule), two threads")
            #expect(try bits(network, passes[1], forward, threads: 1) == one, "\(name), \(rule), a pass that shares")
            #expect(try bits(network, passes[0].another(), forward.another(), threads: 2) == one, "\(name), \(rule), another")
        }
    }

    @Test func petshop() throws {
        try expectNoDifference(try DifferentiableNetwork(contentsOf: Fixtures.path("petshop.onnx")), "petshop")
    }

    @Test(
        .enabled(if: Shared.has("real/models"), "needs real/models of the shared test data"),
        arguments: ["imagenet/squeezenet1.1-7", "cifar10/resnet20-cifar10-bn", "mnist/mnist-8"])
    func publishedNetworks(_ name: String) throws {
        try expectNoDifference(
            try DifferentiableNetwork(contentsOf: Shared.path("real/models/\(name).onnx")), name)
    }

    /// Every operator, on shapes large enough to be shared out.
    @Test(arguments: operatorCases.indices)
    func operators(_ index: Int) throws {
        let operation = operatorCases[index]
        guard let last = operation.shapes.last, operation.hasWayBack else { return }
        let shape = !operation.fitsOtherShapes ? last : last[0] % 2 == 0 ? [32, 24, 26] : [17, 31, 33]
        var random = SeededGenerator(seed: UInt64(index))
        var model = ModelBuilder(opset: operation.opset, input: [1] + shape.map { Optional($0) })
        let (output, _) = operation.build(&model, shape, &random)
        _ = model.weight("the factor", [], [0.75])
        let network = try model.differentiableNetwork(output: model.node("Mul", [output, "the factor"]))
        let logits = try #require(network.logits)
        let pass = try GradientPass(network, layer: logits)
        let forward = try ForwardPass.passes(network, layer: logits, count: 1)[0]
        let one = try bits(network, pass, forward, threads: 1)
        #expect(try bits(network, pass, forward, threads: 2) == one, "\(operation.name)")
    }
}
