import ActivationStore
import CKernels

/// Neurons that tell a label, and have their maxima on its images in one place.
struct PlaceSearch {
    let labels: ImageLabels
    let fold: BlockFold
    /// Neurons tell a label from this AUROC.
    let auroc: Double
    /// Only of findings with this share and rate the spot is kept.
    let share: Double
    let rate: Double

    /// The neurons that tell a label, and how well.
    func tellers(_ neurons: NeuronSet) throws -> [Teller] {
        let counts = labels.counts
        let classes = RankPass.Classes(numbers: labels.numbers, count: labels.names.count + 1)
        var found: [Teller] = []
        try RankPass(fold, images: labels.images).visit(neurons, classes) { neuron, results, _ in
            let rated = SelectivityQuery.aurocs(results, counts, of: labels.images.count)
            let told = labels.names.indices.filter { rated[$0] >= auroc }.map { ($0, rated[$0]) }
            if !told.isEmpty { found.append(Teller(neuron: neuron, told: told)) }
        }
        return found
    }

    /// One for each label that the neuron tells and that has enough images, be it in a place or not.
    func places(of teller: Teller) throws -> [Shortcut] {
        let layer = fold.description.layer(ofNeuron: teller.neuron)
        // The map cell of each image; nil where the neuron says nothing.
        var cells = [Int?](repeating: nil, count: fold.images)
        try fold.rows(NeuronSet([teller.neuron..<teller.neuron + 1])) { first, row in
            for lane in 0..<row.count {
                let value = row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                if value != 0, !value.isNaN { cells[first + lane] = Int(ndx_position(row.positions, row.width, lane)) }
            }
        }
        return teller.told.compactMap { label, auroc in
            var (own, rest, all) = ([Int](), [Int](), [Int32]())
            for (image, number) in zip(labels.images, labels.numbers) {
                if number == UInt32(label) { all.append(cells[image].map { Int32($0) } ?? -1) }
                guard let cell = cells[image] else { continue }
                if number == UInt32(label) { own.append(cell) } else { rest.append(cell) }
            }
            return PlaceFinding(own: own, rest: rest, height: layer.height, width: layer.width).map { finding in
                // q is no smaller than p.
                let isFound = finding.p <= rate && finding.share >= share && finding.excess > 0
                return Shortcut(
                    neuron: teller.neuron, label: label, auroc: auroc, place: finding.place, share: finding.share,
                    expected: finding.expected, p: finding.p,
                    spot: isFound ? Spot(cells: all, height: layer.height, width: layer.width) : nil)
            }
        }
    }
}
