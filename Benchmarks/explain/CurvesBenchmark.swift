import ArgumentParser
import Explanations
import Foundation
import NeuralNetwork

/// How often deletion and insertion tell maps of a picture from maps that know nothing of it: those of another picture.
///
///     explain-benchmark curves squeezenet1.1.onnx photos --count 24
struct CurvesBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curves", abstract: "Areas of deletion and insertion of a picture's maps, and of another picture's.")

    @OptionGroup var pictures: CheckedPictures

    @Option(parsing: .upToNextOption, help: "Only these methods, by the names of the table.")
    var methods = ["gradient", "smoothgrad", "integrated", "occlusion", "cam", "guided"]

    func run() throws {
        let (explainer, subjects) = try pictures.opened()
        let targets = try subjects.map { try explainer.answer(on: $0) }
        print("network,picture,method,map of,check,area,moved areas")
        for method in try CheckedMethod.all(input: explainer.network.input) where methods.contains(method.name) {
            let maps = try subjects.indices.map { try method.map(subjects[$0], targets[$0], explainer) }
            for index in subjects.indices {
                for (kind, map) in [("this picture", maps[index]), ("another", maps[(index + 1) % maps.count])] {
                    guard let map, !map.isConstant else { continue }
                    let curves = try PerturbationCurves(
                        of: map, subject: subjects[index], target: targets[index], by: explainer)
                    for (check, curve) in [("deletion", curves.deletion), ("insertion", curves.insertion)] {
                        let areas = curve.movedAreas.map { String(format: "%.4f", $0) }.joined(separator: " ")
                        print(
                            "\(pictures.name),\(index),\(method.name),\(kind),\(check),\(String(format: "%.4f", curve.area)),\(areas)"
                        )
                    }
                }
            }
        }
    }
}
