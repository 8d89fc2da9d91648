import ActivationStore
public import ArgumentParser
public import Images
import NeuralNetwork
import Search

/// Where in the last map the evidence for a class lies.
///
/// - `cam`: Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative Localization", 2016,
///   https://arxiv.org/abs/1512.04150. For a network that ends in global average pooling and a linear layer,
///   Σ_k w(class,k) A_k(y,x): its mean, with the class's bias added, is the class's score. Where each class has a map of its own that
///   is averaged, that map; where tokens are averaged, theirs.
/// - `grad-cam`: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks", 2017, https://arxiv.org/abs/1610.02391. For any
///   network and target: max(0, Σ_k α_k A_k(y,x)), α_k being the mean over all places of ∂s/∂A_k.
/// - `layer-cam`: Jiang, Zhang, Hou, Cheng and Wei, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", 2021,
///   https://doi.org/10.1109/TIP.2021.3089943. max(0, Σ_k max(0, ∂s/∂A_k(y,x)) A_k(y,x)): each place by its own gradient, so that early, fine
///   layers and single boxes of a detector have maps too.
/// - `auto`: CAM where the network and the target (a class) allow it, or where the store keeps a last layer fitted for it (`cam fit`); LayerCAM of
///   a detector's box, as one box is not of all places; else Grad-CAM; the result's note says which.
///
/// The map is [height, width] of the layer. Its boxes are those of the connected parts above a share of the maximum, of the map
/// stretched over the picture: of the part around the maximum, unless that covers more than 80 % of the picture (Zhou et al.
/// take the largest part above 0.2).
///
/// Errors: `ExplanationError.parameter` for `--method cam` where there is none, or a layer that the target does not depend on;
/// `.noMap` for a layer without places; `.flat` where the gradient is zero.
public struct ClassActivationMap: ExplanationMethod {
    public static let name = "cam"
    public static let abstract = "Show where in the network's last map the evidence for a class lies."

    public enum Kind: String, CaseIterable, ExpressibleByArgument, Sendable {
        case auto, cam
        case gradCAM = "grad-cam"
        case layerCAM = "layer-cam"
    }

    @Option(help: ArgumentHelp("auto, cam, grad-cam or layer-cam.", valueName: "method"))
    public var method: Kind = .auto

    @Option(
        help: ArgumentHelp(
            "The layer of grad-cam and layer-cam; without it the last map before the target, of a box what its head reads.",
            valueName: "layer"),
        completion: .layers)
    public var layer: String?

    public enum Boxes: String, CaseIterable, ExpressibleByArgument, Sendable { case peak, largest, all, none }

    @Option(
        help: ArgumentHelp(
            "Outline the part of the map around its maximum, its largest part, all parts, or none.",
            valueName: "peak|largest|all|none"))
    public var boxes: Boxes = .peak

    @Option(help: ArgumentHelp("What belongs to a part: above this share of the maximum.", valueName: "share"))
    public var boxShare: Float = 0.2

    /// For the argument parser.
    public init() {}

    public func boxes(of map: ExplanationMap, in size: Size) -> [Rectangle] {
        switch boxes {
        case .peak:
            map.peakBox(share: boxShare, in: size).flatMap { Self.coversAll($0, size) ? nil : [$0] } ?? []
        case .largest: map.boundingBox(share: boxShare, in: size).map { [$0] } ?? []
        case .all: map.boundingBoxes(share: boxShare, in: size)
        case .none: []
        }
    }

    public func reasonForNoBox(of map: ExplanationMap, in size: Size) -> String? {
        guard boxes == .peak, let box = map.peakBox(share: boxShare, in: size), Self.coversAll(box, size) else { return nil }
        let share = box.width * box.height / Double(size.width * size.height)
        return
            "no box: the map is spread out, and the part around its maximum covers \(Int((100 * share).rounded())) % of the picture"
    }

    /// A box around more than four fifths of the picture points at nothing.
    private static func coversAll(_ box: Rectangle, _ size: Size) -> Bool {
        box.width * box.height > 0.8 * Double(size.width * size.height)
    }

    public var caption: String {
        switch method {
        case .auto: "Class activation map"
        case .cam: "Class activation map (CAM)"
        case .gradCAM: "Grad-CAM"
        case .layerCAM: "LayerCAM"
        }
    }

    public func look(of map: ExplanationMap, target: Target) -> MapLook {
        map.isSigned
            ? MapLook(isSigned: true, quantity: "weight × activation, whose mean is the \(target.quantity)")
            : MapLook(isSigned: false, quantity: "weight × activation, above zero")
    }

    public func validate() throws {
        guard (0..<1).contains(boxShare) else {
            throw ExplanationError.parameter(name: "--box-share", value: "\(boxShare)", expected: "a share from 0 to below 1")
        }
        if method == .cam, let layer {
            throw ExplanationError.parameter(
                name: "--method cam", value: "--layer \(layer)", expected: "no --layer, as it has one of its own")
        }
    }

    public var grain: MapGrain { .regions }

    public var arguments: [String] {
        Spelling.option("--method", method.rawValue) + Spelling.option("--boxes", boxes.rawValue)
            + Spelling.option("--box-share", "\(boxShare)") + Spelling.option("--layer", layer)
    }

    public func map(of subject: InputImage, target: Target, by explainer: Explainer) throws -> ExplanationMap {
        let network = explainer.network
        let head = network.classifierHead
        let obstacle = try obstacle(to: head, target, explainer)
        let isExact = layer == nil && obstacle == nil
        switch method {
        case .cam, .auto:
            if let head, isExact { return try classMap(subject, target, head, explainer) }
            if let (fitted, index) = fittedHead(for: target, explainer) {
                return try fitted.map(of: subject, classIndex: index, by: explainer)
            }
            guard method == .auto else {
                throw ExplanationError.parameter(
                    name: "--method cam", value: "this (\(obstacle ?? "no such network"))",
                    expected:
                        "a class of a network that ends in global average pooling, or a last layer made with: neurodex cam fit STORE\(network.readsClassTokenAlone ? "; --method grad-cam explains any network" : "")"
                )
            }
            return try gradientMap(subject, target, because: layer == nil ? obstacle : nil, explainer)
        case .gradCAM, .layerCAM: return try gradientMap(subject, target, because: nil, explainer)
        }
    }

    /// Why there is no exact map; nil where there is.
    private func obstacle(to head: ClassifierHead?, _ target: Target, _ explainer: Explainer) throws -> String? {
        guard let head else {
            return explainer.network.readsClassTokenAlone
                ? "the network's scores are of the class token alone, and no mean of places"
                : "the network does not end in global average pooling"
        }
        guard try explainer.layer(of: target).isLogits else { return "\(target.text) is no class" }
        return head.height * head.width > 1 ? nil : "the map that is averaged has one place only"
    }

    /// The fitted last layer that makes the map of a target; nil where the network's own does, or where it is Grad-CAM's.
    func headInUse(for target: Target, _ explainer: Explainer) -> CAMHead? {
        let head = explainer.network.classifierHead
        let isExact = layer == nil && head != nil && (try? obstacle(to: head, target, explainer) == nil) == true
        return [.gradCAM, .layerCAM].contains(method) || isExact ? nil : fittedHead(for: target, explainer)?.0
    }

    /// The last layer that the store keeps, and its index of the target's class.
    private func fittedHead(for target: Target, _ explainer: Explainer) -> (CAMHead, Int)? {
        let classes = explainer.description.classes
        guard layer == nil, target.isOneNeuron, let head = explainer.camHead, (try? explainer.layer(of: target).isLogits) == true,
            classes.indices.contains(target.channel), let index = head.classes.firstIndex(of: classes[target.channel])
        else { return nil }
        return (head, index)
    }

    private func classMap(
        _ subject: InputImage, _ target: Target, _ head: ClassifierHead, _ explainer: Explainer
    ) throws -> ExplanationMap {
        let pass = try ForwardPass.passes(explainer.network, to: head, count: 1)[0]
        _ = pass.input(image: 0).update(fromContentsOf: subject.tensor)
        try pass.run()
        // The map of a sum is the sum of the maps.
        var values = [Float](repeating: 0, count: head.height * head.width)
        for term in target.terms {
            let own = head.activationMap(ofClass: term.channel, map: pass.activation(image: 0))
            for place in values.indices { values[place] += term.weight * own[place] }
        }
        var map = ExplanationMap(channels: 1, height: head.height, width: head.width, values: values, isSigned: true)
        map.note = "CAM at \(head.layer)"
        return map
    }

    private func gradientMap(
        _ subject: InputImage, _ target: Target, because reason: String?, _ explainer: Explainer
    ) throws -> ExplanationMap {
        let network = explainer.network
        let end = try explainer.layer(of: target)
        let named = try (layer ?? target.mapHint).map { try network.layer(named: $0) }
        guard let layer = try named ?? network.lastMap(before: end) else {
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
        let isLayerCAM = method == .layerCAM || method == .auto && target.mapHint != nil
        let values = evidence(activation, gradient, channels: layer.channels, byPlace: isLayerCAM)
        var map = ExplanationMap(channels: 1, height: layer.height, width: layer.width, values: values, isSigned: false)
        map.note = (isLayerCAM ? "LayerCAM" : "Grad-CAM") + " at \(layer.name)" + (reason.map { ": \($0)" } ?? "")
        return map
    }

    /// Activations weighed by their gradients, a number a place: by their means over the map, or of LayerCAM by those of the place above zero.
    private func evidence(
        _ activation: UnsafeBufferPointer<Float>, _ gradient: UnsafeBufferPointer<Float>, channels: Int, byPlace: Bool
    ) -> [Float] {
        let places = activation.count / channels
        guard !byPlace else {
            return (0..<places).map { place in
                let own = place * channels..<(place + 1) * channels
                return Float(max(0, own.reduce(0.0) { $0 + Double(max(gradient[$1], 0)) * Double(activation[$1]) }))
            }
        }
        let weights = (0..<channels).map { channel in
            (0..<places).reduce(0.0) { $0 + Double(gradient[$1 * channels + channel]) } / Double(places)
        }
        return (0..<places).map { place in
            Float(max(0, (0..<channels).reduce(0.0) { $0 + weights[$1] * Double(activation[place * channels + $1]) }))
        }
    }
}
