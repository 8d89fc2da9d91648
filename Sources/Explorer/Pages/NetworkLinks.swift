import ActivationStore
import Indexing
import NeuralNetwork

/// Which layers of a store's network each layer is computed from, read of the network's file when it is first asked for.
final class NetworkLinks: Sendable {
    private let store: Store
    private let model: String?
    private let kept = KeptUntilChanged<[[Int]]?>()

    /// - Parameter model: where the network is now; nil for where it was when the store was made.
    init(_ store: Store, model: String?) { (self.store, self.model) = (store, model) }

    /// By the layer's place in the store, the places of those before it; nil where the file is not there, is another, or cannot be read.
    func inputs() -> [[Int]]? {
        guard let path = try? store.modelPath(model) else { return nil }
        return try? kept.value(of: FileState(path: path)) {
            let description = store.description
            guard let graph = try? LayerGraph(contentsOf: path, options: Network.Options(description)),
                graph.sha256 == description.model.sha256
            else { return nil }
            return graph.inputs(of: description.layers.map(\.tensor))
        }
    }
}
