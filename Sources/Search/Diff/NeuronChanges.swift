/// The neurons of a comparison, as layer after layer is added: the living ranked, the others apart, at most `count` of each kept.
struct NeuronChanges {
    private let count: Int
    private(set) var living: [NeuronDiff] = []
    private(set) var died: [NeuronDiff] = []
    private(set) var woke: [NeuronDiff] = []
    private(set) var uncorrelated: [NeuronDiff] = []
    private(set) var apart = Diff.Apart()

    init(count: Int) { self.count = count }

    mutating func add(_ neurons: [NeuronDiff]) {
        // Equal drifts stay in the order of the neurons, which is that in which they come.
        let ranked = (living + neurons.filter { $0.fate == nil && $0.correlation != nil }).enumerated().sorted {
            ($0.element.drift, $1.offset) > ($1.element.drift, $0.offset)
        }
        living = ranked.prefix(count).map(\.element)
        let (dead, revived) = (neurons.filter { $0.fate == .died }, neurons.filter { $0.fate == .woke })
        let without = neurons.filter { $0.fate == nil && $0.correlation == nil }
        died += dead.prefix(count - died.count)
        woke += revived.prefix(count - woke.count)
        uncorrelated += without.prefix(count - uncorrelated.count)
        apart.died += dead.count
        apart.woke += revived.count
        apart.uncorrelated += without.count
    }

    /// Adds their strongest images to all neurons that are kept.
    mutating func add(_ lists: StrongestImages) throws {
        func completed(_ neurons: [NeuronDiff]) throws -> [NeuronDiff] {
            try neurons.map { neuron in
                var neuron = neuron
                try lists.add(to: &neuron)
                return neuron
            }
        }
        (living, died) = try (completed(living), completed(died))
        (woke, uncorrelated) = try (completed(woke), completed(uncorrelated))
    }
}
