import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import TestSupport
import Testing

/// A whole index against one that ONNX Runtime and Pillow made.
@Suite struct ReferenceTests {
    /// How far an index is from its reference.
    private struct Deviation {
        var compared = 0
        /// Of the largest value of the same channel over all images.
        var worst: Float = 0
        var otherPositions = 0
        /// Maxima that are further off than the tolerance, and positions whose values do not tie within it.
        var failures: [String] = []
    }

    private static let tolerance: Float = 1e-4

    private func index(_ paths: [String], model: String, preprocessing: (inout Preprocessing) -> Void) throws -> (
        Store, TemporaryFolder
    ) {
        let folder = try TemporaryFolder()
        let network = try Network(contentsOf: model)
        var recipe = Preprocessing(
            .torchvision, input: .init(width: network.input.width, height: network.input.height),
            channelCount: network.input.channels)
        preprocessing(&recipe)
        let description = try StoreDescription(network, preprocessing: recipe, classes: [], topCount: 100)
        let writer = try StoreWriter.open(
            path: folder.file("a.sqlite"), description: description, run: RunRecord(toolVersion: "test"))
        let summary = try Indexer(network: network, preprocessing: recipe, jobs: 2).run(Dataset(paths: paths), into: writer)
        #expect(summary.indexed == paths.count)
        return (try Store.open(path: folder.file("a.sqlite")), folder)
    }

    @Test func thePetShopIsAsONNXRuntimeHasIt() throws {
        let text = try String(contentsOfFile: Fixtures.path("expected/petshop-maxima.csv"), encoding: .utf8)
        let rows = text.split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        var files: [String] = []
        for row in rows where !files.contains(row[0]) { files.append(row[0]) }
        let (store, folder) = try index(files.map { Fixtures.path("petshop/" + $0) }, model: Fixtures.path("petshop.onnx")) {
            $0.resize = .none
        }
        defer { withExtendedLifetime(folder) {} }
        let layers = Dictionary(uniqueKeysWithValues: store.description.layers.map { ($0.tensor, $0) })
        #expect(Set(rows.map { $0[1] }) == Set(layers.keys))
        let activations = try files.indices.map { try #require(try store.activations(ofImage: $0)) }
        var largest: [String: Float] = [:]
        for row in rows { largest[row[1]] = max(largest[row[1]] ?? 0, abs(try #require(Float(row[3])))) }
        var (worst, otherPositions): (Float, Int) = (0, 0)
        for row in rows {
            let image = try #require(files.firstIndex(of: row[0]))
            let layer = try #require(layers[row[1]])
            let neuron = layer.firstNeuron + (try #require(Int(row[2])))
            let (value, scale) = (try #require(Float(row[3])), try #require(largest[row[1]]))
            let difference = abs(activations[image].values[neuron] - value) / scale
            worst = max(worst, difference)
            #expect(difference <= Self.tolerance, "\(row)")
            if !row[4].isEmpty, Int(activations[image].positions[neuron]) != Int(row[4]) { otherPositions += 1 }
        }
        print("petshop: \(rows.count) maxima, worst \(worst) of the layer's largest, \(otherPositions) other positions")
        #expect(otherPositions == 0)
    }

    @Test(
        .enabled(
            if: Shared.has("reference/squeezenet1.1-maxima.npz") && Shared.has("real/photos/imagenet-sample"),
            "needs reference and real/photos of the shared test data"))
    func squeezeNetOnAllPhotographs() throws {
        let reference = try NPZ(Shared.path("reference/squeezenet1.1-maxima.npz"))
        let names = try reference["files"].strings
        let paths = names.map { Shared.path("real/photos/imagenet-sample/" + $0) }
        let (store, folder) = try index(paths, model: Shared.path("real/models/imagenet/squeezenet1.1-7.onnx")) { _ in }
        defer { withExtendedLifetime(folder) {} }
        var deviation = Deviation()
        var (lists, ties) = (0, 0)
        let all = try names.indices.map { try #require(try store.activations(ofImage: $0)) }
        for layer in store.description.layers where reference.keys.contains(layer.tensor) {
            let values = try reference[layer.tensor].floats
            let positions = reference.keys.contains(layer.tensor + "@pos") ? try reference[layer.tensor + "@pos"].ints : nil
            for channel in 0..<layer.channels {
                let expected = names.indices.map { values[$0 * layer.channels + channel] }
                let scale = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
                for image in names.indices {
                    let found = all[image].values[layer.firstNeuron + channel]
                    let difference = abs(found - expected[image]) / scale
                    deviation.compared += 1
                    deviation.worst = max(deviation.worst, difference)
                    if !(difference <= Self.tolerance) {
                        deviation.failures.append(
                            "\(layer.name):\(channel) on \(names[image]): \(found), expected \(expected[image])")
                    }
                    if let positions,
                        positions[image * layer.channels + channel] != Int(all[image].positions[layer.firstNeuron + channel])
                    {
                        deviation.otherPositions += 1
                    }
                }
                let hits = try TopQuery(neurons: ["\(layer.name):\(channel)"], count: 5).run(in: store)
                let best = expected.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(5)
                for (hit, wanted) in zip(hits, best) {
                    lists += 1
                    guard hit.imageID != wanted.offset else { continue }
                    ties += 1
                    #expect(
                        abs(expected[hit.imageID] - wanted.element) / scale <= 2 * Self.tolerance,
                        "\(layer.name):\(channel) at \(hit.rank)")
                }
            }
        }
        print(
            "squeezenet: \(deviation.compared) maxima, worst \(deviation.worst) of the channel's largest, "
                + "\(deviation.otherPositions) other positions, \(lists) places in lists, \(ties) of them tied otherwise")
        #expect(deviation.compared > 1_800_000)
        #expect(deviation.failures.isEmpty, "\(deviation.failures.count): \(deviation.failures.prefix(10))")
        // A position may differ where two cells are equal up to rounding: less than one in ten thousand.
        #expect(deviation.otherPositions * 10_000 < deviation.compared)
    }
}
