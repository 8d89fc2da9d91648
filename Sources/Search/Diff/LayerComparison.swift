import ActivationStore
import CKernels

/// Compares the neurons of a layer of A with those of a layer of B over the images that both stores have.
struct LayerComparison {
    private let pair: StorePair
    private let a: LayerRecord
    private let b: LayerRecord
    private let by: Partnering
    private let strongest: Int

    init(_ pair: StorePair, _ a: LayerRecord, _ b: LayerRecord, by: Partnering, strongest: Int) {
        (self.pair, self.a, self.b, self.by, self.strongest) = (pair, a, b, by, strongest)
    }

    /// What is known of one neuron over the images of the pair.
    private struct Facts {
        /// Of the finite values.
        var mean: Double?
        var deviation: Double?
        var isDead = true
        var isConstant = true
        /// Places of the strongest images.
        var strongest: [UInt32] = []

        init() {}

        init(_ column: UnsafePointer<Float>, _ images: Int, _ sorter: Sorter, strongest count: Int) {
            strongest = sorter.strongest(count)
            let values = UnsafeBufferPointer(start: column, count: images)
            var (sum, finite) = (0.0, 0)
            for value in values {
                if value.isFinite { (sum, finite) = (sum + Double(value), finite + 1) }
                if value != 0 { isDead = false }
                if value != values[0], !(value.isNaN && values[0].isNaN) { isConstant = false }
            }
            guard finite > 0 else { return }
            let center = sum / Double(finite)
            var squares = 0.0
            for value in values where value.isFinite { squares += (Double(value) - center) * (Double(value) - center) }
            mean = center
            deviation = (squares / Double(finite)).squareRoot()
        }
    }

    func run() throws -> (LayerDiff, [NeuronDiff]) {
        let facts = (a: Slots(a.channels, Facts()), b: Slots(b.channels, Facts()))
        let search: any PartnerSearch =
            by == .assignment ? BestAssignment(a.channels, b.channels) : BestPartners(a.channels, b.channels)
        let others = RankBand.bands(of: b.neurons, images: pair.count)
        for (index, band) in RankBand.bands(of: a.neurons, images: pair.count).enumerated() {
            let left = try pair.a.ranks(band) { neuron, column, sorter in
                facts.a[neuron - a.firstNeuron] = Facts(column, pair.count, sorter, strongest: strongest)
            }
            for (place, other) in others.enumerated() where by != .index || place == index {
                let right = try pair.b.ranks(other) { neuron, column, sorter in
                    facts.b[neuron - b.firstNeuron] = Facts(column, pair.count, sorter, strongest: strongest)
                }
                if by == .index {
                    for neuron in band {
                        let channel = neuron - a.firstNeuron
                        if let correlation = left.correlation(of: neuron, with: right, b.firstNeuron + channel) {
                            search.add(channel, channel, correlation)
                        }
                    }
                } else {
                    left.correlate(with: right) { _, one, other, correlation in
                        search.add(one - a.firstNeuron, other - b.firstNeuron, correlation)
                    }
                }
            }
        }
        let neurons = search.partners().enumerated().map { channel, partner in
            compare(channel, partner, facts.a, facts.b)
        }
        return (summary(neurons, facts.a), neurons)
    }

    private func compare(_ channel: Int, _ partner: Partner?, _ one: Slots<Facts>, _ other: Slots<Facts>) -> NeuronDiff {
        var result = NeuronDiff(layer: a.name, channel: channel, other: b.name, partner: partner?.channel)
        if a.channels == b.channels, one[channel].isDead != other[channel].isDead {
            result.fate = other[channel].isDead ? .died : .woke
        }
        let own = one[channel]
        result.placesInA = own.strongest
        guard let partner else { return result }
        let found = other[partner.channel]
        result.correlation = partner.correlation
        result.drift = partner.correlation.map { 1 - $0 } ?? (own.isConstant && found.isConstant ? 0 : 1)
        if let before = own.mean, let after = found.mean, let deviation = own.deviation, deviation > 0 {
            result.shift = (after - before) / deviation
        }
        result.placesInB = found.strongest
        result.shared = Set(own.strongest).intersection(found.strongest).count
        let all = own.strongest.count + found.strongest.count - result.shared
        result.jaccard = all > 0 ? Double(result.shared) / Double(all) : nil
        return result
    }

    private func summary(_ neurons: [NeuronDiff], _ facts: Slots<Facts>) -> LayerDiff {
        let correlations = neurons.compactMap(\.correlation).sorted()
        let (half, isOdd) = (correlations.count / 2, correlations.count % 2 == 1)
        let asking = neurons.filter { !facts[$0.channel].isConstant }
        let kept = asking.count { $0.correlation != nil && $0.partner == $0.channel }
        let overlaps = neurons.compactMap(\.jaccard)
        return LayerDiff(
            layer: a.name, other: b.name, neurons: a.channels, correlated: correlations.count,
            medianCorrelation: correlations.isEmpty
                ? nil : isOdd ? correlations[half] : (correlations[half - 1] + correlations[half]) / 2,
            kept: by == .index || asking.isEmpty ? nil : Double(kept) / Double(asking.count),
            overlap: overlaps.isEmpty ? nil : overlaps.reduce(0, +) / Double(overlaps.count),
            died: neurons.count { $0.fate == .died }, woke: neurons.count { $0.fate == .woke })
    }
}
