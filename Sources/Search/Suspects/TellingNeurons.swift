import ActivationStore

/// The neurons of a layer that tell each label best.
struct TellingNeurons {
    /// A label needs so many images to have any.
    static let fewest = 5

    /// By label: neurons by AUROC, the best first, ties by neuron; none of a label with too few images, or with all.
    private(set) var best: [[Int]]
    /// Of each neuron, in order: Kruskal and Wallis's H over all labels with enough images, which says how well it tells them
    /// apart.
    private(set) var separation: [Double] = []

    /// - Parameter count: how many neurons a label.
    init(_ count: Int, _ labels: ImageLabels, _ neurons: NeuronSet, _ fold: BlockFold) throws {
        var best = [[(neuron: Int, auroc: Double)]](repeating: [], count: labels.names.count)
        let (counts, images) = (labels.counts, labels.images.count)
        let classes = RankPass.Classes(numbers: labels.numbers, count: labels.names.count + 1)
        var separation: [Double] = []
        try RankPass(fold, images: labels.images).visit(neurons, classes) { neuron, results, ties in
            separation.append(Self.separation(results, counts, of: images, ties: ties))
            for (label, auroc) in SelectivityQuery.aurocs(results, counts, of: images).enumerated() {
                guard label < labels.names.count, counts[label] >= Self.fewest, !auroc.isNaN else { continue }
                guard best[label].count < count || best[label].last.map({ $0.auroc < auroc }) ?? true else { continue }
                let place = best[label].firstIndex { $0.auroc < auroc } ?? best[label].count
                best[label].insert((neuron, auroc), at: place)
                if best[label].count > count { best[label].removeLast() }
            }
        }
        self.best = best.map { $0.map { $0.neuron } }
        self.separation = separation
    }

    /// H = (12 Σ R² / n / N(N + 1) − 3(N + 1)) / (1 − Σ(t³ − t) / (N³ − N)) (Kruskal and Wallis 1952); 0 of a constant neuron.
    private static func separation(_ classes: [RankPass.Class], _ counts: [Int], of images: Int, ties: Double) -> Double {
        let all = Double(images)
        let correction = 1 - ties / (all * (all * all - 1))
        guard images > 1, correction > 0 else { return 0 }
        let sums = zip(classes, counts).reduce(0.0) { sum, one in
            let rank = Double(one.0.rankSum) / 2
            return one.1 > 0 ? sum + rank * rank / Double(one.1) : sum
        }
        return (12 * sums / (all * (all + 1)) - 3 * (all + 1)) / correction
    }
}

/// What some neurons say of every image.
struct Testimony {
    let neurons: [Int]
    /// By neuron, then place among the images: 2 · mid-rank − (n + 1).
    private(set) var standings: [[Float]] = []
    private let count: Int

    init(_ neurons: [Int], _ images: [Int], _ fold: BlockFold) throws {
        (self.neurons, count) = (neurons, images.count)
        let sorter = Sorter(images: images)
        for neuron in neurons {
            sorter.sort(try fold.column(neuron))
            var ranks = [Float](repeating: 0, count: count)
            _ = ranks.withUnsafeMutableBufferPointer { ranks in ranks.baseAddress.map { sorter.centredRanks(to: $0) } }
            standings.append(ranks)
        }
    }

    /// The share of images below, ties half, from 2 · midrank − (n + 1).
    func percentile(_ which: Int, _ place: Int) -> Double {
        (Double(standings[which][place]) + Double(count)) / Double(2 * count)
    }

    /// The mean of the percentiles of one image.
    func mean(_ place: Int) -> Double {
        neurons.indices.reduce(0) { $0 + percentile($1, place) } / Double(max(neurons.count, 1))
    }
}
