import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork

/// The network and the pictures whose maps are checked.
struct CheckedPictures: ParsableArguments {
    @Argument(help: "An ONNX file of a classifier.")
    var model: String

    @Argument(help: "A folder of pictures.")
    var pictures: String

    @Option(help: "How many of them, evenly spread in the order of their names.")
    var count = 64

    @Option(help: "Workers.")
    var jobs = 1

    @Flag(help: "Take the pictures as large as they are.")
    var unresized = false

    /// Of the network.
    var name: String { ((model as NSString).lastPathComponent as NSString).deletingPathExtension }

    func opened() throws -> (Explainer, [InputImage]) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explain-benchmark-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let network = try Network(contentsOf: model)
        var preprocessing = Preprocessing(
            .torchvision, input: Size(width: network.input.width, height: network.input.height))
        if unresized { preprocessing.resize = .none }
        let path = folder.appendingPathComponent("store.sqlite").path
        try StoreWriter.open(
            path: path, description: try StoreDescription(network, preprocessing: preprocessing, classes: [], topCount: 1),
            run: RunRecord(toolVersion: "benchmark")
        ).finish()
        let store = try Store.open(path: path)
        return (
            try Explainer(store: store, jobs: jobs),
            try chosen().map { try InputImage($0, store: store, preprocessing: preprocessing) }
        )
    }

    private func chosen() throws -> [String] {
        let types: Set = ["jpg", "jpeg", "png", "webp"]
        let all = try FileManager.default.subpathsOfDirectory(atPath: pictures).sorted()
            .filter { types.contains(($0 as NSString).pathExtension.lowercased()) }
        let count = min(count, all.count)
        return (0..<count).map { pictures + "/" + all[$0 * all.count / count] }
    }
}
