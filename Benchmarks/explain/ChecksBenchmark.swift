import ArgumentParser
import Explanations
import Foundation
import NeuralNetwork

/// How alike maps stay when weights become noise: those of methods that depend on the network, and those of methods that hardly
/// do.
///
///     explain-benchmark checks squeezenet1.1.onnx photos --count 64 --csv squeezenet.csv
///     explain-benchmark checks-table squeezenet.csv resnet20.csv
struct ChecksBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checks", abstract: "Similarity of maps before and after weights become noise, a line of CSV each.")

    @OptionGroup var pictures: CheckedPictures

    @Option(parsing: .upToNextOption, help: "Only these methods, by the names of the table.")
    var methods: [String] = []

    @Option(help: "Where to write the lines.")
    var csv: String

    /// Random networks at each stage.
    private static let draws = 3

    func run() throws {
        let (explainer, subjects) = try pictures.opened()
        try Data(try lines(subjects, explainer, network: pictures.name).joined(separator: "\n").utf8)
            .write(to: URL(fileURLWithPath: csv))
    }

    private func lines(_ subjects: [InputImage], _ explainer: Explainer, network: String) throws -> [String] {
        let targets = try subjects.map { try explainer.answer(on: $0) }
        let methods = try CheckedMethod.all(input: explainer.network.input)
            .filter { self.methods.isEmpty || self.methods.contains($0.name) }
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
