import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import TestSupport

/// A network ready to explain, in a store of no images, which explanations do not need, or of some.
struct ExplainerFixture {
    let folder: TemporaryFolder
    let store: Store
    let explainer: Explainer

    init(
        model: String, preprocessing: Preprocessing, classes: [String] = [], jobs: Int? = nil, indexing dataset: Dataset? = nil,
        options: Network.Options = Network.Options()
    ) throws {
        folder = try TemporaryFolder()
        let network = try Network(contentsOf: model, options: options)
        let path = folder.file("s.sqlite")
        let writer = try StoreWriter.open(
            path: path, description: try StoreDescription(network, preprocessing: preprocessing, classes: classes, topCount: 1),
            run: RunRecord(toolVersion: "test"))
        if let dataset {
            _ = try Indexer(network: network, preprocessing: preprocessing, jobs: 2).run(dataset, into: writer)
        } else {
            try writer.finish()
        }
        store = try Store.open(path: path)
        explainer = try Explainer(store: store, jobs: jobs)
    }

    /// One of the pet shop's networks.
    static func petshop(
        _ name: String = "petshop", jobs: Int? = nil, indexing dataset: Dataset? = nil
    ) throws -> ExplainerFixture {
        let labels = try String(contentsOfFile: fixtures + "/petshop/labels.txt", encoding: .utf8)
        var preprocessing = Preprocessing(.torchvision, input: Size(width: 96, height: 96))
        preprocessing.resize = .none
        return try ExplainerFixture(
            model: fixtures + "/\(name).onnx", preprocessing: preprocessing,
            classes: labels.split(whereSeparator: \.isNewline).map(String.init), jobs: jobs, indexing: dataset)
    }

    /// SqueezeNet 1.1 of the shared test data.
    /// - Parameter shift: what is taken from every number that the network is given.
    static func squeezeNet(jobs: Int? = nil, shift: Double = 0) throws -> ExplainerFixture {
        var preprocessing = Preprocessing(.torchvision, input: Size(width: 224, height: 224))
        preprocessing.mean = zip(preprocessing.mean, preprocessing.deviation).map { $0 + shift * $1 }
        return try ExplainerFixture(
            model: Shared.path("real/models/imagenet/squeezenet1.1-7.onnx"), preprocessing: preprocessing, jobs: jobs)
    }

    /// `NEURODEX_STRESS=1` asks for all test pictures of the pet shop instead of some.
    static let isStress = ProcessInfo.processInfo.environment["NEURODEX_STRESS"] != nil

    /// The repository's pictures and networks.
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("fixtures").path

    func subject(_ path: String) throws -> InputImage {
        try InputImage(path, store: store, preprocessing: explainer.preprocessing)
    }

    func target(_ text: String) throws -> Target { try Target(text, in: store.description) }

    /// The logits of one input.
    func scores(_ tensor: [Float]) throws -> [Float] {
        guard let layer = explainer.network.logits else { return [] }
        var result: [Float] = []
        try explainer.activations(of: layer, count: 1) { _, input in
            _ = input.update(fromContentsOf: tensor)
        } read: {
            Array($0)
        } body: { _, scores in
            result = scores
        }
        return result
    }
}

/// A row of the pet shop's `boxes.csv`: where the animal and, where there is one, the price tag are.
struct PetshopPicture {
    let path: String
    let label: String
    let animal: Rectangle
    let tag: Rectangle?

    static func all(_ folder: String, split: String) throws -> [PetshopPicture] {
        let root = ExplainerFixture.fixtures + "/" + folder
        return try String(contentsOfFile: root + "/boxes.csv", encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst()
            .compactMap { line in
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                let numbers = cells[3...].map { Double($0) }
                func box(_ start: Int) -> Rectangle? {
                    guard let x = numbers[start], let y = numbers[start + 1], let right = numbers[start + 2],
                        let bottom = numbers[start + 3]
                    else { return nil }
                    return Rectangle(x: x, y: y, width: right - x, height: bottom - y)
                }
                guard cells[1] == split, let animal = box(0) else { return nil }
                return PetshopPicture(path: root + "/" + cells[0], label: String(cells[2]), animal: animal, tag: box(4))
            }
    }
}

extension Rectangle {
    /// Whether the middle of a pixel is inside.
    func contains(_ pixel: (y: Int, x: Int)) -> Bool {
        let (x, y) = (Double(pixel.x) + 0.5, Double(pixel.y) + 0.5)
        return x > self.x && x < self.x + width && y > self.y && y < self.y + height
    }
}

/// The largest difference, as a share of the largest magnitude of `expected`.
func largestError(_ values: [Float], _ expected: [Float]) -> Float {
    guard values.count == expected.count else { return .infinity }
    let largest = expected.reduce(0) { max($0, abs($1)) }
    return zip(values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
}

/// What is said of arguments that cannot be; "taken" where they can.
func refusal<Arguments: ParsableArguments>(of arguments: [String], by type: Arguments.Type) -> String {
    do {
        _ = try type.parse(arguments)
        return "taken"
    } catch {
        return type.message(for: error)
    }
}
