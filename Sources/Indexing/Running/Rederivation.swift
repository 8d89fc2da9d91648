public import ActivationStore
import NeuralNetwork
import Support

/// Runs a sample of a store's images through the network again and compares.
public struct Rederivation {
    public struct Result: Equatable, Sendable {
        /// Images run.
        public var images = 0
        /// Maxima compared.
        public var activations = 0
        /// Of these, equal to the last bit.
        public var identical = 0
        /// What does not fit, a sentence each.
        public var findings: [String] = []
        /// Paths of images that were not run because their files have gone.
        public var missing: [String] = []
        /// Images of the sample that could not be run, as their files are not what was indexed, a sentence each. That is no fault of
        /// the store.
        public var obstacles: [String] = []
    }

    /// A maximum may differ by this share of its layer's largest value: other processors add in another order.
    public static let tolerance: Float = 1e-4

    private let store: Store
    private let rerun: Rerun

    /// - Parameter model: the ONNX file; nil for where it was when the store was made.
    /// - Parameter images: where images that have moved are now; nil for where they were.
    /// - Throws: `NetworkError` where it cannot be read, `DatasetError` where it is another, or has gone.
    public init(of store: Store, model: String?, images: String? = nil) throws {
        self.store = store
        rerun = try Rerun(of: store, model: model, images: images)
    }

    /// Runs up to `sample` images, spread evenly over the store.
    /// - Parameter isCancelled: asked before each; once true, what is done is the result.
    public func run(sample: Int, isCancelled: () -> Bool = { false }) throws -> Result {
        let ids = try store.imageIDs()
        let taken = min(sample, ids.count)
        var result = Result()
        try Activity.run("computing images anew", parts: taken) {
            for index in 0..<taken where !isCancelled() {
                guard let image = try store.image(id: ids[index * ids.count / taken]) else { continue }
                try compare(image, &result)
                Activity.step()
            }
        }
        return result
    }

    private func compare(_ image: StoredImage, _ result: inout Result) throws {
        let maxima: UnsafeBufferPointer<Float>
        do {
            maxima = try rerun.maxima(of: image)
        } catch let obstacle as Rerun.Obstacle {
            if obstacle.isMissing { result.missing.append(image.path) } else { result.obstacles.append(obstacle.sentence) }
            return
        }
        guard let stored = try store.activations(ofImage: image.id) else { return }
        result.images += 1
        let layers = Dictionary(uniqueKeysWithValues: rerun.network.layers.map { ($0.tensor, $0) })
        for record in store.description.layers {
            guard let layer = layers[record.tensor] else {
                if result.images == 1 {
                    result.findings.append("layer \(record.name) is in the store, but this neurodex does not compute it")
                }
                continue
            }
            let values = record.neurons.map { stored.values[$0] }
            let largest = values.reduce(Float.zero) { $1.isFinite ? max($0, abs($1)) : $0 }
            for (channel, value) in values.enumerated() {
                let again = maxima[layer.firstNeuron + channel]
                result.activations += 1
                if again == value || again.isNaN && value.isNaN {
                    result.identical += 1
                } else if !(abs(again - value) <= Self.tolerance * largest) {
                    result.findings.append(
                        "\(record.name):\(channel) is \(value) on \(image.path) in the store, but \(again) when computed anew")
                }
            }
        }
    }
}
