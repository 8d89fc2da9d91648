public import ActivationStore
import Foundation
import Search

/// The scalar that is explained: of a neuron the maximum, mean, sum, value at one place or mean over a part of the picture; a class score before
/// softmax; or a sum of such of one layer.
///
/// | written | what it is |
/// |---|---|
/// | `LAYER:CHANNEL`, `…@max` | the neuron's largest value |
/// | `…@mean`, `…@sum` | over its whole map |
/// | `…@y,x` | at one place of the map |
/// | `…@t` | the same of a map of one row or column, such as the steps of a recogniser of text |
/// | `…@box x0,y0,x1,y1` | the mean over the places whose field has its centre in that box of the picture, in pixels; the nearest place where none has |
/// | `…@mask FILE` | the same in a region that a user drew: a picture of the same shape, in which what is not black is in |
/// | `…@argmax` | the mean over the places where no other channel of the layer is larger: a segmenter's region |
/// | `class:NAME`, `class:INDEX` | the class's score; of a network that has scores at each place, as `@argmax` |
/// | `output:NAME[i]@box …` | of an output that is a map or picture, [channels, height, width], a channel's `@mean`, `@box …` and so on |
/// | `output:NAME[i,j]` | one element of an output of the file, without the batch's index, before a sigmoid or softmax that makes it |
/// | `output@t` | of a recogniser of text: the score of what it reads at step t of the picture |
/// | `box:K`, `box:K.objectness`, `box:K.x0` | of the picture's K-th box: the score of its class before a sigmoid, objectness, a coordinate |
/// | `similar:IMAGE`, `similar:IMAGE@LAYER` | minus the distance from an image of the store, by the maxima of a layer's channels: what `similar` goes by |
/// | `-TARGET`, `2*TARGET`, `TARGET - TARGET`, `TARGET + TARGET` | what lowers it, and sums (`init(sumOf:in:)`) |
public struct Target: Hashable, Sendable {
    /// What of a neuron's map is meant.
    public enum Reduction: Hashable, Sendable {
        /// The largest value; its gradient goes to the first position that has it.
        case maximum
        case mean
        case sum
        case position(y: Int, x: Int)
        /// A box of the upright picture, in pixels: columns `left..<right`, rows `top..<bottom`.
        case box(left: Int, top: Int, right: Int, bottom: Int)
        /// Where the channel is the largest of its layer.
        case region
        /// Where a picture of the upright picture's shape is not black; `digest` is the SHA-256 of its file, in hexadecimal.
        case mask(file: String, digest: String)
        /// Minus the Euclidean distance between the maxima of all channels and those of an image of the store, by path or id.
        case similarity(to: String)
        /// The same to numbers, one a channel.
        case closeness(to: [Float])
        /// What a box or region is on one picture: the mean over these places, row-major; not empty.
        case places([Int])
        /// An element of an output, along each of its axes but the batch's. Of no output's name: a step of the answer, of which the strongest
        /// channel is meant.
        /// With `over`, what stands behind @ of a channel of an output that is a map.
        case element(output: String, index: [Int], over: String? = nil)
        /// A box that a detector found on the picture.
        case detection(DetectionTarget)

        /// Whether its places depend on the picture.
        var isOfPicture: Bool {
            switch self {
            case .box, .region, .mask, .detection: true
            default: false
            }
        }
    }

    /// A neuron of the target's layer in a sum.
    public struct Term: Hashable, Sendable {
        /// Not 0, finite.
        public var weight: Float
        public var channel: Int
        public var reduction: Reduction
    }

    /// The name of the layer.
    public var layer: String
    /// Of a sum its first neuron's.
    public var channel: Int
    public var reduction: Reduction
    /// What it is multiplied by; 1 but in sums.
    public var weight: Float = 1
    /// What a sum adds to the first.
    public var rest: [Term] = []
    /// The layer that shows best where it comes from, where the target tells.
    var mapHint: String?
    /// Whether it is the score of a class, or a sum of such.
    public var isClass: Bool
    /// The neuron as a user would write it.
    public var neuron: String
    /// As a user would write it: read again, it is the same target.
    public var text: String
    /// For people: of a class its name up to the first comma, as ImageNet's have several.
    public let caption: String

    /// One neuron, or a sum of neurons of one layer.
    ///
    /// - Throws: as `init(_:in:)`; `ExplanationError.target` for a sum over layers.
    public init(sumOf text: String, in description: StoreDescription) throws {
        if text.hasPrefix("similar:"), let target = Target(similarTo: String(text.dropFirst(8)), in: description) {
            self = target
            return
        }
        let terms = try Objective(text, in: description).terms
        guard terms.count > 1 || terms[0].weight != 1 else {
            self = terms[0].target
            return
        }
        let first = terms[0].target
        if let other = terms.first(where: { $0.target.layer != first.layer }) {
            throw ExplanationError.target(
                text, problem: "adds neurons of the layers \(first.layer) and \(other.target.layer); a sum is of one layer's")
        }
        (layer, channel, reduction, isClass, neuron) = (first.layer, first.channel, first.reduction, first.isClass, first.neuron)
        weight = terms[0].weight
        rest = terms.dropFirst().map { Term(weight: $0.weight, channel: $0.target.channel, reduction: $0.target.reduction) }
        self.text = Objective.text(of: terms.map { ($0.weight, $0.target.text) })
        caption = Objective.text(of: terms.map { ($0.weight, $0.target.caption) })
    }

    /// Nil for a name that is empty.
    private init?(similarTo text: String, in description: StoreDescription) {
        // A path may have an @ in it.
        let cut = text.lastIndex(of: "@")
        let named = cut.flatMap { cut in description.layers.first { $0.name == text[text.index(after: cut)...] } }
        let layer = named ?? description.descriptiveLayer
        let image = named == nil ? text : cut.map { String(text[..<$0]) } ?? text
        guard !image.isEmpty else { return nil }
        (self.layer, channel, reduction, isClass) = (layer.name, 0, .similarity(to: image), false)
        neuron = "similar:\(image)"
        self.text = "\(neuron)@\(layer.name)"
        caption = "like \(image.split(separator: "/").last ?? "") by \(layer.name)"
    }

    /// The image of the store that it asks for the likeness to; nil for other targets.
    public var reference: String? {
        if case .similarity(let image) = reduction { return image }
        return nil
    }

    /// All that is added up.
    public var terms: [Term] { [Term(weight: weight, channel: channel, reduction: reduction)] + rest }

    /// Whether it is one neuron as it is, and no sum, multiple or negative.
    public var isOneNeuron: Bool {
        switch reduction {
        case .similarity, .closeness: false
        default: rest.isEmpty && weight == 1
        }
    }

    /// Whether a part of it depends on the picture, so that it has a value only on one (`Explainer.placed`).
    var isOfPicture: Bool { terms.contains { $0.reduction.isOfPicture } }

    /// Of no layer of the store.
    init(layer: String, reduction: Reduction, text: String) {
        (self.layer, channel, self.reduction, isClass) = (layer, 0, reduction, false)
        (neuron, self.text, caption) = (text, text, text)
    }

    /// The same sum of other neurons; not empty.
    func ofTerms(_ terms: [Term], layer: String) -> Target {
        var result = self
        (result.layer, result.channel, result.reduction) = (layer, terms[0].channel, terms[0].reduction)
        (result.weight, result.rest) = (terms[0].weight, Array(terms.dropFirst()))
        return result
    }

    /// The same with other reductions of its terms.
    func mapTerms(_ change: (Term) throws -> Reduction) rethrows -> Target {
        var result = self
        result.reduction = try change(terms[0])
        for index in rest.indices { result.rest[index].reduction = try change(rest[index]) }
        return result
    }

    /// One neuron.
    /// - Throws: `StoreError` for a layer, channel or class that is not there, `ExplanationError.target` for a reduction that makes no sense.
    public init(_ text: String, in description: StoreDescription) throws {
        // A layer's own name may have an @ in it, and so may the name of a mask.
        let isWhole = (try? NeuronReference(text, in: description)) != nil
        if !isWhole, let answer = try Target(ofAnswer: text, in: description) {
            self = answer
            return
        }
        let cut = isWhole ? nil : text.range(of: "@mask ", options: .backwards)?.lowerBound ?? text.lastIndex(of: "@")
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
        } else if reference.layer.isLogits, reference.layer.height * reference.layer.width > 1 {
            // Of a segmenter: where it says so.
            reduction = .region
        }
        isClass = reference.layer.isLogits
        neuron =
            Self.className(channel, of: reference.layer, in: description)
            ?? Self.outputName(channel, of: reference.layer, in: description) ?? "\(layer):\(channel)"
        self.text = neuron + suffix
        caption = neuron.hasPrefix("class:") ? Self.shortName(String(neuron.dropFirst(6))) : self.text
    }

    /// Nil where the channel is no class, or shares its name with another (ImageNet has two cranes).
    private static func className(_ channel: Int, of layer: LayerRecord, in description: StoreDescription) -> String? {
        let classes = description.classes
        guard layer.isLogits, classes.indices.contains(channel), classes.count(where: { $0 == classes[channel] }) == 1 else {
            return nil
        }
        return "class:\(classes[channel])"
    }

    /// Nil where the channel is no number that the network answers with by name.
    private static func outputName(_ channel: Int, of layer: LayerRecord, in description: StoreDescription) -> String? {
        layer == description.namedOutputs ? "output:\(description.model.outputNames[channel])" : nil
    }

    /// What its value is.
    public var quantity: String {
        if reference != nil { return "minus the distance" }
        let one = quantityOfOne
        guard rest.isEmpty else { return "sum of \(one)s" }
        return isOneNeuron ? one : weight == -1 ? "minus the \(one)" : "\(one) times \(weight)"
    }

    private var quantityOfOne: String {
        switch reduction {
        case .element: "value"
        case .detection(let box): [.score, .objectness].contains(box.part) ? "score" : "coordinate"
        default: isClass ? "score" : neuron.hasPrefix("output:") ? "value" : "activation"
        }
    }

    /// A class's name up to its first comma.
    public static func shortName(_ name: String) -> String {
        name.split(separator: ",", maxSplits: 1).first.map(String.init) ?? name
    }

    /// Its position, for a target that has one. Not inlined: Swift 6.3's optimiser of the modules that ask stops at it.
    @inline(never)
    public var place: (y: Int, x: Int)? {
        if case .position(let y, let x) = reduction { return (y, x) }
        return nil
    }

    /// The score of the class of index `index`.
    public init?(classIndex index: Int, in description: StoreDescription) {
        guard let target = try? Target("class:\(index)", in: description) else { return nil }
        self = target
    }

    /// The target's value on a map of the layer: height × width × channels.
    /// - Precondition: its places do not depend on the picture, or have been found (`Explainer.placed`).
    public func value(of map: UnsafeBufferPointer<Float>, channels: Int, width: Int) -> Float {
        terms.map { $0.weight * value(of: $0, map, channels: channels, width: width) }.reduce(0, +)
    }

    private func value(of term: Term, _ map: UnsafeBufferPointer<Float>, channels: Int, width: Int) -> Float {
        let channel = term.channel
        func sum() -> Float { stride(from: channel, to: map.count, by: channels).reduce(Float.zero) { $0 + map[$1] } }
        switch term.reduction {
        case .maximum: return map[Self.place(of: channel, in: map, channels: channels) * channels + channel]
        case .mean: return sum() / Float(map.count / channels)
        case .sum: return sum()
        case .position(let y, let x): return map[(y * width + x) * channels + channel]
        case .places(let places):
            return places.reduce(Float.zero) { $0 + map[$1 * channels + channel] } / Float(places.count)
        case .closeness(let reference):
            return -Self.distance(map, channels: channels, from: reference)
        case .box, .region, .mask, .similarity, .element, .detection:
            preconditionFailure("what \(text) is of a picture has not been found")
        }
    }

    private static func distance(_ map: UnsafeBufferPointer<Float>, channels: Int, from reference: [Float]) -> Float {
        Float(
            (0..<channels).reduce(0.0) { sum, channel in
                let difference = Double(
                    map[place(of: channel, in: map, channels: channels) * channels + channel] - reference[channel])
                return sum + difference * difference
            }.squareRoot())
    }

    /// Adds the target's derivative by every element of the map; all else is left as it is.
    /// - Precondition: as of `value`.
    public func seed(_ gradient: UnsafeMutableBufferPointer<Float>, map: UnsafeBufferPointer<Float>, channels: Int, width: Int) {
        for term in terms {
            let (channel, weight) = (term.channel, term.weight)
            func fill(_ value: Float) {
                for index in stride(from: channel, to: map.count, by: channels) { gradient[index] += value }
            }
            switch term.reduction {
            case .maximum: gradient[Self.place(of: channel, in: map, channels: channels) * channels + channel] += weight
            case .mean: fill(weight * (Float(channels) / Float(map.count)))
            case .sum: fill(weight)
            case .position(let y, let x): gradient[(y * width + x) * channels + channel] += weight
            case .places(let places):
                for place in places { gradient[place * channels + channel] += weight / Float(places.count) }
            case .closeness(let reference):
                let distance = Self.distance(map, channels: channels, from: reference)
                for channel in 0..<channels where distance > 0 {
                    let element = Self.place(of: channel, in: map, channels: channels) * channels + channel
                    gradient[element] += weight * (reference[channel] - map[element]) / distance
                }
            case .box, .region, .mask, .similarity, .element, .detection:
                preconditionFailure("what \(text) is of a picture has not been found")
            }
        }
    }

    /// The first pixel that has the channel's maximum, or the first that holds no number, where there is one.
    func place(in map: UnsafeBufferPointer<Float>, channels: Int) -> Int { Self.place(of: channel, in: map, channels: channels) }

    private static func place(of channel: Int, in map: UnsafeBufferPointer<Float>, channels: Int) -> Int {
        var best = 0
        for pixel in 0..<map.count / channels {
            let value = map[pixel * channels + channel]
            if value.isNaN { return pixel }
            if value > map[best * channels + channel] { best = pixel }
        }
        return best
    }
}
