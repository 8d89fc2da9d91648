import Foundation
import NeuralNetwork
import TestSupport
import Testing

private let folder = ProcessInfo.processInfo.environment["NEURODEX_ZOO"]

/// torchvision's networks beside PyTorch: scores, and the gradient of the best class's score by the image.
///
/// `NEURODEX_ZOO` names a folder that holds for each network NAME/old/model.onnx, input.npy [N, 3, H, W], logits.npy [N, K], grad.npy
/// [N, 3, H, W], the derivative of each image's largest score, and spread.npy [N], as Tools/make-pytorch-references.py writes them. Only
/// images count on which no unit stands on a kink: elsewhere PyTorch does not agree with itself.
@Suite(.enabled(if: folder != nil, "NEURODEX_ZOO names no folder of networks with PyTorch's answers"))
struct PyTorchTests {
    static let networks: [String] = {
        let names = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        return names.filter { FileManager.default.fileExists(atPath: "\(folder ?? "")/\($0)/grad.npy") }.sorted()
    }()

    @Test(arguments: networks)
    func scoresAndGradients(_ name: String) throws {
        let place = "\(folder ?? "")/\(name)"
        let network = try DifferentiableNetwork(contentsOf: "\(place)/old/model.onnx")
        let images = try NPYArray(contentsOf: "\(place)/input.npy")
        let (scores, gradients) = try (
            NPYArray(contentsOf: "\(place)/logits.npy").floats, NPYArray(contentsOf: "\(place)/grad.npy").floats
        )
        let spread = try NPYArray(contentsOf: "\(place)/spread.npy").floats
        let logits = try #require(network.logits)
        let count = images.shape[0]
        let (size, pixels) = (images.floats.count / count, network.input.height * network.input.width)
        let pass = try GradientPass(network, layer: logits, batch: count)
        try #require(pass.batch == count)
        /// Where element `index` of an image, channels innermost, stands in PyTorch's order.
        func element(_ image: Int, _ index: Int) -> Int {
            image * size + index % network.input.channels * pixels + index / network.input.channels
        }
        for image in 0..<count {
            for index in 0..<size { pass.input(image: image)[index] = images.floats[element(image, index)] }
        }
        try pass.forward()
        for image in 0..<count {
            let expected = scores[image * logits.channels..<(image + 1) * logits.channels].map(Double.init)
            let error = distance(Array(pass.activation(image: image)), expected)
            #expect(error < 1e-4, "scores of \(name), image \(image)")
            print(name, image, "scores", error)
            let best = expected.indices.max { expected[$0] < expected[$1] } ?? 0
            pass.seed(image: image)[best] = 1
        }
        try pass.backward()
        for image in 0..<count {
            var (difference, total) = (0.0, 0.0)
            let gradient = pass.inputGradient(image: image)
            for index in 0..<size {
                let expected = Double(gradients[element(image, index)])
                difference += (Double(gradient[index]) - expected) * (Double(gradient[index]) - expected)
                total += expected * expected
            }
            let error = (difference / total).squareRoot()
            #expect(error < 1e-3 || spread[image] >= 1e-4, "gradient of \(name), image \(image)")
            print(name, image, "gradient", error, "PyTorch's own", spread[image])
        }
    }
}
