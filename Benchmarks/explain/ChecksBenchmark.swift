import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork

/// How alike maps stay when weights become noise: those of methods that depend on the network, and those of methods that hardly
/// do.
///
///     explain-benchmark checks squeezenet1.1.onnx photos --count 64 --csv squeezenet.csv
///     explain-benchmark checks-table squeezenet.csv resnet20.csv
struct ChecksBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks", abstract: "Similarity of maps before and after weights become noise, a line of CSV each.")

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

    @Option(help: "Where to write the lines.")
    var csv: String

    /// Random networks at each stage.
    private static let draws = 3

    func run() throws {
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
        let explainer = try Explainer(store: store, jobs: jobs)
        let subjects = try chosen().map { try Subject($0, store: store, preprocessing: preprocessing) }
        let name = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
        try Data(try lines(subjects, explainer, network: name).joined(separator: "\n").utf8)
            .write(to: URL(fileURLWithPath: csv))
    }

    private func chosen() throws -> [String] {
        let types: Set = ["jpg", "jpeg", "png", "webp"]
        let all = try FileManager.default.subpathsOfDirectory(atPath: pictures).sorted()
            .filter { types.contains(($0 as NSString).pathExtension.lowercased()) }
        let count = min(count, all.count)
        return (0..<count).map { pictures + "/" + all[$0 * all.count / count] }
    }

    private func lines(_ subjects: [Subject], _ explainer: Explainer, network: String) throws -> [String] {
        let targets = try subjects.map { try explainer.answer(on: $0) }
        let methods = try CheckedMethod.all(input: explainer.network.input)
        let clock = ContinuousClock.now
        let originals = try subjects.indices.map { index in
            try methods.map { try $0.map(subjects[index], targets[index], explainer) }
        }
        let cascade = try WeightCascade(of: Saliency.parse([]), target: targets[0], by: explainer)
        var lines = ["network,picture,method,stage,draw,magnitudes,signed,structure"]
        for step in WeightCascade.steps(layers: cascade.names.count, stages: 3) {
            let stage = step.parts[0]
            for draw in 0..<Self.draws {
                let random = try cascade.randomised(last: step.layers, draw: draw, seed: 0)
                for index in subjects.indices {
                    for (number, method) in methods.enumerated() {
                        guard let original = originals[index][number] else { continue }
                        let map = try method.map(subjects[index], targets[index], random)
                        let similarity = map.map { MapSimilarity(original, $0) }
                        let values = [similarity?.magnitudes, similarity?.signed, similarity?.structure]
                            .map { $0.map { String(format: "%.4f", $0) } ?? "" }
                        lines.append(
                            ([network, "\(index)", method.name, stage.rawValue, "\(draw)"] + values).joined(separator: ","))
                    }
                }
                print("\(network) \(stage.rawValue) \(draw): \((ContinuousClock.now - clock) / .seconds(1)) s")
            }
        }
        return lines
    }
}

/// A method, and whether its maps depend on what the network has learnt.
struct CheckedMethod {
    var name: String
    var method: (any ExplanationMethod)?
    private let input: Network.Input

    /// The map; nil where it is the same everywhere.
    func map(_ subject: Subject, _ target: Target, _ explainer: Explainer) throws -> ExplanationMap? {
        guard let method else { return Edges.map(of: subject, input: input) }
        do {
            return try method.map(of: subject, target: target, by: explainer)
        } catch ExplanationError.flat {
            return nil
        }
    }

    /// Whether a method's maps depend on the network's weights, as Adebayo et al. 2018 and Nie et al. 2018 found.
    static func isGood(_ name: String) -> Bool { !["edges", "guided", "deconvnet"].contains(name) }

    /// In the order of tables.
    static let names = [
        "gradient", "input-gradient", "smoothgrad", "integrated", "occlusion", "cam", "grad-cam", "guided", "deconvnet", "edges",
    ]

    static func all(input: Network.Input) throws -> [CheckedMethod] {
        // A window of two sevenths of the picture at half its side: 36 of them.
        let window = max(2, min(input.height, input.width) * 64 / 224)
        let methods: [(String, any ExplanationMethod)] = [
            ("gradient", try Saliency.parse([])),
            ("input-gradient", try Saliency.parse(["--method", "input-gradient"])),
            ("smoothgrad", try Saliency.parse(["--method", "smoothgrad", "--samples", "5"])),
            ("integrated", try Saliency.parse(["--method", "integrated", "--steps", "5"])),
            ("occlusion", try Occlusion.parse(["--window", "\(window)", "--stride", "\(window / 2)"])),
            ("cam", try ClassActivationMap.parse([])),
            ("grad-cam", try ClassActivationMap.parse(["--method", "grad-cam"])),
            ("guided", try Saliency.parse(["--method", "guided"])),
            ("deconvnet", try Saliency.parse(["--method", "deconvnet"])),
        ]
        return methods.map { CheckedMethod(name: $0, method: $1, input: input) }
            + [CheckedMethod(name: "edges", method: nil, input: input)]
    }
}
