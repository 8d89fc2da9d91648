import ActivationStore
public import Support

/// A neuron as a user writes it.
public struct NeuronName: Hashable, Sendable, ColumnElement {
    public var layer: String
    public var channel: Int

    public init(layer: String, channel: Int) { (self.layer, self.channel) = (layer, channel) }

    init(_ neuron: Int, _ description: StoreDescription) {
        (layer, channel) = description.name(ofNeuron: neuron)
    }

    public var description: String { "\(layer):\(channel)" }
}

/// A row about one neuron.
public protocol NeuronRow: TableRow {
    var layer: String { get }
    var channel: Int { get }
}

extension NeuronRow {
    public var neuron: NeuronName { NeuronName(layer: layer, channel: channel) }
}

extension NeuronRow {
    /// To people a neuron is one name, to programs a layer and a channel.
    public static var neuronColumn: ListColumn<Self> { column("neuron", \.neuron.description).shortened.forPeople }
    public static var layerColumn: ListColumn<Self> { column("layer", \.layer).forPrograms }
    public static var channelColumn: ListColumn<Self> { column("channel", \.channel).forPrograms }

    /// Neurons that say the same, which have no row of their own: to programs all of them, in tables how many and the first.
    ///
    /// - Parameter common: what the neurons of a row have in common, to be said with their number.
    static func copiesColumn(
        of common: String? = nil, _ copies: @escaping @Sendable (Self) -> [NeuronName]
    ) -> ListColumn<Self> {
        column("copies", copies).shortened.hidden { !copies($0).isEmpty }.shown { row in
            let own = copies(row)
            guard !own.isEmpty else { return .nothing }
            let names = own.prefix(3).map(\.description).joined(separator: " ") + (own.count > 3 ? " …" : "")
            return .text(common.map { "\(own.count + 1) neurons, \($0): also \(names)" } ?? "\(own.count): \(names)")
        }
    }
}
