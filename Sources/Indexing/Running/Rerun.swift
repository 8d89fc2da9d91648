import ActivationStore
import Foundation
import Images
import NeuralNetwork
import Support

/// Runs a store's images through its network once more, one at a time.
final class Rerun {
    let network: Network
    private let preprocessing: Preprocessing
    private let worker: Worker
    private let reader = ImageReader()

    private let files: ImageFiles

    /// Why an image cannot be run as it was indexed, in a sentence.
    struct Obstacle: Error {
        var sentence: String
        /// Whether its file has gone, or is not found.
        var isMissing = false
    }

    /// - Parameters:
    ///   - model: the ONNX file; nil for where it was when the store was made.
    ///   - images: where images that have moved are now; nil for where they were.
    ///   - precision: nil for the store's.
    /// - Throws: `NetworkError` where the file cannot be read, `DatasetError` where it is another, or has gone.
    init(of store: Store, model: String?, images: String? = nil, precision: Precision? = nil) throws {
        files = try ImageFiles(store, folder: images)
        let description = store.description
        let path = try store.modelPath(model)
        network = try Network.matching(description, at: path, batch: 1, precision: precision)
        guard network.sha256 == description.model.sha256 else {
            throw DatasetError.otherModel(path: path, found: network.sha256, expected: description.model.sha256)
        }
        try store.checkNetwork(input: network.input, layers: network.layers)
        preprocessing = try store.preprocessing()
        worker = try network.makeWorker()
    }

    /// The maximum of every neuron on an image, until the next is run.
    ///
    /// - Throws: `Obstacle`, or `NetworkError.kernel`.
    func maxima(of image: StoredImage) throws -> UnsafeBufferPointer<Float> {
        guard let file = files.file(of: image) else {
            throw Obstacle(sentence: "\(image.path) is not there any more", isMissing: true)
        }
        do {
            let (framed, digest) = try reader.withContents(of: file) { bytes throws(ImageError) in
                (try reader.read(bytes, framing: preprocessing.framing), SHA256.hash(data: bytes))
            }
            guard Data(digest) == image.sha256 else {
                throw Obstacle(
                    sentence: "\(image.path) has changed since it was indexed, so its activations cannot be computed anew")
            }
            preprocessing.write(framed.image, to: worker.input(image: 0))
        } catch let error as ImageError {
            throw Obstacle(sentence: "\(error.description); it was read when it was indexed")
        }
        try worker.run()
        return worker.maxima(image: 0)
    }
}
