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
            "How the network's outputs are read: yolov8, yolov5, yolox, pairs, pairs-yx, pairs-centre, ssd, detr or rtdetr (default: what their shapes say).",
            valueName: "form"))
    var head: DetectionSettings.Form?

    @Flag(help: "Scores are taken before their sigmoid by the network, and go through one here.")
    var logits = false

    @Option(
        help: ArgumentHelp(
            "The tensor of the file that boxes are read from, [places, 4], where none of its outputs has them; with --scores.",
            valueName: "tensor"))
    var boxes: String?

    @Option(
        help: ArgumentHelp("The same of scores, [places, classes] or [classes, places]; with --boxes.", valueName: "tensor"))
    var scores: String?

    func validate() throws {
        guard (boxes == nil) == (scores == nil) else {
            throw ValidationError("--boxes and --scores go together: name the tensors of both")
        }
        for (name, value) in [("--score", score), ("--iou", iou)] {
            guard (0...1).contains(value) else { throw ValidationError("\(name) takes a share from 0 to 1, not \(value)") }
        }
    }

    var settings: DetectionSettings {
        var settings = DetectionSettings()
        (settings.score, settings.overlap, settings.form, settings.isLogits) = (score, iou, head, logits)
        (settings.boxes, settings.scores) = (boxes, scores)
        return settings
    }

    /// What makes the same boxes again.
    var arguments: [String] {
        Spelling.option("--score", "\(score)") + Spelling.option("--iou", "\(iou)") + Spelling.option("--head", head?.rawValue)
            + Spelling.flag("--logits", logits) + Spelling.option("--boxes", boxes) + Spelling.option("--scores", scores)
    }

    /// How the outputs were read, for people.
    func note(_ detector: Detector) -> String {
        let classes = detector.hasBackground ? "\(detector.classCount - 1) classes and none" : "\(detector.classCount) classes"
        let further = detector.furtherNumbers
        return
            "read as \(detector.form.rawValue): \(detector.classCount == 1 ? "1 class" : classes), \(detector.placeCount) places a picture\(further > 0 ? ", of which \(further) further numbers each are not read" : ""); scores of \(score) or more, \(detector.form.isSetOfBoxes ? "nothing suppressed" : "IoU up to \(iou)")\(detector.shortcut.map { "; \($0)" } ?? "")"
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

    /// Read up to the output that is asked for; without one, where the first is chosen by operators that are not read, up to what they choose from.
    private func network(at path: String) throws -> (Network, Network.Options) {
        do {
            return try reading.network(at: path, hasClasses: false, size: preprocessing.statedSize)
        } catch let error as NetworkError {
            var (reading, options) = (reading, Network.Options())
            options.inputSize = preprocessing.statedSize.map { ($0.height, $0.width) }
            try reading.apply(to: &options)
            guard reading.output == nil, let selection = try BeforeSelection(of: path, options: options),
                let tensor = selection.likeliest
            else { throw error }
            reading.outputs = [tensor]
            return try reading.network(at: path, hasClasses: false, size: preprocessing.statedSize)
        }
    }

    /// - Throws: `NetworkError` for what is no network, and where its input size is open.
    func explainer(at path: String) throws -> Explainer {
        let (network, options) = try network(at: path)
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
        Spelling.option("--classes", classes) + reading.arguments
            + explainer.preprocessing.arguments(takesBytes: explainer.network.input.takesBytes)
    }
}
