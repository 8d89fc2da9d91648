public import ActivationStore
import Search

/// The scalar that is explained: a neuron's maximum, its mean, its value at one position, or a class score before softmax.
///
/// Written `LAYER:CHANNEL`, `LAYER:CHANNEL@mean`, `LAYER:CHANNEL@y,x`, `class:NAME` or `class:INDEX`.
public struct Target: Hashable, Sendable {
    /// What of a neuron's map is meant.
    public enum Reduction: Hashable, Sendable {
        /// The largest value; its gradient goes to the first position that has it.
        case maximum
        case mean
        case position(y: Int, x: Int)
    }

    /// The name of the layer.
    public var layer: String
    public var channel: Int
    public var reduction: Reduction
    /// Whether it is the score of a class.
    public var isClass: Bool
    /// The neuron as a user would write it.
    public var neuron: String
    /// As a user would write it: read again, it is the same target.
    public var text: String

    /// - Throws: `StoreError` for a layer, channel or class that is not there, `ExplanationError.target` for a reduction that makes no sense.
    public init(_ text: String, in description: StoreDescription) throws {
        // A layer's own name may have an @ in it.
        let isWhole = (try? NeuronReference(text, in: description)) != nil
        let cut = isWhole ? nil : text.lastIndex(of: "@")
        let reference = try NeuronReference(cut.map { String(text[..<$0]) } ?? text, in: description)
        guard reference.neurons.count == 1 else {
            throw ExplanationError.target(
                text, problem: "names all neurons of a layer; add a channel, such as \(reference.layer.name):0")
        }
        layer = reference.layer.name
        channel = reference.neurons.lowerBound - reference.layer.firstNeuron
        reduction = .maximum
        var suffix = ""
        if let cut {
            reduction = try Self.reduction(String(text[text.index(after: cut)...]), of: reference.layer, text)
            suffix = String(text[cut...])
        }
        isClass = reference.layer.isLogits
        neuron = Self.className(channel, of: reference.layer, in: description) ?? "\(layer):\(channel)"
        self.text = neuron + suffix
    }

    /// Nil where the channel is no class, or shares its name with another (ImageNet has two cranes).
    private static func className(_ channel: Int, of layer: LayerRecord, in description: StoreDescription) -> String? {
        let classes = description.classes
        guard layer.isLogits, classes.indices.contains(channel), classes.count(where: { $0 == classes[channel] }) == 1 else {
            return nil
        }
        return "class:\(classes[channel])"
    }

    /// For people: of a class its name up to the first comma, as ImageNet's have several.
    public var caption: String {
        neuron.hasPrefix("class:") ? Self.shortName(String(neuron.dropFirst(6))) : text
    }

    /// What its value is.
    var quantity: String { isClass ? "score" : "activation" }

    /// A class's name up to its first comma.
    public static func shortName(_ name: String) -> String {
        name.split(separator: ",", maxSplits: 1).first.map(String.init) ?? name
    }

    /// Its position, for a target that has one.
    public var place: (y: Int, x: Int)? {
        if case .position(let y, let x) = reduction { return (y, x) }
        return nil
    }

    /// The score of the class of index `index`.
    public init?(classIndex index: Int, in description: StoreDescription) {
        guard let target = try? Target("class:\(index)", in: description) else { return nil }
        self = target
    }

    private static func reduction(_ text: String, of layer: LayerRecord, _ whole: String) throws -> Reduction {
        if text == "mean" { return .mean }
        if text == "max" { return .maximum }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let y = numbers[0], let x = numbers[1] else {
            throw ExplanationError.target(whole, problem: "ends in '@\(text)'; after @ stands mean, max, or a position y,x")
        }
        guard (0..<layer.height).contains(y), (0..<layer.width).contains(x) else {
            throw ExplanationError.target(
                whole, problem: "is at \(y),\(x), outside the layer's map of \(layer.height)×\(layer.width)")
        }
        return .position(y: y, x: x)
    }

    /// The target's value on a map of the layer: height × width × channels.
    public func value(of map: UnsafeBufferPointer<Float>, channels: Int, width: Int) -> Float {
        switch reduction {
        case .maximum: map[place(in: map, channels: channels) * channels + channel]
        case .mean:
            stride(from: channel, to: map.count, by: channels).reduce(Float.zero) { $0 + map[$1] } / Float(map.count / channels)
        case .position(let y, let x): map[(y * width + x) * channels + channel]
        }
    }

    /// Writes the target's derivative by every element of the map; all else is left as it is.
    public func seed(_ gradient: UnsafeMutableBufferPointer<Float>, map: UnsafeBufferPointer<Float>, channels: Int, width: Int) {
        switch reduction {
        case .maximum: gradient[place(in: map, channels: channels) * channels + channel] = 1
        case .mean:
            for index in stride(from: channel, to: map.count, by: channels) {
                gradient[index] = Float(channels) / Float(map.count)
            }
        case .position(let y, let x): gradient[(y * width + x) * channels + channel] = 1
        }
    }

    /// The first pixel that has the channel's maximum, or the first that holds no number, where there is one.
    func place(in map: UnsafeBufferPointer<Float>, channels: Int) -> Int {
        var best = 0
        for pixel in 0..<map.count / channels {
            let value = map[pixel * channels + channel]
            if value.isNaN { return pixel }
            if value > map[best * channels + channel] { best = pixel }
        }
        return best
    }
}
