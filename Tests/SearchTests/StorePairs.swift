import ActivationStore
import Foundation
import TestSupport

/// Pairs of random stores: images in another order, some that one store alone has, copies, removed ones; neurons that moved, died, woke.
struct StorePairFixture {
    var a: Store
    var b: Store
    var one: RecordedDataset
    var other: RecordedDataset
    /// Ids of the same images, in the order of A's.
    var images: [(a: Int, b: Int)]
    var onlyInA = 0
    var onlyInB: Int

    init(_ seed: Int, _ folder: TemporaryFolder) throws {
        var random = SeededGenerator(seed: UInt64(seed) &+ 4000)
        let channels = (0..<3).map { _ in Int.random(in: 1...7, using: &random) }
        let count = seed % 10 == 0 ? 1 : Int.random(in: 1...40, using: &random)
        func dataset(_ images: Int, _ seed: Int) -> RecordedDataset {
            RecordedDataset(
                images: images, layers: RecordedDataset.layers(channels: channels), classes: ["cat", "dog", "cow"],
                blockImages: Int.random(in: 1...12, using: &random), topCount: 3, seed: UInt64(seed), hard: seed % 4 != 0)
        }
        var one = dataset(count, seed)
        var other = dataset(count, seed + 1)
        Self.answer(&one, &random)
        Self.answer(&other, &random)
        Self.change(&other, from: one, &random)
        for index in one.images.indices where index > 0 && Int.random(in: 0..<6, using: &random) == 0 {
            // A copy of another file, which the network here answers otherwise, so that it matters which goes with which.
            one.images[index].sha256 = one.images[Int.random(in: 0..<index, using: &random)].sha256
            if Bool.random(using: &random) { other.images[index].sha256 = one.images[index].sha256 }
        }
        if seed % 3 > 0 {
            for index in other.images.indices where count > 1 && Int.random(in: 0..<7, using: &random) == 0 {
                other.images[index].sha256 = Data(repeating: UInt8(200 + index), count: 32)
            }
            let order = other.images.indices.shuffled(using: &random)
            other.images = order.map { other.images[$0] }
            other.values = order.map { other.values[$0] }
            other.positions = order.map { other.positions[$0] }
        }
        try one.write(folder.file("a-\(seed).sqlite"))
        try other.write(folder.file("b-\(seed).sqlite"))
        let stores = try ["a", "b"].map { try Store.open(path: folder.file("\($0)-\(seed).sqlite")) }
        let gone = try stores.map { store in
            let gone = seed % 5 == 2 ? (0..<count).filter { _ in Int.random(in: 0..<4, using: &random) == 0 } : []
            if gone.count < count, !gone.isEmpty { try store.remove(images: gone) }
            return gone.count < count ? Set(gone) : []
        }
        var images: [(a: Int, b: Int)] = []
        var free = (0..<count).filter { !gone[1].contains($0) }
        for image in 0..<count where !gone[0].contains(image) {
            if let place = free.firstIndex(where: { other.images[$0].sha256 == one.images[image].sha256 }) {
                images.append((image, free.remove(at: place)))
            } else {
                onlyInA += 1
            }
        }
        (a, b, self.one, self.other) = (stores[0], stores[1], one, other)
        (self.images, onlyInB) = (images, free.count)
    }

    private static func answer(_ dataset: inout RecordedDataset, _ random: inout SeededGenerator) {
        for index in dataset.images.indices {
            dataset.images[index].predictedClass = [0, 1, 2, nil][Int.random(in: 0..<4, using: &random)]
        }
    }

    /// Most neurons of the other network do what some neuron of the first does, more or less.
    private static func change(_ other: inout RecordedDataset, from one: RecordedDataset, _ random: inout SeededGenerator) {
        for layer in one.description.layers {
            let sources = Bool.random(using: &random) ? Array(layer.neurons) : layer.neurons.shuffled(using: &random)
            for (neuron, source) in zip(layer.neurons, sources) {
                let kind = Int.random(in: 0..<6, using: &random)
                for image in other.values.indices {
                    let value = one.values[image][source]
                    switch kind {
                    case 0: other.values[image][neuron] = 0
                    case 1: break
                    case 2: other.values[image][neuron] = -value
                    default:
                        if kind == 3 || Int.random(in: 0..<4, using: &random) > 0 { other.values[image][neuron] = value * 2 + 1 }
                    }
                }
            }
        }
    }

    /// Values of a neuron on the images of the pair.
    func column(a neuron: Int) -> [Float] { images.map { one.values[$0.a][neuron] } }
    func column(b neuron: Int) -> [Float] { images.map { other.values[$0.b][neuron] } }
}
