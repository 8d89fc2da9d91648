import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Published networks on the inputs that were published with them, and on each other.
@Suite struct ZooTests {
    static let models = "real/models"
    static let light = "real/onnx-light"
    static let awkward = "real/onnx-awkward"
    static let resnet = "\(models)/cifar10/resnet20-cifar10-folded.onnx"
    static let features = "\(models)/cifar10/resnet20-stage1-features16.onnx"

    @Test(
        .enabled(if: Shared.has(models), "needs real/models of the shared test data"),
        arguments: ["imagenet/squeezenet1.1-7", "mnist/mnist-8"])
    func zooVectors(_ name: String) throws {
        let network = try Network(contentsOf: Shared.path("\(Self.models)/\(name).onnx"))
        for set in 0..<3 {
            let folder = Shared.path("\(Self.models)/\(name)_test_data_set_\(set)")
            let input = try TestTensor(contentsOf: "\(folder)/input_0.pb")
            let expected = try TestTensor(contentsOf: "\(folder)/output_0.pb")
            let answer = try network.answers(to: [input.values.map(Float.init)])[0]
            #expect(distance(answer, expected.values) < 1e-4, "\(name), set \(set)")
        }
    }

    /// The ONNX project tests its light models on 0, 1/n, 2/n …, n being the number of elements
    /// (generate_dummy_data in onnx/backend/test/runner).
    @Test(
        .enabled(if: Shared.has(light), "needs real/onnx-light of the shared test data"),
        arguments: ["light_resnet50", "light_squeezenet"])
    func lightModels(_ name: String) throws {
        let network = try Network(contentsOf: Shared.path("\(Self.light)/\(name).onnx"))
        let expected = try TestTensor(contentsOf: Shared.path("\(Self.light)/\(name)_output_0.pb"))
        let count = network.input.channels * network.input.height * network.input.width
        let ramp = (0..<count).map { Float(Double($0) / Double(count)) }
        #expect(distance(try network.answers(to: [ramp])[0], expected.values) < 1e-4)
    }

    private func images(_ network: Network, count: Int = 3) -> [[Float]] {
        var random = SeededGenerator(seed: 11)
        let shape = [network.input.channels, network.input.height, network.input.width]
        return (0..<count).map { _ in SlowTensor(random: shape, using: &random).floats }
    }

    private func agree(_ path: String, with reference: String, within tolerance: Double) throws {
        let networks = try [path, reference].map { try Network(contentsOf: Shared.path($0)) }
        let images = images(networks[1])
        let (found, expected) = try (networks[0].answers(to: images), networks[1].answers(to: images))
        for (a, b) in zip(found, expected) { #expect(distance(a, b.map(Double.init)) < tolerance, "\(path)") }
    }

    @Test(.enabled(if: Shared.has(resnet), "needs real/models of the shared test data"))
    func batchNormalizationAsNodesIsBatchNormalizationFolded() throws {
        try agree("\(Self.models)/cifar10/resnet20-cifar10-bn.onnx", with: Self.resnet, within: 1e-4)
        let network = try Network(contentsOf: Shared.path("\(Self.models)/cifar10/resnet20-cifar10-bn.onnx"))
        #expect(
            network.layers.map(\.operatorType).filter { $0 == "Add" }.count == 9, "a residual sum for each of the nine blocks")
        #expect(network.layers.last?.isLogits == true && network.layers.last?.channels == 10)
    }

    @Test(.enabled(if: Shared.has(awkward), "needs real/onnx-awkward of the shared test data"))
    func unusualFilesOfOneNetworkAgree() throws {
        let unusual = [
            "many_outputs_all_relus", "no_output_shape_no_value_info", "weights_in_constant_nodes",
            "identity_dropout_clip_empty_optional",
        ]
        for name in unusual { try agree("\(Self.awkward)/valid-but-unusual/\(name).onnx", with: Self.features, within: 1e-5) }
        try agree("\(Self.awkward)/external-data/one_file.onnx", with: Self.resnet, within: 1e-4)
        // Half-precision weights in single-precision arithmetic.
        try agree("\(Self.awkward)/dtypes/resnet20_fp16_io32.onnx", with: Self.resnet, within: 1e-2)
        let ladder = ["07", "09", "11", "13", "17", "21"].map { "\(Self.awkward)/opset-ladder-mnist/mnist-opset\($0).onnx" }
        for file in ladder { try agree(file, with: "\(Self.models)/mnist/mnist-8.onnx", within: 1e-5) }
        let mlp = try Network(contentsOf: Shared.path("\(Self.awkward)/valid-but-unusual/no_convolution_mlp.onnx"))
        #expect(try mlp.answers(to: images(mlp)).allSatisfy { $0.count == 10 })
    }

    @Test(.enabled(if: Shared.has(awkward), "needs real/onnx-awkward of the shared test data"))
    func brokenFilesAreRefusedWithTheReason() throws {
        let expected = [
            "broken/git_lfs_pointer": "Git LFS pointer", "broken/opset_999": "operator set 999",
            "broken/truncated_half": "cut short",
            "broken/undefined_input": "does_not_exist", "broken/unknown_op_rellu": "Rellu", "broken/zero_bytes": "empty",
            "external-data/missing_data_file": "not there",
            "valid-but-unusual/control_flow_if": "If",
        ]
        for (name, words) in expected {
            let error = networkError { _ = try Network(contentsOf: Shared.path("\(Self.awkward)/\(name).onnx")) }
            #expect(error.map { "\($0)".contains(words) } == true, "\(name): \(error.map { "\($0)" } ?? "read without an error")")
        }
    }
}
