import ArgumentParser
import Foundation
import NeuralNetwork
import TestSupport

/// A network beside PyTorch's answers, as Tools/make-pytorch-references.py writes them: one line of JSON for each exporter.
///
/// Deviations are relative: of a layer to its largest value, of a gradient to its length (L2). Gradients are left beside the network they are of,
/// for Tools/find-kinks.py: FOLDER/EXPORTER/gradient0.f32, height × width × channels, and so on.
@main struct AgreementCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agreement-check", abstract: "Compare networks with PyTorch's answers; used by Tools/make-network-table.py.")

    @Argument(help: "Folders of one network each, as Tools/make-pytorch-references.py writes them.")
    var folders: [String]

    func run() throws {
        for folder in folders {
            for exporter in ["old", "new"] where FileManager.default.fileExists(atPath: "\(folder)/\(exporter)/model.onnx") {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                do {
                    let agreement = try Agreement(folder: folder, exporter: exporter)
                    print(String(decoding: try encoder.encode(agreement), as: UTF8.self))
                } catch let error as NetworkError {
                    let refusal = ["network": Agreement.name(folder), "exporter": exporter, "error": "\(error)"]
                    print(String(decoding: try encoder.encode(refusal), as: UTF8.self))
                }
            }
        }
    }
}

/// How far a network's layers, scores and gradients are from PyTorch's.
struct Agreement: Encodable {
    let network: String
    let exporter: String
    let layers: Int
    let neurons: Int
    /// Layers whose maxima have a counterpart; the class scores and those alone should have none.
    let compared: Int
    /// Of any neuron's maximum on any image.
    private(set) var maximum = 0.0
    private(set) var worstLayer = ""
    /// Of all neurons on all images, how many have their maximum elsewhere.
    private(set) var positions = 0
    /// Of those, how many are no tie: there the map is lower by more than 10⁻⁴ of the layer's largest value.
    private(set) var unexplained = 0
    private(set) var logits = 0.0
    /// Of each image.
    private(set) var gradients: [Double] = []
    /// How far PyTorch's own gradients are from each other on each image.
    let spread: [Double]

    /// A neuron whose maximum stands elsewhere than PyTorch's, and where that is.
    private struct Moved {
        var layer: Layer
        var image: Int
        var channel: Int
        var place: Int
        var scale: Double
    }

    private enum CodingKeys: String, CodingKey {
        case network, exporter, layers, neurons, compared, maximum, worstLayer, positions, unexplained, logits, gradients, spread
    }

    static func name(_ folder: String) -> String { URL(fileURLWithPath: folder).lastPathComponent }

    init(folder: String, exporter: String) throws {
        let path = "\(folder)/\(exporter)/model.onnx"
        let input = try NPYArray(contentsOf: "\(folder)/input.npy")
        let (count, size) = (input.shape[0], input.shape.dropFirst().reduce(1, *))
        let images = (0..<count).map { Array(input.floats[$0 * size..<($0 + 1) * size]) }
        let scores = try NPYArray(contentsOf: "\(folder)/logits.npy").floats
        let expected = try NPZ("\(folder)/\(exporter)/tensors.npz")
        let known = Set(expected.keys)
        var options = Network.Options()
        options.batch = 1
        // The means of a segmenter's map are none by their looks.
        options.hasClasses = true
        let network = try Network(contentsOf: path, options: options)
        self.network = Self.name(folder)
        self.exporter = exporter
        layers = network.layers.count
        neurons = network.neuronCount
        let pairs = network.layers.filter { known.contains($0.tensor) }
        compared = pairs.count
        spread = try NPYArray(contentsOf: "\(folder)/spread.npy").floats.map(Double.init)
        let rows = try network.run(images) {
            ($0.maxima(image: $1).map { $0 }, $0.positions(image: $1).map { Int($0) }, $0.output(image: $1))
        }
        var moved: [Moved] = []
        for layer in pairs {
            let own = try expected[layer.tensor].floats
            // Tokens of blocks have their channels last, and no place on the map.
            let areBlocks = own.count != count * layer.channels && known.contains(layer.tensor + "@last")
            let maxima = areBlocks ? try expected[layer.tensor + "@last"].floats : own
            // Maps in windows have none.
            let hasPlaces = !areBlocks && known.contains(layer.tensor + "@pos")
            let places = hasPlaces ? try expected[layer.tensor + "@pos"].ints : nil
            guard maxima.count == count * layer.channels else {
                (maximum, worstLayer) = (.infinity, layer.name)
                continue
            }
            for (image, row) in rows.enumerated() {
                let range = image * layer.channels..<(image + 1) * layer.channels
                let scale = maxima[range].reduce(1e-6) { max($0, Double(abs($1))) }
                for channel in 0..<layer.channels {
                    let (neuron, place) = (layer.firstNeuron + channel, range.lowerBound + channel)
                    let deviation = abs(Double(row.0[neuron]) - Double(maxima[place])) / scale
                    if !(deviation <= maximum) { (maximum, worstLayer) = (deviation, layer.name) }
                    if let places, row.1[neuron] != places[place] {
                        moved.append(Moved(layer: layer, image: image, channel: channel, place: places[place], scale: scale))
                    }
                }
            }
        }
        positions = moved.count
        for (image, row) in rows.enumerated() {
            let own = scores[image * row.2.count..<(image + 1) * row.2.count]
            let scale = own.reduce(1e-6) { max($0, Double(abs($1))) }
            logits = zip(row.2, own).reduce(logits) { max($0, abs(Double($1.0) - Double($1.1)) / scale) }
        }
        let gradient = try NPYArray(contentsOf: "\(folder)/grad.npy").floats
        let differentiable = try DifferentiableNetwork(contentsOf: path, options: options)
        guard let answer = differentiable.logits else { return }
        // The maps in which a maximum stands elsewhere are kept, to see what stands there.
        let kept = Set(moved.map(\.layer.name)).compactMap { name in differentiable.layers.first { $0.name == name } }
        let pass = try GradientPass(differentiable, layer: answer, keeping: kept)
        let (channels, pixels) = (network.input.channels, network.input.height * network.input.width)
        for image in 0..<count {
            let target = pass.input(image: 0)
            for index in target.indices { target[index] = images[image][index % channels * pixels + index / channels] }
            try pass.forward()
            unexplained += Self.unexplained(moved.filter { $0.image == image }, kept, pass, rows[image].0)
            let own = scores[image * answer.channels..<(image + 1) * answer.channels]
            guard let best = own.indices.max(by: { own[$0] < own[$1] }) else { continue }
            pass.seed(image: 0)[best - own.startIndex] = 1
            try pass.backward()
            var (difference, length) = (0.0, 0.0)
            for (index, value) in pass.inputGradient(image: 0).enumerated() {
                let other = Double(gradient[image * size + index % channels * pixels + index / channels])
                difference += (Double(value) - other) * (Double(value) - other)
                length += other * other
            }
            gradients.append((difference / length).squareRoot())
            try Data(buffer: pass.inputGradient(image: 0)).write(
                to: URL(fileURLWithPath: "\(folder)/\(exporter)/gradient\(image).f32"))
        }
    }

    /// How many maxima stand elsewhere than PyTorch's where the map at PyTorch's place is lower by more than rounding.
    private static func unexplained(
        _ moved: [Moved], _ kept: [Layer], _ pass: GradientPass, _ maxima: [Float]
    ) -> Int {
        moved.count { one in
            guard let own = kept.first(where: { $0.name == one.layer.name }), let map = pass.activation(of: own, image: 0) else {
                return true
            }
            let there = Double(map[one.place * one.layer.channels + one.channel])
            return !(abs(Double(maxima[one.layer.firstNeuron + one.channel]) - there) / one.scale <= 1e-4)
        }
    }
}
