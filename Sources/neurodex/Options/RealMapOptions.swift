import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import Images
import NeuralNetwork
import Search
import Walkthrough

/// A real neuron's map on an image, for a walk through numbers.
struct RealMapOptions: ParsableArguments {
    @Option(help: ArgumentHelp("With --image: the store of the network.", valueName: "store"), completion: .file())
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Pool a neuron's map on this image: a path or an id of the store, or any other file.", valueName: "image"),
        completion: .images)
    var image: String?

    @Option(help: ArgumentHelp("With --image: the neuron, LAYER:CHANNEL.", valueName: "neuron"), completion: .neurons)
    var neuron: String?

    @OptionGroup var files: FilesOptions

    /// The side of the part of a map that fits on a page.
    private static let mostCells = 8

    var isAsked: Bool { store != nil || image != nil || neuron != nil }

    func validate() throws {
        guard !isAsked || store != nil && image != nil && neuron != nil else {
            throw ValidationError("a real map takes --store, --image and --neuron LAYER:CHANNEL together")
        }
    }

    /// - Parameter step: how far windows move: a part begins where one of the whole map's does.
    /// - Throws: `Failure` for a neuron without a map.
    func map(step: Int) throws -> (matrix: Matrix, heading: String) {
        let archive = try files.archive(of: store ?? "")
        let target = try Target(neuron ?? "", in: archive.store.description)
        let subject = try archive.subject(image ?? "")
        let explainer = try archive.explainer()
        let layer = try explainer.layer(of: target)
        guard layer.height * layer.width > 1 else { throw Failure("\(target.text) has no map: it is one number an image") }
        let values = try explainer.activations(of: layer, on: subject)
        let place = try explainer.place(of: target, on: subject)
        let rows = Self.part(around: place.y, of: layer.height, step: step)
        let columns = Self.part(around: place.x, of: layer.width, step: step)
        let matrix = Matrix(rows: rows.count, columns: columns.count) { row, column in
            let cell = (rows.lowerBound + row) * layer.width + columns.lowerBound + column
            return Double(values[cell * layer.channels + target.channel])
        }
        let isWhole = rows.count == layer.height && columns.count == layer.width
        let part =
            isWhole
            ? "all of it"
            : "of \(layer.height)×\(layer.width) the rows \(rows.lowerBound) to \(rows.upperBound - 1), columns \(columns.lowerBound) to \(columns.upperBound - 1), around the maximum"
        let name = (subject.name as NSString).lastPathComponent
        return (matrix, "The map of \(target.neuron) on \(name): \(part).")
    }

    private static func part(around place: Int, of count: Int, step: Int) -> Range<Int> {
        let length = min(count, mostCells)
        let start = min(max(place - length / 2, 0), count - length)
        let aligned = start - start % max(step, 1)
        return aligned..<min(aligned + length, count)
    }
}
