import NeuralNetwork
import TestSupport
import Testing

/// Quantised networks: what they are refused for, and the way back through rounding.
@Suite struct QuantizationTests {
    private func network(scale: Float, zero: Int, isSigned: Bool) throws -> DifferentiableNetwork {
        var model = ModelBuilder(opset: 13, input: [1, 1, 1, 5])
        _ = model.weight("scale", [], [scale])
        let point = model.bytes([zero], shape: [], isSigned: isSigned)
        // The layer that is rounded.
        _ = model.weight("one", [1], [1])
        let rounded = model.node("QuantizeLinear", [model.node("Mul", ["image", "one"]), "scale", point])
        let output = model.node("DequantizeLinear", [rounded, "scale", point])
        return try model.differentiableNetwork(output: output)
    }

    private func gradient(_ network: DifferentiableNetwork, _ rule: BackwardRule, at pixels: [Float], signal: [Float]) throws
        -> [Float]
    {
        let pass = try GradientPass(network, layer: network.layers[0], rule: rule)
        _ = pass.input(image: 0).update(fromContentsOf: pixels)
        try pass.forward()
        _ = pass.seed(image: 0).update(fromContentsOf: signal)
        try pass.backward()
        return Array(pass.inputGradient(image: 0))
    }

    /// −0.5 ... 0.496 in steps of 1/256: inside, the signal passes as it is; outside, nothing does.
    @Test func roundingPassesTheSignalWhereItDoesNotCutOff() throws {
        let network = try network(scale: 0x1p-8, zero: 0, isSigned: true)
        let pixels: [Float] = [-0.6, -0.4, 0, 0.4, 0.6]
        for rule in BackwardRule.allCases {
            #expect(try gradient(network, rule, at: pixels, signal: [1, 2, -3, 4, 5]) == [0, 2, -3, 4, 0], "\(rule)")
        }
    }

    /// 0 ... 1: nothing below 0 is left, as after a ReLU, so the rules of one hold.
    @Test func aGridThatBeginsAtZeroIsARectifier() throws {
        let network = try network(scale: 0x1p-8, zero: -128, isSigned: true)
        let pixels: [Float] = [-0.6, -0.4, 0.2, 0.4, 0.9]
        let signal: [Float] = [1, -2, -3, 4, 5]
        #expect(try gradient(network, .gradient, at: pixels, signal: signal) == [0, 0, -3, 4, 5])
        #expect(try gradient(network, .deconvnet, at: pixels, signal: signal) == [1, 0, 0, 4, 5])
        #expect(try gradient(network, .guided, at: pixels, signal: signal) == [0, 0, 0, 4, 5])
    }

    @Test func layersHaveTheNamesOfTheirWeightsBeforeQuantisation() throws {
        var model = ModelBuilder(opset: 13)
        let raw = [UInt8](repeating: 3, count: 12)
        model.graph.add(5, ModelBuilder.tensor("stage1.conv.weight_quantized", [4, 3, 1, 1], type: 3, raw: raw))
        _ = model.weight("stage1.conv.weight_scale", [], [0.5])
        let weights = model.node(
            "DequantizeLinear", ["stage1.conv.weight_quantized", "stage1.conv.weight_scale"], outputs: ["stage1.conv.weight_DQ"])
        let output = model.node("Conv", ["image", weights], name: "node_7")
        #expect(try model.network(output: output).layers.map(\.name) == ["stage1.conv"])
    }

    @Test func whatIsRefused() throws {
        func error(_ build: (inout ModelBuilder) -> String) -> String {
            var model = ModelBuilder(opset: 21)
            _ = model.weight("scale", [], [0.5])
            _ = model.weight("scales", [3], [0.5, 1, 2])
            _ = model.weight("no scale", [], [0])
            let output = build(&model)
            return networkError { _ = try model.network(output: output) }.map { "\($0)" } ?? "none"
        }
        #expect(error { $0.node("QuantizeLinear", ["image", "image"]) }.contains("its scale ('image') must be a constant"))
        #expect(error { $0.node("QuantizeLinear", ["image", "no scale"]) }.contains("a scale is a positive number"))
        #expect(error { $0.node("QuantizeLinear", ["image", "scale"], ["output_dtype": 17]) }.contains("float8e4m3fn"))
        #expect(error { $0.node("QuantizeLinear", ["image", "scales"], ["axis": 2]) }.contains("3 scales along axis 2"))
        #expect(error { $0.node("DequantizeLinear", ["image", "scales"], ["axis": 1, "block_size": 2]) }.contains("block_size"))
        // What computes with integers itself, in forms that are not read.
        for type in ["QLinearSoftmax", "QLinearReduceMean", "QLinearWhere"] {
            let message = error { $0.node(type, ["image", "scale"], domain: "com.microsoft") }
            #expect(message.contains(type) && message.contains("QuantizeLinear and DequantizeLinear"), "\(message)")
        }
    }
}
