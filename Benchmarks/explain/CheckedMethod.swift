import ArgumentParser
import Explanations
import NeuralNetwork

/// A method, and whether its maps depend on what the network has learnt.
struct CheckedMethod {
    var name: String
    var grain: MapGrain
    private let make: (InputImage, Target, Explainer) throws -> ExplanationMap

    /// The map; nil where it is the same everywhere.
    func map(_ subject: InputImage, _ target: Target, _ explainer: Explainer) throws -> ExplanationMap? {
        do {
            return try make(subject, target, explainer)
        } catch ExplanationError.flat {
            return nil
        }
    }

    /// Whether a method's maps depend on the network's weights, as Adebayo et al. 2018 and Nie et al. 2018 found.
    static func isGood(_ name: String) -> Bool { !bad.contains(name) }

    /// Of single pixels; each has to fail over regions as well.
    private static let badPixels = ["guided", "deconvnet", "edges"]
    private static func overRegions(_ name: String) -> String { name + " by regions" }
    private static let bad = badPixels + badPixels.map(overRegions)

    /// In the order of tables.
    static let names =
        ["gradient", "input-gradient", "smoothgrad", "integrated", "occlusion", "cam", "grad-cam"] + bad

    static func grain(of name: String) -> MapGrain {
        name == "occlusion" || name.hasSuffix("cam") || name.hasSuffix("by regions") ? .regions : .pixels
    }

    private init(_ name: String, _ make: @escaping (InputImage, Target, Explainer) throws -> ExplanationMap) {
        self.name = name
        grain = Self.grain(of: name)
        self.make = make
    }

    private init(_ name: String, _ method: any ExplanationMethod) {
        self.init(name) { try method.map(of: $0, target: $1, by: $2) }
    }

    static func all(input: Network.Input) throws -> [CheckedMethod] {
        // A window of two sevenths of the picture at half its side: 36 of them.
        let window = max(2, min(input.height, input.width) * 64 / 224)
        let pixels = [
            CheckedMethod("guided", try Saliency.parse(["--method", "guided"])),
            CheckedMethod("deconvnet", try Saliency.parse(["--method", "deconvnet"])),
            CheckedMethod("edges") { subject, _, _ in Edges.map(of: subject, input: input) },
        ]
        return [
            CheckedMethod("gradient", try Saliency.parse([])),
            CheckedMethod("input-gradient", try Saliency.parse(["--method", "input-gradient"])),
            CheckedMethod("smoothgrad", try Saliency.parse(["--method", "smoothgrad", "--samples", "5"])),
            CheckedMethod("integrated", try Saliency.parse(["--method", "integrated", "--steps", "5"])),
            CheckedMethod("occlusion", try Occlusion.parse(["--window", "\(window)", "--stride", "\(window / 2)"])),
            CheckedMethod("cam", try ClassActivationMap.parse([])),
            CheckedMethod("grad-cam", try ClassActivationMap.parse(["--method", "grad-cam"])),
        ] + pixels
            + pixels.map { method in CheckedMethod(overRegions(method.name)) { try method.make($0, $1, $2).overRegions() } }
    }
}

extension ExplanationMap {
    /// The sum over the colours, added up over 8×8 regions of equal size: as coarse as the map of a late layer.
    func overRegions() -> ExplanationMap {
        let (side, plane) = (8, colorSum)
        var sums = [Float](repeating: 0, count: side * side)
        for pixel in plane.indices {
            sums[pixel / width * side / height * side + pixel % width * side / width] += plane[pixel]
        }
        return ExplanationMap(channels: 1, height: side, width: side, values: sums, isSigned: isSigned)
    }
}
