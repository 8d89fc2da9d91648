import ActivationStore
public import ArgumentParser
public import Explanations
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search

/// Which boxes count, and how a detector's answer is read.
struct DetectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Boxes of a lower score are left out, 0 to 1.", valueName: "share"))
    var score: Float = DetectionSettings().score

    @Option(
        help: ArgumentHelp(
            "Of boxes of one class that share more of their union than this, the best is kept, 0 to 1.", valueName: "share"))
    var iou: Float = DetectionSettings().overlap

    @Option(
        help: ArgumentHelp(
            "How the network's outputs are read: yolov8, yolov5, yolox or pairs (default: what their shapes say).",
            valueName: "form"))
    var head: DetectionSettings.Form?

    @Flag(help: "Scores are taken before their sigmoid by the network, and go through one here.")
    var logits = false

    func validate() throws {
        for (name, value) in [("--score", score), ("--iou", iou)] {
            guard (0...1).contains(value) else { throw ValidationError("\(name) takes a share from 0 to 1, not \(value)") }
        }
    }

    var settings: DetectionSettings {
        var settings = DetectionSettings()
        (settings.score, settings.overlap, settings.form, settings.isLogits) = (score, iou, head, logits)
        return settings
    }

    /// What makes the same boxes again.
    var arguments: [String] {
        Spelling.option("--score", "\(score)") + Spelling.option("--iou", "\(iou)") + Spelling.option("--head", head?.rawValue)
            + Spelling.flag("--logits", logits)
    }

    /// How the outputs were read, for people.
    func note(_ detector: Detector) -> String {
        let classes = detector.hasBackground ? "\(detector.classCount - 1) classes and none" : "\(detector.classCount) classes"
        let further = detector.furtherNumbers
        return
            "read as \(detector.form.rawValue): \(detector.classCount == 1 ? "1 class" : classes), \(detector.placeCount) places a picture\(further > 0 ? ", of which \(further) further numbers each are not read" : ""); scores of \(score) or more, IoU up to \(iou)"
    }
}

extension DetectionSettings.Form: ExpressibleByArgument {}

/// What a detector's own file leaves open, where there is no store that says it.
struct BareDetectorOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Names of the classes, one a line in the order of the network's scores.", valueName: "file"),
        completion: .file())
    var classes: String?

    @OptionGroup var reading: NetworkOptions
    @OptionGroup var preprocessing: PreprocessingOptions

    /// An option that was given; nil of none.
    var used: String? { classes != nil ? "--classes" : reading.used ?? preprocessing.used }

    /// None where they are left to the file.
    func names() throws -> [String] {
        // How many there are is known once the answer is read.
        try classes.map { try ClassNames.read($0, count: nil) } ?? []
    }

    /// - Throws: `NetworkError` for what is no network, and where its input size is open.
    func explainer(at path: String) throws -> Explainer {
        let (network, options) = try reading.network(at: path, hasClasses: false, size: preprocessing.statedSize)
        let standard = Preprocessing(
            .letterbox, input: Size(width: network.input.width, height: network.input.height),
            channelCount: network.input.channels)
        let recipe = try preprocessing.recipe(of: network, standard: standard, "in a letterbox, as ultralytics does")
        let description = try StoreDescription(network, preprocessing: recipe, classes: [], topCount: 1)
        return Explainer(
            description, preprocessing: recipe, network: try DifferentiableNetwork(contentsOf: path, options: options))
    }

    /// What makes the same network of the same file.
    func arguments(of explainer: Explainer) -> [String] {
        Spelling.option("--classes", classes) + reading.arguments + explainer.preprocessing.arguments
    }
}
