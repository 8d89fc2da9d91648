public import ActivationStore
import Foundation
public import Images
public import NeuralNetwork

/// What a store says of a network, made fit for the network itself: a store may come from somebody else, and what it tells is written and
/// read by it.
extension Store {
    /// How pictures become the network's input.
    /// - Throws: ``StoreError/damaged(path:detail:)`` where the store's text is no such recipe.
    public func preprocessing() throws -> Preprocessing {
        do {
            return try Preprocessing(json: description.preprocessing)
        } catch {
            throw StoreError.damaged(path: path, detail: "its preprocessing is no recipe that neurodex knows")
        }
    }

    /// Where the network was when the store was made, or where it is said to be.
    /// - Throws: ``DatasetError/modelMissing(path:)`` where there is no file, or what the store names is none.
    public func modelPath(_ given: String?) throws -> String {
        let path = given ?? description.model.path
        var status = stat()
        // What is there and no file is refused by whoever reads it, in words of its own.
        guard stat(path, &status) == 0 else { throw DatasetError.modelMissing(path: path) }
        return path
    }

    /// That the pictures fit the network, and that the layers that both have are of one size.
    ///
    /// - Parameters:
    ///   - input: of the network with the store's hash.
    ///   - layers: all that it computes.
    /// - Throws: ``StoreError/damaged(path:detail:)``.
    public func checkNetwork(input: Network.Input, layers: [Layer]) throws {
        func contradiction(_ what: String, _ stored: String, _ found: String) -> StoreError {
            .damaged(path: path, detail: "it tells of \(what) as \(stored), and in its network that is \(found)")
        }
        func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "×") }
        let recipe = try preprocessing()
        let (own, wanted) = (
            [recipe.channelCount, recipe.crop.height, recipe.crop.width], [input.channels, input.height, input.width]
        )
        guard own == wanted else { throw contradiction("the input", text(own), text(wanted)) }
        let known = Dictionary(layers.map { ($0.tensor, $0) }) { first, _ in first }
        for record in description.layers {
            guard let layer = known[record.tensor] else { continue }
            let sizes = ([record.channels, record.height, record.width], [layer.channels, layer.height, layer.width])
            guard sizes.0 == sizes.1 else { throw contradiction("layer \(record.name)", text(sizes.0), text(sizes.1)) }
        }
    }
}
