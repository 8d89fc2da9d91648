import ActivationStore

/// A neuron that tells a label, and by what it may do so.
struct Shortcut {
    var neuron: Int
    var label: Int
    /// How well the neuron tells the label.
    var auroc: Double
    var place: ShortcutsQuery.Place
    /// Of the label's images.
    var share: Double
    /// What it would be without a shortcut.
    var expected: Double
    var p: Double
    var q = 1.0
    /// Where the neuron has its maximum on the label's images; nil of a tint.
    var spot: Spot?

    var excess: Double { share - expected }

    /// By excess, the largest first, ties by AUROC, then by neuron and label.
    static func isBefore(_ a: Shortcut, _ b: Shortcut) -> Bool {
        (b.excess, b.auroc, a.neuron, a.label) < (a.excess, a.auroc, b.neuron, b.label)
    }

    /// Gives each its q: Benjamini and Hochberg's, over all of them.
    static func control(_ all: [Shortcut]) -> [Shortcut] {
        zip(all, falseDiscoveryRates(all.map(\.p))).map { one, rate in
            var one = one
            one.q = rate
            return one
        }
    }
}

/// A neuron, and the labels that it tells.
struct Teller {
    var neuron: Int
    var told: [(label: Int, auroc: Double)]
}
