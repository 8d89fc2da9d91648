import ActivationStore
import Foundation
import Images
import Indexing
import NeuralNetwork
import Search
import Support

/// An image that a question names but the store has not: the network is run on it once.
enum OutsideImage {
    /// The image's activations; nil if the store has it, by its name or by its contents.
    ///
    /// - Parameters:
    ///   - name: a path or an id, as the user wrote it. Becomes the path of the store's copy if there is one.
    ///   - model: where the network is now; nil for where it was when the store was made.
    /// - Throws: `StoreError` for what is neither in the store nor a file; `Failure`, `NetworkError`, `ImageError`.
    static func activations(_ name: inout String, store: Store, model: String?) throws -> GivenImage? {
        do {
            _ = try store.image(named: name)
            return nil
        } catch let error as StoreError {
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) || ImageFiles.exists(name)
            guard isThere, !isFolder.boolValue else { throw error }
        }
        let preprocessing = try store.preprocessing()
        let (framed, digest) = try ImageReader().withContents(of: name) { bytes throws(ImageError) in
            (try ImageReader().read(bytes, framing: preprocessing.framing), Data(SHA256.hash(data: bytes)))
        }
        if let copy = try store.images(sha256: digest).first {
            name = copy.path
            return nil
        }
        return try run(preprocessing, framed.image, store, model)
    }

    private static func run(
        _ preprocessing: Preprocessing, _ image: Image, _ store: Store, _ model: String?
    ) throws -> GivenImage {
        let description = store.description
        let path = try store.modelPath(model)
        let precision = description.precision.isSupported ? description.precision : .float32
        let network = try Network.matching(description, at: path, batch: 1, precision: precision)
        guard network.sha256 == description.model.sha256 else {
            throw DatasetError.otherModel(path: path, found: network.sha256, expected: description.model.sha256)
        }
        try store.checkNetwork(input: network.input, layers: network.layers)
        let worker = try network.makeWorker()
        preprocessing.write(image, to: worker.input(image: 0))
        try worker.run()
        let (maxima, places) = (worker.maxima(image: 0), worker.positions(image: 0))
        let layers = Dictionary(network.layers.map { ($0.tensor, $0) }) { first, _ in first }
        var given = GivenImage(values: [], positions: [])
        for record in description.layers {
            guard let layer = layers[record.tensor] else {
                throw Failure(
                    "layer \(record.name) is in the store, but this neurodex does not compute it; index the images anew")
            }
            for channel in 0..<record.channels {
                given.values.append(maxima[layer.firstNeuron + channel])
                given.positions.append(Int(places[layer.firstNeuron + channel]))
            }
        }
        return given
    }
}
