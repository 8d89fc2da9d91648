public import ActivationStore
import Support

/// What a user calls neurons by: `LAYER:CHANNEL`, `LAYER` (all its neurons), `class:NAME` or `class:INDEX` (a logit), or `output:NAME`, a number that
/// the network answers with, with its unit or without.
public struct NeuronReference: Hashable, Sendable {
    public let layer: LayerRecord
    /// Neuron ids, within the layer's.
    public let neurons: Range<Int>

    /// - Throws: ``StoreError`` for what does not exist, with what was perhaps meant.
    public init(_ text: String, in description: StoreDescription) throws {
        // Layers come first: a layer's own name may have colons in it, or begin with "class:".
        if let layer = description.layers.first(where: { $0.name == text }) {
            self.layer = layer
            neurons = layer.neurons
            return
        }
        let colon = text.lastIndex(of: ":")
        let named = colon.flatMap { colon in description.layers.first { $0.name == text[..<colon] } }
        if text.hasPrefix("class:"), named == nil {
            let found = try Self.logit(String(text.dropFirst("class:".count)), text, description)
            layer = found.layer
            neurons = found.neuron..<found.neuron + 1
            return
        }
        if named == nil, let found = Self.output(text, description) {
            layer = found.layer
            neurons = found.neuron..<found.neuron + 1
            return
        }
        guard let colon else { throw Self.unknownLayer(text, description) }
        let name = String(text[..<colon])
        let number = String(text[text.index(after: colon)...])
        guard let layer = named else { throw Self.unknownLayer(name, description) }
        guard let channel = Int(number), (0..<layer.channels).contains(channel) else {
            throw StoreError.unknownChannel(layer: name, channel: number, channels: layer.channels)
        }
        self.layer = layer
        neurons = layer.firstNeuron + channel..<layer.firstNeuron + channel + 1
    }

    private static func unknownLayer(_ name: String, _ description: StoreDescription) -> StoreError {
        .unknownLayer(name: name, suggestions: Suggestion.nearest(to: name, among: description.layers.lazy.map { $0.name }))
    }

    /// A number that the network answers with; nil where none has this name.
    private static func output(_ text: String, _ description: StoreDescription) -> (layer: LayerRecord, neuron: Int)? {
        guard text.hasPrefix("output:"), let layer = description.namedOutputs else { return nil }
        let (name, names) = (text.dropFirst("output:".count), description.model.outputNames)
        /// `age` of `age [years]`.
        func plain(_ name: String) -> Substring {
            guard name.hasSuffix("]"), let bracket = name.lastIndex(of: "[") else { return name[...] }
            return name[..<bracket].hasSuffix(" ") ? name[..<bracket].dropLast() : name[...]
        }
        let plainly = names.indices.filter { plain(names[$0]) == name }
        let channel = names.firstIndex { $0 == name } ?? (plainly.count == 1 ? plainly[0] : nil)
        return channel.map { (layer, layer.firstNeuron + $0) }
    }

    private static func logit(
        _ name: String, _ text: String, _ description: StoreDescription
    ) throws -> (layer: LayerRecord, neuron: Int) {
        guard let layer = description.layers.last(where: { $0.isLogits }) else { throw QueryError.logitsUnknown(name: text) }
        let (classes, folded) = (description.classes, name.lowercased())
        var named = classes.indices.filter { classes[$0] == name }
        if named.isEmpty { named = classes.indices.filter { classes[$0].lowercased() == folded } }
        if named.count > 1 {
            // A number that is itself a name does not say which.
            let choices = named.map { classes.contains("\($0)") ? "\(layer.name):\($0)" : "class:\($0)" }
            throw StoreError.ambiguousClass(name: name, choices: choices)
        }
        let channel = named.first ?? synonym(folded, classes) ?? Int(name)
        guard let channel, (0..<layer.channels).contains(channel) else {
            throw StoreError.unknownClass(name: name, suggestions: Suggestion.nearest(to: name, among: description.classes))
        }
        return (layer, layer.firstNeuron + channel)
    }

    /// The only class of which `name`, in lower case, is one of several names: `tench` of `tench, Tinca tinca`.
    private static func synonym(_ name: String, _ classes: [String]) -> Int? {
        let found = classes.indices.filter { index in
            classes[index].lowercased().split(separator: ",").contains { $0.drop { $0 == " " } == name }
        }
        return found.count == 1 ? found[0] : nil
    }
}
