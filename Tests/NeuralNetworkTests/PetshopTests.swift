import Foundation
import Images
import NeuralNetwork
import SwiftCSV
import TestSupport
import Testing

/// The repository's own network on its own pictures, against a forward pass by ONNX Runtime.
@Suite struct PetshopTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("fixtures")

    @Test func maximaAreONNXRuntimes() throws {
        let network = try Network(contentsOf: Self.fixtures.appendingPathComponent("petshop.onnx").path)
        let preprocessing = Preprocessing(
            resize: .shorterSide(96), crop: Size(width: 96, height: 96), mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225])
        let rows = try CSV<Named>(url: Self.fixtures.appendingPathComponent("expected/petshop-maxima.csv")).rows
        let worker = try network.makeWorker()
        var seen = Set<String>()
        for (file, rows) in Dictionary(grouping: rows, by: { $0["file"] ?? "" }) {
            let path = Self.fixtures.appendingPathComponent("petshop/\(file)").path
            let image = try ImageReader().read(contentsOf: path, framing: preprocessing.framing).image
            _ = worker.input(image: 1).update(from: preprocessing.tensor(from: image))
            try worker.run()
            for (tensor, rows) in Dictionary(grouping: rows, by: { $0["tensor"] ?? "" }) {
                guard let layer = network.layers.first(where: { $0.tensor == tensor }) else { continue }
                seen.insert(tensor)
                let neurons = layer.firstNeuron..<layer.firstNeuron + layer.channels
                let values = Array(worker.maxima(image: 1)[neurons])
                let positions = Array(worker.positions(image: 1)[neurons])
                let expected = rows.sorted { number($0, "channel") < number($1, "channel") }
                let scale = expected.map { abs(number($0, "value")) }.max() ?? 1
                for (channel, row) in expected.enumerated() {
                    #expect(abs(Double(values[channel]) - number(row, "value")) <= 1e-4 * scale, "\(file) \(tensor):\(channel)")
                    guard layer.height * layer.width > 1, number(row, "value") != 0 else { continue }
                    #expect(Double(positions[channel]) == number(row, "position"), "\(file) \(tensor):\(channel)")
                }
            }
        }
        #expect(seen.count == 9, "four ReLUs, four poolings and the scores: \(seen)")
    }

    private func number(_ row: [String: String], _ column: String) -> Double { Double(row[column] ?? "") ?? .nan }
}
