public import ActivationStore
import NeuralNetwork

/// What it costs that a store's network multiplied less exactly: how far the lists of its neurons' strongest images are those of float32.
public struct PrecisionAgreement: Equatable, Sendable {
    /// Images that were run once more, in float32; lists are of these alone.
    public var images = 0
    /// Images of a list.
    public var length = 0
    /// Neurons that are not the same on all of them.
    public var neurons = 0
    /// Of the images in those neurons' lists, the share that is in the list of float32 too: 0 to 1.
    public var share = 1.0
    /// The layer where it is least.
    public var least: LayerShare?

    public struct LayerShare: Equatable, Sendable {
        public var layer: String
        public var share: Double
    }

    /// Runs up to `sample` images, spread evenly over the store; those that have changed or gone are left out.
    ///
    /// - Throws: `NetworkError` where the network cannot be read or run, `DatasetError` where it is another, or has gone.
    public init(of store: Store, model: String? = nil, sample: Int = 64, length: Int = 10) throws {
        let rerun = try Rerun(of: store, model: model, precision: .float32)
        let ids = try store.imageIDs()
        let taken = min(sample, ids.count)
        var (stored, exact) = ([[Float]](), [[Float]]())
        for index in 0..<taken {
            guard let image = try store.image(id: ids[index * ids.count / taken]),
                let kept = try store.activations(ofImage: image.id)
            else { continue }
            do {
                exact.append(Array(try rerun.maxima(of: image)))
            } catch is Rerun.Obstacle {
                continue
            }
            stored.append(kept.values)
        }
        images = exact.count
        self.length = min(length, images)
        compare(store.description.layers, stored, exact, rerun.network.layers)
    }

    private mutating func compare(_ records: [LayerRecord], _ stored: [[Float]], _ exact: [[Float]], _ layers: [Layer]) {
        let own = Dictionary(layers.map { ($0.tensor, $0) }) { first, _ in first }
        var (common, places) = (0, 0)
        for record in records {
            guard let layer = own[record.tensor] else { continue }
            var (alike, all) = (0, 0)
            for channel in 0..<record.channels {
                let values = exact.map { $0[layer.firstNeuron + channel] }
                guard values.contains(where: { $0 != values[0] }) else { continue }
                let list = Set(strongest(values))
                alike += strongest(stored.map { $0[record.firstNeuron + channel] }).count { list.contains($0) }
                all += length
                neurons += 1
            }
            (common, places) = (common + alike, places + all)
            guard all > 0 else { continue }
            let share = Double(alike) / Double(all)
            if share < least?.share ?? .infinity { least = LayerShare(layer: record.name, share: share) }
        }
        if places > 0 { share = Double(common) / Double(places) }
    }

    /// The images of the largest values, ties by image; NaN is below everything.
    private func strongest(_ values: [Float]) -> ArraySlice<Int> {
        func key(_ image: Int) -> Float { values[image].isNaN ? -.infinity : values[image] }
        return values.indices.sorted { (key($1), $0) < (key($0), $1) }.prefix(length)
    }
}
