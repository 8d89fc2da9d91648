public import ArgumentParser
import NeuralNetwork

/// Where in the last map the evidence for a class lies.
///
/// - `cam`: Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative Localization", 2016,
///   https://arxiv.org/abs/1512.04150. For a network that ends in global average pooling and a linear layer,
///   Σ_k w(class,k) A_k(y,x): its mean, with the class's bias added, is the class's score. Where each class has a map of its own that
///   is averaged, that map.
/// - `grad-cam`: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks", 2017, https://arxiv.org/abs/1610.02391. For any
///   network and target: max(0, Σ_k α_k A_k(y,x)), α_k being the mean over all places of ∂s/∂A_k.
/// - `auto`: CAM where the network and the target (a class) allow it, else Grad-CAM; the result's note says so.
///
/// The map is [height, width] of the layer; `boundingBox` stretches it over the picture.
///
/// Errors: `ExplanationError.parameter` for `--method cam` where there is none, or a layer that the target does not depend on;
/// `.noMap` for a layer without places; `.flat` where the gradient is zero.
public struct ClassActivationMap: ExplanationMethod {
    public static let name = "cam"
    public static let abstract = "Where in the network's last map the evidence for a class lies."

    public enum Kind: String, CaseIterable, ExpressibleByArgument, Sendable {
        case auto, cam
        case gradCAM = "grad-cam"
    }

    @Option(help: ArgumentHelp("auto, cam or grad-cam.", valueName: "method"))
    public var method: Kind = .auto

    @Option(help: ArgumentHelp("The layer of grad-cam; without it the last map before the target.", valueName: "layer"))
    public var layer: String?

    /// For the argument parser.
    public init() {}

    public func validate() throws {
        if method == .cam, let layer {
            throw ExplanationError.parameter(
                name: "--method cam", value: "--layer \(layer)", expected: "no --layer, as it has one of its own")
        }
    }

    public var parameters: [(name: String, value: String)] {
        [("method", method.rawValue)] + (layer.map { [("layer", $0)] } ?? [])
    }

    public func map(of subject: Subject, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let network = explainer.network
        let head = network.classifierHead
        let obstacle = try obstacle(to: head, target, explainer)
        switch method {
        case .cam:
            guard let head, obstacle == nil else {
                throw ExplanationError.parameter(
                    name: "--method cam", value: "this (\(obstacle ?? "no such network"))",
                    expected: "a class of a network that ends in global average pooling")
            }
            return try classMap(subject, target, head, explainer)
        case .auto:
            if let head, obstacle == nil, layer == nil { return try classMap(subject, target, head, explainer) }
            return try gradientMap(subject, target, because: layer == nil ? obstacle : nil, explainer)
        case .gradCAM: return try gradientMap(subject, target, because: nil, explainer)
        }
    }

    /// Why there is no exact map; nil where there is.
    private func obstacle(to head: ClassifierHead?, _ target: Target, _ explainer: Explainer) throws -> String? {
        guard let head else { return "the network does not end in global average pooling" }
        guard try explainer.layer(of: target).isLogits else { return "\(target.text) is no class" }
        return head.height * head.width > 1 ? nil : "the map that is averaged has one place only"
    }

    private func classMap(
        _ subject: Subject, _ target: Target, _ head: ClassifierHead, _ explainer: Explainer
    ) throws -> ExplanationMap {
        let pass = try ForwardPass.passes(explainer.network, to: head, count: 1)[0]
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.run()
        let values = head.activationMap(ofClass: target.channel, map: pass.activation(image: 0))
        var map = ExplanationMap(channels: 1, height: head.height, width: head.width, values: values, isSigned: true)
        map.note = "CAM at \(head.layer)"
        return map
    }

    private func gradientMap(
        _ subject: Subject, _ target: Target, because reason: String?, _ explainer: Explainer
    ) throws -> ExplanationMap {
        let network = explainer.network
        let end = try explainer.layer(of: target)
        guard let layer = try layer.map({ try network.layer(named: $0) }) ?? network.lastMap(before: end) else {
            throw ExplanationError.noMap(layer: end.name)
        }
        guard layer.height * layer.width > 1 else { throw ExplanationError.noMap(layer: layer.name) }
        guard try network.layer(end, dependsOn: layer) else {
            throw ExplanationError.parameter(
                name: "--layer", value: layer.name, expected: "a layer that \(target.text) depends on")
        }
        let pass = try GradientPass(network, layer: end, keeping: [layer])
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.forward()
        target.seed(pass.seed(image: 0), map: pass.activation(image: 0), channels: end.channels, width: end.width)
        try pass.backward()
        guard let activation = pass.activation(of: layer, image: 0), let gradient = pass.gradient(of: layer, image: 0) else {
            throw ExplanationError.noMap(layer: layer.name)
        }
        guard gradient.contains(where: { $0 != 0 }) else { throw ExplanationError.flat(target: target.text) }
        // The maximum with 0 would hide them.
        guard gradient.allSatisfy(\.isFinite), activation.allSatisfy(\.isFinite) else {
            throw ExplanationError.notFinite(what: "the gradient of \(target.text) by layer \(layer.name)")
        }
        let (channels, places) = (layer.channels, layer.height * layer.width)
        let weights = (0..<channels).map { channel in
            (0..<places).reduce(0.0) { $0 + Double(gradient[$1 * channels + channel]) } / Double(places)
        }
        let values = (0..<places).map { place in
            Float(max(0, (0..<channels).reduce(0.0) { $0 + weights[$1] * Double(activation[place * channels + $1]) }))
        }
        var map = ExplanationMap(channels: 1, height: layer.height, width: layer.width, values: values, isSigned: false)
        map.note = "Grad-CAM at \(layer.name)" + (reason.map { ": \($0)" } ?? "")
        return map
    }
}
