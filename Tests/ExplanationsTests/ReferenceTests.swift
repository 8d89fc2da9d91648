import ActivationStore
import ArgumentParser
import Explanations
import Foundation
import TestSupport
import Testing

/// SqueezeNet 1.1 beside PyTorch and Captum, on three photographs.
@Suite(.enabled(if: Shared.has("reference/squeezenet1.1-explanations"), "needs ../shared: reference/squeezenet1.1-explanations"))
struct ReferenceTests {
    static let photographs = ["n01806143_peacock", "n02099601_golden_retriever", "n02701002_ambulance"]

    static func reference(_ photograph: String, _ name: String) throws -> [Float] {
        try NPYArray(contentsOf: Shared.path("reference/squeezenet1.1-explanations/\(photograph)/\(name).npy")).floats
    }

    /// The class that the references explain.
    static func target(_ photograph: String) throws -> String {
        let index = try String(
            contentsOfFile: Shared.path("reference/squeezenet1.1-explanations/\(photograph)/target.txt"), encoding: .utf8)
        return "class:" + index.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// How far the input may be from the photograph: less than a millionth, where its numbers reach 2.6 and single precision has steps of 2.4e-7.
    /// Where two values of a pooling, or a rectifier's and 0, differ by less than rounding does, rounding chooses between two gradients,
    /// and which it is depends on the processor, in PyTorch too. The reference has to be our gradient at one of these inputs.
    static let shifts = (-6...6).sorted { abs($0) < abs($1) }.map { 1.5e-7 * Double($0) }

    @Test(arguments: photographs)
    func gradientMethods(_ photograph: String) throws {
        var methods = ["gradient": "saliency", "guided": "guided", "deconvnet": "deconvnet", "integrated": "integrated"]
        var errors: [String: Double] = [:]
        for shift in Self.shifts where !methods.isEmpty {
            let fixture = try ExplainerFixture.squeezeNet(shift: shift)
            let (store, explainer) = (fixture.store, fixture.explainer)
            let subject = try InputImage(
                Shared.path("real/photos/imagenet-sample/\(photograph).JPEG"), store: store,
                preprocessing: explainer.preprocessing)
            let target = try Target(Self.target(photograph), in: store.description)
            for (method, name) in methods {
                // The references were made by another rule than the default.
                let rule = method == "integrated" ? ["--quadrature", "riemann_trapezoid"] : []
                let map = try Saliency.parse(["--method", method] + rule).map(of: subject, target: target, by: explainer)
                let error = relativeDistance(map.values, try Self.reference(photograph, name))
                errors[name] = min(error, errors[name] ?? .infinity)
                print(photograph, name, error, "at a shift of \(shift)")
                if error < 1e-3 { methods[method] = nil }
            }
        }
        #expect(methods.isEmpty, "\(photograph): \(errors)")
    }

    @Test(arguments: photographs)
    func neuronProjections(_ photograph: String) throws {
        let fixture = try ExplainerFixture.squeezeNet()
        let (store, explainer) = (fixture.store, fixture.explainer)
        let subject = try InputImage(
            Shared.path("real/photos/imagenet-sample/\(photograph).JPEG"), store: store, preprocessing: explainer.preprocessing)
        let npz = try NPZ(Shared.path("reference/squeezenet1.1-explanations/\(photograph)/neuron.npz"))
        // torchvision's names of the zoo's layers.
        for (layer, channel, name) in [
            ("squeezenet0_conv9", 5, "features.6.expand3x3"), ("squeezenet0_conv23", 100, "features.12.expand1x1"),
        ] {
            let target = try Target("\(layer):\(channel)", in: store.description)
            for (method, letter) in [("gradient", "G"), ("deconvnet", "D")] {
                let map = try Saliency.parse(["--method", method]).map(of: subject, target: target, by: explainer)
                let expected = try npz["\(letter)_\(name)"].floats
                #expect(relativeDistance(map.values, expected) < 1e-3, "\(method) of \(name) on \(photograph)")
            }
        }
    }
}

/// ‖a − b‖ / ‖b‖.
func relativeDistance(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return (difference / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
}
