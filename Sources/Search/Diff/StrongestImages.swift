import ActivationStore

/// The strongest images of neurons that are compared, as ``TopQuery`` gives them.
struct StrongestImages {
    private let pair: StorePair
    private let names: (a: ImageNames, b: ImageNames)

    init(_ pair: StorePair) throws {
        self.pair = pair
        names = (try ImageNames(pair.a.snapshot), try ImageNames(pair.b.snapshot))
    }

    func add(to neuron: inout NeuronDiff) throws {
        neuron.strongestInA = try hits(neuron.layer, neuron.channel, neuron.placesInA, pair.a, names.a)
        guard let partner = neuron.partner else { return }
        neuron.strongestInB = try hits(neuron.other, partner, neuron.placesInB, pair.b, names.b)
    }

    private func hits(
        _ layer: String, _ channel: Int, _ places: [UInt32], _ side: StorePair.Side, _ names: ImageNames
    ) throws -> [TopQuery.Hit] {
        guard let layer = side.fold.description.layers.first(where: { $0.name == layer }) else { return [] }
        let neuron = NeuronSet([layer.firstNeuron + channel..<layer.firstNeuron + channel + 1])
        return try places.enumerated().map { index, place in
            let image = side.images[Int(place)]
            let (path, label) = try names.of(image)
            var (value, position) = (Float(0), 0)
            try side.fold.values(of: image, neuron) { (value, position) = ($1 + 0, $2) }
            return TopQuery.Hit(
                layer: layer.name, channel: channel, rank: index + 1, image: path, imageID: image, label: label, value: value,
                y: position / layer.width, x: position % layer.width)
        }
    }
}
