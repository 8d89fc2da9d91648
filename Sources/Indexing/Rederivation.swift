public import ActivationStore
import Foundation
import Hashing
import Images
import NeuralNetwork

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
    }

    /// A maximum may differ by this share of its layer's largest value: other processors add in another order.
    public static let tolerance: Float = 1e-4

    private let store: Store
    private let network: Network
    private let preprocessing: Preprocessing

    /// - Parameter model: the ONNX file; nil for where it was when the store was made.
    /// - Throws: `NetworkError` where it cannot be read, `DatasetError` where it is another, or has gone.
    public init(of store: Store, model: String?) throws {
        self.store = store
        let description = store.description
        let path = model ?? description.model.path
        guard FileManager.default.fileExists(atPath: path) else { throw DatasetError.modelMissing(path: path) }
        network = try Network.matching(description, at: path, batch: 1)
        guard network.sha256 == description.model.sha256 else {
            throw DatasetError.otherModel(path: path, found: network.sha256, expected: description.model.sha256)
        }
        preprocessing = try Preprocessing(json: description.preprocessing)
    }

    /// Runs up to `sample` images, spread evenly over the store.
    public func run(sample: Int) throws -> Result {
        let ids = try store.imageIDs()
        let taken = min(sample, ids.count)
        let worker = try network.makeWorker()
        let reader = ImageReader()
        var result = Result()
        for index in 0..<taken {
            guard let image = try store.image(id: ids[index * ids.count / taken]) else { continue }
            try compare(image, worker, reader, &result)
        }
        return result
    }

    private func compare(_ image: StoredImage, _ worker: Worker, _ reader: ImageReader, _ result: inout Result) throws {
        let framed: FramedImage
        do {
            let (read, digest) = try reader.withContents(of: image.path) { bytes throws(ImageError) in
                (try reader.read(bytes, framing: preprocessing.framing), SHA256.hash(data: bytes))
            }
            guard Data(digest) == image.sha256 else {
                result.findings.append(
                    "\(image.path) has changed since it was indexed, so its activations cannot be computed anew")
                return
            }
            framed = read
        } catch {
            result.findings.append("\(error.description); it was read when it was indexed")
            return
        }
        preprocessing.write(framed.image, to: worker.input(image: 0))
        try worker.run()
        guard let stored = try store.activations(ofImage: image.id) else { return }
        result.images += 1
        let maxima = worker.maxima(image: 0)
        let layers = Dictionary(uniqueKeysWithValues: network.layers.map { ($0.tensor, $0) })
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
