/// A neuron's counterpart in the other store.
struct Partner {
    var channel: Int
    /// Nil where one of the two is constant.
    var correlation: Double?
}

/// Finds partners from correlations that are handed over in any order. Several threads may do so, each for channels of its own.
protocol PartnerSearch {
    /// Channel of A, channel of B, and their rank correlation. Pairs that have none are not handed over.
    func add(_ one: Int, _ other: Int, _ correlation: Double)
    /// By channel of A.
    func partners() -> [Partner?]
}

/// For each neuron the one with the largest correlation; of several the same channel, or the lowest. Without any, the same channel.
struct BestPartners: PartnerSearch {
    private let best: Slots<Partner?>
    private let others: Int

    init(_ channels: Int, _ others: Int) {
        best = Slots(channels, nil)
        self.others = others
    }

    func add(_ one: Int, _ other: Int, _ correlation: Double) {
        if let now = best[one], let known = now.correlation {
            guard correlation >= known else { return }
            if correlation == known, now.channel == one || (other != one && other > now.channel) { return }
        }
        best[one] = Partner(channel: other, correlation: correlation)
    }

    func partners() -> [Partner?] {
        best.array.enumerated().map { $1 ?? ($0 < others ? Partner(channel: $0) : nil) }
    }
}

/// One to one, with the largest sum of correlations; a pair without one counts 0. Of several such assignments, one with the most neurons on their
/// own channel. Correlations are rounded to 2⁻³⁴, so that sums are exact.
struct BestAssignment: PartnerSearch {
    private static let scale = Double(1 << 34)
    /// More than there are neurons on their own channel.
    private static let unit = 1 << 14

    private let channels: Int
    private let others: Int
    /// Row-major; NaN where there is none.
    private let correlations: Slots<Double>

    init(_ channels: Int, _ others: Int) {
        (self.channels, self.others) = (channels, others)
        correlations = Slots(channels * others, .nan)
    }

    func add(_ one: Int, _ other: Int, _ correlation: Double) { correlations[one * others + other] = correlation }

    func partners() -> [Partner?] {
        let weights = (0..<channels * others).map { place in
            let correlation = correlations[place]
            let isOwn = place / others == place % others
            return (correlation.isNaN ? 0 : Int((correlation * Self.scale).rounded()) * Self.unit) + (isOwn ? 1 : 0)
        }
        return Assignment(rows: channels, columns: others, weights: weights).columns.enumerated().map { one, other in
            other.map { other in
                let correlation = correlations[one * others + other]
                return Partner(channel: other, correlation: correlation.isNaN ? nil : correlation)
            }
        }
    }
}

/// An array whose elements several threads write, each its own.
final class Slots<Element> {
    private let elements: UnsafeMutableBufferPointer<Element>

    init(_ count: Int, _ element: Element) {
        elements = .allocate(capacity: count)
        elements.initialize(repeating: element)
    }

    deinit {
        elements.deinitialize()
        elements.deallocate()
    }

    subscript(index: Int) -> Element {
        get { elements[index] }
        set { elements[index] = newValue }
    }

    var array: [Element] { Array(elements) }
}
