import ActivationStore
public import ArgumentParser
import Images
public import NeuralNetwork
import Search

/// What in the picture a neuron answers to: its activation, sent back to the pixels.
///
/// Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901: all activations of the layer but one are set to
/// zero, and that one goes back through switches (max pooling), rectification and transposed filters. The map, [channels, height, width] in the
/// network's input frame, is that projection for an activation of 1; it is linear in it, and zero outside the neuron's receptive field.
///
/// - `rule`: `deconvnet`, the paper's; `guided` (Springenberg et al. 2014) cuts it to what was active on the way forward as well;
///   `gradient` is the derivative itself.
///
/// Errors: `ExplanationError.flat` where nothing comes back.
public struct Deconvolution: ExplanationMethod {
    public static let name = "deconv"
    public static let abstract = "Project a neuron's activation in its strongest images back to the pixels."

    @Option(
        help: ArgumentHelp("What a rectifier lets through on the way back: deconvnet, guided or gradient.", valueName: "rule"))
    public var rule: BackwardRule = .deconvnet

    /// For the argument parser.
    public init() {}

    public var grain: MapGrain { .pixels }

    public var arguments: [String] { Spelling.option("--rule", rule.rawValue) }

    public var caption: String { "Deconvolution, rule \(rule.rawValue)" }

    public func look(of map: ExplanationMap, target: Target) -> MapLook {
        MapLook(
            isSigned: true, quantity: "projection of the \(target.quantity), sum of colours", isFine: true, clip: Saliency.clip)
    }

    public func drawing(of explanation: Explanation, over subject: InputImage, in archive: ExplanationArchive) throws -> Drawing {
        let (target, description) = (explanation.target, archive.store.description)
        let place = Spelling.option("--position", target.place.map { "\($0.y),\($0.x)" })
        guard let layer = description.layers.first(where: { $0.name == target.layer }) else {
            preconditionFailure("a target of layer \(target.layer), which the store has not")
        }
        var sheet = ProjectionSheet()
        let projection = Projection(explanation, of: layer, on: subject, in: archive.preprocessing.crop)
        sheet.add(target.neuron, of: layer, [projection], rule: rule, channelOrder: archive.preprocessing.channels)
        return Drawing(
            page: try sheet.page(scale: 1),
            options: arguments + Spelling.option("--image", explanation.image) + place
                + Spelling.option("--size", "\(ProjectionSheet.defaultSize / 2)"),
            operands: [archive.store.path, target.neuron])
    }

    public func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        try explainer.map(ofInput: explainer.gradient(of: target, on: subject, rule: rule), target: target, on: subject)
    }
}

extension BackwardRule: ExpressibleByArgument {}
