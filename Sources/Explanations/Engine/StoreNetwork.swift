public import ActivationStore
public import Images
import Indexing
import NeuralNetwork
public import Search

/// A store's network, ready to say of any picture what the store says of its own: the maximum of every neuron, and where it is.
public final class StoreNetwork: Sendable {
    private let description: StoreDescription
    private let network: Network

    /// - Parameter model: where the network is now; nil for where it was when the store was made.
    /// - Throws: `DatasetError.otherModel` where it is another network; `NetworkError`, `StoreError`.
    public init(_ store: Store, model: String? = nil) throws {
        description = store.description
        let path = try store.modelPath(model)
        let precision = description.precision.isSupported ? description.precision : .float32
        network = try Network.matching(description, at: path, batch: 1, precision: precision)
        guard network.sha256 == description.model.sha256 else {
            throw DatasetError.otherModel(path: path, found: network.sha256, expected: description.model.sha256)
        }
        try store.checkNetwork(input: network.input, layers: network.layers)
    }

    /// What the network computes on a picture in its frame.
    /// - Throws: `ExplanationError.notComputed` for a layer that the store has and the network does not record; `NetworkError`.
    public func activations(on image: Image, _ preprocessing: Preprocessing) throws -> GivenImage {
        let worker = try network.makeWorker()
        preprocessing.write(image, to: worker.input(image: 0))
        try worker.run()
        let (maxima, places) = (worker.maxima(image: 0), worker.positions(image: 0))
        let layers = Dictionary(network.layers.map { ($0.tensor, $0) }) { first, _ in first }
        var given = GivenImage(values: [], positions: [])
        for record in description.layers {
            guard let layer = layers[record.tensor] else { throw ExplanationError.notComputed(layer: record.name) }
            for channel in 0..<record.channels {
                given.values.append(maxima[layer.firstNeuron + channel])
                given.positions.append(Int(places[layer.firstNeuron + channel]))
            }
        }
        return given
    }
}
