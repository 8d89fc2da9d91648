import ActivationStore
import Foundation
import TestSupport
import Testing

/// Several hundred small stores, each with what breaks a query: ties, NaN, ±∞, −0, one image, a block less one, a block more.
enum RandomStores {
    static let seeds = 0..<300

    /// A store of its own for each seed, and what it holds.
    static func make(_ seed: Int, _ folder: TemporaryFolder) throws -> (store: Store, dataset: RecordedDataset) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 77)
        let block = Int.random(in: 1...12, using: &random)
        let images =
            [1, max(block - 1, 1), block, block + 1, 2 * block, 3 * block + 1, Int.random(in: 1...40, using: &random)]
            .randomElement(using: &random) ?? 1
        var dataset = RecordedDataset(
            images: images,
            layers: RecordedDataset.layers(channels: (0..<4).map { _ in Int.random(in: 1...9, using: &random) }),
            classes: ["cat", "dog"], blockImages: block, topCount: Int.random(in: 1...12, using: &random), seed: UInt64(seed),
            hard: seed % 5 != 0)
        // Some neurons are dead, some constant, and some images copies of others.
        for neuron in 0..<dataset.description.neuronCount where Int.random(in: 0..<8, using: &random) == 0 {
            let value: Float = [0, 2.5, -1][Int.random(in: 0..<3, using: &random)]
            for image in 0..<images { dataset.values[image][neuron] = value }
        }
        for image in 1..<max(images, 1) where Int.random(in: 0..<6, using: &random) == 0 {
            dataset.values[image] = dataset.values[Int.random(in: 0..<image, using: &random)]
        }
        let path = folder.file("\(seed).sqlite")
        let writer = try dataset.open(path)
        try dataset.append(0..<images, to: writer)
        if seed % 9 == 4 {
            // Still being written: only whole blocks are there, and nothing is derived.
            let whole = images / block * block
            guard whole > 0 else { return try remade(dataset, folder.file("\(seed)-again.sqlite")) }
            dataset.values.removeLast(images - whole)
            dataset.positions.removeLast(images - whole)
            dataset.images.removeLast(images - whole)
            let store = try Store.open(path: path)
            return (store, dataset)
        }
        try writer.finish()
        return (try Store.open(path: path), dataset)
    }

    private static func remade(_ dataset: RecordedDataset, _ path: String) throws -> (Store, RecordedDataset) {
        try dataset.write(path)
        return (try Store.open(path: path), dataset)
    }
}

extension RecordedDataset {
    /// Indices of scores, largest first, ties by index, NaN left out: by sorting all.
    static func sorted(_ scores: [Double], where isKept: (Int) -> Bool = { _ in true }) -> [Int] {
        scores.indices.filter { !scores[$0].isNaN && isKept($0) }
            .sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
    }

    /// The condition that tests use, and whether an image meets it.
    static let condition = "label = 'cat' OR split = 'val'"

    func meetsCondition(_ image: Int) -> Bool { images[image].label == "cat" || images[image].split == "val" }

    func layer(_ index: Int) -> LayerRecord { description.layers[index] }
}
