public import ActivationStore
import Support

/// Pairs of images that are nearly the same to the network: ``Distinct``'s rule, for all pairs.
public struct NearDuplicates: Sendable {
    /// Of this many images all pairs are compared within seconds.
    public static let mostImages = 5000

    public struct Pair: Hashable, Sendable {
        /// Ids, the smaller first.
        public var first: Int
        public var second: Int
    }

    /// By ids.
    public let pairs: [Pair]

    /// - Parameter images: ids, ascending; at most ``mostImages``.
    /// - Throws: ``StoreError``.
    public init(among images: [Int], in store: Store) throws {
        precondition(images.count <= Self.mostImages, "all pairs of \(images.count) images are too many")
        let signatures = try store.read { snapshot in
            let fold = try BlockFold(snapshot)
            let neurons = store.description.descriptiveLayer.neurons
            var places = [Int](repeating: -1, count: fold.images)
            for (place, image) in images.enumerated() { places[image] = place }
            var signatures = images.map { _ in [Float](repeating: 0, count: neurons.count) }
            try fold.rows(NeuronSet([neurons])) { first, row in
                for lane in 0..<row.count where places[first + lane] >= 0 {
                    signatures[places[first + lane]][row.neuron - neurons.lowerBound] =
                        row.values.loadUnaligned(fromByteOffset: lane * 4, as: Float.self)
                }
            }
            return signatures
        }
        // Lengths that differ by more than a tenth cannot be near: most pairs are settled by them.
        let lengths = signatures.map { $0.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
        let order = images.indices.sorted {
            (lengths[$0].isFinite ? lengths[$0] : 0, $0) < (lengths[$1].isFinite ? lengths[$1] : 0, $1)
        }
        var pairs: [Pair] = []
        for (rank, one) in order.enumerated() {
            for other in order[(rank + 1)...] {
                guard !(lengths[other] - lengths[one] > 0.1001 * lengths[other]) else { break }
                if Distinct.areNear(signatures[one], signatures[other]) {
                    pairs.append(Pair(first: images[min(one, other)], second: images[max(one, other)]))
                }
            }
        }
        self.pairs = pairs.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }
}
