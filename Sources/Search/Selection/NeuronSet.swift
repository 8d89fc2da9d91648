package import ActivationStore

/// Neurons of a store, each once, in the order of their ids.
struct NeuronSet {
    /// Runs of neighbours, ascending: each is read as one range of rows.
    let ranges: [Range<Int>]

    var count: Int { ranges.reduce(0) { $0 + $1.count } }
    var isEmpty: Bool { ranges.isEmpty }

    /// - Parameter references: as ``NeuronReference`` takes them; named twice is named once.
    init(_ references: [String], in description: StoreDescription) throws {
        self.init(try references.map { try NeuronReference($0, in: description).neurons })
    }

    init(_ neurons: [Range<Int>]) {
        var ranges: [Range<Int>] = []
        for range in neurons.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        self.ranges = ranges
    }

    /// The runs cut into pieces of at most `size` neurons.
    func parts(of size: Int) -> [Range<Int>] {
        ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
        }
    }

    /// All neurons in ascending order.
    var neurons: [Int] { ranges.flatMap { Array($0) } }
}

extension StoreDescription {
    /// The layer that says what is on an image as a whole: the last one that is not the class scores.
    package var descriptiveLayer: LayerRecord { layers.last { !$0.isLogits } ?? layers[layers.count - 1] }

    /// As a user writes it.
    func name(ofNeuron neuron: Int) -> (layer: String, channel: Int) {
        let layer = layer(ofNeuron: neuron)
        return (layer.name, neuron - layer.firstNeuron)
    }

    /// The class whose score a neuron is; nil for other neurons, or where its name is not known.
    func className(ofNeuron neuron: Int) -> String? {
        let layer = layer(ofNeuron: neuron)
        let channel = neuron - layer.firstNeuron
        return layer.isLogits && classes.indices.contains(channel) ? classes[channel] : nil
    }
}
