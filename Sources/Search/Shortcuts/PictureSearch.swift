import ActivationStore
import Support

/// What tells a label in the pictures themselves: a mark that moves about, a tint. Looked for where neurons tell the label.
struct PictureSearch {
    /// For each label one neuron of so many layers is looked at.
    private static let mostLayers = 4
    /// Pictures of other labels that a patch is looked for in.
    private static let mostOthers = 100
    /// A neuron of an earlier layer that tells a label nearly as well as the best one sees what there is to see more plainly.
    private static let nearlyAsWell = 0.05

    let store: Store
    let labels: ImageLabels
    let tellers: [Teller]
    let pictures: LabelledPictures

    /// The best neuron of each layer that tells a label, by label; the best layers first, ties the earlier.
    private var best: [Int: [(neuron: Int, auroc: Double)]] {
        var best: [Int: [Int: (neuron: Int, auroc: Double)]] = [:]
        for teller in tellers {
            let layer = store.description.layer(ofNeuron: teller.neuron)
            for (label, auroc) in teller.told where best[label]?[layer.firstNeuron].map({ auroc > $0.auroc }) ?? true {
                best[label, default: [:]][layer.firstNeuron] = (teller.neuron, auroc)
            }
        }
        return best.mapValues { $0.values.sorted { ($1.auroc, $0.neuron) < ($0.auroc, $1.neuron) } }
    }

    /// The labels that neurons tell, the best told first, ties by name.
    static func told(_ tellers: [Teller]) -> [Int] {
        var best: [Int: Double] = [:]
        for (label, auroc) in tellers.flatMap(\.told) { best[label] = max(best[label] ?? 0, auroc) }
        return best.keys.sorted { (-(best[$0] ?? 0), $0) < (-(best[$1] ?? 0), $1) }
    }

    /// One for each label whose pictures could be judged, be they tinted or not.
    func tints() -> [Shortcut] {
        let colours = pictures.pictures.mapValues { $0.colours(parts: TintFinding.parts) }
        return best.sorted { $0.key < $1.key }.compactMap { label, neurons in
            let own = pictures.own(label).compactMap { colours[$0] }
            let others = pictures.others(label).compactMap { colours[$0] }
            let bound = (neurons.first?.auroc ?? 0) - Self.nearlyAsWell
            guard let finding = TintFinding(own: own, others: others),
                let teller = neurons.filter({ $0.auroc >= bound }).min(by: { $0.neuron < $1.neuron })
            else { return nil }
            return Shortcut(
                neuron: teller.neuron, label: label, auroc: teller.auroc, place: .everywhere, share: finding.share,
                expected: finding.expected, p: finding.p)
        }
    }

    /// One for each label and neuron whose maxima could be compared, be they alike or not.
    func marks() throws -> [Shortcut] {
        var jobs: [(label: Int, neuron: Int, auroc: Double, own: [PatchSearch.Sight], others: [PatchSearch.Sight], spot: Spot)] =
            []
        for (label, neurons) in best.sorted(by: { $0.key < $1.key }) {
            let (own, others) = (pictures.own(label), evenly(pictures.others(label), Self.mostOthers))
            guard own.count >= LabelledPictures.fewest, others.count >= LabelledPictures.fewest else { continue }
            let seeing = neurons.filter { store.description.layer(ofNeuron: $0.neuron).receptiveField != nil }
            for (neuron, auroc) in seeing.prefix(Self.mostLayers) {
                let (layer, column) = (store.description.layer(ofNeuron: neuron), try store.column(neuron: neuron))
                let sights = own.compactMap { sight(of: $0, column, layer) }
                jobs.append(
                    (label, neuron, auroc, sights, others.compactMap { sight(of: $0, column, layer) }, spot(label, column, layer))
                )
            }
        }
        var found = [PatchSearch.Finding?](repeating: nil, count: jobs.count)
        Activity.run("comparing what neurons see") {
            found.withUnsafeMutableBufferPointer { found in
                nonisolated(unsafe) let found = found
                let jobs = jobs
                inParallel(jobs.count) {
                } work: { index, _ in
                    found[index] = PatchSearch.finding(own: jobs[index].own, others: jobs[index].others)
                }
            }
        }
        return zip(jobs, found).compactMap { job, finding in
            finding.map {
                Shortcut(
                    neuron: job.neuron, label: job.label, auroc: job.auroc, place: .anywhere, share: $0.share,
                    expected: $0.expected, p: $0.p, spot: job.spot)
            }
        }
    }

    /// Nil where the neuron says nothing.
    private func sight(of image: Int, _ column: NeuronColumn, _ layer: LayerRecord) -> PatchSearch.Sight? {
        guard let picture = pictures.pictures[image], let field = layer.receptiveField, column.values.indices.contains(image),
            column.values[image] != 0, !column.values[image].isNaN
        else { return nil }
        let (row, cell) = Int(column.positions[image]).quotientAndRemainder(dividingBy: layer.width)
        let area = picture.area
        let (down, across) = (Double(picture.height) / area.height, Double(picture.width) / area.width)
        let y = field.offsetY + Double(row) * field.strideY + Double(field.height) / 2
        let x = field.offsetX + Double(cell) * field.strideX + Double(field.width) / 2
        return PatchSearch.Sight(
            picture: picture, y: (y - area.y) * down, x: (x - area.x) * across,
            length: max(Double(field.height) * down, Double(field.width) * across))
    }

    private func spot(_ label: Int, _ column: NeuronColumn, _ layer: LayerRecord) -> Spot {
        var cells: [Int32] = []
        for (image, number) in zip(labels.images, labels.numbers) where number == UInt32(label) {
            let isSaid = column.values.indices.contains(image) && column.values[image] != 0 && !column.values[image].isNaN
            cells.append(isSaid ? Int32(column.positions[image]) : -1)
        }
        return Spot(cells: cells, height: layer.height, width: layer.width)
    }
}
